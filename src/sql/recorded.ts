// The text as it may be recorded: literals that could belong to labelled columns, and passwords, become '***'. What cannot be
// placed is masked; when anything was, comments go too, because they may quote it. Offsets are bytes, from the server's lexer.
import { scan } from './parse.ts';

export interface RecordedPart {
  readonly start: number;
  readonly end: number;
  /** none: nothing labelled is near. some: every literal that is not `placed`. all: every literal. */
  readonly mask: 'none' | 'some' | 'all';
  readonly sensitive: ReadonlySet<number>;
  readonly placed: ReadonlySet<number>;
  /** Dollar-quoted texts are code (DO, CREATE FUNCTION): they keep it and lose their literals. */
  readonly code?: boolean;
}

const masked = "'***'";

/** Total: a text whose literals cannot be found is recorded as one mask. */
export function recordedText(sql: string, parts: readonly RecordedPart[]): string {
  if (parts.every((part) => part.mask === 'none')) return sql;
  try {
    return rewrite(sql, (offset) => parts.find((part) => offset >= part.start && offset < part.end));
  } catch {
    return masked;
  }
}

function rewrite(sql: string, partAt: (offset: number) => RecordedPart | undefined): string {
  const bytes = Buffer.from(sql);
  const tokens = scan(sql);
  const pieces: string[] = [];
  let done = 0;
  let minus = -1;
  let anything = false;
  const comments: { index: number; text: string }[] = [];
  for (const token of tokens) {
    const text = bytes.toString('utf8', token.start, token.end);
    const part = partAt(token.start);
    const comment = text.startsWith('--') || text.startsWith('/*');
    const before = minus;
    if (!comment) minus = text === '-' ? token.start : -1;
    if (comment) {
      pieces.push(bytes.toString('utf8', done, token.start));
      comments.push({ index: pieces.length, text });
      pieces.push(text);
      done = token.end;
      continue;
    }
    if (!isLiteral(text, token.tokenName) || !part || part.mask === 'none') continue;
    // The tree puts a negative number at its sign.
    const at = [token.start, before];
    const isPlaced = at.some((offset) => part.placed.has(offset)) && !at.some((offset) => part.sensitive.has(offset));
    if (part.mask === 'some' && isPlaced) continue;
    pieces.push(bytes.toString('utf8', done, token.start), part.code ? maskBody(text) : masked);
    done = token.end;
    anything = true;
  }
  pieces.push(bytes.toString('utf8', done));
  if (anything) for (const { index } of comments) pieces[index] = ' ';
  return pieces.join('');
}

/** Strings of every kind, bit strings and numbers. */
function isLiteral(text: string, tokenName: string): boolean {
  if (tokenName === 'PARAM') return false;
  return /^(?:[bexn]?'|u&'|\$[^0-9]|[0-9]|\.[0-9])/i.test(text);
}

/** A dollar-quoted body without its literals; of those inside it nothing is kept. */
function maskBody(text: string): string {
  const quote = /^\$[^$]*\$/.exec(text)?.[0];
  if (quote === undefined) return masked;
  const body = text.slice(quote.length, text.length - quote.length);
  const none: ReadonlySet<number> = new Set();
  const whole: RecordedPart = { start: 0, end: Number.POSITIVE_INFINITY, mask: 'all', sensitive: none, placed: none };
  return quote + rewrite(body, () => whole) + quote;
}
