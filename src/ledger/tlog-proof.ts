// One record's proof in one file: c2sp.org/tlog-proof. With the entry's bytes and the log's public key it needs nothing else.
import { hashSize, leafHash } from './hash.ts';
import { type NoteKey, NoteError, openNote, parseCheckpoint } from './note.ts';
import { base64Of, type Bytes, fromBase64 } from './platform.ts';
import { includes } from './proof.ts';

const firstLine = 'c2sp.org/tlog-proof@v1';
/** A path is never longer than the tree is deep, and sizes are below 2^53. */
const longestPath = 53;

export interface TlogProof {
  readonly index: number;
  readonly path: readonly Bytes[];
  /** The signed note, to the letter. */
  readonly checkpoint: string;
}

export function formatTlogProof({ index, path, checkpoint }: TlogProof): string {
  const hashes = path.map((hash) => `${base64Of(hash)}\n`).join('');
  return `${firstLine}\nindex ${index}\n${hashes}\n${checkpoint}`;
}

/** NoteError when it is malformed. An `extra` line is allowed and, being unauthenticated, not looked at. */
export function parseTlogProof(text: string): TlogProof {
  const cut = text.indexOf('\n\n');
  if (cut < 0) throw new NoteError('the proof holds no checkpoint');
  const [first, ...lines] = text.slice(0, cut).split('\n');
  if (first !== firstLine) throw new NoteError(`the proof does not begin with ${firstLine}`);
  if (lines[0]?.startsWith('extra ')) lines.shift();
  const digits = /^index (0|[1-9]\d*)$/.exec(lines.shift() ?? '')?.[1];
  const index = Number(digits);
  if (digits === undefined || !Number.isSafeInteger(index)) throw new NoteError('the proof has no index');
  if (lines.length > longestPath) throw new NoteError('the path of the proof is too long');
  const path = lines.map((line) => {
    const hash = fromBase64(line);
    if (hash?.length !== hashSize) throw new NoteError('a hash of the proof is malformed');
    return hash;
  });
  return { index, path, checkpoint: text.slice(cut + 2) };
}

/** Whether the entry stands where the proof says in the log of `key`. NoteError, in words, when it does not. */
export function checkTlogProof(text: string, entry: Uint8Array, key: NoteKey): { index: number; size: number } {
  const { index, path, checkpoint } = parseTlogProof(text);
  const { origin, size, root } = parseCheckpoint(openNote(checkpoint, [key]).text);
  if (origin !== key.name) throw new NoteError(`the checkpoint is of the log "${origin}"`);
  if (!includes(index, size, leafHash(entry), path, root))
    throw new NoteError(`the entry does not stand at ${index} under this checkpoint`);
  return { index, size };
}
