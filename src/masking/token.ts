// Deterministic tokens that keep the shape of a value and can be told from true values without a memory of what was issued
// (docs/masking.md states how surely). The same value gives the same token wherever it stands.
import { hmac, hmacBytes, sixteenBytes, uuidBytes, uuidText } from './hash.ts';
import { binaryOfDecimal, decimalOfBinary, decimalOfText } from './decimal.ts';
import { cardToken, ibanToken, isCardToken, isIbanToken } from './token-digits.ts';
import { type TokenKeys, tokenKeys } from './token-key.ts';
import type { TypeKind } from './type.ts';

type Hide = (value: Buffer) => Buffer | null;

/** Undefined where the type has no tokens. */
export function token(kind: TypeKind, format: 0 | 1, key: Buffer): Hide | undefined {
  const keys = tokenKeys(key);
  switch (kind) {
    case 'text':
      return (value) => Buffer.from(textToken(value, keys), 'latin1');
    case 'json':
      return (value) => Buffer.from(`"${wordToken(value, keys)}"`, 'latin1');
    case 'jsonb':
      return (value) =>
        format === 1
          ? Buffer.from(`\u0001"${wordToken(value.subarray(1), keys)}"`, 'latin1')
          : Buffer.from(`"${wordToken(value, keys)}"`, 'latin1');
    case 'uuid':
      return sixteenBytes('uuid', format, (raw) => uuidToken(raw, keys));
    case 'bytea':
      return sixteenBytes('bytea', format, (raw) => bytesToken(raw, keys));
    case 'int2':
    case 'int4':
    case 'int8':
      return integerToken(kind === 'int2' ? 2 : kind === 'int4' ? 4 : 8, format, keys);
    case 'numeric':
      return numericToken(format, keys);
    default:
      return undefined;
  }
}

const mailDomain = '@masked.invalid';
const mailShape = /^[^@\s]{1,64}@[^@\s]{1,255}\.[^@\s.]{2,63}$/;
const uuidShape = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function textToken(value: Buffer, keys: TokenKeys): string {
  const { length } = value;
  if (length >= 12 && length <= 384) {
    const text = value.toString('latin1');
    const shaped =
      cardToken(text, keys) ??
      ibanToken(text, keys) ??
      (uuidShape.test(text) ? uuidText(uuidToken(uuidBytes(value)!, keys)) : undefined);
    if (shaped !== undefined) return shaped;
  }
  const word = wordToken(value, keys);
  return length <= 384 && value.includes(0x40) && mailShape.test(value.toString('latin1')) ? word + mailDomain : word;
}

const letters = 'abcdefghijklmnopqrstuvwxyz234567';

/** Base 32 of RFC 4648, lower case, of whole groups of five bits. */
function base32(bytes: string, characters: number): string {
  let made = '';
  let bits = 0;
  let held = 0;
  for (let at = 0; made.length < characters; ) {
    if (held < 5) {
      bits = ((bits << 8) | bytes.charCodeAt(at++)) & 0xffff;
      held += 8;
    }
    held -= 5;
    made += letters[(bits >> held) & 31];
  }
  return made;
}

const wordHead = 'tok_';
const wordShape = /^tok_[a-z2-7]{20}$/;

/** 80 bits for the value and 20 to know it by. */
function wordToken(value: Uint8Array, keys: TokenKeys): string {
  const body = base32(hmac(value, keys.value), 16);
  return wordHead + body + wordCheck(body, keys);
}

function wordCheck(body: string, keys: TokenKeys): string {
  return base32(hmac(`word ${body}`, keys.check), 4);
}

function isWordToken(text: string, keys: TokenKeys): boolean {
  return wordShape.test(text) && wordCheck(text.slice(4, 20), keys) === text.slice(20);
}

