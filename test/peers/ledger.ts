// A real ledger in a temporary folder, for tests.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLedger, type Ledger, type LedgerOptions } from '../../src/ledger/ledger.ts';

export interface LedgerPlace extends LedgerOptions {
  readonly root: string;
  readonly vkey: string;
  remove(): void;
}

/** Creates a ledger with short segments and frequent checkpoints. */
export async function ledgerPlace(options: Partial<LedgerOptions> = {}): Promise<LedgerPlace> {
  const root = mkdtempSync(join(tmpdir(), 'ledger-'));
  const place = {
    folder: join(root, 'ledger'),
    state: join(root, 'state'),
    gateway: 'gw-a',
    periodMs: 10,
    segmentEntries: 150,
    ...options,
  };
  await createLedger({ ...place, origin: 'example.test/log' });
  const vkey = readFileSync(join(place.state, 'ledger.vkey'), 'utf8').trim();
  return { ...place, root, vkey, remove: () => rmSync(root, { recursive: true, force: true }) };
}

/** Appends whole sessions of `statements` decisions and outcomes each. */
export async function fillLedger(ledger: Ledger, sessions: number, statements: number): Promise<void> {
  for (let s = 0; s < sessions; s++) {
    const key = ledger.newKey();
    const session = `${ledger.boot}-${s}`;
    const who = { name: 'Ä gent' };
    ledger.append({ type: 'session.open', session, facts: { target: 'shop' }, payload: { who } }, 'written', key);
    for (let sequence = 1; sequence <= statements; sequence++) {
      const facts = { d: 'permit', e: ['sql:read'], k: 'execute', r: ['base'] };
      const payload = { what: { text: `select ${sequence}` } };
      ledger.append({ type: 'statement.decision', session, sequence, facts, payload }, 'written', key);
      await ledger.append({ type: 'statement.outcome', session, sequence, facts: { rows: 1 } }, 'written').durable;
    }
    await ledger.append({ type: 'session.seal', session, facts: { n: statements } }, 'synced').durable;
  }
}
