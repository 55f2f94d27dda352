// kill -9 at random moments: whatever was acknowledged is there afterwards, and what is there verifies.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLedger } from '../../src/ledger/ledger.ts';
import { readJournal } from '../../src/ledger/read-journal.ts';
import { verifyLedger } from '../../src/ledger/verify-disk.ts';
import { type LedgerPlace, ledgerPlace } from '../peers/ledger.ts';

let place: LedgerPlace;
beforeAll(async () => {
  place = await ledgerPlace();
});
afterAll(() => place.remove());

const kills = 24;
const writer = new URL('./ledger-writer.ts', import.meta.url).pathname;

test(`${kills} times kill -9: every acknowledged entry survives, and the ledger verifies each time`, async () => {
  const acknowledged = new Set<number>();
  let crashes = 0;
  for (let round = 0; round < kills; round++) {
    const child = spawn(process.execPath, [writer, place.folder, place.state], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    child.stderr.on('data', (chunk) => (errors += chunk));
    // Some rounds die during recovery, most under load.
    const first = new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk) => {
        output += chunk;
        resolve();
      });
    });
    const closed = once(child, 'close');
    if (round % 6 !== 5) await Promise.race([first, closed]);
    else await new Promise((resolve) => setTimeout(resolve, 80 + Math.random() * 120));
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 120));
    child.kill('SIGKILL');
    await closed;
    expect(errors).toBe('');
    // A line that the kill cut short was not told whole; everything before its newline was.
    for (const line of output.split('\n').slice(0, -1)) acknowledged.add(Number(line));

    const { ledger, orphans } = await openLedger({ ...place, segmentEntries: 700 });
    crashes += orphans.length;
    for (const { session, sequence } of orphans) {
      ledger.append({ type: 'session.orphaned', session, facts: { n: sequence } }, 'written');
    }
    await ledger.close();
    const report = await verifyLedger(place.folder, place.vkey);
    expect(report.failure).toBeUndefined();
    expect(report.sessions).toMatchObject({ open: 0, orphaned: crashes });
  }
  const present = new Set<number>();
  for await (const { index, entry } of readJournal(place.folder, 0))
    if (entry.t === 'statement.decision') present.add(index);
  expect(acknowledged.size).toBeGreaterThan(1000);
  expect([...acknowledged].filter((index) => !present.has(index))).toEqual([]);
}, 120_000);

test('the lock of a killed writer is free, and a live one is not', async () => {
  const child = spawn(process.execPath, [writer, place.folder, place.state], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  await expect(openLedger(place)).rejects.toThrow(`process ${child.pid}`);
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
  const { ledger } = await openLedger(place);
  await ledger.close();
});