/** Version 8 of RFC 9562, its last three bytes to know it by. */
function uuidToken(raw: Buffer, keys: TokenKeys): Buffer {
  const bytes = hmacBytes(raw, keys.value, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  bytes.write(hmac(bytes.subarray(0, 13), keys.check), 13, 3, 'latin1');
  return bytes;
}

function bytesToken(raw: Buffer, keys: TokenKeys): Buffer {
  const bytes = hmacBytes(raw, keys.value, 16);
  bytes.write(hmac(bytes.subarray(0, 12), keys.check), 12, 4, 'latin1');
  return bytes;
}

/** Sixteen bytes that are a token of a uuid or of bytea. */
function isBytesToken(bytes: Buffer, keys: TokenKeys): boolean {
  if (bytes.length !== 16) return false;
  const version = bytes[6]! >> 4 === 8 && bytes[8]! >> 6 === 2;
  if (version && hmac(bytes.subarray(0, 13), keys.check).startsWith(bytes.toString('latin1', 13, 16))) return true;
  return hmac(bytes.subarray(0, 12), keys.check).startsWith(bytes.toString('latin1', 12, 16));
}

const whole = /^[0-9]{1,19}$/;

/** Numbers that are not negative become negative ones, each its own. */
function integerToken(width: 2 | 4 | 8, format: 0 | 1, keys: TokenKeys): Hide {
  const length = width * 8 - 1;
  const rightBits = length - Math.floor(length / 2);
  const split = 2 ** rightBits;
  return (value) => {
    let left: number;
    let right: number;
    if (width === 8) {
      if (format === 1 ? value.length !== 8 : !whole.test(value.toString('latin1'))) return null;
      const number = format === 1 ? value.readBigInt64BE() : BigInt(value.toString('latin1'));
      if (number < 0n || number > 0x7fff_ffff_ffff_ffffn) return null;
      left = Number(number >> BigInt(rightBits));
      right = Number(number & BigInt(split - 1));
    } else {
      if (format === 1 ? value.length !== width : !whole.test(value.toString('latin1'))) return null;
      const number = format === 1 ? value.readIntBE(0, width) : Number(value.toString('latin1'));
      if (number < 0 || number >= 2 ** length) return null;
      left = Math.floor(number / split);
      right = number % split;
    }
    const made = keys.integer.encryptHalves(length, left, right);
    if (width === 8) {
      const number = -1n - ((BigInt(made.left) << BigInt(rightBits)) | BigInt(made.right));
      if (format === 0) return Buffer.from(number.toString(), 'latin1');
      const bytes = Buffer.allocUnsafe(8);
      bytes.writeBigInt64BE(number);
      return bytes;
    }
    const number = -1 - (made.left * split + made.right);
    if (format === 0) return Buffer.from(String(number), 'latin1');
    const bytes = Buffer.allocUnsafe(width);
    bytes.writeIntBE(number, 0, width);
    return bytes;
  };
}

const numericDigits = 18;
const numericHalf = 1_000_000_000n;

/** Whole numbers below 10^18 become negative ones. */
function numericToken(format: 0 | 1, keys: TokenKeys): Hide {
  return (value) => {
    const number = format === 1 ? decimalOfBinary(value) : decimalOfText(value.toString('latin1'));
    if (number === undefined || typeof number === 'string' || number.units < 0n) return null;
    const unit = 10n ** BigInt(number.scale);
    const units = number.units / unit;
    if (units * unit !== number.units || units >= numericHalf * numericHalf) return null;
    const made = keys.numeric.encryptHalves(numericDigits, Number(units / numericHalf), Number(units % numericHalf));
    const masked = -1n - (BigInt(made.left) * numericHalf + BigInt(made.right));
    return format === 1 ? binaryOfDecimal({ units: masked, scale: 0 }) : Buffer.from(masked.toString(), 'latin1');
  };
}

/**
 * Whether a text is a token under this key. A true card number, IBAN or uuid of another version never is; of other texts of
 * the same shape, one in ten (digits), 97 (IBAN), 2^20 (words and mail addresses), 2^24 (uuid), 2^32 (bytea) is
 * (test: token.test.ts "how often").
 */
export function isToken(text: string, key: Buffer): boolean {
  const keys = tokenKeys(key);
  if (text.startsWith('"') && text.endsWith('"')) return isWordToken(text.slice(1, -1), keys);
  if (text.startsWith(wordHead)) {
    return isWordToken(text.endsWith(mailDomain) ? text.slice(0, -mailDomain.length) : text, keys);
  }
  if (text.length < 12 || text.length > 42) return false;
  if (text.startsWith('\\x')) return text.length === 34 && isBytesToken(Buffer.from(text.slice(2), 'hex'), keys);
  if (text.length === 36) {
    const bytes = uuidBytes(Buffer.from(text));
    if (bytes !== null) return isBytesToken(bytes, keys);
  }
  return isCardToken(text, keys) || isIbanToken(text, keys);
}

/** The same for a value in binary form whose type may be unknown (0). */
export function isBinaryToken(value: Buffer, type: number, key: Buffer): boolean {
  if (value.length === 16 && (type === 0 || type === 2950 || type === 17) && isBytesToken(value, tokenKeys(key)))
    return true;
  // jsonb carries a version byte; other kinds of text are the same in both forms.
  const text = value.length > 384 ? '' : value.toString('latin1', value[0] === 1 ? 1 : 0);
  return isToken(text, key);
}

/** Whether a number is negative: where numbers are tokens, every negative one is. */
export function isNumberToken(text: string): boolean {
  return /^-[0-9]{1,19}$/.test(text);
}
