// The journal's writer: the write-ahead log, one frame and one write for everything appended in one turn
// (docs/ledger-format.md, "Journal"). Crash behaviour: test/crash/ledger.test.ts.
import { join } from 'node:path';
import { Fault } from '../domain/fault.ts';
import type { AckLevel } from '../domain/target.ts';
import type { Disk } from './disk.ts';
import { entryLimit } from './entry.ts';
import { frameHeaderSize, segmentHeader, segmentHeaderSize, segmentName, writeFrameHeader } from './frame.ts';
import { hashSize, sha256Into } from './hash.ts';
import { sealInPlace, sealPosition } from './payload.ts';
import type { SessionKey } from './session-key.ts';

/** A segment that will not grow any more, as a `journal.seal` entry states it. */
export interface ClosedSegment {
  readonly first: number;
  readonly entries: number;
  readonly bytes: number;
  /** Trailer of its last frame. */
  readonly trailer: Buffer;
}

export interface JournalOptions {
  readonly folder: string;
  readonly disk: Disk;
  /** Index of the next entry; a new segment starts here. */
  readonly next: number;
  /** Trailer of the last frame so far; zeros for a new log. */
  readonly trailer: Buffer;
  /** A segment is closed when it holds this many entries or bytes. */
  readonly segmentEntries: number;
  readonly segmentBytes: number;
  /** Appends the `journal.seal` entry; called when the first entry of a new segment is about to be appended. */
  sealed(segment: ClosedSegment): void;
  /** Everything below `upTo` has been written. */
  written(upTo: number): void;
  /** Called once, when the journal stops for good. */
  stopped(fault: Fault): void;
  /** How long a group took to be written, and a sync to end, in milliseconds: once for each group, not for each entry. */
  readonly timed?: ((what: 'write' | 'sync', ms: number) => void) | undefined;
}

export interface Journal {
  /** Index that the next entry will get, after a segment seal that may have to come first. */
  prepare(): number;
  /**
   * Adds the entry `prepare` gave an index to, and its payload, sealed. A Fault, and nothing added, when it is too long.
   * `mayWait`: nothing depends on it, so it may share the write of what comes in the next `restMs`.
   */
  put(entry: string, key: SessionKey, payload: string | undefined, mayWait: boolean): void;
  /** Resolves when the entries of this turn have reached the level; the same promise for all of them. */
  durable(level: AckLevel): Promise<void>;
  flush(): void;
  /** Resolves when everything written before the call is on the device. */
  sync(): Promise<void>;
  /** Entries in the kernel. */
  written(): number;
  /** Entries that are known to be on the device. */
  synced(): number;
  fault(): Fault | undefined;
  stop(cause: unknown): Fault;
  close(): Promise<void>;
}

interface Waiter {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(fault: Fault): void;
}

const idle = 1024 * 1024;
/** Longest time in milliseconds that an entry waits for company. */
const restMs = 2;
/** A group that grows past this is written at once, within the turn. */
const groupBytes = 8 * 1024 * 1024;
const bodyStart = hashSize + frameHeaderSize;

