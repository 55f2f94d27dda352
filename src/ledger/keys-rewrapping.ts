// Moves wrapped keys to the provider that wraps now, or to its newer key. The log is not touched but for the entries that say so.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Json } from '../domain/entry.ts';
import { Fault } from '../domain/fault.ts';
import { type KeyProvider, readStoredForm } from './key-provider.ts';
import { emptyLog } from './keys-destruction.ts';
import type { Ledger } from './ledger.ts';

export interface Rewrapping {
  readonly ledger: Pick<Ledger, 'append'>;
  readonly state: string;
  readonly provider: KeyProvider;
  /** Also what the present wrapping key wrapped: for a key service whose key has a newer version. */
  readonly all?: boolean;
  /** Makes a new wrapping key first; where the provider is a file. */
  readonly fresh?: boolean;
  readonly who: Readonly<Record<string, Json>>;
  readonly told?: (progress: { readonly keys: number; readonly of: number }) => void;
}

export interface RewrapReport {
  /** Label of the wrapping key. */
  readonly to: string;
  readonly keys: number;
  /** Keys that did not open, with the reason of the first. */
  readonly failed: number;
  readonly why?: string;
}

const pageSize = 500;

/** Rejects with a Fault when the provider cannot be asked: what was moved stays moved, and the next call goes on. */
export async function rewrapKeys(of: Rewrapping): Promise<RewrapReport> {
  const { ledger, state, provider, who, told } = of;
  if (of.fresh && !provider.renew)
    throw new Fault('client.protocol', 'Only a key in a file is made anew here. Rotate the key where it is kept.');
  const record = (facts: Record<string, Json>) =>
    ledger.append({ type: 'keys.rewrap', facts, payload: { admin: who } }, 'synced').durable;
  if (of.fresh) provider.renew!();
  const to = provider.label;
  await record({ phase: 'begun', to, ...(of.fresh ? { fresh: true } : {}) });
  const db = new DatabaseSync(join(state, 'keys.sqlite'), { timeout: 5000 });
  try {
    db.exec('PRAGMA synchronous = FULL; PRAGMA secure_delete = ON');
    const page = db.prepare('SELECT id, wrapped FROM keys WHERE id > ? ORDER BY id LIMIT ?');
    // A key that was destroyed meanwhile stays destroyed.
    const update = db.prepare('UPDATE keys SET wrapped = ? WHERE id = ?');
    const { n: total } = db.prepare('SELECT count(*) AS n FROM keys').get() as { n: number };
    let [keys, failed, seen] = [0, 0, 0];
    let why: string | undefined;
    for (let after = ''; ; ) {
      const rows = page
        .all(after, pageSize)
        .map((row) => ({ id: row.id as string, wrapped: Buffer.from(row.wrapped as Uint8Array) }));
      if (rows.length === 0) break;
      after = rows.at(-1)!.id;
      seen += rows.length;
      const others = rows.filter(({ wrapped }) => of.all || readStoredForm(wrapped)?.label !== to);
      const deks = others.length === 0 ? [] : await provider.unwrap(others);
      const open = others.flatMap(({ id }, at) => {
        const dek = deks[at]!;
        if (typeof dek !== 'string') return [{ id, dek }];
        failed++;
        why ??= `key ${id}: ${dek}`;
        return [];
      });
      const wrapped = open.length === 0 ? [] : await provider.wrap(open);
      db.exec('BEGIN IMMEDIATE');
      for (const [at, { id, dek }] of open.entries()) {
        keys += Number(update.run(wrapped[at]!, id).changes);
        dek.fill(0);
      }
      db.exec('COMMIT');
      told?.({ keys: seen, of: Math.max(seen, total) });
    }
    emptyLog(db);
    if (failed === 0) provider.forgetOld?.();
    await record({ phase: 'done', to, keys, failed });
    return { to, keys, failed, ...(why === undefined ? {} : { why }) };
  } finally {
    if (db.isTransaction) db.exec('ROLLBACK');
    db.close();
  }
}
