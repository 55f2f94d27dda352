// How far a receiver has taken the record, kept beside the keys: a sink goes on where it stood, and never behind what was taken.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Cursor {
  readonly origin: string;
  /** Index of the next entry to send; everything before it was taken or is not for this receiver. */
  readonly next: number;
  /** From where entries must be read again to know what is open. */
  readonly since: number;
  /** Everything before this index has its receipt in the ledger. */
  readonly receipted: number;
  /** Since the last receipt: events taken, those that are no receipts themselves, and the digest over them. */
  readonly events: number;
  readonly others: number;
  readonly digest: string;
  /** When the receiver took the first of them, in milliseconds since the epoch; 0 when there is none. */
  readonly from: number;
}

const noDigest = '0'.repeat(64);

export function startingAt(origin: string, next: number): Cursor {
  return { origin, next, since: next, receipted: next, events: 0, others: 0, digest: noDigest, from: 0 };
}

const place = (state: string, name: string) => join(state, 'exports', `${name}.json`);

/** The cursor of a sink; nothing when there is none that can be read, or it is in none of these logs. */
export function readCursor(state: string, name: string, origins: readonly string[]): Cursor | undefined {
  try {
    const found = JSON.parse(readFileSync(place(state, name), 'utf8')) as Cursor;
    const numbers = [found.next, found.since, found.receipted, found.events, found.others, found.from];
    const isWhole = numbers.every((one) => Number.isSafeInteger(one) && one >= 0);
    return origins.includes(found.origin) && isWhole && /^[0-9a-f]{64}$/.test(found.digest) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** Replaced in one step: a crash leaves the old one or the new one. Losing the last ones only sends events again. */
export function writeCursor(state: string, name: string, cursor: Cursor): void {
  const path = place(state, name);
  mkdirSync(join(state, 'exports'), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.new`, JSON.stringify(cursor), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
