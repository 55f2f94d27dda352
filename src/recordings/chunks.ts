// The file of one recording: chunks compressed, encrypted and appended, each a leaf of the recording's tree
// (docs/ledger-format.md, "Recordings"). Runs on the keeper's thread (keeper-worker.ts).
import { createCipheriv, createSecretKey } from 'node:crypto';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import { disk } from '../ledger/disk.ts';
import { leafHash } from '../ledger/hash.ts';
import { addLeaf, emptyTree, rootOf } from '../ledger/tree.ts';
import { type RecordingSeal, recordingHeader } from '../ledger/verify-recordings.ts';

export interface ChunkFileOptions {
  readonly path: string;
  readonly session: string;
  /** Id of the session's key, for the header. */
  readonly keyId: string;
  /** The recording's own key: 32 bytes. */
  readonly secret: Uint8Array;
  /** Opens the file for writing; for tests that make writing fail. */
  readonly openFile?: (path: string) => Promise<Pick<FileHandle, 'write' | 'datasync' | 'close'>>;
}

export interface Keeper {
  /** Appends one chunk behind those given before. Rejects with what stopped the file, and so does everything after it. */
  keep(chunk: Uint8Array): Promise<void>;
  /** Makes it durable and closes. */
  finish(): Promise<RecordingSeal>;
}

/** The file appears with the first chunk, and must not exist yet: a key's nonces are used once. */
export function openChunkFile({ path, session, keyId, secret, openFile = create }: ChunkFileOptions): Keeper {
  const key = createSecretKey(secret);
  const tree = emptyTree();
  let chunks = 0;
  let fileBytes = 0;
  let file: Awaited<ReturnType<typeof openFile>> | undefined;
  let tail: Promise<void> = Promise.resolve();

  async function append(bytes: Buffer): Promise<void> {
    const { bytesWritten } = await file!.write(bytes);
    if (bytesWritten !== bytes.length) throw new Error(`wrote ${bytesWritten} of ${bytes.length} bytes`);
    fileBytes += bytes.length;
  }

  async function write(chunk: Uint8Array): Promise<void> {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(chunks, 8);
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    cipher.setAAD(chunkContext(session, chunks));
    const length = Buffer.alloc(4);
    const parts = [length, cipher.update(compressed(chunk)), cipher.final(), cipher.getAuthTag()];
    const record = Buffer.concat(parts);
    record.writeUInt32BE(record.length - 4);
    if (!file) {
      file = await openFile(path);
      const header = recordingHeader(keyId);
      await append(header);
      addLeaf(tree, leafHash(header), ignore);
    }
    await append(record);
    addLeaf(tree, leafHash(record.subarray(4)), ignore);
    chunks++;
  }

  return {
    keep(chunk) {
      // After a failure the tail stays rejected: what a failed write left behind is unknown.
      const kept = tail.then(() => write(chunk));
      tail = kept;
      kept.catch(ignore);
      return kept;
    },
    async finish() {
      try {
        await tail;
        await file?.datasync();
      } finally {
        await file?.close().catch(ignore);
      }
      return { chunks, bytes: fileBytes, root: rootOf(tree).toString('hex') };
    },
  };
}

/** Additional data of a chunk: it opens only in its session and at its place. */
export function chunkContext(session: string, chunk: number): Buffer {
  return Buffer.from(`countersign-recording/v1\n${session}\n${chunk}`);
}

const params = { [constants.ZSTD_c_compressionLevel]: 1 };

/** One piece of output where it fits: pieces would be joined by another copy. */
function compressed(chunk: Uint8Array): Buffer {
  return zstdCompressSync(chunk, { params, chunkSize: Math.max(1024, chunk.length + (chunk.length >> 7) + 64) });
}

async function create(path: string): Promise<Pick<FileHandle, 'write' | 'datasync' | 'close'>> {
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  const file = await open(path, 'wx', 0o640);
  return {
    write: file.write.bind(file),
    close: () => file.close(),
    async datasync() {
      await file.datasync();
      // The seal says that the file is there: its name must be durable too, and its folder may be new.
      for (const folder of [dirname(path), dirname(dirname(path))]) await disk.syncFolder(folder);
    },
  };
}

function ignore(): void {}
