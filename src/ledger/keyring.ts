// Opens the keys of sealed payloads and recordings, apart from the writer: for readers.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '../domain/fault.ts';
import type { KeyProvider, WrappedKey } from './key-provider.ts';
import { fileKeyProvider } from './master-key.ts';
import { forgetSecrets, type SessionKey, sessionKey } from './session-key.ts';

export interface KeyOpener {
  /**
   * Those of the keys that there are: one that is absent was destroyed. Asks the provider once for all that it does not remember.
   * Rejects with Fault('ledger.unavailable') when the provider cannot be asked or a key does not open.
   */
  open(ids: Iterable<string>): Promise<ReadonlyMap<string, SessionKey>>;
  /** Drops keys that were destroyed from memory, and overwrites them. */
  forget(ids: Iterable<string>): void;
  close(): void;
}

/** More than the sessions that speak at one time, or their keys are asked for and derived again and again. */
const remembered = 2_048;

/** Opens the keys of a ledger read-only. Also from another thread or process while the gateway runs. */
export function openKeyring(state: string, provider: KeyProvider = fileKeyProvider(state)): KeyOpener {
  const db = new DatabaseSync(join(state, 'keys.sqlite'), { readOnly: true, timeout: 5000 });
  const select = db.prepare('SELECT wrapped FROM keys WHERE id = ?');
  // Opening costs more than looking up; a destroyed key must not live on here, so its row is looked at each time.
  const opened = new Map<string, SessionKey>();

  function forget(id: string): void {
    const key = opened.get(id);
    if (!key) return;
    opened.delete(id);
    forgetSecrets(key);
  }

  return {
    async open(ids) {
      const found = new Map<string, SessionKey>();
      const unknown: WrappedKey[] = [];
      for (const id of ids) {
        const row = select.get(id) as { wrapped: Uint8Array } | undefined;
        const key = opened.get(id);
        if (!row) forget(id);
        else if (key) found.set(id, key);
        else unknown.push({ id, wrapped: Buffer.from(row.wrapped) });
      }
      if (unknown.length === 0) return found;
      const deks = await provider.unwrap(unknown);
      for (const [at, { id }] of unknown.entries()) {
        const dek = deks[at]!;
        if (typeof dek === 'string')
          throw new Fault('ledger.unavailable', `The key ${id} does not open: ${dek}. Restore keys.sqlite.`);
        // It may have been destroyed while the provider was asked.
        if (!select.get(id)) continue;
        const key = sessionKey(id, dek);
        found.set(id, key);
        if (opened.size >= remembered) opened.delete(opened.keys().next().value!);
        opened.set(id, key);
      }
      return found;
    },
    forget(ids) {
      for (const id of ids) forget(id);
    },
    close() {
      db.close();
      provider.close?.();
    },
  };
}
