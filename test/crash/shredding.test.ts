// kill -9 in the middle of shredding and of rewrapping: after each start no key is gone without an entry, none that an entry names is
// there, and every other one opens.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openKeyring } from '../../src/ledger/keyring.ts';
import { keysIn } from '../../src/ledger/keys-there.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { readJournal } from '../../src/ledger/read-journal.ts';
import { verifyLedger } from '../../src/ledger/verify-disk.ts';
import { ledgerPlace } from '../peers/ledger.ts';

const kills = process.env.COUNTERSIGN_HEAVY === '1' ? 100 : 6;

test(`${kills} kills: never a key gone without an entry`, { timeout: 60_000 + kills * 5_000 }, async () => {
  const place = await ledgerPlace();
  try {
    let shredded = 0;
    for (let round = 0; round < kills; round++) {
      const writer = spawn(
        process.execPath,
        [new URL('shredding-writer.ts', import.meta.url).pathname, place.folder, place.state],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      await once(writer.stdout, 'data');
      await sleep(20 + Math.random() * 300);
      writer.kill('SIGKILL');
      await once(writer, 'exit');
      const { ledger, orphans } = await openLedger(place);
      for (const { session, sequence: n } of orphans)
        ledger.append({ type: 'session.orphaned', session, facts: { n } }, 'written');
      await ledger.close();
      const report = await verifyLedger(place.folder, place.vkey, { keys: () => keysIn(place.state) });
      expect(report.failure).toBeUndefined();
      shredded = report.shredded.keys;
    }
    expect(shredded).toBeGreaterThan(0);
    const keyring = openKeyring(place.state);
    const found = { opened: 0, shredded: 0 };
    for await (const { entry, payload } of readJournal(place.folder, 0, keyring))
      if (entry.t === 'session.open') found[payload === 'shredded' ? 'shredded' : 'opened']++;
    keyring.close();
    expect(found.shredded).toBe(shredded);
    expect(found.opened).toBeGreaterThan(0);
  } finally {
    place.remove();
  }
});
