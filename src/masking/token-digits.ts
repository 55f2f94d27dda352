// Tokens of card and account numbers: the same shape, other digits, and a check digit that is wrong in a keyed way. So no
// token is a number that anybody could charge, and no true number is ever taken for a token.
import { hmac } from './hash.ts';
import type { TokenKeys } from './token-key.ts';

const zero = 0x30;

/** 12 to 19 digits, alone or with single blanks or dashes between them. */
const cardShape = /^[0-9](?:[ -]?[0-9]){11,18}$/;

/** Undefined for what is no card number: of another shape, or its check digit (ISO/IEC 7812-1, Luhn) does not fit. */
export function cardToken(text: string, keys: TokenKeys): string | undefined {
  const digits = cardDigits(text);
  if (digits === undefined || luhnDigit(digits) !== digits.at(-1)) return undefined;
  const made = keys.card.encrypt(digits.slice(0, -1));
  made.push(wrongDigit(made, keys));
  return withDigits(text, made);
}

export function isCardToken(text: string, keys: TokenKeys): boolean {
  const digits = cardDigits(text);
  if (digits === undefined || luhnDigit(digits) === digits.at(-1)) return false;
  return wrongDigit(digits.slice(0, -1), keys) === digits.at(-1);
}

function cardDigits(text: string): number[] | undefined {
  return text.length <= 37 && cardShape.test(text) ? digitsOf(text) : undefined;
}

function digitsOf(text: string): number[] {
  const digits: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - zero;
    if (digit >= 0 && digit <= 9) digits.push(digit);
  }
  return digits;
}

/** The digit that would be right behind all but the last of `digits`. */
function luhnDigit(digits: readonly number[]): number {
  let sum = 0;
  for (let at = digits.length - 2, twice = true; at >= 0; at--, twice = !twice) {
    const digit = twice ? digits[at]! * 2 : digits[at]!;
    sum += digit > 9 ? digit - 9 : digit;
  }
  return (10 - (sum % 10)) % 10;
}

function wrongDigit(body: readonly number[], keys: TokenKeys): number {
  const offset = 1 + (numberOf(hmac(`card ${body.join('')}`, keys.check)) % 9);
  return (luhnDigit([...body, 0]) + offset) % 10;
}

/** The first 32 bits. */
function numberOf(hmacked: string): number {
  let number = 0;
  for (let at = 0; at < 4; at++) number = number * 256 + hmacked.charCodeAt(at);
  return number;
}

function withDigits(text: string, digits: readonly number[]): string {
  let next = 0;
  let made = '';
  for (const letter of text) made += letter >= '0' && letter <= '9' ? digits[next++] : letter;
  return made;
}

/** Country, check digits and 11 to 30 letters and digits, alone or in groups of four (ISO 13616). */
const ibanShape = /^[A-Z]{2}[0-9]{2}(?:[A-Z0-9]{11,30}|(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,4})?)$/;
const fewestDigits = 6;

/** Undefined for what is no IBAN, or has too few digits to hide behind. */
export function ibanToken(text: string, keys: TokenKeys): string | undefined {
  const parts = ibanParts(text);
  if (parts === undefined || parts.check !== ibanCheck(parts.country, parts.account)) return undefined;
  const digits = digitsOf(parts.account);
  if (digits.length < fewestDigits) return undefined;
  const account = withLetters(withDigits(parts.account, keys.iban(parts.country).encrypt(digits)), keys);
  const made = parts.country + String(wrongCheck(parts.country, account, keys)).padStart(2, '0') + account;
  let next = 0;
  return text.replace(/[^ ]/g, () => made[next++]!);
}

export function isIbanToken(text: string, keys: TokenKeys): boolean {
  const parts = ibanParts(text);
  if (parts === undefined || parts.check === ibanCheck(parts.country, parts.account)) return false;
  return parts.check === wrongCheck(parts.country, parts.account, keys);
}

function ibanParts(text: string): { country: string; check: number; account: string } | undefined {
  if (text.length > 42 || !ibanShape.test(text)) return undefined;
  const plain = text.replaceAll(' ', '');
  if (plain.length < 15 || plain.length > 34) return undefined;
  return { country: plain.slice(0, 2), check: Number(plain.slice(2, 4)), account: plain.slice(4) };
}

/** The right check digits: 2 to 98 (ISO 7064, MOD 97-10). */
function ibanCheck(country: string, account: string): number {
  let rest = 0;
  for (const letter of `${account}${country}00`) {
    const number = Number.parseInt(letter, 36);
    rest = (rest * (number > 9 ? 100 : 10) + number) % 97;
  }
  return 98 - rest;
}

function wrongCheck(country: string, account: string, keys: TokenKeys): number {
  const offset = 1 + (numberOf(hmac(`iban ${country}${account}`, keys.check)) % 96);
  return ((ibanCheck(country, account) - 2 + offset) % 97) + 2;
}

/** Letters are shifted by what the new digits say, which can be undone: distinct accounts stay distinct. */
function withLetters(account: string, keys: TokenKeys): string {
  if (!/[A-Z]/.test(account)) return account;
  const shifts = hmac(`letters ${account.replace(/[A-Z]/g, '?')}`, keys.value);
  return account.replace(/[A-Z]/g, (letter, at: number) =>
    String.fromCharCode(65 + ((letter.charCodeAt(0) - 65 + shifts.charCodeAt(at)) % 26)),
  );
}
