// What agents write is shown as it is, with every character that could deceive made visible. Nothing is dropped or shortened:
// the pieces of a text joined are the text again (test/browser/safe-text.test.ts).

export type Mark = 'control' | 'bidi' | 'invisible' | 'combining' | 'lookalike';

export interface Piece {
  /** The characters themselves. */
  readonly text: string;
  /** Why this piece is marked; plain pieces have none. */
  readonly mark?: Mark;
  /** What is shown of a mark: its code point, or the script of a whole word. */
  readonly note?: string;
}

const bidi = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/u;
/** Format characters, spaces that are not the space, ignorable and private characters, halves of pairs. */
const invisible = /(?! )[\p{Cf}\p{Zs}\p{Zl}\p{Zp}\p{Co}\p{Cs}\p{Default_Ignorable_Code_Point}]/u;
const combining = /[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]/u;
/** Scripts whose letters pass for Latin ones. */
const scripts = [
  ['Greek', /[\u0370-\u03ff\u1f00-\u1fff]/u],
  ['Cyrillic', /[\u0400-\u052f\u1c80-\u1c8f\u2de0-\u2dff\ua640-\ua69f]/u],
  ['Armenian', /[\u0531-\u058f]/u],
  ['Cherokee', /[\u13a0-\u13ff\uab70-\uabbf]/u],
  ['Lisu', /[\ua4d0-\ua4ff]/u],
] as const;
/** Phonetic, wide, small and mathematical forms of ASCII, and dashes, quotes, slashes, stars that are not ASCII's. */
const variants =
  /[\u0131\u0237\u0250-\u02ff\u1d00-\u1dbf\u2010-\u2015\u2018-\u201f\u2024-\u2027\u2032-\u203a\u2043\u2044\u204e\u204f\u2100-\u218f\u2212\u2215-\u2217\u2223\u2236\u2460-\u24ff\ua720-\ua7ff\ufe30-\ufe6f\uff01-\uffef\u{1d400}-\u{1d7ff}\u{1f100}-\u{1f1ff}]/u;
const word = /[\p{L}\p{N}_]/u;

function scriptOf(character: string): string | undefined {
  return scripts.find(([, letters]) => letters.test(character))?.[0];
}

function markOf(character: string): Mark | undefined {
  // Almost everything is plain.
  if (character >= ' ' && character <= '~') return undefined;
  if (control.test(character)) return 'control';
  if (bidi.test(character)) return 'bidi';
  if (invisible.test(character)) return 'invisible';
  if (combining.test(character)) return 'combining';
  if (variants.test(character) || scriptOf(character)) return 'lookalike';
  return undefined;
}

const code = (character: string) => `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;

/**
 * Splits a text into plain and marked pieces. Letters of another script inside a Latin word are marked one by one; a whole
 * word of that script once, with its name, so that a name written in Cyrillic stays readable.
 */
export function pieces(text: string): readonly Piece[] {
  const characters = [...text];
  const result: Piece[] = [];
  let plain = '';
  const put = (piece: Piece) => {
    if (plain !== '') result.push({ text: plain });
    plain = '';
    result.push(piece);
  };
  for (let at = 0; at < characters.length; ) {
    const character = characters[at]!;
    const mark = markOf(character);
    if (mark === undefined) {
      plain += character;
      at++;
      continue;
    }
    const script = mark === 'lookalike' ? scriptOf(character) : undefined;
    if (script !== undefined) {
      let end = at;
      while (end < characters.length && scriptOf(characters[end]!) === script) end++;
      const alone = !word.test(characters[at - 1] ?? '') && !word.test(characters[end] ?? '');
      if (alone && end - at > 1) {
        put({ text: characters.slice(at, end).join(''), mark, note: script });
        at = end;
        continue;
      }
    }
    put({ text: character, mark, note: code(character) });
    at++;
  }
  if (plain !== '') result.push({ text: plain });
  return result;
}

export function countMarked(text: string): number {
  let count = 0;
  for (const piece of pieces(text)) if (piece.mark !== undefined) count += [...piece.text].length;
  return count;
}

/** The first characters or lines of a text, whichever limit comes first, and how much is left. Never cuts a character in two. */
export function beginning(
  text: string,
  most: { readonly characters: number; readonly lines: number },
): { readonly shown: string; readonly lines: number; readonly characters: number } {
  let lines = 0;
  let end = 0;
  for (const character of text) {
    if (end >= most.characters || (character === '\n' && ++lines >= most.lines)) break;
    end += character.length;
  }
  const rest = text.slice(end);
  return { shown: text.slice(0, end), lines: rest.split('\n').length - 1, characters: rest.length };
}
