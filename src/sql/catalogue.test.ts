import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestPostgres, testPostgres } from '../../test/peers/postgres.ts';
import {
  type Catalogue,
  catalogueQueries,
  catalogueVersionQuery,
  type LabelRule,
  ownCatalogueQueries,
  readCatalogue,
} from './catalogue.ts';

let server: TestPostgres;
let client: pg.Client;
beforeAll(async () => {
  server = await testPostgres();
  const { port, superuser: user, password } = server;
  client = new pg.Client({ host: '127.0.0.1', port, user, password, database: 'postgres' });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await server.stop();
});

async function read(rules: readonly LabelRule[] = [], path = 'public', base?: Catalogue): Promise<Catalogue> {
  const results: string[][][] = [];
  // The same answer whatever the search path of the connection was.
  await client.query(`set search_path = ${path}`);
  for (const text of base ? ownCatalogueQueries : catalogueQueries)
    results.push((await client.query({ text, rowMode: 'array' })).rows as string[][]);
  await client.query('set search_path = public');
  return readCatalogue(results, rules, base);
}
const version = async () =>
  (await client.query({ text: catalogueVersionQuery, rowMode: 'array' })).rows[0]?.[0] as string;

test('relations, columns, types and functions are those of the server', async () => {
  await client.query(`create domain code as text; create type pair as (a int, b code);
    create table base (id int primary key, c code, p pair, gone int, g text generated always as (upper(c)) stored);
    alter table base drop column gone; create view top as select c, id from base; create materialized view kept as select id from base;
    create function f(a int, b text default 'x', out c int, out d text) language sql as $$ select a, b $$;
    create function r() returns int language sql return 1; create rule nothing as on delete to base do instead nothing;`);
  const catalogue = await read();
  const base = catalogue.relationNamed('public', 'base')!;
  expect(base.columns.map((column) => [column.attribute, column.name])).toEqual([
    [1, 'id'],
    [2, 'c'],
    [3, 'p'],
    [5, 'g'],
  ]);
  expect(base.columns[1]).toMatchObject({ baseType: 25, type: catalogue.typeNamed('public', 'code')!.oid });
  expect(base.columns[3]!.generated).toContain('upper');
  expect(base).toMatchObject({ kind: 'r', rules: true, triggers: false, system: false });
  expect(catalogue.relationNamed('public', 'top')!.definition).toContain('public.base');
  expect(catalogue.relationNamed('public', 'kept')).toMatchObject({ kind: 'm' });
  expect(catalogue.relationNamed('pg_catalog', 'pg_class')!.columns.length).toBeGreaterThan(30);
  const [f] = catalogue.functionsNamed('public', 'f');
  expect(f).toMatchObject({
    arguments: [23, 25],
    defaults: 1,
    argumentNames: ['a', 'b'],
    language: 'sql',
    atomic: false,
  });
  expect(f!.outputs).toEqual([
    { name: 'c', type: 23 },
    { name: 'd', type: 25 },
  ]);
  expect(catalogue.functionsNamed('public', 'r')[0]).toMatchObject({ atomic: true, body: 'RETURN 1' });
  expect(catalogue.types.get(base.columns[2]!.type)).toMatchObject({ kind: 'c', name: 'pair' });
});

test('names in our queries do not depend on what a search path shadows', async () => {
  await client.query(`create schema evil; create function evil.concat(text, text) returns text language sql as $$ select 'evil' $$;
    create table evil.pg_class (oid int); create view evil.v as select * from public.base`);
  const plain = await read();
  const shadowed = await read([], 'evil, pg_catalog');
  expect(shadowed.version).toBe(plain.version);
  expect(shadowed.relationNamed('evil', 'v')!.definition).toContain('public.base');
});

describe('versions', () => {
  test('the version query and the version change with each kind of DDL, and only then', async () => {
    const seen = [await version()];
    const catalogues = [(await read()).version];
    await client.query('insert into base (id) values (100)');
    await client.query('analyze base');
    expect(await version()).toBe(seen[0]);
    expect((await read()).version).toBe(catalogues[0]);
    for (const ddl of [
      'create table later (a int, b text)',
      'alter table later rename b to c',
      'alter table later add d int',
      'alter table later drop a',
      'create or replace view top as select c, id from base where id > 1',
      'create or replace function r() returns int language sql return 2',
      'create table heir () inherits (later)',
      'alter table heir no inherit later',
      'alter type pair add attribute more int',
      'drop table heir',
      'alter table later rename to earlier',
      'create schema another',
      'alter table earlier set schema another',
    ]) {
      await client.query(ddl);
      const [now, content] = [await version(), (await read()).version];
      expect([ddl, seen.includes(now), catalogues.includes(content)]).toEqual([ddl, false, false]);
      seen.push(now);
      catalogues.push(content);
    }
  });
});

