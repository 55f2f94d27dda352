// Keyed hashes: equal values stay equal, nothing else can be told.
import { hash } from 'node:crypto';

export const hashPrefix = 'masked:';

/** HMAC-SHA256 (RFC 2104) by one-shot hashes, which cost a fraction of an Hmac object. */
export function hmac(value: Uint8Array, key: Buffer): Buffer {
  const short = key.length > 64 ? hash('sha256', key, 'buffer') : key;
  const inner = Buffer.alloc(64 + value.length, 0x36);
  const outer = Buffer.alloc(96, 0x5c);
  for (let at = 0; at < short.length; at++) {
    inner[at]! ^= short[at]!;
    outer[at]! ^= short[at]!;
  }
  inner.set(value, 64);
  hash('sha256', inner, 'buffer').copy(outer, 64);
  return hash('sha256', outer, 'buffer');
}

/** `masked:` and 96 bits. */
export function digest(value: Buffer, key: Buffer): string {
  return hashPrefix + hmac(value, key).toString('hex', 0, 12);
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
