// What a text holds that somebody could be recognised or robbed by. Each search looks at a character a bounded number of
// times and there is no regular expression over the text, so a text cannot make it slow (test: masking/detect "linear").
import { ibanLength, identifiers, isCard, isIban } from './identifiers.ts';
import { secretsIn, type Span } from './secret-text.ts';

export const findingKinds = ['card', 'iban', 'email', 'phone', 'ip', 'national-id', 'secret'] as const;
export type FindingKind = (typeof findingKinds)[number];

export interface Finding extends Span {
  readonly kind: FindingKind;
}

/** In the order of the text, none over another. Places are those of UTF-16 units. */
export function findIn(text: string): Finding[] {
  const found: Finding[] = secretsIn(text).map((span) => ({ kind: 'secret', ...span }));
  emails(text, found);
  numbers(text, found);
  words(text, found);
  return separate(found);
}

/** Of two that overlap one remains, over both. */
function separate(found: Finding[]): Finding[] {
  found.sort((one, other) => one.start - other.start || other.end - one.end);
  const kept: Finding[] = [];
  for (const finding of found) {
    const last = kept.at(-1);
    if (!last || finding.start >= last.end) kept.push(finding);
    else kept[kept.length - 1] = wider(last, finding);
  }
  return kept;
}

function wider(one: Finding, other: Finding): Finding {
  const kind = other.kind === 'secret' ? 'secret' : one.kind;
  return { kind, start: one.start, end: Math.max(one.end, other.end) };
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isLetter = (code: number): boolean => (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
const isWord = (code: number): boolean => isDigit(code) || isLetter(code) || code === 95;
/** Part of a name in an address; letters of other scripts too. */
const isLocal = (code: number): boolean =>
  isWord(code) || code > 0xa0 || ".!#$%&'*+/=?^`{|}~-".includes(String.fromCharCode(code));
const isHost = (code: number): boolean => isDigit(code) || isLetter(code) || code === 45 || code === 46 || code > 0xa0;

function emails(text: string, found: Finding[]): void {
  let from = 0;
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    let start = at;
    while (start > from && at - start < 64 && isLocal(text.charCodeAt(start - 1))) start--;
    let end = at + 1;
    while (end < text.length && end - at < 254 && isHost(text.charCodeAt(end))) end++;
    while (end > at + 1 && (text[end - 1] === '.' || text[end - 1] === '-')) end--;
    const dot = at + 1 + text.slice(at + 1, end).lastIndexOf('.');
    from = at + 1;
    if (start === at || dot <= at + 1 || end - dot < 3 || isDigit(text.charCodeAt(end - 1))) continue;
    found.push({ kind: 'email', start, end });
    from = end;
  }
}

interface Block extends Span {
  readonly digits: string;
}

/** Digits of ASCII, and the wide and Arabic forms that a person types. */
function digitAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (isDigit(code)) return code - 48;
  if (code < 0x660) return -1;
  for (const zero of [0xff10, 0x660, 0x6f0]) if (code >= zero && code <= zero + 9) return code - zero;
  return -1;
}

const separators = ' \t-./()\u00a0\u00ad\u200b\u200c\u200d\u2060\ufeff\u2007\u2009\u202f\u2010\u2011\u2012\u2013\u2014';

/** Runs of digits; a run longer than any number that is looked for is kept as one that fits nothing. */
function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < text.length; ) {
    if (digitAt(text, at) < 0) {
      at++;
      continue;
    }
    const start = at;
    let digits = '';
    for (let digit = digitAt(text, at); digit >= 0; digit = digitAt(text, ++at))
      if (digits.length < 24) digits += digit;
    blocks.push({ start, end: at, digits });
  }
  return blocks;
}

/** Whether two runs of digits can be parts of one number: one to three separators between them. */
function joined(text: string, one: Block, other: Block): boolean {
  if (other.start - one.end > 3) return false;
  for (let at = one.end; at < other.start; at++) if (!separators.includes(text[at]!)) return false;
  return true;
}

function numbers(text: string, found: Finding[]): void {
  const blocks = blocksOf(text);
  for (let first = 0; first < blocks.length; first++) {
    let digits = '';
    const { start } = blocks[first]!;
    const plus = text[start - 1] === '+' || (text[start - 1] === '(' && text[start - 2] === '+');
    let best: Finding | undefined;
    for (let last = first; last < blocks.length && last < first + 12; last++) {
      if (last > first && !joined(text, blocks[last - 1]!, blocks[last]!)) break;
      digits += blocks[last]!.digits;
      if (digits.length > 19) break;
      const { end } = blocks[last]!;
      const kind = numberKind(text, start, end, digits, blocks.slice(first, last + 1), plus);
      if (kind) best = { kind, start: plus ? start - (text[start - 1] === '(' ? 2 : 1) : start, end };
    }
    if (best) found.push(best);
  }
}

