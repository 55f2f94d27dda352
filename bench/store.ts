// A large ledger: how long it takes to project it into an empty store, to start on it, to verify it, and what it weighs.
//   node bench/store.ts [entries]        default 1,000,000
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { DatabaseSync } from 'node:sqlite';
import { readJournal } from '../src/ledger/read-journal.ts';
import { openRecount } from '../src/ledger/recount.ts';
import { createLedger, openLedger } from '../src/ledger/ledger.ts';
import { openProjector } from '../src/store/projector.ts';
import { storePopulation } from '../src/store/population.ts';

const wanted = Number(process.argv[2] ?? 1_000_000);
const statements = 100;
const root = mkdtempSync(join(tmpdir(), 'bench-store-'));
const place = { folder: join(root, 'ledger'), state: join(root, 'state'), gateway: 'bench' };

async function timed<T>(what: string, work: () => Promise<T>, of = wanted): Promise<T> {
  const began = performance.now();
  const result = await work();
  const seconds = (performance.now() - began) / 1_000;
  const memory = Math.round(process.memoryUsage().rss / 1_048_576);
  console.log(
    `${what.padEnd(44)} ${seconds.toFixed(2).padStart(8)} s ${Math.round(of / seconds)
      .toString()
      .padStart(9)} entries/s ${String(memory).padStart(6)} MiB resident`,
  );
  return result;
}

function size(path: string): number {
  const of = statSync(path);
  if (!of.isDirectory()) return of.size;
  return readdirSync(path).reduce((sum, name) => sum + size(join(path, name)), 0);
}

async function fill(): Promise<void> {
  const { ledger } = await openLedger(place);
  const who = {
    principal: { issuer: 'https://issuer.test', subject: 'reporter', name: 'reporter', kind: 'agent', groups: ['ci'] },
    claimed: { user: 'root', application: 'psql' },
  };
  const facts = { a: 'written', d: 'permit', e: ['sql:read'], k: 'execute', p: '0123456789abcdef', r: ['base'] };
  for (let session = 0; ledger.status().entries < wanted; session++) {
    const key = ledger.newKey();
    const id = `s${session}`;
    const opened = { target: 'shop', database: 'shop', protocol: 'postgres', kind: 'agent', p: '0123456789abcdef' };
    ledger.append({ type: 'session.open', session: id, facts: opened, payload: { who } }, 'written', key);
    for (let sequence = 1; sequence <= statements; sequence++) {
      // Every second text is new, as where literals stand in texts.
      const text = `select id, total from orders where customer = ${sequence % 2 ? 7 : session * statements + sequence}`;
      const what = { text, effects: [{ action: 'sql:read', resource: 'public.orders' }] };
      ledger.append({ type: 'statement.decision', session: id, sequence, facts, payload: { what } }, 'written', key);
      const outcome = { bytes: 120, masked: [], rows: 2, status: 'done', tag: 'SELECT 2' };
      ledger.append({ type: 'statement.outcome', session: id, sequence, facts: outcome }, 'written', key);
    }
    const seal = { n: statements, cause: 'client left' };
    await ledger.append({ type: 'session.seal', session: id, facts: seal }, 'written', key).durable;
  }
  await ledger.close();
}

const file = join(root, 'store.sqlite');
try {
  await createLedger({ ...place, origin: 'bench.test/log' });
  console.log(`${wanted} entries, ${statements} statements a session\n`);
  await timed('written, sequenced and signed', fill);
  await timed('projected into an empty store', async () => {
    const projector = await openProjector({ ledger: place.folder, state: place.state, file });
    await projector.follow(() => undefined);
    projector.close();
  });
  const recount = openRecount(0, Number.MAX_SAFE_INTEGER);
  await timed('counted again from leaf headers', async () => {
    for await (const { entry, index } of readJournal(place.folder, 0)) recount.entry(entry, index);
  });
  const same = JSON.stringify(recount.end().population);
  if (same !== JSON.stringify(storePopulation(file, 0, Number.MAX_SAFE_INTEGER).population))
    throw new Error('the store does not show what the ledger holds');
  await timed('opened for writing and closed (a start)', async () => (await openLedger(place)).ledger.close());
  const lock = new DatabaseSync(join(place.state, 'lock.sqlite'));
  lock.exec('DELETE FROM milestone');
  lock.close();
  await timed('the same without a milestone: all is read', async () => (await openLedger(place)).ledger.close());
  const per = (path: string) => `${Math.round(size(path) / 1_048_576)} MiB`;
  const count = recount.end().population.statements;
  console.log(
    `\n${count} statements: journal ${per(join(place.folder, 'journal'))}, tiles ${per(join(place.folder, 'tile'))}, keys ${per(join(place.state, 'keys.sqlite'))}, store ${per(file)}`,
  );
  console.log('the populations of ledger and store are equal');
} finally {
  rmSync(root, { recursive: true, force: true });
}
