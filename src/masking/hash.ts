// Keyed hashes: equal values stay equal, nothing else can be told.
import { hash } from 'node:crypto';

export const hashPrefix = 'masked:';

interface Pads {
  /** Grows with the longest value. */
  inner: Buffer;
  readonly outer: Buffer;
}
const padsOf = new WeakMap<Buffer, Pads>();

function open(key: Buffer): Pads {
  const short = key.length > 64 ? hash('sha256', key, 'buffer') : key;
  const pads = { inner: Buffer.alloc(512, 0x36), outer: Buffer.alloc(96, 0x5c) };
  for (let at = 0; at < short.length; at++) {
    pads.inner[at]! ^= short[at]!;
    pads.outer[at]! ^= short[at]!;
  }
  padsOf.set(key, pads);
  return pads;
}

/** Longer values get a buffer that is not kept. */
const longestKept = 64 << 10;

/**
 * HMAC-SHA256 (RFC 2104) as 32 characters of one byte each. By way of strings and of pads that are kept, because a result
 * in a buffer of its own costs more than the hashing (docs/masking.md, test: method.test.ts "the hash is HMAC-SHA256").
 */
export function hmac(value: Uint8Array | string, key: Buffer): string {
  const pads = padsOf.get(key) ?? open(key);
  const length = 64 + value.length;
  let input = pads.inner;
  if (input.length < length) {
    input = Buffer.allocUnsafe(length * 2);
    pads.inner.copy(input, 0, 0, 64);
    if (length <= longestKept) pads.inner = input;
  }
  if (typeof value === 'string') input.write(value, 64, 'latin1');
  else input.set(value, 64);
  pads.outer.write(hash('sha256', input.subarray(0, length), 'binary'), 64, 'latin1');
  return hash('sha256', pads.outer, 'binary');
}

/** The first bytes of an HMAC. */
export function hmacBytes(value: Uint8Array | string, key: Buffer, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  bytes.write(hmac(value, key), 0, length, 'latin1');
  return bytes;
}

const scratch = Buffer.alloc(12);

/** `masked:` and 96 bits. */
export function digest(value: Uint8Array, key: Buffer): string {
  scratch.write(hmac(value, key), 0, 12, 'latin1');
  return hashPrefix + scratch.toString('hex');
}

/** Bytes of a uuid as text or in binary; null when it is none. */
export function uuidBytes(value: Buffer): Buffer | null {
  const hex = value.toString('latin1').replaceAll('-', '');
  return /^[0-9a-fA-F]{32}$/.test(hex) ? Buffer.from(hex, 'hex') : null;
}

export function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The escape form of bytea_output is not read. */
export function byteaBytes(value: Buffer): Buffer | null {
  const text = value.toString('latin1');
  return /^\\x(?:[0-9a-f]{2})*$/.test(text) ? Buffer.from(text.slice(2), 'hex') : null;
}

/** Over the value itself, so that text and binary give the same. What cannot be read as one is NULL. */
export function sixteenBytes(
  kind: 'uuid' | 'bytea',
  format: 0 | 1,
  make: (raw: Buffer) => Buffer,
): (value: Buffer) => Buffer | null {
  return (value) => {
    const raw = format === 1 ? value : kind === 'uuid' ? uuidBytes(value) : byteaBytes(value);
    if (raw === null) return null;
    const bytes = make(raw);
    if (format === 1) return bytes;
    return Buffer.from(kind === 'bytea' ? `\\x${bytes.toString('hex')}` : uuidText(bytes), 'latin1');
  };
}
