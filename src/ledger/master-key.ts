// The key that wraps data keys, from a file. A key service fits behind the same two functions.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../domain/fault.ts';

export interface KeyProvider {
  /** Encrypts a data key so that only this provider opens it again. */
  wrap(dek: Buffer): Buffer;
  /** Throws when the bytes were not wrapped by this provider. */
  unwrap(wrapped: Buffer): Buffer;
}

const version = 1;

/** Writes a new master key, readable by the owner alone. Refuses to replace one. */
export function createMasterKey(state: string): void {
  writeFileSync(join(state, 'master.key'), randomBytes(32), { mode: 0o600, flag: 'wx', flush: true });
}

/** AES-256-GCM under `<state>/master.key`; wrapped form: version, 12-byte nonce, ciphertext, 16-byte tag. */
export function fileKeyProvider(state: string): KeyProvider {
  const path = join(state, 'master.key');
  if (!existsSync(path)) throw new Fault('ledger.unavailable', `${path} is missing. Restore it from your backup.`);
  const master = readFileSync(path);
  if (master.length !== 32) throw new Fault('ledger.unavailable', `${path} does not hold 32 bytes. Restore it.`);
  return {
    wrap(dek) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', master, nonce);
      return Buffer.concat([Buffer.from([version]), nonce, cipher.update(dek), cipher.final(), cipher.getAuthTag()]);
    },
    unwrap(wrapped) {
      if (wrapped[0] !== version || wrapped.length !== 1 + 12 + 32 + 16) throw new Error('not a wrapped key');
      const decipher = createDecipheriv('aes-256-gcm', master, wrapped.subarray(1, 13));
      decipher.setAuthTag(wrapped.subarray(-16));
      return Buffer.concat([decipher.update(wrapped.subarray(13, -16)), decipher.final()]);
    },
  };
}
