// Keeps what a session's client saw and sent, already masked: gathered, compressed, encrypted, appended
// (docs/ledger-format.md, "Recordings"). Memory is bounded: `write` says when the path must wait.
import { createCipheriv } from 'node:crypto';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { Fault } from '../domain/fault.ts';
import { opaqueId } from '../ledger/entry.ts';
import { leafHash } from '../ledger/hash.ts';
import { recordingKey, type SessionKey } from '../ledger/session-key.ts';
import { addLeaf, emptyTree, rootOf } from '../ledger/tree.ts';
import { type RecordingSeal, recordingFile, recordingHeader } from '../ledger/verify-recordings.ts';
import { frameHeaderSize, type FrameKind, writeFrame } from './frames.ts';

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

const compress = promisify(zstdCompress);
const chunkBytes = 256 * 1024;
const firstBuffer = 4 * 1024;
/** Bytes that may wait for compression and disk before `write` says false. */
const waitingLimit = 4 * 1024 * 1024;
const chunkMilliseconds = 1000;

/** Starts a recording. Its file appears with the first chunk, and must not exist yet: a key's nonces are used once. */
export function openRecorder({ folder, session, key, openFile = create }: RecorderOptions): Recorder {
  if (!opaqueId.test(session) || session.length < 2) throw new TypeError('a session id is 2 to 64 of A-Z a-z 0-9 _ -');
  const path = join(folder, recordingFile(session));
  const secret = recordingKey(key, session);
  const tree = emptyTree();
  let buffer: Buffer | undefined;
  let used = 0;
  let total = 0;
  let waiting = 0;
  let chunks = 0;
  let fileBytes = 0;
  let file: Awaited<ReturnType<typeof openFile>> | undefined;
  let fault: Fault | undefined;
  let tail: Promise<void> = Promise.resolve();
  let sealing: Promise<RecordingSeal> | undefined;
  let drain: PromiseWithResolvers<void> | undefined;

  function write(kind: FrameKind, at: number, bytes: Uint8Array): boolean {
    if (fault) throw fault;
    if (sealing) throw new Fault('gateway.internal', 'The session has ended.');
    const needed = frameHeaderSize + bytes.length;
    if (used + needed > chunkBytes) cut();
    if (!buffer) {
      buffer = Buffer.allocUnsafe(Math.max(firstBuffer, needed));
      due.add(cut);
      startClock();
    } else if (used + needed > buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(Math.min(2 * buffer.length, chunkBytes), used + needed));
      buffer.copy(larger, 0, 0, used);
      buffer = larger;
    }
    used = writeFrame(buffer, used, kind, at, bytes);
    total += bytes.length;
    return waiting < waitingLimit;
  }

  /** Hands what was gathered to the writer. */
  function cut(): void {
    if (!buffer) return;
    const chunk = buffer.subarray(0, used);
    due.delete(cut);
    buffer = undefined;
    used = 0;
    waiting += chunk.length;
    tail = tail
      .then(() => keep(chunk))
      .then(() => {
        waiting -= chunk.length;
        if (waiting < waitingLimit / 2) {
          drain?.resolve();
          drain = undefined;
        }
      });
  }

  async function keep(chunk: Buffer): Promise<void> {
    if (fault) return;
    try {
      const small = await compress(chunk, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
      const nonce = Buffer.alloc(12);
      nonce.writeUInt32BE(chunks, 8);
      const cipher = createCipheriv('aes-256-gcm', secret, nonce);
      cipher.setAAD(chunkContext(session, chunks));
      const sealed = Buffer.concat([cipher.update(small), cipher.final(), cipher.getAuthTag()]);
      if (!file) {
        file = await openFile(path);
        const header = recordingHeader(key.id);
        await append(header);
        addLeaf(tree, leafHash(header), ignore);
      }
      const length = Buffer.alloc(4);
      length.writeUInt32BE(sealed.length);
      await append(Buffer.concat([length, sealed]));
      addLeaf(tree, leafHash(sealed), ignore);
      chunks++;
    } catch (cause) {
      fault = new Fault('ledger.unavailable', 'The session cannot be recorded, so it ends.', cause);
      drain?.reject(fault);
      drain = undefined;
    }
  }

  async function append(bytes: Buffer): Promise<void> {
    const { bytesWritten } = await file!.write(bytes);
    if (bytesWritten !== bytes.length) throw new Error(`wrote ${bytesWritten} of ${bytes.length} bytes`);
    fileBytes += bytes.length;
  }

  async function flush(): Promise<void> {
    cut();
    await tail;
    if (fault) throw fault;
  }

  async function finish(): Promise<RecordingSeal> {
    try {
      await flush();
      await file?.datasync();
    } catch (cause) {
      fault ??= new Fault('ledger.unavailable', 'The session cannot be recorded, so it ends.', cause);
      throw fault;
    } finally {
      due.delete(cut);
      await file?.close().catch(ignore);
    }
    return { chunks, bytes: fileBytes, root: rootOf(tree).toString('hex') };
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

/** Additional data of a chunk: it opens only in its session and at its place. */
export function chunkContext(session: string, chunk: number): Buffer {
  return Buffer.from(`countersign-recording/v1\n${session}\n${chunk}`);
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

async function create(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  return open(path, 'wx', 0o640);
}

function ignore(): void {}
