// One ordinary statement by one way, and what of it came out otherwise than directly.
import { type Message, type RawClient, say } from '../peers/raw-client.ts';
import type { Ordinary } from './ordinary.ts';

/** Runs it and gives back every message but those that say nothing of it. */
export async function run(client: RawClient, entry: Ordinary): Promise<readonly Message[]> {
  const from = client.messages.length;
  const ask = async (sql: string, values?: readonly (string | null)[]) => {
    const before = client.messages.length;
    const ready = (all: readonly Message[]) => all.slice(before).some(({ type }) => type === 'Z');
    if (values === undefined) client.send(say.query(sql));
    else
      client.send(
        Buffer.concat([
          say.parse('', sql),
          say.bind('', '', values),
          say.describe('P', ''),
          say.execute(''),
          say.sync(),
        ]),
      );
    if (entry.data !== undefined && /^copy .* from stdin/i.test(sql)) {
      await client.until((all) => ready(all) || all.slice(before).some(({ type }) => type === 'G'), 10_000);
      if (!ready(client.messages)) client.send(Buffer.concat([say.copyData(entry.data), say.copyDone()]));
    }
    if (!(await client.until(ready, 15_000))) throw new Error(`no end of: ${sql}`);
  };
  if (!entry.alone) await ask('begin');
  for (const sql of [entry.sql].flat()) await ask(sql, entry.values);
  const till = client.messages.length;
  await ask('rollback');
  return client.messages.slice(from, till).filter(({ type }) => type !== 'Z' && type !== 'N');
}

/** Names of columns by table and attribute do not matter here; their order, type and number do. */
interface Column {
  readonly name: string;
}

function columnsOf(body: Buffer): Column[] {
  const columns: Column[] = [];
  let at = 2;
  for (let count = body.readUInt16BE(0); count > 0; count--) {
    const end = body.indexOf(0, at);
    columns.push({ name: body.toString('utf8', at, end) });
    at = end + 19;
  }
  return columns;
}

function withoutTables(body: Buffer): Buffer {
  const copy = Buffer.from(body);
  let at = 2;
  for (let count = copy.readUInt16BE(0); count > 0; count--) {
    at = copy.indexOf(0, at) + 1;
    copy.writeInt32BE(0, at);
    at += 18;
  }
  return copy;
}

function cellsOf(body: Buffer): (string | null)[] {
  const cells: (string | null)[] = [];
  let at = 2;
  for (let count = body.readUInt16BE(0); count > 0; count--) {
    const length = body.readInt32BE(at);
    at += 4;
    cells.push(length < 0 ? null : body.toString('latin1', at, at + length));
    if (length > 0) at += length;
  }
  return cells;
}

export const failureOf = (messages: readonly Message[]): string | undefined =>
  messages
    .filter(({ type }) => type === 'E')
    .map(({ body }) =>
      body
        .toString('utf8')
        .split('\0')
        .filter((field) => /^[CMDH]/.test(field))
        .join(' | '),
    )
    .at(0);

/**
 * What differs: an error, another tag, another description, another number of rows, a cell that is not in one of `masked`. A column of
 * `masked` must differ somewhere, or what the corpus says of it is wrong.
 */
export function differences(
  direct: readonly Message[],
  through: readonly Message[],
  masked: readonly string[],
  { moving, sql }: Ordinary,
): string[] {
  const failure = failureOf(through);
  if (failure !== undefined) return [failure];
  const told: string[] = [];
  const row = (type: string) => type === 'D' || type === 'd';
  const [mine, theirs] = [direct, through].map((all) => (moving ? all.filter(({ type }) => type === 'T') : all)) as [
    readonly Message[],
    readonly Message[],
  ];
  if (mine.length !== theirs.length)
    return [
      `${mine.length} messages directly (${kinds(mine)}), ${theirs.length} through the gateway (${kinds(theirs)})`,
    ];
  let columns: Column[] = [];
  const hidden = new Set<string>();
  for (const [index, { type, body }] of mine.entries()) {
    const other = theirs[index]!;
    if (type !== other.type) {
      told.push(`message ${index} is ${type} directly, ${other.type} through the gateway`);
      continue;
    }
    if (type === 'T') columns = columnsOf(body);
    if (body.equals(other.body)) continue;
    // A table that the statement itself makes has another number each time.
    if (type === 'T' && /\bcreate\b/i.test([sql].flat()[0]!) && withoutTables(body).equals(withoutTables(other.body)))
      continue;
    if (type === 'S') continue;
    if (!row(type) || type === 'd') {
      told.push(`${type} differs: ${body.toString('latin1')} / ${other.body.toString('latin1')}`);
      continue;
    }
    const cells = cellsOf(other.body);
    for (const [at, cell] of cellsOf(body).entries()) {
      if (cell === cells[at]) continue;
      const name = columns[at]?.name ?? '?';
      if (masked.includes(name)) hidden.add(name);
      else told.push(`cell of ${name} differs: ${cell} / ${cells[at]}`);
    }
  }
  for (const name of masked) if (!hidden.has(name)) told.push(`nothing of ${name} was masked`);
  return [...new Set(told)].slice(0, 4);
}

const kinds = (all: readonly Message[]) =>
  all
    .map(({ type }) => type)
    .join('')
    .slice(0, 40);
