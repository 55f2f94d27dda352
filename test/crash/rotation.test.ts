// A rotation that is killed before each of its steps, and once more at the same step in the second attempt: the third one finishes it,
// nothing of the old log is lost, and there is one successor.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLedger } from '../../src/ledger/ledger.ts';
import { rotationSteps } from '../../src/ledger/rotation.ts';
import { verifyChain, verifyLedger } from '../../src/ledger/verify-disk.ts';
import { fillLedger, ledgerPlace } from '../peers/ledger.ts';
import { verifies } from '../requirements.ts';

const child = join(import.meta.dirname, 'rotation-child.ts');

for (const step of rotationSteps) {
  test(verifies('nothing-missing', `a rotation killed before "${step}" is finished by the next one`), async () => {
    const place = await ledgerPlace();
    const { ledger } = await openLedger(place);
    await fillLedger(ledger, 2, 30);
    await ledger.close();
    const rotate = (at: string) => {
      const { status, signal, stderr } = spawnSync(process.execPath, [child, place.root, at], {
        encoding: 'utf8',
        timeout: 20_000,
      });
      return { status, signal, stderr };
    };
    for (const _ of [1, 2]) {
      expect(rotate(step)).toMatchObject({ signal: 'SIGKILL' });
      // Whatever there is of the old log verifies as it stands.
      const old = await verifyLedger(place.folder, place.vkey);
      expect([undefined, 'torn']).toContain(old.failure?.kind);
      // Once its end is recorded nobody goes on in it.
      if (old.successor) await expect(openLedger(place)).rejects.toThrow('has ended');
      // Killed at its very end a rotation is done: there is nothing to begin again.
      if (existsSync(join(place.state, 'log-2'))) break;
    }
    if (step !== 'release') expect(rotate('never')).toMatchObject({ status: 0, stderr: '' });
    const next = join(place.root, 'ledger-2');
    const signing = join(place.state, 'log-2');
    const { ledger: second } = await openLedger({ ...place, folder: next, signing });
    await fillLedger(second, 1, 5);
    await second.close();
    const report = await verifyChain([place.folder, next], place.vkey);
    expect(report.failure).toBeUndefined();
    expect(report.logs[0]!.types['log.successor']).toBe(1);
    expect(report.logs[0]!.sessions.sealed).toBe(2);
    expect(readdirSync(place.root).filter((name) => name.endsWith('.new'))).toEqual([]);
    expect(readdirSync(place.state).filter((name) => name.endsWith('.new'))).toEqual([]);
    place.remove();
  });
}
