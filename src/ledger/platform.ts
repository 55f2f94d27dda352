// What the verifying core needs of what it runs on, here Node. A build for the browser takes `platform.web.ts` in the
// place of this file; nothing else differs (tests: platform.test.ts compares the two, `tsc -p web/verify` compiles the core
// without Node's types).
import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';

export { crc32 } from 'node:zlib';

export type Bytes = Buffer;
export type PublicKey = KeyObject;
export type PrivateKey = KeyObject;

export const allocate = (size: number): Bytes => Buffer.alloc(size);

/** Bytes of any content, to be overwritten. */
export const allocateDirty = (size: number): Bytes => Buffer.allocUnsafe(size);

export const copyOf = (bytes: Uint8Array): Bytes => Buffer.from(bytes);

export const concat = (parts: readonly Uint8Array[]): Bytes => Buffer.concat(parts);

export function copyInto(target: Bytes, at: number, source: Bytes, from: number, to: number): void {
  source.copy(target, at, from, to);
}

export const isEqual = (a: Bytes, b: Uint8Array): boolean => a.equals(b);

export const utf8 = (text: string): Bytes => Buffer.from(text);

export const textOf = (bytes: Bytes): string => bytes.toString('utf8');

export const latin1 = (bytes: Bytes, from: number, to: number): string => bytes.toString('latin1', from, to);

export const hexOf = (bytes: Bytes): string => bytes.toString('hex');

export const base64Of = (bytes: Bytes): string => bytes.toString('base64');

/** Standard base64 with padding, and nothing else: one text for each value. */
export function fromBase64(text: string): Bytes | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** SHA-256 of some bytes or of a UTF-8 text. */
export function sha256(data: Uint8Array | string): Bytes {
  return hash('sha256', data, 'buffer');
}

/**
 * The same, written at a place of a buffer, which may lie in the data itself. By way of a string: a buffer of its own
 * for the result costs twice the hashing (docs/performance.md).
 */
export function sha256Into(target: Bytes, at: number, data: Uint8Array): void {
  target.write(hash('sha256', data, 'binary'), at, 32, 'latin1');
}

/** Whether the hash of some bytes stands at a place of a buffer. */
export function isSha256At(buffer: Bytes, at: number, data: Uint8Array): boolean {
  return hash('sha256', data, 'binary') === buffer.toString('latin1', at, at + 32);
}

/** An Ed25519 public key from its 32 bytes. */
export function publicKeyOf(raw: Bytes): PublicKey {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' });
}

export function rawPublicKey(key: PublicKey): Bytes {
  return Buffer.from(key.export({ format: 'jwk' }).x as string, 'base64url');
}

export const verifyEd25519 = (key: PublicKey, message: Bytes, signature: Bytes): boolean =>
  verify(null, message, key, signature);

export const signEd25519 = (key: PrivateKey, message: Bytes): Bytes => sign(null, message, key);
