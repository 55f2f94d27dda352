// The journal as entries with opened payloads, for those who follow it (the projection, exports).
import { Fault } from '../domain/fault.ts';
import { Damage } from './damage.ts';
import { type Entry, parseEntry } from './entry.ts';
import { type Cursor, cursorAt, readFrames } from './journal-reading.ts';
import type { KeyOpener } from './keyring.ts';
import { type Payload, unseal } from './payload.ts';

export interface JournalItem {
  readonly index: number;
  readonly entry: Entry;
  /** Absent when the entry has none or no opener was given; 'shredded' when its key was destroyed. */
  readonly payload?: Payload | 'shredded';
}

export interface JournalTail {
  /** Entries from an index to the last whole frame there is now. */
  read(from: number): AsyncIterable<JournalItem>;
}

/** Entries from an index to the last whole frame there is now; safe while the writer runs. Fault on damage. */
export function readJournal(folder: string, from: number, opener?: KeyOpener): AsyncIterable<JournalItem> {
  return openJournalTail(folder, opener).read(from);
}

/** The same for repeated reading: it remembers where the last reading ended, so that following costs only what is new. */
export function openJournalTail(folder: string, opener?: KeyOpener): JournalTail {
  let cursor: Cursor | undefined;
  return {
    async *read(from) {
      try {
        if (!cursor || cursor.next > from) cursor = await cursorAt(folder, from);
        if (!cursor) return;
        for await (const { records, file } of readFrames(folder, cursor)) {
          for (const { index, entry: bytes, sealed } of records) {
            if (index < from) continue;
            const entry = parseEntry(bytes);
            if (typeof entry === 'string') throw new Damage(file, `the entry ${entry}`, '', index);
            if (!sealed || !opener) {
              yield { index, entry };
              continue;
            }
            const key = opener.open(sealed.key);
            const payload = key ? unseal(key, entry, index, sealed.position, sealed.bytes) : 'shredded';
            if (typeof payload === 'string' && payload !== 'shredded') {
              throw new Damage(file, `the payload ${payload}`, '', index);
            }
            yield { index, entry, payload };
          }
        }
      } catch (cause) {
        cursor = undefined;
        if (!(cause instanceof Damage)) throw cause;
        throw new Fault('ledger.unavailable', `The ledger is damaged (${cause.file}): ${cause.message}.`, cause);
      }
    },
  };
}
