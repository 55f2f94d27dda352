// The journal as entries with opened payloads, for those who follow it (the projection, exports).
import { Fault } from '../domain/fault.ts';
import { Damage } from './damage.ts';
import { onDisk } from './disk-folder.ts';
import { type Entry, parseEntry } from './entry.ts';
import type { FrameRecord } from './frame.ts';
import { type Cursor, cursorAt, type Frame, readBlocks } from './journal-reading.ts';
import type { KeyOpener } from './keyring.ts';
import { type Payload, unseal } from './payload.ts';
import type { SessionKey } from './session-key.ts';

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
  const files = onDisk(folder);
  let cursor: Cursor | undefined;

  function* itemsOf(frames: Iterable<Frame>, from: number, keys?: Keys): Generator<JournalItem> {
    try {
      for (const { records, file } of frames) {
        for (const record of records) if (record.index >= from) yield itemOf(record, file, keys);
      }
    } catch (cause) {
      throw lost(cause);
    }
  }

  /** The keys of a whole block are asked for at once: the provider may be far away. */
  async function opened(frames: readonly Frame[], from: number, by: KeyOpener): Promise<Keys> {
    const ids = new Set<string>();
    for (const { records } of frames)
      for (const { index, sealed } of records) if (sealed && index >= from) ids.add(sealed.key);
    return by.open(ids);
  }

  /** After any failure the next reading finds its place anew. */
  function lost(cause: unknown): unknown {
    cursor = undefined;
    if (!(cause instanceof Damage)) return cause;
    return new Fault('ledger.unavailable', `The ledger is damaged (${cause.file}): ${cause.message}.`, cause);
  }

  async function* blocks(from: number): AsyncGenerator<Iterable<JournalItem>> {
    try {
      if (!cursor || cursor.next > from) cursor = await cursorAt(files, from);
      if (!cursor) return;
      for await (const frames of readBlocks(files, cursor)) {
        if (!opener) {
          yield itemsOf(frames, from);
          continue;
        }
        // The cursor stands behind the block from here on: whoever stops inside it begins anew, by its index.
        const block = [...frames];
        yield itemsOf(block, from, await opened(block, from, opener));
      }
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

type Keys = ReadonlyMap<string, SessionKey>;

function itemOf({ index, entry: bytes, sealed }: FrameRecord, file: string, keys?: Keys): JournalItem {
  const entry = parseEntry(bytes);
  if (typeof entry === 'string') throw new Damage(file, `the entry ${entry}`, '', index);
  if (!sealed || !keys) return { index, entry };
  const key = keys.get(sealed.key);
  const payload = key ? unseal(key, entry, index, sealed.position, sealed.bytes) : 'shredded';
  if (typeof payload === 'string' && payload !== 'shredded') {
    throw new Damage(file, `the payload ${payload}`, '', index);
  }
  return { index, entry, payload };
}
