import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { testPostgres, type TestPostgres } from '../../../test/peers/postgres.ts';
import { verifies } from '../../../test/requirements.ts';
import type { Target } from '../../domain/target.ts';
import type { Catalogue } from '../../sql/catalogue.ts';
import { dialTarget } from '../../targets/dial.ts';
import { type Catalogues, openCatalogues } from './catalogues.ts';
import { ownLink } from './own-connection.ts';

let server: TestPostgres;
let client: pg.Client;
const target: Target = {
  name: 'db',
  protocol: 'postgres',
  host: '127.0.0.1',
  port: 0,
  ack: { read: 'written', write: 'synced' },
  database: 'postgres',
};

beforeAll(async () => {
  server = await testPostgres();
  client = new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    user: server.superuser,
    password: server.password,
    database: 'postgres',
  });
  await client.connect();
  await client.query('create table people (id int, email text)');
});
afterAll(async () => {
  await client?.end();
  await server?.stop();
});

let time = 0;
let timers: { at: number; call: () => void }[] = [];
let dials = 0;
let reachable = true;
let catalogues: Catalogues;
beforeEach(() => {
  time = 1_000_000;
  timers = [];
  dials = 0;
  reachable = true;
  catalogues = openCatalogues({
    dial: async () => {
      dials++;
      const stream = await dialTarget({ host: '127.0.0.1', port: reachable ? server.port : 1 });
      return ownLink(stream, { user: server.superuser, password: async () => server.password, tls: 'disable' });
    },
    labels: () => [{ columns: 'public.people.email', label: 'pii.email' }],
    now: () => time,
    schedule(ms, call) {
      const timer = { at: time + ms, call };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
  });
});
afterEach(() => catalogues.close());

/** Moves the clock and runs what became due. */
function pass(ms: number): void {
  for (const end = time + ms; time < end; ) {
    time = Math.min(end, ...timers.map((timer) => Math.max(timer.at, time + 1)));
    const due = timers.filter((timer) => timer.at <= time);
    timers = timers.filter((timer) => timer.at > time);
    for (const timer of due) timer.call();
  }
}

const names = (catalogue: Catalogue | undefined) =>
  [...(catalogue?.relations.values() ?? [])]
    .filter((one) => one.schema === 'public')
    .map((one) => one.name)
    .sort();

/** Ends the server side of every connection of the gateway. */
async function cut(): Promise<void> {
  await client.query(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
  );
}

describe('catalogues of a real server', () => {
  test('one connection and one reading serve all who ask together', async () => {
    const source = catalogues.of(target, 'postgres');
    expect(source.latest).toBeUndefined();
    const all = await Promise.all([source.current(), source.current(), catalogues.of(target, 'postgres').current()]);
    expect(new Set(all).size).toBe(1);
    expect(dials).toBe(1);
    expect(names(all[0])).toEqual(['people']);
    expect(all[0]?.relationNamed('public', 'people')?.columns[1]?.labels).toEqual(['pii.email']);
    expect(source.latest).toBe(all[0]);
    await source.refresh();
    expect(dials).toBe(1);
  });

  test('what is dropped while it is read by others does not fail a reading', async () => {
    const source = catalogues.of(target, 'postgres');
    await source.current();
    const other = new pg.Client({
      host: '127.0.0.1',
      port: server.port,
      user: server.superuser,
      password: server.password,
      database: 'postgres',
    });
    await other.connect();
    // The reading waits behind the lock of the view's table, and finds it gone.
    await other.query('create table passing (n int); create view fleeting as select n from passing');
    await other.query('begin; drop view fleeting; drop table passing');
    const reading = source.refresh();
    const waiting = "select count(*)::int n from pg_stat_activity where wait_event_type = 'Lock'";
    await expect.poll(async () => (await client.query(waiting)).rows).toEqual([{ n: 1 }]);
    await other.query('commit');
    expect(names(await reading)).toEqual(['people']);
    await other.end();
  });

  test(
    verifies(
      'bounded',
      'however many ask for a source before it is used, and whenever it closes, nothing is left open',
    ),
    async () => {
      const own =
        "select count(*)::int as n from pg_stat_activity where query like '%xmin%' and pid <> pg_backend_pid()";
      const sources = [catalogues.of(target, 'postgres'), catalogues.of(target, 'postgres')];
      await Promise.all(sources.map((source) => source.current()));
      expect(dials).toBe(1);
      const reading = sources[0]!.refresh();
      catalogues.close();
      await expect(reading).rejects.toThrow();
      await expect(sources[1]!.current()).rejects.toThrow(expect.objectContaining({ code: 'gateway.stopping' }));
      await expect.poll(async () => (await client.query(own)).rows).toEqual([{ n: 0 }]);
    },
  );

  test('a change from outside is seen by the poll', async () => {
    const source = catalogues.of(target, 'postgres');
    const before = await source.current();
    await client.query('create table outside (id int)');
    try {
      expect(source.latest).toBe(before);
      pass(5_001);
      await expect.poll(() => names(source.latest)).toEqual(['outside', 'people']);
    } finally {
      await client.query('drop table outside');
    }
  });

  test('after `changed` nothing older is given out, not even by a reading under way', async () => {
    const source = catalogues.of(target, 'postgres');
    await source.current();
    const underWay = source.refresh();
    source.changed();
    const kept = underWay.then(() => source.latest);
    await client.query('create table changed (id int)');
    try {
      source.changed();
      expect(source.latest).toBeUndefined();
      expect(names(await source.current())).toEqual(['changed', 'people']);
      expect(await kept).toBeUndefined();
      expect(names(source.latest)).toEqual(['changed', 'people']);
    } finally {
      await client.query('drop table changed');
    }
  });

  test(verifies('understood-or-refused', 'what could not be checked for 30 s is not used any more'), async () => {
    const source = catalogues.of(target, 'postgres');
    const before = await source.current();
    reachable = false;
    await cut();
    pass(29_000);
    expect(source.latest).toBe(before);
    expect(await source.current()).toBe(before);
    pass(2_000);
    expect(source.latest).toBeUndefined();
    await expect(source.current()).rejects.toThrow(expect.objectContaining({ code: 'target.unreachable' }));
    reachable = true;
    expect(names(await source.current())).toEqual(['people']);
  });

  test('a database that does not exist is a fault', async () => {
    await expect(catalogues.of(target, 'nowhere').current()).rejects.toThrow(
      expect.objectContaining({ code: 'target.refused' }),
    );
  });

  test(verifies('bounded', 'what nobody uses is closed and forgotten, and comes back when used'), async () => {
    const source = catalogues.of(target, 'postgres');
    await source.current();
    expect(catalogues.size).toBe(1);
    pass(131_000);
    expect(catalogues.size).toBe(0);
    expect(timers).toEqual([]);
    const open = () =>
      client.query(`select 1 from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`);
    await expect.poll(async () => (await open()).rowCount).toBe(0);
    expect(names(await source.current())).toEqual(['people']);
    expect(dials).toBe(2);
  });
});
