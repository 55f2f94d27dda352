import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testPostgres, type TestPostgres } from '../../test/peers/postgres.ts';
import { builtIn, reviewedHarmless } from './functions.ts';
import { fileViews, readsOf, reviewedPure } from './functions-reading.ts';

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

test('every stable function of a real server was reviewed: it reads, or it computes, or it is one that acts', async () => {
  const { rows } = await client.query<{ name: string }>(
    `select distinct p.proname as name from pg_proc p where pronamespace = 'pg_catalog'::regnamespace and provolatile = 's'
     -- Input, output and estimation belong to types and operators; their arguments cannot be written in SQL, or are texts alone.
     and not exists (select 1 from pg_type t where p.oid in (t.typinput, t.typoutput, t.typreceive, t.typsend))
     and 'internal'::regtype <> all (proargtypes) and prorettype <> 'internal'::regtype`,
  );
  expect(rows.length).toBeGreaterThan(300);
  const names = rows.map((row) => row.name);
  expect(names.filter((name) => !builtIn(name) && !readsOf(name) && !reviewedPure.has(name))).toEqual([]);
  expect(names.filter((name) => reviewedPure.has(name) && (builtIn(name) ?? readsOf(name)))).toEqual([]);
  expect(names.filter((name) => readsOf(name) && builtIn(name)).sort()).toEqual([
    'pg_stat_get_activity',
    'pg_stat_get_backend_activity',
  ]);
});

test('an immutable function whose name speaks of relations, texts or settings computes all the same', async () => {
  const { rows } = await client.query<{ name: string }>(
    `select distinct proname as name from pg_proc where pronamespace = 'pg_catalog'::regnamespace and provolatile = 'i'
     and proname ~ '^pg_|_def$|setting|relation|catalog|_xml|query_to|file' and proname !~ '(_in|_out|_recv|_send)$'
     and proname !~ '^pg_lsn|^pg_snapshot|^pg_ddl'`,
  );
  const reviewed = `pg_encoding_max_length pg_indexam_progress_phasename pg_partition_root pg_size_bytes pg_size_pretty
    pg_visible_in_snapshot pg_wal_lsn_diff pg_walfile_name pg_walfile_name_offset`;
  expect(rows.map((row) => row.name).filter((name) => !reviewed.includes(name))).toEqual([]);
});

test('functions over definitions and counters read in their own right', () => {
  expect(readsOf('pg_get_viewdef')).toBe('text');
  expect(readsOf('pg_stat_get_numscans')).toBe('statistics');
  expect(readsOf('has_table_privilege')).toBe('catalogue');
  expect(readsOf('now')).toBeUndefined();
  expect(builtIn('domain_in')).toMatchObject({ unreadable: true });
});

test('views of the server over functions that act, or read files, are known', async () => {
  const { rows } = await client.query<{ view: string; definition: string }>(
    `select c.relname as view, pg_get_viewdef(c.oid) as definition from pg_class c
     where c.relkind = 'v' and c.relnamespace::regnamespace::text in ('pg_catalog', 'information_schema')`,
  );
  expect(rows.length).toBeGreaterThan(100);
  const acting = rows.flatMap(({ view, definition }) =>
    [...definition.matchAll(/\b(\w+)\(/g)]
      .filter(([, name]) => builtIn(name!))
      .map(([, name]) => ({ view, name: name! })),
  );
  const files = acting.filter(({ name }) => builtIn(name)!.action === 'sql:file_read').map(({ view }) => view);
  expect([...new Set(files)].sort()).toEqual([...fileViews].sort());
  // Their columns of other sessions' texts and of sampled values are labelled (catalogue-labels.ts); the rest is addresses and times.
  const others = acting.filter(({ view }) => !fileViews.has(view)).map(({ view }) => view);
  expect([...new Set(others)].sort().join(' ')).toBe(
    'pg_cursors pg_prepared_statements pg_prepared_xacts pg_stat_activity pg_stat_gssapi pg_stat_replication pg_stat_ssl pg_stats_ext',
  );
});