const nationalDigits = identifiers.filter(({ kind }) => ['fr-nir', 'de-tax', 'pl-pesel', 'br-cpf'].includes(kind));
const nationalGroups = new Map(
  [
    ['us-ssn', '3 2 4'],
    ['uk-nhs', '3 3 4'],
    ['in-aadhaar', '4 4 4'],
    ['br-cpf', '3 3 3 2'],
  ].map(([kind, groups]) => [groups, identifiers.find((one) => one.kind === kind)!]),
);

/** Numbers whose check digit is weak count only in the groups in which people write them. */
function numberKind(
  text: string,
  start: number,
  end: number,
  digits: string,
  blocks: readonly Block[],
  plus: boolean,
): FindingKind | undefined {
  if (plus) return digits.length >= 8 && digits.length <= 15 && digits[0] !== '0' ? 'phone' : undefined;
  const inWord = isLetter(text.charCodeAt(start - 1)) || isLetter(text.charCodeAt(end));
  if (isCard(digits)) return 'card';
  if (inWord) return undefined;
  if (blocks.length > 1 && nationalGroups.get(blocks.map((block) => block.digits.length).join(' '))?.fits(digits))
    return 'national-id';
  if (digits.length >= 11 && nationalDigits.some((one) => one.fits(digits))) return 'national-id';
  return isIpv4(text, start, end, blocks) ? 'ip' : undefined;
}

function isIpv4(text: string, start: number, end: number, blocks: readonly Block[]): boolean {
  if (
    blocks.length !== 4 ||
    end - start > 15 ||
    text[start - 1] === '.' ||
    (text[end] === '.' && digitAt(text, end + 1) >= 0)
  )
    return false;
  return blocks.every(
    (block, at) =>
      block.digits.length <= 3 &&
      Number(block.digits) <= 255 &&
      (at === 0 || text.slice(blocks[at - 1]!.end, block.start) === '.'),
  );
}

const national = identifiers.filter(({ kind }) => ['uk-ni', 'es-dni', 'it-cf', 'fr-nir'].includes(kind));

/** IBANs, numbers of people with letters in them, IPv6: they begin where a word begins. */
function words(text: string, found: Finding[]): void {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (at > 0 && isWord(text.charCodeAt(at - 1))) continue;
    if (code === 58 || isHex(code)) {
      const end = ipv6End(text, at);
      if (end > 0) found.push({ kind: 'ip', start: at, end });
    }
    if (!isWord(code)) continue;
    const iban = ibanEnd(text, at);
    if (iban > 0) found.push({ kind: 'iban', start: at, end: iban });
    for (const length of [9, 15, 16]) {
      const end = packedEnd(text, at, length, 4);
      if (end < 0) continue;
      const packed = pack(text.slice(at, end));
      if (national.some((one) => one.fits(packed))) found.push({ kind: 'national-id', start: at, end });
    }
  }
}

const pack = (text: string): string => text.replace(/[^A-Za-z0-9]/g, '').toUpperCase();

/** Behind `length` letters and digits from `at` on, with at most `gaps` single blanks, dashes or dots among them; -1 when the word goes on. */
function packedEnd(text: string, at: number, length: number, gaps: number): number {
  let count = 0;
  let end = at;
  for (let left = gaps; count < length && end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (isDigit(code) || isLetter(code)) count++;
    else if (left-- <= 0 || !(code === 32 || code === 45 || code === 46 || code === 0xa0) || end === at) return -1;
  }
  return count === length && !isWord(text.charCodeAt(end)) ? end : -1;
}

function ibanEnd(text: string, at: number): number {
  const length = isLetter(text.charCodeAt(at)) ? ibanLength(text.slice(at, at + 2).toUpperCase()) : undefined;
  if (length === undefined || !isDigit(text.charCodeAt(at + 2))) return -1;
  const end = packedEnd(text, at, length, 9);
  return end > 0 && isIban(pack(text.slice(at, end))) ? end : -1;
}

const isHex = (code: number): boolean => isDigit(code) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102);

/** RFC 4291, 2.2: eight groups, or fewer around one `::`; at least three of them, so that no `a::b` of a program is one. */
function ipv6End(text: string, at: number): number {
  let end = at;
  while (end < text.length && end - at < 40 && (isHex(text.charCodeAt(end)) || text[end] === ':')) end++;
  if (end - at < 6 || isWord(text.charCodeAt(end)) || text[end] === ':') return -1;
  const address = text.slice(at, end).replace(/([^:]):$/, '$1');
  const parts = address.split('::');
  if (parts.length > 2) return -1;
  const groups = parts.flatMap((part) => (part === '' ? [] : part.split(':')));
  const fit = groups.every((group) => group.length >= 1 && group.length <= 4);
  return fit && (parts.length === 2 ? groups.length >= 3 && groups.length <= 7 : groups.length === 8)
    ? at + address.length
    : -1;
}
