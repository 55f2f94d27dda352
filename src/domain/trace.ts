/**
 * The trace that a client says its statement belongs to: W3C `traceparent`, version 00. Its own word, and opaque: two random ids and a flag.
 */
export type TraceParent = string;

const form = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

export function isTraceParent(text: string): boolean {
  return text.length === 55 && form.test(text);
}

/** Longest comment that is looked at. */
const longest = 2_048;
const slash = 0x2f;
const semicolon = 0x3b;

/**
 * The comment at the end of a text that names a trace, as sqlcommenter writes it: traceparent='00-…' among its
 * keys, maybe with a semicolon behind it. `bare` is the text without it; to the server both mean the same wherever `bare` can be read by itself, since a
 * reader of it stands between two tokens at its end (test: trace.test.ts, "means the same"). A text without such a comment costs a
 * look at its last characters.
 */
export function traceComment(text: string): { readonly trace: TraceParent; readonly bare: string } | undefined {
  let end = text.length;
  for (let code = text.charCodeAt(end - 1); code === semicolon || code === 0x20 || code === 0x0a; )
    code = text.charCodeAt(--end - 1);
  if (text.charCodeAt(end - 1) !== slash || text.charCodeAt(end - 2) !== 0x2a) return undefined;
  const start = text.lastIndexOf('/*', end - 3);
  if (start < 0 || end - start > longest) return undefined;
  const comment = text.slice(start + 2, end - 2);
  if (comment.includes('*/')) return undefined;
  const found = /(?:^|,)\s*traceparent='([0-9a-f-]{55})'/.exec(comment)?.[1];
  if (found === undefined || !isTraceParent(found)) return undefined;
  return { trace: found, bare: text.slice(0, start) + text.slice(end) };
}
