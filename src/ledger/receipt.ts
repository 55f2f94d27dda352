// The signed checkpoint inside a receipt: armoured, so that it survives what mail does to a text. Quoted-printable, other
// line ends, quoting with ">" and another width change nothing but what is left out here (docs/ledger-format.md, "Receipts").
import { NoteError, parseCheckpoint, parseNote } from './note.ts';
import { base64Of, fromBase64, textOf, utf8 } from './platform.ts';

const title = 'COUNTERSIGN CHECKPOINT';
const lineLength = 64;
/** Longer texts are no receipts. */
const textLimit = 4 * 1024 * 1024;

/** A note as a block of short lines of letters, digits, plus and slash alone: no character that mail would encode. */
export function armour(note: string): string {
  const encoded = base64Of(utf8(note)).replaceAll('=', '');
  const lines = encoded.match(new RegExp(`.{1,${lineLength}}`, 'g')) ?? [];
  return `-----BEGIN ${title}-----\n${lines.join('\n')}\n-----END ${title}-----\n`;
}

/** The signed checkpoint in a receipt, however it came: the text as saved, or the mail. A text without one is given back. */
export function noteOf(text: string): string {
  if (text.length > textLimit) return text;
  for (const readable of [text, ...encodedParts(text)]) {
    const blocks = readable.matchAll(
      /-----BEGIN[\s>]+COUNTERSIGN[\s>]+CHECKPOINT-----([^-]{1,100000})-----END[\s>]+COUNTERSIGN[\s>]+CHECKPOINT-----/g,
    );
    for (const [, inner] of blocks) {
      const note = opened(inner!);
      if (note !== undefined) return note;
    }
  }
  return text;
}

function opened(inner: string): string | undefined {
  // Of HTML the tags go first, their letters are none of the block's.
  const encoded = inner.replace(/<[^<>]{0,200}>/g, '').replace(/[^A-Za-z0-9+/]/g, '');
  const bytes = fromBase64(encoded.padEnd(Math.ceil(encoded.length / 4) * 4, '='));
  if (!bytes) return undefined;
  const note = textOf(bytes);
  try {
    parseCheckpoint(parseNote(note).text);
    return note;
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause;
    return undefined;
  }
}

/** What stands in base64 in a mail: runs of long lines of its alphabet. */
function encodedParts(text: string): string[] {
  const parts: string[] = [];
  let run = '';
  for (const line of [...text.split(/\r?\n/), '']) {
    if (/^[A-Za-z0-9+/]+={0,2}$/.test(line)) {
      run += line;
      continue;
    }
    const bytes = run.length >= 100 ? fromBase64(run) : undefined;
    if (bytes) parts.push(textOf(bytes));
    run = '';
  }
  return parts;
}
