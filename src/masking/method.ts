// What a masked value looks like, by type: it keeps the type of the column so that the client's decoder reads it.
//
// - `full`: text `****`, JSON `"****"`, XML `<masked/>`, numbers 0, boolean false, dates and times the epoch (1970-01-01,
//   00:00), interval 0, uuid and addresses all zero, bytea and arrays empty; every other type NULL.
// - `partial`: text of twelve characters or more keeps its last four (`****6467`); an e-mail address keeps its top-level
//   domain (`****@****.example`); every other text as `full`; other types NULL, except JSON and XML as `full`.
// - `hash`: text and JSON `masked:` and 24 hex digits of HMAC-SHA256 under the deployment's key; uuid and bytea the first
//   16 bytes; equal values stay equal; other types NULL.
// - `null`, and whatever is derived (`whole`) and no text: NULL. Derived text is `***`.
import { hash } from 'node:crypto';
import type { Mask } from '../domain/mask.ts';
import { arrayElements, constants, kindOf } from './type.ts';

/** The value's bytes in the wire format (`null` is NULL) to what may leave. The result may be shared: do not write to it. */
export type MaskValue = (value: Buffer | null) => Buffer | null;

const stars = Buffer.from('****');
const derivedText = Buffer.from('***');
const jsonStars = Buffer.from('"****"');
const xmlStars = Buffer.from('<masked/>');
const hashPrefix = 'masked:';

/** The function for one column: `type` is its OID in RowDescription, `format` 0 text or 1 binary. NULL stays NULL. */
export function compileMask(mask: Mask, type: number | undefined, format: 0 | 1, key: Buffer): MaskValue {
  const kind = kindOf(type);
  const always =
    (masked: Buffer | null): MaskValue =>
    (value) =>
      value === null ? null : masked;
  if (mask.method === 'null') return always(null);
  if (mask.whole) return always(kind === 'text' ? derivedText : null);
  if (kind === 'text') {
    if (mask.method === 'hash') return (value) => (value === null ? null : Buffer.from(digest(value, key)));
    if (mask.method === 'partial') return (value) => (value === null ? null : partialText(value));
    return always(stars);
  }
  if (kind === 'json' || kind === 'jsonb') {
    // Binary jsonb is its text behind a version byte.
    const version = kind === 'jsonb' && format === 1;
    const wrap = (json: Buffer) => (version ? Buffer.concat([Buffer.from([1]), json]) : json);
    if (mask.method !== 'hash') return always(wrap(jsonStars));
    return (value) =>
      value === null ? null : wrap(Buffer.from(`"${digest(version ? value.subarray(1) : value, key)}"`));
  }
  if (kind === 'xml') return always(mask.method === 'hash' ? null : xmlStars);
  if (mask.method === 'hash') return hashBinary(kind, format, key) ?? always(null);
  if (mask.method === 'partial') return always(null);
  const element = type === undefined ? undefined : arrayElements.get(type);
  if (element !== undefined) return always(format === 0 ? Buffer.from('{}') : emptyArray(element));
  const constant = constants.get(kind);
  return always(constant ? (format === 0 ? constant.text : constant.binary) : null);
}

function emptyArray(element: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(element, 8);
  return bytes;
}

/** HMAC-SHA256 (RFC 2104) by one-shot hashes, which cost a fraction of an Hmac object. */
function hmac(value: Buffer, key: Buffer): Buffer {
  const short = key.length > 64 ? hash('sha256', key, 'buffer') : key;
  const inner = Buffer.alloc(64 + value.length, 0x36);
  const outer = Buffer.alloc(96, 0x5c);
  for (let at = 0; at < short.length; at++) {
    inner[at]! ^= short[at]!;
    outer[at]! ^= short[at]!;
  }
  value.copy(inner, 64);
  hash('sha256', inner, 'buffer').copy(outer, 64);
  return hash('sha256', outer, 'buffer');
}

function digest(value: Buffer, key: Buffer): string {
  return hashPrefix + hmac(value, key).toString('hex', 0, 12);
}

/** Over the value itself, so that text and binary give the same. What cannot be read as one is NULL. */
function hashBinary(kind: string, format: 0 | 1, key: Buffer): MaskValue | undefined {
  if (kind !== 'uuid' && kind !== 'bytea') return undefined;
  return (value) => {
    if (value === null) return null;
    const raw = format === 1 ? value : kind === 'uuid' ? uuidBytes(value) : byteaBytes(value);
    if (raw === null) return null;
    const bytes = hmac(raw, key).subarray(0, 16);
    if (format === 1) return bytes;
    const hex = bytes.toString('hex');
    return Buffer.from(
      kind === 'bytea' ? `\\x${hex}` : hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    );
  };
}

function uuidBytes(value: Buffer): Buffer | null {
  const hex = value.toString('latin1').replaceAll('-', '');
  return /^[0-9a-fA-F]{32}$/.test(hex) ? Buffer.from(hex, 'hex') : null;
}

/** The escape form of bytea_output is not read. */
function byteaBytes(value: Buffer): Buffer | null {
  const text = value.toString('latin1');
  return /^\\x([0-9a-f]{2})*$/.test(text) ? Buffer.from(text.slice(2), 'hex') : null;
}

const mailStars = Buffer.from('****@****.');
const at = 0x40;
const dot = 0x2e;

/** What is kept is ASCII letters, or whole characters: never a part of one. */
function partialText(value: Buffer): Buffer {
  const mail = value.lastIndexOf(at);
  if (mail > 0) {
    const top = value.lastIndexOf(dot) + 1;
    const length = value.length - top;
    if (top <= mail || length < 2 || length > 24) return stars;
    for (let index = top; index < value.length; index++) {
      const letter = value[index]! | 0x20;
      if (letter < 0x61 || letter > 0x7a) return stars;
    }
    return join(mailStars, value, top);
  }
  let ascii = true;
  for (let index = 0; index < value.length && ascii; index++) ascii = value[index]! < 0x80;
  if (ascii) return value.length >= 12 ? join(stars, value, value.length - 4) : stars;
  const characters = [...value.toString('utf8')];
  return characters.length >= 12 ? Buffer.from(`****${characters.slice(-4).join('')}`) : stars;
}

function join(head: Buffer, value: Buffer, from: number): Buffer {
  const made = Buffer.allocUnsafe(head.length + value.length - from);
  made.set(head);
  value.copy(made, head.length, from);
  return made;
}

/**
 * A value that a mask made: refused when it is written back, because it would destroy what it hides. Constants of other
 * types (0, the epoch) are ordinary values and are not recognised.
 */
export function looksMasked(value: string): boolean {
  return /^(\*{3,4}|"\*{4}"|<masked\/>|"?masked:[0-9a-f]{24}"?|\*{4}@\*{4}\.[A-Za-z]{2,24}|\*{4}.{4})$/su.test(value);
}
