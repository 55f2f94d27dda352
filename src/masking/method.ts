// What a masked value looks like, by method and type (docs/masking.md has the table, and its test compares it with this): it
// keeps the type of the column so that the client's decoder reads it, and text and binary form hold the same value.
//
// A method that does not fit the type hides everything: NULL. Derived values (`whole`) are `***` where they are text, NULL
// or not, and else NULL. Domains come as their base type, and types of extensions are not known.
import type { Mask } from '../domain/mask.ts';
import { keepDefault } from '../domain/mask.ts';
import { maskBinaryArray, maskTextArray } from './array.ts';
import { bucket } from './bucket.ts';
import { constantOf } from './constant.ts';
import { dateCut } from './date.ts';
import { detected } from './found.ts';
import { digest, hmacBytes, sixteenBytes } from './hash.ts';
import { partialText } from './partial.ts';
import { token } from './token.ts';
import { arrayElements, constants, isPadded, kindOf, type TypeKind } from './type.ts';

/** The value's bytes in the wire format (`null` is NULL) to what may leave. The result may be shared: do not write to it. */
export type MaskValue = (value: Buffer | null) => Buffer | null;
type Hide = (value: Buffer) => Buffer | null;

const stars = Buffer.from('****');
const derivedText = Buffer.from('***');
const jsonStars = Buffer.from('"****"');
const xmlStars = Buffer.from('<masked/>');

/** The function for one column: `type` is its OID in RowDescription, `format` 0 text or 1 binary. NULL stays NULL, derived text aside. */
export function compileMask(mask: Mask, type: number | undefined, format: 0 | 1, key: Buffer): MaskValue {
  const hide = mask.method === 'null' ? undefined : compile(mask, type, format, key);
  // Whether a computed value is NULL tells what was computed: nullif(left(ssn, 1), '5') (test: method.test.ts).
  if (hide && mask.whole) return () => derivedText;
  return hide ? (value) => (value === null ? null : hide(value)) : () => null;
}

/** Undefined where all that may be seen is NULL. */
function compile(mask: Mask, type: number | undefined, format: 0 | 1, key: Buffer): Hide | undefined {
  const kind = kindOf(type);
  if (mask.whole) return kind === 'text' ? always(derivedText) : undefined;
  const element = type === undefined ? undefined : arrayElements.get(type);
  if (element === undefined) {
    const hide = scalar(mask, kind, format, key);
    return hide && isPadded(type) ? (value) => hide(withoutPadding(value)) : hide;
  }
  if (mask.method === 'full') return always(format === 0 ? Buffer.from('{}') : emptyArray(element));
  if (mask.method === 'constant') return undefined;
  const hide = compile(mask, element, format, key);
  if (!hide) return undefined;
  const one: MaskValue = (value) => (value === null ? null : hide(value));
  return format === 0 ? maskTextArray(one) : maskBinaryArray(one, element);
}

function scalar(mask: Mask, kind: TypeKind, format: 0 | 1, key: Buffer): Hide | undefined {
  switch (mask.method) {
    case 'constant': {
      const constant = constantOf(kind, mask.value);
      return constant && always(format === 0 ? constant.text : constant.binary);
    }
    case 'full':
      return full(kind, format);
    case 'hash':
      return hashed(kind, format, key);
    case 'token':
      return token(kind, format, key);
    case 'partial': {
      const keep = mask.keep ?? keepDefault;
      if (kind === 'text') return (value) => partialText(value, keep);
      return kind === 'json' || kind === 'jsonb' || kind === 'xml' ? full(kind, format) : undefined;
    }
    case 'bucket':
      return bucket(kind, format, mask.size);
    case 'date':
      return dateCut(kind, format, mask.to);
    case 'detect':
      return detected(kind, format);
    default:
      return undefined;
  }
}

const always =
  (masked: Buffer): Hide =>
  () =>
    masked;

function full(kind: TypeKind, format: 0 | 1): Hide | undefined {
  if (kind === 'text') return always(stars);
  if (kind === 'xml') return always(xmlStars);
  if (kind === 'json' || kind === 'jsonb') return always(inJson(jsonStars, kind, format));
  const constant = constants.get(kind);
  return constant && always(format === 0 ? constant.text : constant.binary);
}

/** Binary jsonb is its text behind a version byte. */
function inJson(json: Buffer, kind: 'json' | 'jsonb', format: 0 | 1): Buffer {
  return kind === 'jsonb' && format === 1 ? Buffer.concat([Buffer.from([1]), json]) : json;
}

function hashed(kind: TypeKind, format: 0 | 1, key: Buffer): Hide | undefined {
  switch (kind) {
    case 'text':
      return (value) => Buffer.from(digest(value, key), 'latin1');
    case 'json':
    case 'jsonb': {
      const from = kind === 'jsonb' && format === 1 ? 1 : 0;
      return (value) => inJson(Buffer.from(`"${digest(value.subarray(from), key)}"`, 'latin1'), kind, format);
    }
    case 'uuid':
    case 'bytea':
      return sixteenBytes(kind, format, (raw) => hmacBytes(raw, key, 16));
    default:
      return undefined;
  }
}

/** char(n) is filled up with blanks that are no part of its value. */
function withoutPadding(value: Buffer): Buffer {
  let end = value.length;
  while (end > 0 && value[end - 1] === 0x20) end--;
  return value.subarray(0, end);
}

function emptyArray(element: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(element, 8);
  return bytes;
}
