// Recordings as the verifier sees them: ciphertext chunks, counted and hashed without any key.
import { readUint32 } from './big-endian.ts';
import { Damage, meaning } from './damage.ts';
import type { Folder, OpenFile } from './folder.ts';
import { leafHash, treeHash } from './hash.ts';
import { allocate, type Bytes, concat, hexOf, utf8 } from './platform.ts';

/** What a session.seal states of its recording. */
export interface RecordingSeal {
  /** Chunks, without the header. */
  readonly chunks: number;
  /** Bytes of the file up to the last whole chunk. */
  readonly bytes: number;
  /** RFC 6962 root, hex, over the header and each chunk's ciphertext. */
  readonly root: string;
  /** What it was kept under; absent in records from before there were rules. */
  readonly rule?: string;
  /** Bytes held of what client and target said. */
  readonly kept?: { readonly client: number; readonly target: number };
  /** What the rule left out of that. */
  readonly unkept?: { readonly client: number; readonly target: number; readonly rows: number };
}

/** Longest chunk; a longer length can only be damage. */
export const chunkLimit = 64 * 1024 * 1024;
export const recordingMagic: Bytes = utf8('CSREC1\n');

/** Path of a session's recording inside the recordings folder, with "/". */
export function recordingFile(session: string): string {
  return `${session.slice(0, 2)}/${session}.rec`;
}

/** Header of a recording: magic, length of the key id, key id. It is leaf 0 of the recording's tree. */
export function recordingHeader(key: string): Bytes {
  return concat([recordingMagic, Uint8Array.of(key.length), utf8(key)]);
}

/** Header and ciphertext chunks of a file, as far as they are whole; returns the bytes of what was whole. */
export async function* readChunks(file: OpenFile): AsyncGenerator<Bytes, number> {
  const take = async (at: number, length: number): Promise<Bytes | undefined> => {
    if (at + length > file.size) return undefined;
    const bytes = allocate(length);
    await file.read(bytes, 0, length, at);
    return bytes;
  };
  const start = await take(0, recordingMagic.length + 1);
  const header = start && (await take(0, start.length + start[start.length - 1]!));
  if (!header) return 0;
  yield header;
  let at = header.length;
  for (;;) {
    const prefix = await take(at, 4);
    const length = prefix && readUint32(prefix, 0);
    if (length === undefined || length > chunkLimit) return at;
    const chunk = await take(at + 4, length);
    if (!chunk) return at;
    yield chunk;
    at += 4 + length;
  }
}

/** What a recording's file amounts to, and how many bytes it has beyond its last whole chunk. Closes the file. */
export async function measureRecording(file: OpenFile): Promise<RecordingSeal & { readonly rest: number }> {
  const leaves: Bytes[] = [];
  const chunks = readChunks(file);
  try {
    for (;;) {
      const step = await chunks.next();
      if (!step.done) {
        leaves.push(leafHash(step.value));
        continue;
      }
      const bytes = step.value;
      return { chunks: Math.max(0, leaves.length - 1), bytes, root: hexOf(treeHash(leaves)), rest: file.size - bytes };
    }
  } finally {
    await file.close();
  }
}

/** Checks every sealed recording against its file, and that there is no file that no session knows. Damage when not so. */
export async function checkRecordings(
  folder: Folder,
  seals: ReadonlyMap<string, { readonly index: number; readonly seal: RecordingSeal }>,
  unsealed: ReadonlySet<string>,
  deleted: ReadonlySet<string> = new Set(),
): Promise<number> {
  const known = new Set<string>([...unsealed].map(recordingFile));
  let checked = 0;
  for (const [session, { index, seal }] of seals) {
    const file = recordingFile(session);
    if (seal.chunks === 0 && seal.bytes === 0) continue;
    known.add(file);
    const opened = await folder.open(file);
    // An entry of the log says so, and that its key is gone.
    if (!opened && deleted.has(session)) continue;
    checked++;
    if (!opened) throw new Damage(file, 'the recording is missing', meaning.missing, index);
    if (opened.size !== seal.bytes) {
      // Not read: it may be of any length.
      await opened.close();
      const what = `the recording has ${opened.size} bytes and its session sealed ${seal.bytes}`;
      throw new Damage(file, what, meaning.changed, index);
    }
    const found = await measureRecording(opened);
    if (found.rest > 0 || found.chunks !== seal.chunks || found.bytes !== seal.bytes || found.root !== seal.root) {
      throw new Damage(file, 'the recording is not the one that its session sealed', meaning.changed, index);
    }
  }
  for (const { path, plain } of await folder.walk()) {
    if (!plain || !path.endsWith('.rec')) throw new Damage(path, 'this file is no recording', meaning.added);
    if (!known.has(path)) throw new Damage(path, 'no session of the ledger has this recording', meaning.added);
  }
  return checked;
}
