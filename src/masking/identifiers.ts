// Numbers of cards, accounts and people: what a whole value must look like to be one. Each is a function of a short text
// without its separators; `chance` is how often a random value of the same shape would pass.
import { luhn, mod1110, mod97, verhoeff, weighted } from './check-digits.ts';

export const identifierKinds = [
  'card',
  'iban',
  'us-ssn',
  'uk-nhs',
  'uk-ni',
  'fr-nir',
  'de-tax',
  'es-dni',
  'it-cf',
  'nl-bsn',
  'pl-pesel',
  'br-cpf',
  'in-aadhaar',
] as const;
export type IdentifierKind = (typeof identifierKinds)[number];

export interface Identifier {
  readonly kind: IdentifierKind;
  /** Digits and upper-case letters only, without separators. */
  fits(text: string): boolean;
  readonly chance: number;
}

const digitsOf = (text: string): number[] => Array.from(text, Number);
const allDigits = (text: string, length: number) => text.length === length && /^\d+$/.test(text);
const sameDigit = (text: string) => text === text[0]?.repeat(text.length);

/** Issuer ranges that are in use, with the lengths that they issue (13-digit cards are not issued any more). */
const issuers: readonly (readonly [from: number, to: number, lengths: readonly number[]])[] = [
  [400000, 499999, [16, 19]],
  [510000, 559999, [16]],
  [222100, 272099, [16]],
  [340000, 349999, [15]],
  [370000, 379999, [15]],
  [601100, 601199, [16, 19]],
  [644000, 659999, [16, 19]],
  [352800, 358999, [16, 19]],
  [300000, 305999, [14, 16, 19]],
  [360000, 369999, [14, 16, 19]],
  [380000, 399999, [16, 19]],
  [620000, 629999, [16, 17, 18, 19]],
  [810000, 817199, [16, 17, 18, 19]],
  [501800, 501899, [16, 19]],
  [589300, 589399, [16, 19]],
  [676100, 676399, [16, 19]],
];

export function isCard(text: string): boolean {
  if (text.length < 14 || text.length > 19 || !/^\d+$/.test(text)) return false;
  const prefix = Number(text.slice(0, 6));
  return (
    issuers.some(([from, to, lengths]) => prefix >= from && prefix <= to && lengths.includes(text.length)) &&
    luhn(digitsOf(text)) &&
    !sameDigit(text)
  );
}

