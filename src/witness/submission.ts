// What a log sends to its witness, and what the witness answers: c2sp.org/tlog-witness, `add-checkpoint`. Pure: the caller keeps the
// latest checkpoint of each log, and must keep the new one before it answers.
import { emptyRoot, hashSize } from '../ledger/hash.ts';
import { type NoteKey, NoteError, openNote, parseCheckpoint, parseNote } from '../ledger/note.ts';
import { continues } from '../ledger/proof.ts';

/** Longest body that a submission can have: 63 hashes and a note. */
export const submissionLimit = 64 * 1024;
const mostHashes = 63;

export interface Submission {
  readonly oldSize: number;
  readonly proof: readonly Buffer[];
  readonly checkpoint: string;
}

export type Answer =
  /** To be kept, and then cosigned. */
  | {
      readonly status: 200;
      readonly origin: string;
      readonly text: string;
      readonly size: number;
      readonly signed: string;
    }
  | { readonly status: 400 | 403 | 404 | 422; readonly why: string }
  /** The witness has seen another size than the log believes. */
  | { readonly status: 409; readonly size: number };

export function formatSubmission({ oldSize, proof, checkpoint }: Submission): string {
  const hashes = proof.map((hash) => `${hash.toString('base64')}\n`).join('');
  return `old ${oldSize}\n${hashes}\n${checkpoint}`;
}

/** NoteError when it is malformed. */
export function parseSubmission(body: string): Submission {
  const cut = body.indexOf('\n\n');
  const [first = '', ...lines] = body.slice(0, Math.max(cut, 0)).split('\n');
  const digits = /^old (0|[1-9]\d*)$/.exec(first)?.[1];
  const oldSize = Number(digits);
  if (digits === undefined || !Number.isSafeInteger(oldSize)) throw new NoteError('the first line is not "old <size>"');
  if (lines.length > mostHashes) throw new NoteError(`more than ${mostHashes} hashes`);
  const proof = lines.map((line) => {
    const hash = Buffer.from(line, 'base64');
    if (hash.length !== hashSize || hash.toString('base64') !== line) throw new NoteError('a hash is malformed');
    return hash;
  });
  return { oldSize, proof, checkpoint: body.slice(cut + 2) };
}

/** `latest` is what this witness last cosigned of a log: size 0 and the empty root where it has seen nothing. */
export function answerTo(
  body: string,
  logs: readonly NoteKey[],
  latest: (origin: string) => { readonly size: number; readonly root: Buffer } | undefined,
): Answer {
  let submission: Submission;
  let origin: string;
  try {
    submission = parseSubmission(body);
    origin = parseCheckpoint(parseNote(submission.checkpoint).text).origin;
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause;
    return { status: 400, why: cause.message };
  }
  const { oldSize, proof, checkpoint } = submission;
  const keys = logs.filter((key) => key.name === origin);
  if (keys.length === 0) return { status: 404, why: 'this log is not witnessed here' };
  let text: string;
  try {
    ({ text } = openNote(checkpoint, keys));
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause;
    return { status: 403, why: cause.message };
  }
  const { size, root } = parseCheckpoint(text);
  if (oldSize > size) return { status: 400, why: 'the old size is larger than the checkpoint' };
  const seen = latest(origin) ?? { size: 0, root: emptyRoot };
  if (seen.size !== oldSize) return { status: 409, size: seen.size };
  const consistent =
    oldSize === 0
      ? proof.length === 0 && (size > 0 || root.equals(emptyRoot))
      : continues(oldSize, size, seen.root, root, proof);
  if (!consistent) return { status: 422, why: 'the checkpoint does not continue the last one that was seen' };
  return { status: 200, origin, text, size, signed: signedBy(checkpoint, keys) };
}

/** The note with the log's own signatures and no others. */
function signedBy(note: string, keys: readonly NoteKey[]): string {
  const { text, signatures } = parseNote(note);
  const own = signatures.filter(({ name, id }) => keys.some((key) => key.name === name && key.id.equals(id)));
  const lines = own.map(
    ({ name, id, signature }) => `— ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`,
  );
  return `${text}\n${lines.join('')}`;
}
