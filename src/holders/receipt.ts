// A receipt: a signed checkpoint as a text for people and programs, with what was recorded since the one before.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { armour } from '../ledger/receipt.ts';
import { type NoteKey, openNote, parseCheckpoint, parseNote } from '../ledger/note.ts';
import { readJournal } from '../ledger/read-journal.ts';

/** Up to where the receipt before went. */
export interface Before {
  /** Name of the log: one that was continued by another counts from its beginning. */
  readonly origin?: string;
  readonly size: number;
  /** Milliseconds since the epoch; 0 when there was none. */
  readonly at: number;
}

export interface Receipt {
  readonly origin: string;
  readonly size: number;
  readonly subject: string;
  readonly text: string;
}

const cosignedFile = 'checkpoint.cosigned';

/** Makes the receipt of the newest checkpoint: the one that witnesses cosigned, where it has anything new. */
export async function makeReceipt(
  folder: string,
  log: NoteKey | undefined,
  before: Before,
  now: number,
): Promise<Receipt> {
  const read = (name: string) => readFile(join(folder, name), 'utf8');
  const [plain, cosigned] = [await read('checkpoint'), await read(cosignedFile).catch(() => undefined)];
  const open = (note: string) => parseCheckpoint(log ? openNote(note, [log]).text : parseNote(note).text);
  const newest = open(plain);
  const last = before.origin === newest.origin ? before : { ...before, size: 0 };
  if (newest.size < last.size) {
    throw new Error(`the log has ${newest.size} entries, the last receipt was of ${last.size}: it was set back`);
  }
  const note = cosigned !== undefined && open(cosigned).size > last.size ? cosigned : plain;
  const { origin, size } = open(note);
  const counts = new Map<string, number>();
  for await (const { index, entry } of readJournal(folder, last.size)) {
    if (index >= size) break;
    counts.set(entry.t, (counts.get(entry.t) ?? 0) + 1);
  }
  const subject = `Receipt: ${size} entries of ${origin}`;
  return { origin, size, subject, text: receiptText({ note, origin, size, counts, before: last, now }) };
}

interface Parts {
  readonly note: string;
  readonly origin: string;
  readonly size: number;
  readonly counts: ReadonlyMap<string, number>;
  readonly before: Before;
  readonly now: number;
}

/** Lines of at most 72 characters, but for what people may read and programs do not. */
function receiptText({ note, origin, size, counts, before, now }: Parts): string {
  const at = (ms: number) => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const rows = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  const since = before.at === 0 ? 'Entries by type, from the first on:' : `Entries by type since ${at(before.at)}:`;
  const all = size - before.size;
  const signers = parseNote(note).signatures.map(({ name }) => name);
  return `${[
    `Receipt for the record of`,
    `  ${origin}`,
    '',
    `At ${at(now)} its signed checkpoint covered ${size} entries.`,
    'Keep this text where nobody who runs the gateway can change it. Whoever',
    'rewrites the record, cuts it off or sets it back cannot make it agree',
    'with this checkpoint, not even with the signing key.',
    '',
    since,
    '',
    ...rows.map(([type, count]) => `  ${type.padEnd(24)}${String(count).padStart(12)}`),
    `  ${'all'.padEnd(24)}${String(all).padStart(12)}`,
    '',
    'Signed by:',
    '',
    ...signers.map((name) => `  ${name}`),
    '',
    'To check a copy of the ledger against it, save this text as receipt.txt',
    'or this mail as receipt.eml. Take the public key from where it was',
    'published, not from whoever gives you the ledger:',
    '',
    '  countersign verify LEDGER --key KEY --receipt receipt.eml',
    '',
    'Without our programs: verify.html in a browser, or',
    '',
    '  sh scripts/check-ledger.sh LEDGER KEY receipt.eml',
    '',
    'The checkpoint and its signatures, for programs:',
    '',
  ].join('\n')}\n${armour(note)}`;
}
