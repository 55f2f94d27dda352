// What the corpus does not show: where literals belong, remembered statements, and trees that cannot be read.
import { beforeAll, describe, expect, test } from 'vitest';
import type { Analysis, Scope } from './analysis.ts';
import { readCatalogue } from './catalogue.ts';
import { lineage } from './lineage.ts';
import { loadParser, parse, type Tree } from './parse.ts';

const column = (relation: number, attribute: number, name: string, type = 25) =>
  [relation, attribute, name, type, 'false', '', '', ''].map(String);
const table = (oid: number, name: string) =>
  [oid, 2, name, 'r', 'false', 'false', 'false', 'admin', 0, 'p', ''].map(String);
const catalogue = readCatalogue(
  [
    [['']],
    [
      ['1', 'pg_catalog'],
      ['2', 'public'],
    ],
    [table(10, 'people'), table(20, 'sinks')],
    [
      column(10, 1, 'id', 23),
      column(10, 2, 'ssn'),
      column(10, 3, 'name'),
      column(20, 1, 'id', 23),
      column(20, 2, 'public'),
    ],
    [],
    [
      ['25', '1', 'text', 'b', '0', '0', '0', '0', 'false'],
      ['23', '1', 'int4', 'b', '0', '0', '0', '0', 'false'],
    ],
    [],
    [],
    [],
    [],
  ],
  [{ columns: 'public.people.ssn', label: 'pii' }],
);
const scope: Scope = { catalogue, searchPath: ['public'], role: 'admin', prepared: new Map(), cursors: new Map() };
const read = (sql: string, more: Partial<Scope> = {}) => lineage(parse(sql)[0]!.tree, { ...scope, ...more });

beforeAll(loadParser);

describe('literals', () => {
  /** The constants of a text, each where its quote opens, by where they were said to belong. */
  const places = (sql: string) => {
    const { sensitive, placed } = read(sql).literals;
    const word = (at: number) => /^('[^']*'|\d+)/.exec(Buffer.from(sql).subarray(at).toString())?.[0] ?? `?${at}`;
    return { sensitive: [...sensitive.locations].map(word).sort(), placed: [...placed.locations].map(word).sort() };
  };

  test.each([
    ["select 'free' from people where ssn = 'hidden' and name = 'seen'", ["'hidden'"], ["'free'", "'seen'"]],
    ["select id from people where ssn in ('a', 'b') or id = 7", ["'a'", "'b'"], ['7']],
    ["select id from people where ssn like 'a%' and name like 'b%'", ["'a%'"], ["'b%'"]],
    [
      "insert into people values (1, 'hidden', 'seen'), (2, 'too', 'open')",
      ["'hidden'", "'too'"],
      ["'open'", "'seen'", '1', '2'],
    ],
    ["insert into people (name, ssn) select 'seen', 'hidden'", ["'hidden'"], ["'seen'"]],
    ["update people set ssn = 'hidden', name = 'seen' where id = 3", ["'hidden'"], ["'seen'", '3']],
    ["update people set (name, ssn) = ('seen', 'hidden')", ["'hidden'"], ["'seen'"]],
    ["select coalesce(ssn, 'hidden'), coalesce(name, 'seen') from people", ["'hidden'"], ["'seen'"]],
    [
      "select case when ssn = 'hidden' then 'shown' else 'other' end from people",
      ["'hidden'", "'other'", "'shown'"],
      [],
    ],
    [
      "with v(a, b) as (values ('hidden', 'seen')) insert into people select 1, a, b from v",
      ["'hidden'"],
      ["'seen'", '1'],
    ],
    [
      "merge into people p using sinks s on p.ssn = 'hidden' when matched then update set name = 'seen'",
      ["'hidden'"],
      ["'seen'"],
    ],
    ['select id from people order by 1 limit 10', [], ['1', '10']],
    ["select 'é', id from people where ssn = 'hidden'", ["'hidden'"], ["'é'"]],
    ["insert into unknown_table values ('hidden')", ["'hidden'"], []],
  ])('%s', (sql, sensitive, placed) => expect(places(sql)).toEqual({ sensitive, placed }));

  test('parameters', () => {
    const { sensitive, placed } = read('update people set ssn = $1, name = $2 where id = $3 and ssn <> $4').literals;
    expect([...sensitive.parameters].sort()).toEqual([1, 4]);
    expect([...placed.parameters].sort()).toEqual([2, 3]);
  });
});