export function openJournal(options: JournalOptions): Journal {
  const { folder, disk } = options;
  let fd: number | undefined;
  let segment = { first: options.next, entries: 0, bytes: 0 };
  let next = options.next;
  let flushed = options.next;
  let fault: Fault | undefined;
  // The buffer begins with the previous trailer, so that trailer, header and body are hashed as one run of bytes.
  let buffer = Buffer.alloc(idle);
  options.trailer.copy(buffer);
  let end = bodyStart;
  let first = next;
  let scheduled = false;
  /** When the group that is being gathered began, where that is measured. */
  let begun = 0;
  let resting: NodeJS.Timeout | undefined;
  /** Segments that this journal has begun, and how many of their names are known to be on the device. */
  let names = 0;
  /** A start has on the device what it found, before it goes on. */
  let onDevice = options.next;
  let durableNames = 0;
  let written: Waiter | undefined;
  let synced: Waiter | undefined;
  let waiting: Waiter[] = [];
  let syncing: Promise<void> | undefined;
  let retired: number[] = [];

  function prepare(): number {
    if (fault) throw fault;
    if (next === first) {
      const full = segment.entries >= options.segmentEntries || segment.bytes >= options.segmentBytes;
      if (full) rotate();
    }
    return next;
  }

  /** Closes the segment and starts the next with the seal of the old as its first entry. */
  function rotate(): void {
    const closed: ClosedSegment = { ...segment, trailer: Buffer.from(buffer.subarray(0, hashSize)) };
    segment = { first: next, entries: 0, bytes: 0 };
    try {
      // Nothing in the new segment may be durable before all of the old one is.
      if (fd !== undefined) {
        disk.syncNow(fd);
        if (names > durableNames) disk.syncFolderNow(folder);
        durableNames = names;
        retired.push(fd);
        fd = undefined;
      }
    } catch (cause) {
      throw stop(cause);
    }
    options.sealed(closed);
  }

  function put(entry: string, key: SessionKey, payload: string | undefined, mayWait: boolean): void {
    room(2 + entry.length * 3 + 1);
    const length = buffer.write(entry, end + 2);
    if (length > entryLimit) throw new Fault('client.limit', `A ledger entry would exceed ${entryLimit} bytes.`);
    buffer.writeUInt16BE(length, end);
    end += 2 + length;
    if (payload === undefined) {
      buffer[end++] = 0;
    } else {
      room(1 + key.id.length + 10 + (payload.length > 4096 ? Buffer.byteLength(payload) : payload.length * 3));
      end += 1 + (buffer[end] = buffer.write(key.id, end + 1, 'latin1'));
      buffer.writeUIntBE(sealPosition(key), end, 6);
      const start = end + 10;
      const bytes = buffer.write(payload, start);
      sealInPlace(key, buffer, start, start + bytes);
      buffer.writeUInt32BE(bytes, end + 6);
      end = start + bytes;
    }
    next++;
    if (scheduled) return;
    if (mayWait) {
      resting ??= setTimeout(rested, restMs);
    } else {
      scheduled = true;
      if (options.timed) begun = performance.now();
      setImmediate(flush);
    }
  }

  /** Not taken back when a flush comes before it: then it finds nothing, which costs less than a timer a statement. */
  function rested(): void {
    resting = undefined;
    flush();
  }

  /** Makes room for some bytes and the trailer after them. */
  function room(bytes: number): void {
    const needed = end + bytes + hashSize;
    if (needed <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * buffer.length, needed));
    buffer.copy(larger, 0, 0, end);
    buffer = larger;
  }

  function durable(level: AckLevel): Promise<void> {
    const waiter = level === 'written' ? (written ??= newWaiter()) : (synced ??= newWaiter());
    const promise = waiter.promise;
    if (end - bodyStart > groupBytes) flush();
    return promise;
  }

  function flush(): void {
    scheduled = false;
    if (fault || next === first) return;
    const count = next - first;
    const onWritten = written;
    const onSynced = synced;
    const since = begun;
    begun = 0;
    try {
      if (fd === undefined) begin();
      writeFrameHeader(buffer, hashSize, { first, count, body: end - bodyStart });
      sha256Into(buffer, end, buffer.subarray(0, end));
      const bytes = end; // header, body and the new trailer; the old trailer in front is not written again
      writeAll(buffer, hashSize, bytes);
      segment.entries += count;
      segment.bytes += bytes;
      flushed = first = next;
      const before = buffer;
      if (buffer.length > groupBytes) buffer = Buffer.alloc(idle);
      before.copy(buffer, 0, end, end + hashSize);
      end = bodyStart;
    } catch (cause) {
      stop(cause);
      return;
    }
    if (since > 0) options.timed?.('write', performance.now() - since);
    written = synced = undefined;
    onWritten?.resolve();
    if (onSynced) {
      waiting.push(onSynced);
      startSync();
    }
    options.written(flushed);
  }

  function begin(): void {
    fd = disk.open(join(folder, segmentName(segment.first)), true);
    names++;
    const header = segmentHeader(segment.first, buffer.subarray(0, hashSize));
    writeAll(header, 0, segmentHeaderSize);
    segment.bytes = segmentHeaderSize;
  }

  function writeAll(bytes: Buffer, offset: number, length: number): void {
    const done = disk.write(fd!, bytes, offset, length);
    // What a short write left behind is unknown to readers, so nothing may follow it.
    if (done !== length) throw new Error(`wrote ${done} of ${length} bytes`);
  }

  function startSync(): void {
    syncing ??= (async () => {
      try {
        while (waiting.length > 0) {
          const batch = waiting;
          waiting = [];
          try {
            const closing = retired;
            retired = [];
            for (const old of closing) disk.close(old);
            const upTo = flushed;
            // Waits once in any case: what ended within this turn would be taken for still running.
            const since = performance.now();
            await (fd === undefined ? undefined : disk.sync(fd));
            options.timed?.('sync', performance.now() - since);
            const named = names;
            if (named > durableNames) {
              await disk.syncFolder(folder);
              durableNames = Math.max(durableNames, named);
            }
            onDevice = upTo;
          } catch (cause) {
            waiting = [...batch, ...waiting];
            stop(cause);
            return;
          }
          for (const waiter of batch) waiter.resolve();
        }
      } finally {
        syncing = undefined;
      }
    })();
  }

  async function sync(): Promise<void> {
    flush();
    if (fault) throw fault;
    const waiter = newWaiter();
    waiting.push(waiter);
    startSync();
    return waiter.promise;
  }

  /** After a failed write or sync nothing is known of the file: no more writes, and everybody who waits is told. */
  function stop(cause: unknown): Fault {
    if (fault) return fault;
    const stopped = new Fault(
      'ledger.unavailable',
      'The gateway cannot record, so it does not act. Try again later.',
      cause,
    );
    fault = stopped;
    for (const waiter of [written, synced, ...waiting]) waiter?.reject(stopped);
    written = synced = undefined;
    waiting = [];
    options.stopped(stopped);
    return stopped;
  }

  return {
    prepare,
    put,
    durable,
    flush,
    sync,
    stop,
    written: () => flushed,
    synced: () => onDevice,
    fault: () => fault,
    async close() {
      flush();
      clearTimeout(resting);
      while (syncing) await syncing;
      const left = fd === undefined ? retired : [...retired, fd];
      retired = [];
      fd = undefined;
      for (const old of left) disk.close(old);
      fault ??= new Fault('gateway.stopping', 'The gateway is stopping.');
    },
  };
}

function newWaiter(): Waiter {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // Whoever does not wait must not bring the process down; whoever does is still told.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
