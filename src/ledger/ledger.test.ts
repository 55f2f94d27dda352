// The ledger as a whole: append, restart, refuse. Crashes of the process: test/crash/ledger.test.ts.
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createLedger, type Ledger, type LedgerOptions, openLedger } from './ledger.ts';
import { destroyKey, openKeyring } from './keyring.ts';
import { readJournal } from './read-journal.ts';
import { verifyLedger } from './verify.ts';

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

function place(): LedgerOptions & { root: string } {
  const root = mkdtempSync(join(tmpdir(), 'ledger-'));
  roots.push(root);
  return {
    root,
    folder: join(root, 'ledger'),
    state: join(root, 'state'),
    gateway: 'gw-a',
    periodMs: 20,
    segmentEntries: 100,
  };
}

async function created(): Promise<LedgerOptions & { root: string; vkey: string }> {
  const options = place();
  await createLedger({ ...options, origin: 'example.test/log' });
  return { ...options, vkey: readFileSync(join(options.state, 'ledger.vkey'), 'utf8') };
}

async function fill(ledger: Ledger, sessions: number, statements: number): Promise<void> {
  for (let s = 0; s < sessions; s++) {
    const key = ledger.newKey();
    const session = `${ledger.boot.slice(0, 8).replaceAll('-', '_')}-${s}`;
    ledger.append(
      { type: 'session.open', session, facts: { target: 'shop' }, payload: { who: { name: 'Ä gent' } } },
      'written',
      key,
    );
    for (let i = 1; i <= statements; i++) {
      const facts = { d: 'permit', e: ['sql:read'], k: 'execute', r: ['base'] };
      ledger.append(
        { type: 'statement.decision', session, sequence: i, facts, payload: { what: { text: `select ${i}` } } },
        'written',
        key,
      );
      await ledger.append({ type: 'statement.outcome', session, sequence: i, facts: { rows: i } }, 'written', key)
        .durable;
    }
    await ledger.append({ type: 'session.seal', session, facts: { n: statements } }, 'synced', key).durable;
  }
}

test('what was appended is read back, verified, and continued by the next boot', async () => {
  const options = await created();
  const first = await openLedger(options);
  expect(first.orphans).toEqual([]);
  await fill(first.ledger, 3, 60);
  await first.ledger.close();
  const report = await verifyLedger(options.folder, options.vkey);
  expect(report.failure).toBeUndefined();
  expect(report).toMatchObject({ ok: true, notYetUnderCheckpoint: 0, sessions: { open: 0, sealed: 3, orphaned: 0 } });
  const second = await openLedger(options);
  await fill(second.ledger, 2, 80);
  await second.ledger.close();
  const again = await verifyLedger(options.folder, options.vkey);
  expect(again.failure).toBeUndefined();
  expect(again).toMatchObject({ ok: true, boots: 2 });
  expect(again.size).toBeGreaterThan(600);
  const keyring = openKeyring(options.state);
  let next = 0;
  for await (const { index, entry, payload } of readJournal(options.folder, 0, keyring)) {
    expect(index).toBe(next++);
    if (entry.t === 'statement.decision') expect(payload).toEqual({ what: { text: `select ${entry.sq}` } });
  }
  keyring.close();
  expect(next).toBe(again.size);
});