describe('labels', () => {
  const labels = (catalogue: Catalogue, relation: string, schema = 'public') =>
    Object.fromEntries(
      (catalogue.relationNamed(schema, relation)?.columns ?? [])
        .filter((c) => c.labels.length > 0)
        .map((c) => [c.name, c.labels]),
    );

  test('rules take patterns and quotes, and one column several labels', async () => {
    await client.query('create table "Dot.Ted" ("a.b" int, "x*" int, xy int)');
    const catalogue = await read([
      { columns: 'public."Dot.Ted"."a.b"', label: 'one' },
      { columns: 'public.Dot*.x*', label: 'two' },
      { columns: 'public."Dot.Ted"."x*"', label: 'three' },
    ]);
    expect(labels(catalogue, 'Dot.Ted')).toEqual({ 'a.b': ['one'], 'x*': ['three', 'two'], xy: ['two'] });
  });

  test.each(['people', 'a.b', 'a.b.c.d', 'a..c', '"a.b.c', 'a.b.'])('a rule like %s is refused', async (columns) => {
    await expect(read([{ columns, label: 'x' }])).rejects.toThrow(/schema\.relation\.column/);
  });

  test('rules go by type and by comment, and a rule that labels nothing is told', async () => {
    await client.query(`create domain mail as text; create domain work_mail as mail;
      create table typed (id int, a mail, b work_mail, c mail[], d text, e text, f mail);
      comment on column typed.d is 'where it goes, @pii.email'; comment on column typed.f is '@pii.email'; comment on table typed is '@pii.email'`);
    const rules = [
      { type: 'mail', label: 'mail' },
      { comment: '@pii.email', label: 'tagged' },
      { comment: '@pii.email', type: 'public.mail', label: 'both' },
      { columns: 'public.typed.id', type: 'mail', label: 'never' },
      { type: 'no_such_type', label: 'never' },
    ];
    const catalogue = await read(rules);
    expect(labels(catalogue, 'typed')).toEqual({
      a: ['mail'],
      b: ['mail'],
      c: ['mail'],
      d: ['tagged'],
      f: ['both', 'mail', 'tagged'],
    });
    expect(catalogue.unmatched).toEqual(rules.slice(3));
    expect(catalogue.labelledBy).toEqual({ type: true, comment: true });
    expect((await read([{ type: 'text', label: 'x' }])).relationNamed('pg_catalog', 'pg_class')).toEqual(
      (await read()).relationNamed('pg_catalog', 'pg_class'),
    );
    const before = [await version(), catalogue.version];
    await client.query(`comment on column typed.e is 'now too: @pii.email'`);
    const after = await read(rules);
    expect(labels(after, 'typed')['e']).toEqual(['tagged']);
    expect([await version(), after.version]).not.toContain(before[0]);
    expect(after.version).not.toBe(before[1]);
  });

  test('labels spread over inheritance, partitions and row types, both ways and at any distance', async () => {
    await client.query(`create table parted (k int, v text) partition by list (k); create table part1 partition of parted for values in (1) partition by list (k);
      create table part11 partition of part1 for values in (1); create table holder (one parted, many parted[]); create domain held as parted; create table deep (h held)`);
    const catalogue = await read([{ columns: 'public.part11.v', label: 'pii' }]);
    expect(labels(catalogue, 'parted')).toEqual({ v: ['pii'] });
    expect(labels(catalogue, 'part1')).toEqual({ v: ['pii'] });
    expect(labels(catalogue, 'holder')).toEqual({ one: ['pii'], many: ['pii'] });
    expect(labels(catalogue, 'deep')).toEqual({ h: ['pii'] });
  });

  test('every built-in rule finds its column', async () => {
    const catalogue = await read();
    const found = (relation: string, schema = 'pg_catalog') => Object.keys(labels(catalogue, relation, schema));
    expect(found('pg_authid')).toEqual(['rolpassword']);
    expect(found('pg_shadow')).toEqual(['passwd']);
    expect(found('pg_statistic').length).toBe(10);
    expect(found('pg_stats').length).toBe(5);
    expect(found('pg_stats_ext_exprs').length).toBe(3);
    for (const relation of [
      'pg_stats_ext',
      'pg_stat_activity',
      'pg_prepared_statements',
      'pg_cursors',
      'pg_largeobject',
      'pg_user_mapping',
      'pg_user_mappings',
      'pg_foreign_server',
      'pg_subscription',
      'pg_attribute',
    ])
      expect([relation, found(relation).length]).toEqual([relation, 1]);
    expect(found('pg_statistic_ext_data').length).toBe(2);
    for (const relation of [
      '_pg_user_mappings',
      'user_mapping_options',
      'foreign_server_options',
      '_pg_foreign_servers',
    ])
      expect([relation, found(relation, 'information_schema').length]).toEqual([relation, 1]);
  });
});

test('a result of another shape is refused', async () => {
  expect(() => readCatalogue([], [])).toThrow(/query 0/);
  expect(() =>
    readCatalogue(
      catalogueQueries.map(() => [['x']]),
      [],
    ),
  ).toThrow(/query 1: 1 columns/);
});

test('read over another one, it is the same as read alone', async () => {
  const rules = [{ columns: 'public.*.mail', label: 'pii' }];
  const before = await read(rules);
  await client.query(`create table later (id int, mail text); create domain mark as text; create type shape as enum ('round');
    create function afterwards(int) returns int language sql as 'select 1'; create view over_it as select mail from later;
    create table sub () inherits (later); alter table later add column n shape`);
  for (const step of ['select 1', 'alter table later rename to later2', 'drop table later2 cascade']) {
    await client.query(step);
    const [over, alone] = [await read(rules, 'public', before), await read(rules)];
    for (const part of [
      'schemas',
      'relations',
      'types',
      'functions',
      'operators',
      'casts',
      'labelledColumns',
      'fired',
    ] as const) {
      const plain = (value: unknown) => (value instanceof Map ? new Map([...value].sort()) : value);
      expect([step, part, plain(over[part])]).toEqual([step, part, plain(alone[part])]);
    }
    expect(over.relationNamed('public', 'later')).toEqual(alone.relationNamed('public', 'later'));
  }
});
