// The journal as entries with opened payloads, for those who follow it (the projection, exports).
import { Fault } from '../domain/fault.ts';
import { Damage } from './damage.ts';
import { type Entry, parseEntry } from './entry.ts';
import type { FrameRecord } from './frame.ts';
import { type Cursor, cursorAt, type Frame, readBlocks } from './journal-reading.ts';
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
  /** The same block by block: what is in memory is gone through without a promise. Each block is taken before the next. */
  blocks(from: number): AsyncIterable<Iterable<JournalItem>>;
}

/** Entries from an index to the last whole frame there is now; safe while the writer runs. Fault on damage. */
export function readJournal(folder: string, from: number, opener?: KeyOpener): AsyncIterable<JournalItem> {
  return openJournalTail(folder, opener).read(from);
}

/** The same for repeated reading: it remembers where the last reading ended, so that following costs only what is new. */
export function openJournalTail(folder: string, opener?: KeyOpener): JournalTail {
  let cursor: Cursor | undefined;

  function* itemsOf(frames: Iterable<Frame>, from: number): Generator<JournalItem> {
    try {
      for (const { records, file } of frames) {
        for (const record of records) if (record.index >= from) yield itemOf(record, file, opener);
      }
    } catch (cause) {
      throw lost(cause);
    }
  }

  /** After any failure the next reading finds its place anew. */
  function lost(cause: unknown): unknown {
    cursor = undefined;
    if (!(cause instanceof Damage)) return cause;
    return new Fault('ledger.unavailable', `The ledger is damaged (${cause.file}): ${cause.message}.`, cause);
  }

  async function* blocks(from: number): AsyncGenerator<Iterable<JournalItem>> {
    try {
      if (!cursor || cursor.next > from) cursor = await cursorAt(folder, from);
      if (!cursor) return;
      for await (const frames of readBlocks(folder, cursor)) yield itemsOf(frames, from);
    } catch (cause) {
      throw lost(cause);
    }
  }

  return {
    blocks,
    async *read(from) {
      for await (const items of blocks(from)) yield* items;
    },
  };
}

function itemOf({ index, entry: bytes, sealed }: FrameRecord, file: string, opener?: KeyOpener): JournalItem {
  const entry = parseEntry(bytes);
  if (typeof entry === 'string') throw new Damage(file, `the entry ${entry}`, '', index);
  if (!sealed || !opener) return { index, entry };
  const key = opener.open(sealed.key);
  const payload = key ? unseal(key, entry, index, sealed.position, sealed.bytes) : 'shredded';
  if (typeof payload === 'string' && payload !== 'shredded') {
    throw new Damage(file, `the payload ${payload}`, '', index);
  }
  return { index, entry, payload };
}
