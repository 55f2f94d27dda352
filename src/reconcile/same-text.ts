// Whether a text that was recorded is the text that ran. The record masks literals that meet labelled columns, and drops
// comments where it masked (sql/recorded.ts): then the two are compared word by word, and a mask stands for one literal.
import { traceComment } from '../domain/trace.ts';
import { scan } from '../sql/parse.ts';

const mask = "'***'";
const literal = /^(?:[bexn]?'|u&'|\$[^0-9]|[0-9]|\.[0-9])/i;

export function isMasked(recorded: string): boolean {
  return recorded.includes(mask);
}

export function sameText(recorded: string, ran: string): boolean {
  if (recorded === ran) return true;
  // A comment that names a trace is not recorded (sql/analyse.ts).
  const named = traceComment(ran);
  if (named && sameText(recorded, named.bare)) return true;
  if (isMasked(recorded)) return sameWords(recorded, ran);
  // A database of another encoding logs in it; what is not UTF-8 there cannot be told apart here.
  return ran.includes('\ufffd') && ascii(recorded) === ascii(ran);
}

/** What masked texts of one statement have in common, to find candidates by. */
export function wordsOf(text: string): readonly string[] | undefined {
  try {
    const bytes = Buffer.from(text);
    const found: string[] = [];
    for (const { start, end } of scan(text)) {
      const word = bytes.toString('utf8', start, end);
      if (!word.startsWith('--') && !word.startsWith('/*')) found.push(word);
    }
    return found;
  } catch {
    return undefined;
  }
}

function sameWords(recorded: string, ran: string): boolean {
  const ours = wordsOf(recorded);
  const theirs = wordsOf(ran);
  if (!ours || !theirs || ours.length !== theirs.length) return false;
  return ours.every((word, at) => {
    const other = theirs[at]!;
    if (word === other) return true;
    if (word === mask) return literal.test(other);
    // A body of code keeps its code and loses its literals.
    return word.startsWith('$') && other.startsWith('$') && sameBody(word, other);
  });
}

function sameBody(recorded: string, ran: string): boolean {
  const quote = /^\$[^$]*\$/.exec(recorded)?.[0];
  if (quote === undefined || !ran.startsWith(quote)) return false;
  const body = (text: string) => text.slice(quote.length, text.length - quote.length);
  return sameWords(body(recorded), body(ran));
}

function ascii(text: string): string {
  return text.replace(/[^\0-\x7f]+/g, '\ufffd');
}
