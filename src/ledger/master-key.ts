// Wrapping keys that this machine holds itself: a file of 32 bytes in the state folder, or 32 bytes from elsewhere (src/keys/env).
import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../domain/fault.ts';
import { type DataKey, type KeyProvider, readStoredForm, storedForm, type WrappedKey } from './key-provider.ts';

/** Writes a new master key, readable by the owner alone. Refuses to replace one. */
export function createMasterKey(state: string): void {
  writeDurably(join(state, 'master.key'), randomBytes(32));
}

/** Which of several keys: eight hex digits that tell nothing of it. */
export function masterKeyId(master: Buffer): string {
  return hash('sha256', Buffer.concat([Buffer.from('countersign-master/v1\n'), master])).slice(0, 8);
}

/** AES-256-GCM under `<state>/master.key`. Earlier master keys, `master-<id>.key`, still open what they wrapped. */
export function fileKeyProvider(state: string): KeyProvider {
  const path = join(state, 'master.key');
  const read = (file: string) => {
    const master = readFileSync(file);
    if (master.length !== 32) throw new Fault('ledger.unavailable', `${file} does not hold 32 bytes. Restore it.`);
    return master;
  };
  if (!existsSync(path)) throw new Fault('ledger.unavailable', `${path} is missing. Restore it from your backup.`);
  const former = () =>
    readdirSync(state)
      .filter((name) => /^master-[0-9a-f]{8}\.key$/.test(name))
      .map((name) => join(state, name));
  let current = masterKeys('file', read(path), former().map(read), true);
  return {
    get label() {
      return current.label;
    },
    wrap: (keys) => current.wrap(keys),
    wrapNow: (key) => current.wrapNow!(key),
    unwrap: (keys) => {
      // Another process may have renewed it.
      const strange = keys.some(({ wrapped }) => {
        const { label } = readStoredForm(wrapped) ?? {};
        return label !== undefined && !current.opens(label);
      });
      if (strange) current = masterKeys('file', read(path), former().map(read), true);
      return current.unwrap(keys);
    },
    opens: (label) => label === undefined || label.startsWith('file:'),
    renew() {
      const old = read(path);
      const kept = join(state, `master-${masterKeyId(old)}.key`);
      const fresh = join(state, 'master.key.new');
      rmSync(fresh, { force: true });
      writeDurably(fresh, randomBytes(32));
      // The old key has its second name before the new one takes the first: at no moment is either missing.
      if (!existsSync(kept)) linkSync(path, kept);
      renameSync(fresh, path);
      syncFolder(state);
      current = masterKeys('file', read(path), former().map(read), true);
    },
    forgetOld() {
      for (const file of former()) rmSync(file);
      syncFolder(state);
      current = masterKeys('file', read(path), [], true);
    },
  };
}

/** AES-256-GCM under keys in memory: the first wraps, all open. `first`: also what was stored in the first form. */
export function masterKeys(kind: string, master: Buffer, former: readonly Buffer[], first: boolean): KeyProvider {
  const label = `${kind}:${masterKeyId(master)}`;
  const all = new Map([master, ...former].map((key) => [`${kind}:${masterKeyId(key)}`, key]));
  const wrapNow = ({ id, dek }: DataKey): Buffer => {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', master, nonce);
    cipher.setAAD(bound(id));
    return storedForm(label, Buffer.concat([nonce, cipher.update(dek), cipher.final(), cipher.getAuthTag()]));
  };
  function open({ id, wrapped }: WrappedKey): Buffer | string {
    const form = readStoredForm(wrapped);
    if (!form) return 'it is not a wrapped key';
    const keys = form.label === undefined ? [...all.values()] : [all.get(form.label)];
    const bytes = form.label === undefined ? form.bytes.subarray(1) : form.bytes;
    if (bytes.length !== 12 + 32 + 16) return 'it is not a wrapped key';
    for (const key of keys) {
      if (!key) return `the master key ${form.label} is not there`;
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12));
        if (form.label !== undefined) decipher.setAAD(bound(id));
        decipher.setAuthTag(bytes.subarray(-16));
        return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
      } catch {
        // Of another key, or changed.
      }
    }
    return 'it does not open with its master key';
  }
  return {
    label,
    wrapNow,
    wrap: async (keys) => keys.map(wrapNow),
    unwrap: async (keys) => keys.map(open),
    opens: (name) => (name === undefined ? first : all.has(name)),
  };
}

/** A wrapped key opens under its own id only. */
function bound(id: string): Buffer {
  return Buffer.from(`countersign-key/v1\n${id}`);
}

function writeDurably(path: string, bytes: Buffer): void {
  const fd = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(fd, bytes);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
