// The keys of one session, derived from its data key (docs/ledger-format.md, "Keys").
import { type Cipheriv, type Decipheriv, hkdfSync } from 'node:crypto';

/** Opaque outside the ledger: only `id` is for others. Its derived keys are not enumerable, so that no log prints them. */
export interface SessionKey {
  readonly id: string;
}

/** The derived keys and the state of the one cipher stream that seals with them. */
export interface Secrets {
  /** Secret bytes that every salt of this key hashes. */
  readonly salt: Buffer;
  readonly payload: Buffer;
  /** Kept open: making a cipher object costs more than sealing a statement with it. */
  stream: Cipheriv | undefined;
  /** Key stream made ahead; everything before `used` has been used. */
  ahead: Buffer;
  used: number;
  /** Bytes sealed so far; no position is used twice. */
  position: number;
  /** Where a reader of the payloads is, with key stream made ahead. */
  reading: { readonly stream: Decipheriv; ahead: Buffer; used: number; position: number } | undefined;
  readonly root: Buffer;
}

const secrets = new WeakMap<SessionKey, Secrets>();

/** Derives the keys of a 32-byte data key. */
export function sessionKey(id: string, dek: Buffer): SessionKey {
  const key: SessionKey = { id };
  secrets.set(key, {
    salt: derive(dek, 'salt'),
    payload: derive(dek, 'payload'),
    root: dek,
    stream: undefined,
    ahead: Buffer.alloc(0),
    used: 0,
    position: 0,
    reading: undefined,
  });
  return key;
}

/** The derived keys; a TypeError for an object that this process did not make. */
export function secretsOf(key: SessionKey): Secrets {
  const found = secrets.get(key);
  if (!found) throw new TypeError('this is not a session key');
  return found;
}

/** The key that encrypts the recording of one session: 32 bytes, bound to the session's id. */
export function recordingKey(key: SessionKey, session: string): Buffer {
  return derive(secretsOf(key).root, `recording/${session}`);
}

function derive(dek: Buffer, use: string): Buffer {
  return Buffer.from(hkdfSync('sha256', dek, '', `countersign/v1/${use}`, 32));
}

/** Overwrites what was derived; the object seals and opens nothing any more. For keys that were destroyed. */
export function forgetSecrets(key: SessionKey): void {
  const found = secrets.get(key);
  secrets.delete(key);
  if (!found) return;
  for (const bytes of [found.salt, found.payload, found.root, found.ahead]) bytes.fill(0);
  found.reading?.ahead.fill(0);
}