/** ISO 13616: length by country, as registered. */
const ibanLengths: Readonly<Record<string, number>> = Object.fromEntries(
  `AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27
   GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28
   PS29 PT25 QA29 RO24 RS22 SA24 SC31 SD18 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20`
    .split(/\s+/)
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

export function ibanLength(country: string): number | undefined {
  return Object.hasOwn(ibanLengths, country) ? ibanLengths[country] : undefined;
}

export function isIban(text: string): boolean {
  return (
    /^[A-Z]{2}\d{2}[A-Z0-9]{10,30}$/.test(text) &&
    ibanLength(text.slice(0, 2)) === text.length &&
    mod97(text.slice(4) + text.slice(0, 4)) === 1
  );
}

/** Area 000, 666 and 900–999, group 00 and serial 0000 were never given out. */
function isUsSsn(text: string): boolean {
  return allDigits(text, 9) && !/^(?:000|666|9)/.test(text) && text.slice(3, 5) !== '00' && text.slice(5) !== '0000';
}

function isUkNhs(text: string): boolean {
  if (!allDigits(text, 10) || sameDigit(text)) return false;
  const digits = digitsOf(text);
  return (11 - (weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11 === digits[9];
}

function isUkNi(text: string): boolean {
  return /^[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z]\d{6}[A-D]$/.test(text) && !/^(?:BG|GB|KN|NK|NT|TN|ZZ)/.test(text);
}

/** Sex, year, month, department (2A and 2B for Corsica), commune, order, key. */
function isFrNir(text: string): boolean {
  if (!/^[1-478]\d{2}(?:0[1-9]|1[0-2]|[2-9]\d)(?:\d{2}|2[AB])\d{8}$/.test(text)) return false;
  const number = text.slice(0, 13).replace('2A', '19').replace('2B', '18');
  return 97 - Number(BigInt(number) % 97n) === Number(text.slice(13));
}

/** One digit twice or three times among the first ten, the others at most once. */
function isDeTax(text: string): boolean {
  if (!allDigits(text, 11) || text[0] === '0') return false;
  const counts = new Map<string, number>();
  for (const digit of text.slice(0, 10)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  const repeated = [...counts.values()].filter((count) => count > 1);
  return repeated.length === 1 && repeated[0]! <= 3 && mod1110(digitsOf(text));
}

function isEsDni(text: string): boolean {
  if (!/^[\dXYZ]\d{7}[A-Z]$/.test(text)) return false;
  const number = Number(text.slice(0, 8).replace('X', '0').replace('Y', '1').replace('Z', '2'));
  return 'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23] === text[8];
}

const oddPlaces = 'BAKPLCQDREVOSFTGUHMINJWZYX';

/** Letters stand for digits where two people would have the same code. */
function isItCf(text: string): boolean {
  if (!/^[A-Z]{6}[\dL-NP-V]{2}[ABCDEHLMPRST][\dL-NP-V]{2}[A-Z][\dL-NP-V]{3}[A-Z]$/.test(text)) return false;
  let sum = 0;
  for (let at = 0; at < 15; at++) {
    const value = Number.parseInt(text[at]!, 36);
    const place = value > 9 ? value - 10 : value;
    sum += at % 2 === 0 ? oddPlaces.indexOf(String.fromCharCode(65 + place)) : place;
  }
  return String.fromCharCode(65 + (sum % 26)) === text[15];
}

function isNlBsn(text: string): boolean {
  return allDigits(text, 9) && !sameDigit(text) && weighted(digitsOf(text), [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0;
}

/** The month says the century: 81–92 is 18xx, 1–12 19xx, 21–32 20xx and so on. */
function isPlPesel(text: string): boolean {
  if (!allDigits(text, 11)) return false;
  const month = Number(text.slice(2, 4)) % 20;
  const day = Number(text.slice(4, 6));
  if (month < 1 || month > 12 || day < 1 || day > 31) return false;
  return weighted(digitsOf(text), [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0;
}

function isBrCpf(text: string): boolean {
  if (!allDigits(text, 11) || sameDigit(text)) return false;
  const digits = digitsOf(text);
  const check = (count: number) =>
    ((weighted(
      digits.slice(0, count),
      Array.from({ length: count }, (_, at) => count + 1 - at),
    ) *
      10) %
      11) %
    10;
  return check(9) === digits[9] && check(10) === digits[10];
}

function isInAadhaar(text: string): boolean {
  return allDigits(text, 12) && text[0]! >= '2' && verhoeff(digitsOf(text));
}

export const identifiers: readonly Identifier[] = [
  { kind: 'card', fits: isCard, chance: 0.04 },
  { kind: 'iban', fits: isIban, chance: 0.01 },
  { kind: 'us-ssn', fits: isUsSsn, chance: 0.88 },
  { kind: 'uk-nhs', fits: isUkNhs, chance: 0.1 },
  { kind: 'uk-ni', fits: isUkNi, chance: 0.1 },
  { kind: 'fr-nir', fits: isFrNir, chance: 0.01 },
  { kind: 'de-tax', fits: isDeTax, chance: 0.02 },
  { kind: 'es-dni', fits: isEsDni, chance: 0.05 },
  { kind: 'it-cf', fits: isItCf, chance: 0.04 },
  { kind: 'nl-bsn', fits: isNlBsn, chance: 0.1 },
  { kind: 'pl-pesel', fits: isPlPesel, chance: 0.02 },
  { kind: 'br-cpf', fits: isBrCpf, chance: 0.01 },
  { kind: 'in-aadhaar', fits: isInAadhaar, chance: 0.08 },
];
