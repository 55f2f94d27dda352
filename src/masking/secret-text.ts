// Secrets by their shape: signed tokens, private keys, keys of well-known services, passwords in URLs, and long random words.
// Every search moves on from where the one before ended, so that the whole costs one pass.

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Beginnings that services give their keys, and how many characters must follow. */
const prefixes: readonly (readonly [prefix: string, least: number])[] = [
  ['AKIA', 16],
  ['ASIA', 16],
  ['AIza', 30],
  ['ghp_', 30],
  ['gho_', 30],
  ['ghu_', 30],
  ['ghs_', 30],
  ['ghr_', 30],
  ['github_pat_', 30],
  ['glpat-', 18],
  ['xoxa-', 10],
  ['xoxb-', 10],
  ['xoxp-', 10],
  ['xoxr-', 10],
  ['xoxs-', 10],
  ['xapp-', 10],
  ['sk_live_', 16],
  ['rk_live_', 16],
  ['sk-', 32],
  ['npm_', 30],
  ['hvs.', 20],
  ['dop_v1_', 40],
  ['SG.', 40],
  ['ya29.', 20],
];

/** Letters, digits and what base64 and its relatives use. */
const wordCode = (code: number): boolean =>
  (code >= 48 && code <= 57) ||
  (code >= 65 && code <= 90) ||
  (code >= 97 && code <= 122) ||
  code === 43 ||
  code === 45 ||
  code === 46 ||
  code === 47 ||
  code === 61 ||
  code === 95;

export function secretsIn(text: string): Span[] {
  const found: Span[] = [];
  const begin = '-----BEGIN ';
  for (let at = text.indexOf(begin); at >= 0; ) {
    const head = text.slice(at, at + 64);
    let next = at + begin.length;
    if (head.includes('PRIVATE KEY')) {
      const close = text.indexOf('-----END', next);
      const line = close < 0 ? -1 : text.indexOf('-----', close + 8);
      // A key that does not end is one to the end of the text.
      next = line < 0 ? text.length : line + 5;
      found.push({ start: at, end: next });
    }
    at = text.indexOf(begin, next);
  }
  for (let at = text.indexOf('://'); at >= 0; at = text.indexOf('://', at + 3)) {
    const span = urlPassword(text, at + 3);
    if (span) found.push(span);
  }
  for (let at = 0; at < text.length; ) {
    if (!wordCode(text.charCodeAt(at))) {
      at++;
      continue;
    }
    let end = at + 1;
    while (end < text.length && wordCode(text.charCodeAt(end))) end++;
    if (end - at >= 16) {
      const start = secretStart(text.slice(at, end));
      if (start >= 0) found.push({ start: at + start, end });
    }
    at = end;
  }
  return found;
}

/** `user:password@` right behind `://`. */
function urlPassword(text: string, from: number): Span | undefined {
  let colon = -1;
  for (let at = from; at < text.length && at < from + 512; at++) {
    const letter = text[at]!;
    if (letter === '@') return colon < 0 || at === colon + 1 ? undefined : { start: colon + 1, end: at };
    if (letter === ':' && colon < 0) colon = at;
    if (letter === '/' || letter === ' ' || letter === '\n' || letter === '"' || letter === "'") return undefined;
  }
  return undefined;
}

/** Where in a run of such characters a secret begins; -1 for none. */
function secretStart(word: string): number {
  // `token=eyJ…` and `key/AKIA…`: a key may stand behind a separator.
  for (let at = 0; at >= 0 && at < word.length; ) {
    const left = word.length - at;
    if (isSigned(word, at)) return at;
    for (const [prefix, least] of prefixes) if (left >= prefix.length + least && word.startsWith(prefix, at)) return at;
    const next = nextSeparator(word, at);
    at = next < 0 ? -1 : next + 1;
  }
  const start = word.lastIndexOf('=', word.length - 4) + 1;
  return isRandom(word, start) ? start : -1;
}

function nextSeparator(word: string, from: number): number {
  for (let at = from; at < word.length; at++) if ('=/.+'.includes(word[at]!)) return at;
  return -1;
}

/** A JSON web token: three parts, the first of which is an object in base64url. */
function isSigned(word: string, at: number): boolean {
  if (!word.startsWith('eyJ', at)) return false;
  const first = word.indexOf('.', at);
  if (first < at + 10) return false;
  const second = word.indexOf('.', first + 1);
  return second > first + 4;
}

const longestRandom = 512;

/** At least 32 characters with capitals, small letters and digits in no order that words or paths have. Digests in hexadecimal are none. */
function isRandom(word: string, start: number): boolean {
  const length = word.length - start;
  if (length < 32 || length > longestRandom) return false;
  let kinds = 0;
  let changes = 0;
  let digits = 0;
  let before = 0;
  const counts = new Map<number, number>();
  for (let at = start; at < word.length; at++) {
    const code = word.charCodeAt(at);
    if (code === 46 || code === 47) return false;
    const kind = code >= 48 && code <= 57 ? 1 : code >= 65 && code <= 90 ? 2 : code >= 97 ? 4 : 8;
    if (kind !== before) changes++;
    before = kind;
    kinds |= kind;
    if (kind === 1) digits++;
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  if ((kinds & 7) !== 7) return false;
  let entropy = 0;
  for (const count of counts.values()) entropy -= (count / length) * Math.log2(count / length);
  // Of random letters and digits six of ten stand beside another kind, and one of six is a digit; names in CamelCase have fewer.
  return entropy >= 4.2 && changes >= length * 0.4 && digits >= length / 16;
}
