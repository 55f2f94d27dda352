// Patterns in which `*` stands for any text. No regular expression: a comment at the target may be written by a client, and
// the pattern must not cost more than one pass over it (test: sql/label-rule "a long comment").

/** Whether the whole text fits the pattern. Case counts. */
export function fits(pattern: string, text: string): boolean {
  const pieces = pattern.split('*');
  if (pieces.length === 1) return pattern === text;
  const first = pieces.shift()!;
  const last = pieces.pop()!;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const piece of pieces) {
    const found = text.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}
