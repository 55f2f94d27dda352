// What agents write is shown as it is, with every character that could deceive made visible. Nothing is dropped or shortened.

export interface Piece {
  readonly text: string;
  /** Why this piece is marked; plain pieces have none. */
  readonly mark?: 'control' | 'bidi' | 'invisible' | 'lookalike';
}

const bidi = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const invisible =
  /[\u00a0\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2000-\u200d\u2028\u2029\u202f\u205f-\u2065\u206a-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\u{e0000}-\u{e0fff}]/u;
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/u;
/** Letters of other scripts that look like Latin ones; shown marked wherever the text is otherwise Latin. */
const lookalike = /[\u0391-\u03c9\u0400-\u04ff\u0500-\u052f\u13a0-\u13f5\uff01-\uff5e\u{1d400}-\u{1d7ff}]/u;

function classOf(character: string, latin: boolean): Piece['mark'] {
  if (control.test(character)) return 'control';
  if (bidi.test(character)) return 'bidi';
  if (invisible.test(character)) return 'invisible';
  if (latin && lookalike.test(character)) return 'lookalike';
  return undefined;
}

const code = (character: string) => `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;

/** Splits a text into plain and marked pieces; joined with their marks removed they are the text again. */
export function pieces(text: string): readonly Piece[] {
  const latin = /[a-z]/i.test(text);
  const result: { text: string; mark?: Piece['mark'] }[] = [];
  for (const character of text) {
    const mark = classOf(character, latin);
    if (mark === undefined) {
      const last = result.at(-1);
      if (last && last.mark === undefined) last.text += character;
      else result.push({ text: character });
    } else {
      result.push({ text: mark === 'lookalike' ? `${character} ${code(character)}` : code(character), mark });
    }
  }
  return result;
}

export function countMarked(text: string): number {
  return pieces(text).filter((piece) => piece.mark !== undefined).length;
}
