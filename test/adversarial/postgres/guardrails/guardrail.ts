// A guardrail attack: what it says, in which forms, and how it is known to have worked. Judged at the target, never by the answer.
import { type RawClient, say } from '../../../peers/raw-client.ts';
import type { Actor, Way } from '../arena.ts';

/** `pipelined` sends all steps behind a harmless query with one Sync at the end. */
export type Form = 'simple' | 'extended' | 'prepared' | 'pipelined';
export const forms: readonly Form[] = ['simple', 'extended', 'prepared', 'pipelined'];

export interface Step {
  readonly sql: string;
  /** Another session of the same principal. */
  readonly by?: string;
  /** Bound to `$1`, as a value of the type of this name. */
  readonly value?: readonly [type: string, text: string];
  /** Lines for a COPY … FROM STDIN. */
  readonly copy?: string;
}

export interface Guardrail {
  readonly name: string;
  readonly steps: readonly (string | Step)[];
  /** Where the text is several statements, only the simple form can say it; some commands run in no transaction block. */
  readonly forms?: readonly Form[];
  /** How it shows, where no row or catalogue of the database changes: a query at the server that gives true, while the session is open. */
  readonly proof?: string;
  /** Puts back at the server what belongs to no database. */
  readonly after?: string;
  /** Or what the client hears. */
  readonly hears?: RegExp;
}

type Rows = Readonly<Record<string, string | readonly (string | Step)[] | Omit<Guardrail, 'name'>>>;

export const guardrails = (rows: Rows): readonly Guardrail[] =>
  Object.entries(rows).map(([name, row]) => {
    if (typeof row === 'string') return { name, steps: [row] };
    return 'steps' in row ? { name, ...row } : { name, steps: row };
  });

export interface Played {
  /** Every byte that came, as latin1. */
  readonly heard: string;
  /** SQLSTATEs of the errors. */
  readonly errors: readonly string[];
  readonly proven: boolean;
}

const patience = 15_000;
let names = 0;

/** Plays the steps in one form, a session for each name, and asks for the proof before the sessions end. */
export async function play(attack: Guardrail, way: Way, form: Form, actor: Actor = 'agent'): Promise<Played> {
  const sessions = new Map<string, RawClient>();
  const session = async (name: string) => {
    const known = sessions.get(name);
    if (known) return known;
    const opened = await way.open(actor);
    opened.messages.length = 0;
    sessions.set(name, opened);
    return opened;
  };
  try {
    const steps = attack.steps.map((step): Step => (typeof step === 'string' ? { sql: step } : step));
    const oneSession = steps.every((step) => step.by === undefined && step.copy === undefined);
    if (form === 'pipelined' && oneSession) {
      const said = ['select 1', ...steps.map(({ sql }) => sql)].flatMap((sql) => [
        say.parse('', sql),
        say.bind('', ''),
        say.execute(''),
      ]);
      await answered(await session('a'), [...said, say.sync()]);
    } else
      for (const step of steps) {
        const oid = step.value && (await way.run(`select '${step.value[0]}'::regtype::oid as oid`))[0]!['oid'];
        await one(await session(step.by ?? 'a'), step, form, Number(oid ?? 0));
      }
    const proven = attack.proof !== undefined && Object.values((await way.run(attack.proof))[0] ?? {})[0] === true;
    const messages = [...sessions.values()].flatMap((client) => client.messages);
    return {
      heard: messages.map(({ type, body }) => type + body.toString('latin1')).join('\n'),
      errors: messages
        .filter(({ type }) => type === 'E')
        .map(({ body }) => /(?:^|\0)C([0-9A-Z]{5})/.exec(body.toString('latin1'))?.[1] ?? '?'),
      proven,
    };
  } finally {
    for (const client of sessions.values()) client.end();
  }
}

async function one(client: RawClient, { sql, copy, value }: Step, form: Form, type: number): Promise<void> {
  if (form === 'simple') return answered(client, [say.query(sql)], copy, true);
  const name = form === 'prepared' ? `p${names++}` : '';
  if (form === 'prepared')
    await answered(client, [say.parse(name, sql, value ? [type] : []), say.describe('S', name), say.sync()]);
  const parse = form === 'prepared' ? [] : [say.parse('', sql, value ? [type] : [])];
  await answered(
    client,
    [...parse, say.bind('', name, value ? [value[1]] : []), say.execute(''), say.sync()],
    copy,
    false,
  );
}

async function answered(client: RawClient, said: readonly Buffer[], copy?: string, simple = false): Promise<void> {
  const from = client.messages.length;
  const since = (type: string) => client.messages.slice(from).some((message) => message.type === type);
  client.send(Buffer.concat(said));
  await client.until(() => since('Z') || (copy !== undefined && since('G')), patience);
  if (copy !== undefined && since('G')) {
    // The Sync of the extended form was taken as part of the copying.
    client.send(Buffer.concat([say.copyData(copy), say.copyDone(), ...(simple ? [] : [say.sync()])]));
    await client.until(() => since('Z'), patience);
  }
  if (!since('Z') && !client.closed) throw new Error('no answer');
}
