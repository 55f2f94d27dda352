// Recordings as the verifier sees them: ciphertext chunks, counted and hashed without any key.
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Damage, meaning } from './damage.ts';
import { leafHash, treeHash } from './hash.ts';

/** What a session.seal states of its recording. */
export interface RecordingSeal {
  /** Chunks, without the header. */
  readonly chunks: number;
  /** Bytes of the file up to the last whole chunk. */
  readonly bytes: number;
  /** RFC 6962 root, hex, over the header and each chunk's ciphertext. */
  readonly root: string;
}

/** Longest chunk; a longer length can only be damage. */
export const chunkLimit = 64 * 1024 * 1024;
export const recordingMagic = Buffer.from('CSREC1\n', 'latin1');

/** Path of a session's recording inside the recordings folder. */
export function recordingFile(session: string): string {
  return join(session.slice(0, 2), `${session}.rec`);
}

/** Header of a recording: magic, length of the key id, key id. It is leaf 0 of the recording's tree. */
export function recordingHeader(key: string): Buffer {
  return Buffer.concat([recordingMagic, Buffer.from([key.length]), Buffer.from(key, 'latin1')]);
}

/** Header and ciphertext chunks of a file, as far as they are whole; returns the bytes of what was whole. */
export async function* readChunks(path: string): AsyncGenerator<Buffer, number> {
  const handle = await open(path, 'r');
  try {
    const size = (await handle.stat()).size;
    const take = async (at: number, length: number): Promise<Buffer | undefined> => {
      if (at + length > size) return undefined;
      const bytes = Buffer.alloc(length);
      await handle.read(bytes, 0, length, at);
      return bytes;
    };
    const start = await take(0, recordingMagic.length + 1);
    const header = start && (await take(0, start.length + start[start.length - 1]!));
    if (!header) return 0;
    yield header;
    let at = header.length;
    for (;;) {
      const length = await take(at, 4);
      if (!length || length.readUInt32BE() > chunkLimit) return at;
      const chunk = await take(at + 4, length.readUInt32BE());
      if (!chunk) return at;
      yield chunk;
      at += 4 + chunk.length;
    }
  } finally {
    await handle.close();
  }
}

/** What a recording's file amounts to, and how many bytes it has beyond its last whole chunk. */
export async function measureRecording(path: string): Promise<RecordingSeal & { readonly rest: number }> {
  const leaves: Buffer[] = [];
  const chunks = readChunks(path);
  let bytes = 0;
  for (;;) {
    const step = await chunks.next();
    if (step.done) {
      bytes = step.value;
      break;
    }
    leaves.push(leafHash(step.value));
  }
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    return {
      chunks: Math.max(0, leaves.length - 1),
      bytes,
      root: treeHash(leaves).toString('hex'),
      rest: size - bytes,
    };
  } finally {
    await handle.close();
  }
}

/** Checks every sealed recording against its file, and that there is no file that no session knows. Damage when not so. */
export async function checkRecordings(
  folder: string,
  seals: ReadonlyMap<string, { readonly index: number; readonly seal: RecordingSeal }>,
  unsealed: ReadonlySet<string>,
): Promise<number> {
  const known = new Set<string>([...unsealed].map(recordingFile));
  let checked = 0;
  for (const [session, { index, seal }] of seals) {
    const file = recordingFile(session);
    if (seal.chunks === 0 && seal.bytes === 0) continue;
    known.add(file);
    checked++;
    const found = await measureRecording(join(folder, file)).catch(() => {
      throw new Damage(file, 'the recording is missing', meaning.missing, index);
    });
    if (found.rest > 0 || found.chunks !== seal.chunks || found.bytes !== seal.bytes || found.root !== seal.root) {
      throw new Damage(file, 'the recording is not the one that its session sealed', meaning.changed, index);
    }
  }
  for (const name of await readdir(folder, { recursive: true })) {
    if (name.endsWith('.rec') && !known.has(name)) {
      throw new Damage(name, 'no session of the ledger has this recording', 'It was put there by somebody else.');
    }
  }
  return checked;
}
