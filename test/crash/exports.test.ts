// Event export over a process that is killed at any point: nothing is lost, what comes twice is the same, and the log still verifies.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { verifyLedger } from '../../src/ledger/verify-disk.ts';
import { ledgerPlace } from '../peers/ledger.ts';

const writer = join(import.meta.dirname, 'exports-writer.ts');
const kills = process.env.COUNTERSIGN_HEAVY ? 60 : 3;

test('every entry under a checkpoint arrives, however often the gateway is killed', async () => {
  const place = await ledgerPlace();
  const file = join(place.root, 'events.jsonl');
  const run = (mode: string) =>
    spawn(process.execPath, [writer, place.folder, place.state, file, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    for (let kill = 0; kill < kills; kill++) {
      const child = run('write');
      await new Promise<void>((started) => child.stdout.once('data', () => started()));
      await new Promise((done) => setTimeout(done, 300 + Math.random() * 900));
      const gone = new Promise((done) => child.once('exit', done));
      child.kill('SIGKILL');
      await gone;
    }
    const last = run('finish');
    expect(await new Promise((done) => last.once('exit', done))).toBe(0);

    const found = new Map<string, string>();
    let twice = 0;
    for (const line of readFileSync(file, 'utf8').trimEnd().split('\n')) {
      const { uid } = (JSON.parse(line) as { metadata: { uid: string } }).metadata;
      if (found.has(uid)) twice++;
      expect(found.get(uid) ?? line).toBe(line);
      found.set(uid, line);
    }
    const report = await verifyLedger(place.folder, place.vkey);
    expect(report).toMatchObject({ ok: true });
    const { size, types } = report as { size: number; types: Record<string, number> };
    expect(types['export.receipt']).toBeGreaterThan(0);
    // All but the receipt of the stop, and the stop.
    const wanted = Array.from({ length: size - 2 }, (_, index) => `example.test/log#${index}`);
    expect(wanted.filter((uid) => !found.has(uid))).toEqual([]);
    console.log(`${kills} kills, ${found.size} events, ${twice} came twice`);
  } finally {
    place.remove();
  }
}, 600_000);
