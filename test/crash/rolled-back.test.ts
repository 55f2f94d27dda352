// Everything on the gateway's machine put back to an older state, which nothing on that machine can tell; its witness can.
import { appendFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../../src/demo/world.ts';
import { parseVkey } from '../../src/ledger/note.ts';
import { verifyLedger } from '../../src/ledger/verify-disk.ts';
import { createWitness, startWitness, type Witness } from '../../src/witness/witness.ts';
import { verifies } from '../requirements.ts';

let folder: string;
let world: World;
let witness: Witness | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-rolled-back-'));
  world = await startWorld(folder, () => {});
}, 120_000);
afterAll(async () => {
  await world?.stop();
  await witness?.close();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

test(verifies(
  'nothing-missing',
  'a gateway whose whole data folder was rolled back is stopped by its witness',
), async () => {
  const data = join(folder, 'data');
  const vkey = readFileSync(join(data, 'state', 'ledger.vkey'), 'utf8').trim();
  await world.stopGateway('SIGTERM');
  const older = join(folder, 'older');
  cpSync(data, older, { recursive: true });

  const state = join(folder, 'witness');
  const key = createWitness(state, 'witness.example');
  witness = await startWitness({ state, address: '127.0.0.1', port: 0, logs: [parseVkey(vkey)], now: Date.now });
  appendFileSync(
    world.config,
    `ledger: { witnessSeconds: 1, witnesses: [{ key: "${key}", url: "${witness.url}" }] }\n`,
  );
  await world.startGateway();
  const cosigned = join(data, 'ledger', 'checkpoint.cosigned');
  for (let tries = 0; tries < 200 && !existsSync(cosigned); tries++) await sleep(50);
  await world.stopGateway('SIGTERM');
  const report = await verifyLedger(join(data, 'ledger'), vkey, { witnesses: [key] });
  expect(report.failure).toBeUndefined();
  expect(report.witnessed?.by.map(({ name }) => name)).toEqual(['witness.example']);

  rmSync(data, { recursive: true });
  cpSync(older, data, { recursive: true });
  // By itself nothing is wrong with it.
  expect((await verifyLedger(join(data, 'ledger'), vkey)).ok).toBe(true);
  const ended = world.startGateway().then(
    () => new Promise<number | null>((done) => world.gateway().once('exit', done)),
    (error: Error) => error.message,
  );
  expect(await ended).toSatisfy((end: unknown) => end === 1 || String(end).includes('ended with 1'));
}, 120_000);
