// How wide a text is on a terminal, and text made to fit: nothing is cut without a mark.

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
const narrow = /\p{Mn}|\p{Me}/u;
const plain = /^[\x20-\x7e]*$/;

/** Columns that a text without control characters takes. */
export function widthOf(text: string): number {
  if (plain.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOfOne(character);
  return width;
}

function widthOfOne(character: string): number {
  return narrow.test(character) ? 0 : wide.test(character) ? 2 : 1;
}

/** At most `width` columns; what is cut ends in `…`. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  const head = before(text, width - 1);
  // A wide character alone may be more than there is room for.
  return widthOf(head) < width ? `${head}…` : '…';
}

/** As many lines as it takes. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (widthOf(rest) > width) {
    const line = before(rest, width);
    lines.push(line);
    rest = rest.slice(line.length);
  }
  return [...lines, rest];
}

/** The beginning that fits; at least one character, so that wrapping ends. */
function before(text: string, width: number): string {
  let used = 0;
  let end = 0;
  for (const character of text) {
    used += widthOfOne(character);
    if (used > width && end > 0) break;
    end += character.length;
  }
  return text.slice(0, end);
}
