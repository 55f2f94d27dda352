// The signing key of one log, in the folder where its lock lies.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../domain/fault.ts';
import { formatVkey, type NoteKey, parseVkey } from './note.ts';

export interface Signer {
  readonly key: KeyObject;
  readonly vkey: NoteKey;
  /** The verifier key as one line. */
  readonly text: string;
}

/** Makes the key pair of a new log, durable when it returns; refuses to replace one. Returns the verifier key. */
export function createSigner(folder: string, origin: string): string {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const vkey = formatVkey(origin, publicKey);
  writeDurably(join(folder, 'ledger.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, 0o600);
  writeDurably(join(folder, 'ledger.vkey'), `${vkey}\n`, 0o644);
  syncFolder(folder);
  return vkey;
}

/** Fault when there is no key, or its two halves do not belong together. */
export function readSigner(folder: string): Signer {
  try {
    const key = createPrivateKey(readFileSync(join(folder, 'ledger.key')));
    const text = readFileSync(join(folder, 'ledger.vkey'), 'utf8').trim();
    const vkey = parseVkey(text);
    if (formatVkey(vkey.name, createPublicKey(key)) !== text)
      throw new Error('ledger.key does not belong to ledger.vkey');
    return { key, vkey, text };
  } catch (cause) {
    throw new Fault(
      'ledger.unavailable',
      `The signing key in ${folder} cannot be used. Restore it from your backup.`,
      cause,
    );
  }
}

/** Makes new names in a folder durable. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function writeDurably(path: string, text: string, mode: number): void {
  const fd = openSync(path, 'wx', mode);
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
