// What an attack is, and how it is played: the same steps by either road, in each form in which a client can say them.
import { createHash } from 'node:crypto';
import { type Format, type Message, type RawClient, say } from '../../peers/raw-client.ts';
import type { Actor, Way } from './arena.ts';

/** `twice` prepares once, describes nothing and executes two times. */
export type Form = 'simple' | 'extended' | 'binary' | 'twice';

export interface Step {
  /** Which session says it; `a` where nothing else is said. Sessions are opened when they first speak. */
  readonly by?: string;
  readonly sql?: string;
  /** Follows a COPY … FROM STDIN. */
  readonly copy?: string;
  /** Said as it is, ended by one Sync or Query. */
  readonly raw?: readonly Buffer[];
  /** Closes the session, or opens it anew with these start-up parameters. */
  readonly ends?: true;
  readonly start?: Readonly<Record<string, string>>;
  /** Values of `$1`, …; always by the extended protocol. */
  readonly values?: readonly (string | null)[];
}

export interface Attack {
  readonly name: string;
  readonly steps: readonly (string | Step)[];
  /** Texts that count as secrets in this attack, beside those that always do. */
  readonly finds?: readonly string[];
  /** Only these forms; by default all that can say the steps. */
  readonly forms?: readonly Form[];
  /**
   * `value`: directly a secret is heard, or comes to rest where it did not stand before. `tells`: what is heard directly differs between
   * two worlds that differ in their secrets only. `bounded`: it may tell, and no more than `bits`.
   */
  readonly kind?: 'value' | 'tells' | 'bounded';
  readonly bits?: number;
  /** The server hashes the values, so that rows come in an order of theirs: what is heard is compared without it. */
  readonly shuffled?: true;
}

/** What each session heard after it was signed in. */
export type Heard = ReadonlyMap<string, readonly Message[]>;

export const formsOf = (attack: Attack): readonly Form[] =>
  attack.forms ??
  (attack.steps.some((step) => typeof step === 'string' || (step.sql && !step.values && step.copy === undefined))
    ? ['simple', 'extended', 'binary', 'twice']
    : ['simple']);

const all = (format: Format): readonly Format[] => (format === 0 ? [] : [1]);

function phrase(step: Step, form: Form): { bytes: Buffer; replies: number } {
  if (step.raw) return { bytes: Buffer.concat(step.raw), replies: 1 };
  const sql = step.sql ?? '';
  if (form === 'simple' && !step.values) return { bytes: say.query(sql), replies: 1 };
  const format: Format = form === 'binary' ? 1 : 0;
  const run = [say.bind('', 's', step.values ?? [], [], all(format)), say.execute('')];
  if (form !== 'twice' || step.copy !== undefined)
    return {
      bytes: Buffer.concat([
        say.parse('', sql),
        say.bind('', '', step.values ?? [], [], all(format)),
        say.describe('P', ''),
        say.execute(''),
        say.sync(),
      ]),
      replies: 1,
    };
  return {
    bytes: Buffer.concat([
      say.close('S', 's'),
      say.parse('s', sql),
      say.sync(),
      ...run,
      say.sync(),
      ...run,
      say.sync(),
    ]),
    replies: 3,
  };
}

const patience = 20_000;

/** Plays all steps and gives what each session heard. A session that is cut has heard what it has. */
export async function play(
  attack: Attack,
  way: Way,
  form: Form,
  actors: Readonly<Record<string, Actor>> = {},
): Promise<Heard> {
  const open = new Map<string, RawClient>();
  const heard = new Map<string, Message[]>();
  const quit = async (name: string) => {
    const client = open.get(name);
    if (!client) return;
    open.delete(name);
    heard.set(name, [...(heard.get(name) ?? []), ...client.messages]);
    client.send(say.terminate());
    client.end();
  };
  try {
    for (const each of attack.steps) {
      const step: Step = typeof each === 'string' ? { sql: each } : each;
      const by = step.by ?? 'a';
      if (step.ends || step.start) await quit(by);
      if (step.ends) continue;
      let client = open.get(by);
      if (!client) {
        try {
          client = await way.open(actors[by] ?? 'agent', step.start ?? {});
        } catch (error) {
          // A refused start-up is heard as well.
          heard.set(by, [...(heard.get(by) ?? []), { type: 'E', body: Buffer.from(String(error)) }]);
          if (step.start) continue;
          throw error;
        }
        client.messages.length = 0;
        open.set(by, client);
      }
      if (step.sql === undefined && !step.raw) continue;
      const { bytes, replies } = phrase(step, form);
      const from = client.messages.length;
      const since = (type: string) => client.messages.slice(from).filter((message) => message.type === type).length;
      client.send(bytes);
      const done = await client.until(
        () => since('Z') >= replies || (step.copy !== undefined && since('G') > 0),
        patience,
      );
      if (done && step.copy !== undefined && since('Z') < replies) {
        const simple = form === 'simple' && !step.values;
        client.send(Buffer.concat([say.copyData(step.copy), say.copyDone(), ...(simple ? [] : [say.sync()])]));
        await client.until(() => since('Z') >= replies, patience);
      }
      if (!done && !client.closed) throw new Error(`${attack.name}: no answer to ${step.sql}`);
    }
  } finally {
    for (const name of open.keys()) await quit(name);
  }
  return heard;
}

/** What was heard, without what differs between any two runs: object ids, and numbers of ledger entries. */
export function transcript(heard: Heard): string {
  const lines: string[] = [];
  for (const [name, messages] of heard)
    for (const { type, body } of messages) {
      if (type === 'T')
        lines.push(
          `${name} T ${[...body.toString('latin1').matchAll(/([^\0]+)\0.{18}/gs)].map(([, column]) => column).join()}`,
        );
      else if (type === 'E' || type === 'N') lines.push(`${name} ${type} ${faultOf(body)}`);
      else if (type === 'A') lines.push(`${name} A ${body.toString('latin1', 4)}`);
      else lines.push(`${name} ${type} ${short(body)}`);
    }
  return lines.join('\n');
}

/** Long bodies by their digest, so that a difference can be printed. */
const short = (body: Buffer) =>
  body.length < 2_000
    ? body.toString('latin1')
    : `${body.length} bytes ${createHash('sha256').update(body).digest('hex')}`;

function faultOf(body: Buffer): string {
  return body
    .toString('utf8')
    .split('\0')
    .filter((field) => /^[CMHD]/.test(field))
    .map((field) => field.replaceAll(/[Ee]ntry \d+|pg_temp_\d+|(0x)?[0-9a-f]{6,}/g, '#'))
    .join(' ');
}

type Row = string | Attack['steps'] | Omit<Attack, 'name'>;

/** Attacks by name. */
export const attacks = (rows: Readonly<Record<string, Row>>): readonly Attack[] =>
  Object.entries(rows).map(([name, row]) => {
    if (typeof row === 'string') return { name, steps: [row] };
    return 'steps' in row ? { name, ...row } : { name, steps: row };
  });