describe('remembered statements', () => {
  const source = { schema: 'public', relation: 'people', column: 'ssn', labels: ['pii'] };
  const analysis: Analysis = {
    meaning: { effects: [], results: [[{ name: 'x', sources: [source], direct: true, opaque: false }]] },
    text: '',
    parts: [
      { node: 'SelectStmt', result: 0, columns: [{ origin: { table: 10, attribute: 2 }, type: 25 }], changes: {} },
    ],
    barrier: false,
    quotesLabelled: true,
    sensitiveParameters: new Set(),
  };

  test('EXECUTE and FETCH return what was prepared or declared', () => {
    for (const found of [
      read('execute p', { prepared: new Map([['p', analysis]]) }),
      read('fetch c', { cursors: new Map([['c', analysis]]) }),
    ]) {
      expect(found.outputs).toEqual([{ name: 'x', sources: [source], direct: true, opaque: false }]);
      expect(found.witnesses).toEqual([{ origin: { table: 10, attribute: 2 }, type: 25 }]);
      expect(found.touches).toEqual([source]);
    }
    expect(read('create table t as execute p', { prepared: new Map([['p', analysis]]) }).derives).toEqual([source]);
    expect(read('explain execute p', { prepared: new Map([['p', analysis]]) }).outputs?.[0]?.opaque).toBe(true);
  });

  test('an unknown one is opaque', () => {
    for (const sql of ['execute nobody', 'fetch nobody'])
      expect(read(sql)).toMatchObject({ opaque: true, outputs: [{ opaque: true }] });
  });
});

test('COPY FROM says which columns of its data are labelled', () => {
  expect(read('copy people from stdin').copyLabelled).toEqual([undefined, new Set(['pii']), undefined]);
  expect(read('copy people (ssn, id) from stdin').copyLabelled).toEqual([new Set(['pii']), undefined]);
  expect(read('copy nobody from stdin').copyLabelled).toEqual(['any']);
  expect(read('copy people (id, nobody) from stdin').copyLabelled).toEqual([undefined, 'any']);
});

test('only the touched columns are said to be touched', () => {
  expect(read('select id, name from people where id = 1').touches).toEqual([]);
  for (const sql of [
    "select id from people where ssn = 'a'",
    'select count(ssn) from people',
    "insert into people (ssn) values ('a')",
    'select 1 from people group by ssn',
  ])
    expect([sql, read(sql).touches.map((found) => found.column)]).toEqual([sql, ['ssn']]);
});

describe('what cannot be read is opaque, never clean', () => {
  test('a tree of an unknown kind or form', () => {
    const select = (val: unknown) =>
      ({ SelectStmt: { op: 'SETOP_NONE', targetList: [{ ResTarget: { val } }] } }) as unknown as Tree;
    for (const value of [{ FutureExpr: { x: 1 } }, { ColumnRef: null }, { FuncCall: { funcname: [] } }]) {
      const found = lineage(select(value), scope);
      expect([value, found.outputs?.every((output) => output.opaque), found.opaque]).toEqual([value, true, true]);
    }
  });

  test('a tree that is too deep', () => {
    let deep: unknown = { A_Const: { ival: { ival: 1 } } };
    for (let depth = 0; depth < 50_000; depth++) deep = { A_ArrayExpr: { elements: [deep] } };
    const found = lineage(
      { SelectStmt: { op: 'SETOP_NONE', targetList: [{ ResTarget: { val: deep } }] } } as unknown as Tree,
      scope,
    );
    expect(found).toMatchObject({ opaque: true, outputs: [{ opaque: true }] });
  });

  test('recursive queries within recursive queries end', () => {
    let nested = 'select ssn as x from people';
    for (let depth = 0; depth < 40; depth++) nested = `with recursive c${depth} as (${nested}) select x from c${depth}`;
    expect(read(nested)).toMatchObject({ opaque: true, outputs: [{ opaque: true }] });
  });

  test('reading stays near linear in nested CASE, CTEs and subqueries', () => {
    let nested = 'ssn';
    for (let depth = 0; depth < 60; depth++)
      nested = `case when ${depth % 2 ? nested : 'id = 1'} is null then name else ${depth % 2 ? 'name' : nested} end`;
    expect(read(`select ${nested} from people`).outputs?.[0]?.sources.length).toBe(1);
    const chain = Array.from(
      { length: 60 },
      (_, at) => `c${at + 1} as (select a.x from c${at} a join c${at} b on a.x = b.x)`,
    );
    expect(
      read(`with c0 as (select ssn as x from people), ${chain.join(', ')} select * from c60`).outputs?.[0]?.sources
        .length,
    ).toBe(1);
    const recursive = Array.from({ length: 30 }, (_, at) => `c${at} as (select * from c${at + 1})`);
    expect(
      read(`with recursive ${recursive.join(', ')}, c30 as (select ssn as x from people) select * from c0`)
        .outputs?.[0],
    ).toMatchObject({ opaque: true });
  });
});
