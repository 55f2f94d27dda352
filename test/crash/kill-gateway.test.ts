// `kill -9` of the gateway under a write load, again and again: what the target executed is a subset of what the ledger decided.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../../src/demo/world.ts';
import { openKeyring } from '../../src/ledger/keyring.ts';
import { readJournal } from '../../src/ledger/read-journal.ts';
import { verifyLedger } from '../../src/ledger/verify-disk.ts';
import { verifies } from '../requirements.ts';

const rounds = Number(process.env.COUNTERSIGN_KILLS ?? 6);
let folder: string;
let world: World;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-kill-'));
  world = await startWorld(folder, () => {});
  await atTarget('create table load (worker int, n int); grant insert, select on load to shop_app');
}, 120_000);

afterAll(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

async function atTarget(query: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: world.ports.target,
    user: world.superuser.user,
    password: world.superuser.password,
    database: 'shop',
  });
  await client.connect();
  try {
    return (await client.query(query)).rows;
  } finally {
    await client.end();
  }
}

/** Inserts unique pairs until its connection breaks; half of the workers use bound parameters. */
async function work(worker: number, round: number, onFirst: () => void): Promise<number> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: world.ports.plain,
    user: 'load',
    password: await world.provider.tokenFor('migration-agent'),
    database: 'shop',
  });
  client.on('error', () => {});
  let done = 0;
  try {
    await client.connect();
    for (let n = round * 1_000_000; ; n++) {
      if (worker % 2 === 0) await client.query(`insert into load values (${worker}, ${n})`);
      else await client.query('insert into load values ($1, $2)', [worker, n]);
      if (done++ === 0) onFirst();
    }
  } catch {
    return done;
  }
}

function percentiles(milliseconds: readonly number[]): string {
  const sorted = [...milliseconds].sort((a, b) => a - b);
  const at = (part: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${Math.round(sorted.at(-1)!)} ms`;
}

test(
  verifies(
    'recorded.before-executed',
    `${rounds} kills at random moments under load: executed without a decision = 0, and the log goes on`,
  ),
  async () => {
    let acknowledged = 0;
    let entries = 0;
    const ready: number[] = [];
    const ledger: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      let workers: Promise<number>[] = [];
      await new Promise<void>((running) => {
        workers = [0, 1, 2, 3].map((worker) => work(worker, round, running));
        void Promise.all(workers).then(() => running());
      });
      await sleep(50 + Math.random() * 400);
      await world.stopGateway('SIGKILL');
      for (const done of await Promise.all(workers)) acknowledged += done;
      const { readyMs, ledgerMs } = await world.startGateway();
      ready.push(readyMs);
      ledger.push(ledgerMs);
    }
    await world.stopGateway('SIGTERM');

    const decided = new Set<string>();
    const keyring = openKeyring(join(folder, 'data', 'state'));
    for await (const { entry, payload } of readJournal(join(folder, 'data', 'ledger'), 0, keyring)) {
      entries++;
      if (entry.t !== 'statement.decision' || payload === undefined || payload === 'shredded') continue;
      const what = payload.what as { text?: string; parameters?: string[] } | undefined;
      const literal = /insert into load values \((\d+), (\d+)\)/.exec(what?.text ?? '');
      if (literal) decided.add(`${literal[1]}/${literal[2]}`);
      else if (what?.text?.startsWith('insert into load') && what.parameters) decided.add(what.parameters.join('/'));
    }
    const executed = (await atTarget('select worker, n from load')).map(
      (row) => `${String(row.worker)}/${String(row.n)}`,
    );
    const unrecorded = executed.filter((pair) => !decided.has(pair));
    console.log(
      [
        `${rounds} kills: ${executed.length} statements executed, ${unrecorded.length} of them without a record, ${entries} entries`,
        `start of the process to ready: ${percentiles(ready)}`,
        `of that the ledger's recovery: ${percentiles(ledger)}`,
      ].join('\n'),
    );
    expect(unrecorded).toEqual([]);
    expect(executed.length).toBeGreaterThanOrEqual(acknowledged);
    expect(acknowledged).toBeGreaterThan(rounds * 20);
    const report = await verifyLedger(
      join(folder, 'data', 'ledger'),
      readFileSync(join(folder, 'data', 'state', 'ledger.vkey'), 'utf8').trim(),
    );
    expect(report.ok).toBe(true);
    expect(entries).toBeGreaterThan(executed.length);
    await world.startGateway();
  },
  120_000 + rounds * 10_000,
);
