// `node bench/revocation.ts`: how long from the order to cut somebody off until their client has lost its connection, by cause. The
// order goes through the API of a gateway in a process of its own; the clients are real and have a statement running.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type AgentName, startWorld } from '../src/demo/world.ts';
import { median } from './measure.ts';

const json = process.argv.includes('--json');
const rounds = Number(process.argv.find((one) => /^\d+$/.test(one)) ?? 20);
const each = 10;
const folder = mkdtempSync(join(tmpdir(), 'countersign-revocation-'));
const world = await startWorld(folder, () => {});
try {
  const dana = await world.provider.tokenFor('dana');
  const call = async <T>(path: string, body?: unknown): Promise<T> => {
    const response = await fetch(world.consoleUrl + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${dana}`, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  };

  /** Clients with a running statement, and when each of them lost its connection. */
  const clients = async (name: AgentName, count: number) => {
    const password = await world.provider.tokenFor(name);
    const of = { host: '127.0.0.1', port: world.ports.plain, user: name, password, database: 'shop' };
    const lost: Promise<number>[] = [];
    for (let n = 0; n < count; n++) {
      const client = new pg.Client(of);
      client.on('error', () => {});
      lost.push(new Promise((done) => client.once('end', () => done(performance.now()))));
      await client.connect();
      client.query('select pg_sleep(60)').catch(() => {});
    }
    return lost;
  };

  const lock = async (wish: object) => {
    const { lock: set } = await call<{ lock: { id: string } }>('/api/locks', { ...wish, reason: 'measured' });
    return () => call(`/api/locks/${set.id}/lift`, {});
  };
  const none = async () => {};
  const causes: Record<string, (begin: () => void) => Promise<() => Promise<unknown>>> = {
    'lock of a principal': () => lock({ kind: 'principal', value: `${world.provider.issuer}|reporting-agent` }),
    'lock of an owner': () => lock({ kind: 'owner', value: 'dana@shop.example' }),
    'lock of a target': () => lock({ kind: 'target', value: 'shop' }),
    'lock of a group': () => lock({ kind: 'group', value: 'agents' }),
    'end of each session': async (begin) => {
      // The list follows a moment behind.
      let items: { id: string }[] = [];
      for (let looks = 0; items.length < each && looks < 200; looks++)
        ({ items } = await call<{ items: { id: string }[] }>('/api/sessions?state=live&limit=100'));
      begin();
      await Promise.all(items.map(({ id }) => call(`/api/sessions/${id}/kill`, { reason: 'measured' })));
      return none;
    },
  };
  const results: { cause: string; cuts: number; p50: number; p99: number; max: number }[] = [];
  for (const [cause, order] of Object.entries(causes)) {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const lost = await clients('reporting-agent', each);
      let ordered = performance.now();
      const undo = await order(() => (ordered = performance.now()));
      for (const at of await Promise.all(lost)) times.push(at - ordered);
      await undo();
    }
    times.sort((a, b) => a - b);
    const rounded = (ms: number) => Math.round(ms * 10) / 10;
    const p99 = times[Math.min(times.length - 1, Math.floor(times.length * 0.99))]!;
    results.push({
      cause,
      cuts: times.length,
      p50: rounded(median(times)),
      p99: rounded(p99),
      max: rounded(times.at(-1)!),
    });
  }
  if (json) console.log(JSON.stringify(results, null, 2));
  else {
    console.log('milliseconds from the order to the loss of the connection, as the client sees it\n');
    console.table(results);
  }
} finally {
  await world.stop();
  rmSync(folder, { recursive: true, force: true });
}
