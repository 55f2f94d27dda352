// What the verifying core needs of its platform, here a browser, also one that has opened a file: no Web Crypto, no
// network, nothing asynchronous. It has the exports of platform.ts, which a build for the browser leaves out for it.
import { verifyEd25519 as verify } from './ed25519.ts';
import { sha256Into } from './sha2.ts';

export { sha256Into } from './sha2.ts';

export type Bytes = Uint8Array;
export type PublicKey = Uint8Array;
/** Nothing is signed in a browser. */
export type PrivateKey = never;

export const allocate = (size: number): Bytes => new Uint8Array(size);

export const allocateDirty = (size: number): Bytes => allocate(size);

export const copyOf = (bytes: Uint8Array): Bytes => new Uint8Array(bytes);

export function concat(parts: readonly Uint8Array[]): Bytes {
  const all = allocate(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function copyInto(target: Bytes, at: number, source: Bytes, from: number, to: number): void {
  target.set(source.subarray(from, to), at);
}

export function isEqual(a: Bytes, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export const utf8 = (text: string): Bytes => encoder.encode(text);

export const textOf = (bytes: Bytes): string => decoder.decode(bytes);

export function latin1(bytes: Bytes, from: number, to: number): string {
  let text = '';
  for (let i = from; i < to; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

export function hexOf(bytes: Bytes): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

export const base64Of = (bytes: Bytes): string => btoa(latin1(bytes, 0, bytes.length));

export function fromBase64(text: string): Bytes | undefined {
  try {
    const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    return base64Of(bytes) === text ? bytes : undefined;
  } catch {
    return undefined;
  }
}

export function sha256(data: Uint8Array | string): Bytes {
  const hash = allocate(32);
  sha256Into(hash, 0, typeof data === 'string' ? utf8(data) : data);
  return hash;
}

const compared = allocate(32);

export function isSha256At(buffer: Bytes, at: number, data: Uint8Array): boolean {
  sha256Into(compared, 0, data);
  for (let i = 0; i < 32; i++) if (compared[i] !== buffer[at + i]) return false;
  return true;
}

const crcTable = Int32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c;
});

export function crc32(data: Uint8Array): number {
  let c = -1;
  for (const byte of data) c = (c >>> 8) ^ crcTable[(c ^ byte) & 255]!;
  return ~c >>> 0;
}

export const publicKeyOf = (raw: Bytes): PublicKey => raw;

export const rawPublicKey = (key: PublicKey): Bytes => key;

export const verifyEd25519 = (key: PublicKey, message: Bytes, signature: Bytes): boolean =>
  verify(key, message, signature);

export function signEd25519(_key: PrivateKey, _message: Bytes): Bytes {
  throw new Error('nothing is signed here');
}
