// Keeps what a session's client saw and sent, already masked: gathered here, compressed, encrypted, appended by keeper.ts
// (docs/ledger-format.md, "Recordings"). Memory is bounded: `write` says when the path must wait.
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../domain/fault.ts';
import { opaqueId } from '../ledger/entry.ts';
import { emptyRoot } from '../ledger/hash.ts';
import { recordingKey, type SessionKey } from '../ledger/session-key.ts';
import { type RecordingSeal, recordingFile } from '../ledger/verify-recordings.ts';
import { openChunkFile } from './chunks.ts';
import { frameHeaderSize, type FrameKind, writeFrame } from './frames.ts';
import { openKeeper, slabBytes, takeSlab } from './keeper.ts';

export interface RecorderOptions {
  readonly folder: string;
  /** Session id; also the file's name. */
  readonly session: string;
  readonly key: SessionKey;
  /** Opens the file for writing; for tests that make writing fail. */
  readonly openFile?: (path: string) => Promise<Pick<FileHandle, 'write' | 'datasync' | 'close'>>;
}

export interface Recorder {
  /** Keeps a copy of some bytes. False when too much waits to be written: pause, and go on after `drained`. Throws the Fault that stopped it. */
  write(kind: FrameKind, at: number, bytes: Uint8Array): boolean;
  /** Bytes given to `write` so far. */
  readonly bytes: number;
  /** Too much waits to be written. */
  readonly full: boolean;
  /** Resolves once it is not full any more; rejects with the Fault that stopped it. */
  drained(): Promise<void>;
  /** Resolves when everything given before is in the file. */
  flush(): Promise<void>;
  /** Writes the rest, makes it durable and closes. The facts for session.seal. Idempotent. */
  seal(): Promise<RecordingSeal>;
  /** Set once writing has failed: the session must end. */
  readonly fault: Fault | undefined;
}

/** Of one chunk before compression, its frames included. */
const chunkBytes = slabBytes;
const firstBuffer = 4 * 1024;
/** What gathers less is copied to the writing thread, and its buffer stays; more goes there in a slab. */
const ownBuffer = 16 * 1024;
/** Bytes that may wait for compression and disk before `write` says false. */
const waitingLimit = 4 * 1024 * 1024;
const chunkMilliseconds = 1000;

/** Starts a recording. Its file appears with the first chunk, and must not exist yet: a key's nonces are used once. */
export function openRecorder({ folder, session, key, openFile }: RecorderOptions): Recorder {
  if (!opaqueId.test(session) || session.length < 2) throw new TypeError('a session id is 2 to 64 of A-Z a-z 0-9 _ -');
  const path = join(folder, recordingFile(session));
  const file = { path, session, keyId: key.id, secret: recordingKey(key, session) };
  const keeper = openFile ? openChunkFile({ ...file, openFile }) : openKeeper(file);
  let buffer: Buffer = nothing;
  /** Small, and this recorder's for its life. */
  let own: Buffer = nothing;
  let used = 0;
  let total = 0;
  let waiting = 0;
  let started = false;
  let fault: Fault | undefined;
  let tail: Promise<void> = Promise.resolve();
  let sealing: Promise<RecordingSeal> | undefined;
  let drain: PromiseWithResolvers<void> | undefined;

  function write(kind: FrameKind, at: number, bytes: Uint8Array): boolean {
    if (fault) throw fault;
    if (sealing) throw new Fault('gateway.internal', 'The session has ended.');
    const needed = frameHeaderSize + bytes.length;
    if (used + needed > chunkBytes) cut();
    if (used === 0) {
      due.add(cut);
      startClock();
    }
    if (used + needed > buffer.length) grow(used + needed);
    used = writeFrame(buffer, used, kind, at, bytes);
    total += bytes.length;
    return waiting < waitingLimit;
  }

  function grow(needed: number): void {
    const before = buffer;
    if (needed <= ownBuffer) buffer = own = Buffer.allocUnsafeSlow(needed <= firstBuffer ? firstBuffer : ownBuffer);
    else buffer = needed <= slabBytes ? takeSlab() : Buffer.allocUnsafeSlow(needed);
    before.copy(buffer, 0, 0, used);
  }

  /** Hands what was gathered to the writer. */
  function cut(): void {
    if (used === 0) return;
    due.delete(cut);
    const length = used;
    // A writer of this thread still reads what it was given after the call.
    const chunk = openFile ? Buffer.from(buffer.subarray(0, length)) : buffer.subarray(0, length);
    waiting += length;
    started = true;
    const kept = keeper.keep(chunk);
    buffer = own;
    used = 0;
    tail = kept.then(
      () => {
        waiting -= length;
        if (waiting < waitingLimit / 2) {
          drain?.resolve();
          drain = undefined;
        }
      },
      (cause) => {
        fault ??= new Fault('ledger.unavailable', 'The session cannot be recorded, so it ends.', cause);
        drain?.reject(fault);
        drain = undefined;
      },
    );
  }

  async function flush(): Promise<void> {
    cut();
    await tail;
    if (fault) throw fault;
  }

  async function finish(): Promise<RecordingSeal> {
    try {
      if (!started && used === 0) return { chunks: 0, bytes: 0, root: emptyRoot.toString('hex') };
      await flush();
      return await keeper.finish();
    } catch (cause) {
      fault ??= new Fault('ledger.unavailable', 'The session cannot be recorded, so it ends.', cause);
      await keeper.finish().catch(ignore);
      throw fault;
    } finally {
      due.delete(cut);
    }
  }

  return {
    write,
    get bytes() {
      return total;
    },
    get full() {
      return waiting >= waitingLimit;
    },
    get fault() {
      return fault;
    },
    async drained() {
      if (fault) throw fault;
      if (waiting < waitingLimit) return;
      drain ??= Promise.withResolvers();
      await drain.promise;
    },
    flush,
    seal: () => (sealing ??= finish()),
  };
}

// One clock for all recorders: whatever was gathered for a second is written.
const due = new Set<() => void>();
let clock: NodeJS.Timeout | undefined;

function startClock(): void {
  if (clock) return;
  clock = setInterval(() => {
    for (const cut of due) cut();
    if (due.size > 0) return;
    clearInterval(clock);
    clock = undefined;
  }, chunkMilliseconds);
  clock.unref();
}

const nothing: Buffer = Buffer.alloc(0);

function ignore(): void {}
