import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testPostgres, type TestPostgres } from '../../test/peers/postgres.ts';
import { builtIn, reviewedHarmless } from './functions.ts';

let server: TestPostgres;
let client: pg.Client;
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
});
afterAll(async () => {
  await client.end();
  await server.stop();
});

test('every volatile function of a real server was reviewed', async () => {
  const { rows } = await client.query<{ name: string }>(
    `select distinct proname as name from pg_proc where pronamespace = 'pg_catalog'::regnamespace and provolatile = 'v'
     and prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)`,
  );
  expect(rows.length).toBeGreaterThan(200);
  expect(rows.map((row) => row.name).filter((name) => !builtIn(name) && !reviewedHarmless.has(name))).toEqual([]);
});

test('no function is in both halves of the review', () => {
  expect([...reviewedHarmless].filter((name) => builtIn(name))).toEqual([]);
});

test('functions that take SQL or table names as text cannot be read', async () => {
  const { rows } = await client.query<{ name: string }>(
    `select distinct proname as name from pg_proc where pronamespace = 'pg_catalog'::regnamespace
     and proname ~ '(query|cursor|table|schema|database)_to_xml' or proname in ('ts_stat', 'ts_rewrite') and pronargs < 3`,
  );
  expect(rows.length).toBeGreaterThan(12);
  for (const { name } of rows) expect(builtIn(name)?.unreadable, name).toBe(true);
});
