// Two runs side by side: what must be the same byte for byte, and what is put in the same form first.
import type { Message } from '../peers/raw-client.ts';
import type { Played } from './play.ts';

/** Values of labelled columns end like this; a client never sends one. */
export const hidden = '@hidden.example';

/** OIDs that a run's own DDL made, in the order in which they were seen. */
class Oids {
  readonly #seen = new Map<number, number>();
  normal(oid: number): number {
    if (oid < 16_384) return oid;
    if (!this.#seen.has(oid)) this.#seen.set(oid, 1_000_000 + this.#seen.size);
    return this.#seen.get(oid)!;
  }
}

/** The message as a line to compare and to read. Of errors, the place in the server's own source is left out. */
function line({ type, body }: Message, oids: Oids): string {
  switch (type) {
    case 'T': {
      const fields: string[] = [];
      let at = 2;
      for (let count = body.readInt16BE(0); count > 0; count--) {
        const stop = body.indexOf(0, at);
        const name = body.toString('utf8', at, stop);
        const table = oids.normal(body.readUInt32BE(stop + 1));
        const kind = oids.normal(body.readUInt32BE(stop + 7));
        fields.push(
          `${name} ${table}.${body.readInt16BE(stop + 5)} ${kind} ${body.toString('hex', stop + 11, stop + 19)}`,
        );
        at = stop + 19;
      }
      return `T ${fields.join(', ')}`;
    }
    case 't': {
      const kinds: number[] = [];
      for (let at = 2; at < body.length; at += 4) kinds.push(oids.normal(body.readUInt32BE(at)));
      return `t ${kinds.join(' ')}`;
    }
    case 'E':
    case 'N':
      return `${type} ${report(body)
        .filter(([letter]) => !'FLR'.includes(letter))
        .map(([letter, text]) => `${letter}=${text.replaceAll(/pg_temp_\d+/g, 'pg_temp')}`)
        .join(' | ')}`;
    case 'A':
      return `A ${JSON.stringify(body.toString('utf8', 4))}`;
    case 'K':
      return 'K';
    default:
      return `${type} ${JSON.stringify(body.toString('latin1'))}`;
  }
}

export function report(body: Buffer): [string, string][] {
  return body
    .toString('utf8')
    .split('\0')
    .filter((field) => field !== '')
    .map((field) => [field[0] as string, field.slice(1)]);
}

/** Cells of a DataRow; \`undefined\` is NULL. */
function cells(body: Buffer): (Buffer | undefined)[] {
  const found: (Buffer | undefined)[] = [];
  let at = 2;
  for (let count = body.readInt16BE(0); count > 0; count--) {
    const size = body.readInt32BE(at);
    found.push(size < 0 ? undefined : body.subarray(at + 4, at + 4 + size));
    at += 4 + Math.max(0, size);
  }
  return found;
}

/** Texts that stand in for what could quote a labelled value. */
const withheldText = /withheld|the gateway/i;

/** Whether the gateway's message is the server's with nothing changed but what hides labelled values. */
function masked(straight: Message, through: Message): boolean {
  if (straight.type !== through.type) return false;
  if (straight.type === 'd' || straight.type === 'D') {
    if (!straight.body.includes(hidden) && !straight.body.includes(hidden.toUpperCase())) return false;
    if (straight.type === 'd') return true;
    const [a, b] = [cells(straight.body), cells(through.body)];
    return a.length === b.length && a.every((cell, index) => holds(cell) || same(cell, b[index]));
  }
  if (straight.type === 'A') {
    // Process id and channel stay, what another session may have put into it does not.
    const stop = straight.body.indexOf(0, 4) + 1;
    return through.body.equals(
      Buffer.concat([through.body.subarray(0, 4), straight.body.subarray(4, stop), Buffer.alloc(1)]),
    );
  }
  if (straight.type !== 'E' && straight.type !== 'N') return false;
  const [a, b] = [new Map(report(straight.body)), new Map(report(through.body))];
  // Data copied in that cannot be read for the record ends the COPY with the gateway's own words.
  if (b.get('C') === '22P04' && b.get('M')?.endsWith('the COPY declares'))
    return (a.get('W') ?? '').startsWith('COPY ');
  return a.get('C') === b.get('C') && a.get('V') === b.get('V') && withheldText.test(b.get('M') ?? '');
}

const holds = (cell: Buffer | undefined) =>
  cell !== undefined && (cell.includes(hidden) || cell.includes(hidden.toUpperCase()));
const same = (a: Buffer | undefined, b: Buffer | undefined) =>
  a === b || (a !== undefined && b !== undefined && a.equals(b));

/** The same error with a hint of the gateway's own, where the server has none. */
function advised(straight: Message, through: Message): boolean {
  if (straight.type !== 'E' || through.type !== 'E') return false;
  const [a, b] = [new Map(report(straight.body)), new Map(report(through.body))];
  if (a.has('H') || !b.has('H')) return false;
  return ['S', 'V', 'C', 'M', 'P', 'D', 'W', 's', 't', 'c', 'n'].every((letter) => a.get(letter) === b.get(letter));
}

/**
 * Texts that cannot be read before a part of them has run, or at all: a name of SQL's own (EXECUTE, FETCH) that does not exist, and statements
 * behind a change that they depend on. None of such a text runs: a decision. After it the two sessions are not comparable any more.
 */
export function refused(through: Message): boolean {
  if (through.type !== 'E') return false;
  const fields = new Map(report(through.body));
  if (fields.get('C') === '0A000') return /sent separately|read together/.test(fields.get('M') ?? '');
  return /in this session\. (PREPARE|DECLARE) it first\./.test(fields.get('H') ?? '');
}

/** The first difference between the two runs, with what surrounds it; \`undefined\` when there is none. */
export function difference(straight: Played, through: Played, mayMask: boolean): string | undefined {
  const [a, b] = [new Oids(), new Oids()];
  const direct = straight.messages.map((message) => line(message, a));
  const gateway = through.messages.map((message) => line(message, b));
  const leak = through.messages.findIndex(
    ({ body }) => mayMask && (body.includes(hidden) || body.includes(hidden.toUpperCase())),
  );
  if (leak >= 0) return `a labelled value reached the client: ${gateway[leak]}`;
  const length = Math.max(direct.length, gateway.length);
  for (let index = 0; index < length; index++) {
    if (direct[index] === gateway[index]) continue;
    const [one, other] = [straight.messages[index], through.messages[index]];
    if (one && other && advised(one, other)) continue;
    if (other && refused(other)) return undefined;
    if (mayMask && one && other && masked(one, other)) continue;
    const shown = (lines: readonly string[]) => lines.slice(Math.max(0, index - 3), index + 4).join('\n    ');
    return `message ${index}:\n  direct\n    ${shown(direct)}\n  gateway\n    ${shown(gateway)}\n  ${through.stuck ?? ''}`;
  }
  return through.stuck;
}
