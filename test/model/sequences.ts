// Random sequences of messages that a client may send, built from blocks that stay valid however they are shrunk: data of a COPY only
// behind its COPY. Everything else may come in any order, under any name, in any state.
import fc from 'fast-check';
import type { Format } from '../peers/raw-client.ts';

export type Step =
  | { readonly do: 'query'; readonly sql: string; readonly wait: boolean }
  | { readonly do: 'parse'; readonly name: string; readonly sql: string; readonly types: readonly number[] }
  | {
      readonly do: 'bind';
      readonly portal: string;
      readonly statement: string;
      readonly values: readonly (string | null)[];
      readonly formats: readonly Format[];
      readonly results: readonly Format[];
    }
  | { readonly do: 'describe' | 'close'; readonly of: 'S' | 'P'; readonly name: string }
  | { readonly do: 'execute'; readonly portal: string; readonly limit: number }
  | { readonly do: 'sync' | 'flush'; readonly wait: boolean }
  | { readonly do: 'copyData'; readonly data: string; readonly encoding: 'utf8' | 'hex' }
  | { readonly do: 'copyDone' }
  | { readonly do: 'copyFail'; readonly reason: string }
  /** Once the server sleeps over what was sent; nothing where it does not come to that. */
  | { readonly do: 'cancel'; readonly wait: true };

export const schema = `
  create schema other;
  create table items (id int primary key, name text not null, price numeric(10, 2), data jsonb, raw bytea);
  create table people (id int primary key, name text, email text);
  create table other.items (id int primary key, name text not null);
  create table heads (id int primary key, parent int references heads deferrable initially deferred);
  create function twice(n int) returns int language sql immutable as 'select n * 2';
  create function loud(word text) returns text language plpgsql as $$ begin raise notice 'said %', word; return word; end $$;`;

/** Data of the tables above, and nothing of what sequences made. */
export const reset = `
  truncate items, people, other.items, heads;
  insert into items select i, 'item ' || i, i * 1.5, jsonb_build_object('i', i), decode(lpad(to_hex(i), 8, '0'), 'hex') from generate_series(1, 12) i;
  insert into people select i, 'name ' || i, 'person' || i || '@hidden.example' from generate_series(1, 9) i;
  insert into other.items select i, 'other ' || i from generate_series(1, 3) i;`;

/** What sequences may leave behind, made and dropped by name. */
export const cleanup = `
  drop table if exists made cascade; drop view if exists seen cascade; drop function if exists fresh(); drop type if exists mood cascade;`;
/** Statements after which \`cleanup\` is due. */
export const makes = /\b(create|alter|drop)\b/i;

const plain = [
  'select 1',
  'select * from items order by id limit 3',
  'select id, price, data, raw from items where id < 4 order by id',
  'select count(*), sum(price) from items',
  "select 'a' as x, null as y, true as z",
  'values (1, $$one$$), (2, $$two$$)',
  'table other.items',
  'select generate_series(1, 40) n',
  'select',
  'select twice(21)',
  "insert into items (id, name) values (50, 'fifty') returning id, name",
  "insert into items (id, name) values (51, 'x'), (52, 'y')",
  'insert into items (id, name) select id + 100, name from items where id < 5',
  "update items set name = name || '!' where id in (1, 2) returning *",
  'delete from items where id = 3',
  'with gone as (delete from items where id = 4 returning id) select * from gone',
  'insert into heads values (1, 99)',
  'explain (costs off) select * from items where id = 1',
  'lock table items in share mode',
  'create temp table if not exists passing (n int)',
  'insert into passing values (1)',
  'select * from passing',
];
// What a function returns whose body nobody reads is masked where anything is.
const unread = ["select loud('hello')", "do $$ begin perform loud('there'); end $$"];
const failing = [
  "insert into items (id, name) values (1, 'again')",
  'insert into items (id) values (77)',
  'select 1 / 0',
  'select 10 / (n - 3) from generate_series(1, 5) n',
  "select 'abc'::int",
  'selec 1',
  "select 'open",
  'select * from missing',
  'select missing from items',
  'select nothing(1)',
  "select 'x' + 1",
  "do $$ begin raise exception 'boom' using detail = 'why', hint = 'how', errcode = 'P0042'; end $$",
];
const transaction = [
  'begin',
  'begin',
  'commit',
  'rollback',
  'begin isolation level serializable read only',
  'start transaction',
  'savepoint a',
  'savepoint b',
  'rollback to a',
  'release a',
  'commit and chain',
  'rollback and chain',
  'end',
];
const settings = [
  "set work_mem = '5MB'",
  'show work_mem',
  "set application_name = 'renamed'",
  'show application_name',
  "set local timezone = 'Asia/Tokyo'",
  "set timezone = 'America/Lima'",
  'set datestyle = german',
  'show search_path',
  'set search_path = other, public',
  'set local search_path = other',
  'reset search_path',
  'select * from items order by 1 limit 2',
  'reset all',
  "select set_config('work_mem', '6MB', false)",
  "select current_setting('search_path')",
  'set constraints all immediate',
  'set extra_float_digits = 0',
  'set standard_conforming_strings = on',
  "set client_encoding = 'UTF8'",
  'set bytea_output = escape',
  'set nonsense = 1',
  'set role model',
  'discard plans',
  'discard temp',
];
const named = [
  'prepare s1 as select id, name from items where id < $1 order by id',
  'prepare s2 (int) as select $1 + 1',
  'prepare p1 as insert into items (id, name) values ($1, $2) returning id',
  'execute s1 (3)',
  'execute s2 (4)',
  "execute p1 (60, 'sixty')",
  'explain (costs off) execute s1 (3)',
  'deallocate s1',
  'deallocate s2',
  'deallocate all',
  'declare c1 cursor for select id, name from items order by id',
  'declare c2 scroll cursor with hold for select id from items order by id',
  'declare c3 binary cursor for select id, name from items order by id',
  'fetch 2 from c1',
  'fetch 3 from c2',
  'fetch c3',
  'fetch backward 1 from c2',
  'move 2 in c1',
  'fetch 0 from c1',
  'close c1',
  'close c2',
  'close all',
  'update items set name = $$here$$ where current of c1',
];
const notifying = [
  'listen news',
  "notify news, 'one'",
  "notify news, 'two'",
  "select pg_notify('news', 'three')",
  'unlisten news',
  'unlisten *',
];
const making = [
  'create table made (a int, b text)',
  "insert into made values (1, 'b')",
  'select * from made',
  'drop table made',
  'alter table made add column c int default 3',
  'create view seen as select id, name from items where id < 3',
  'select * from seen order by id',
  'drop view seen',
  "create function fresh() returns int language sql as 'select 7'",
  'select fresh()',
  "create type mood as enum ('good', 'bad')",
  "select 'good'::mood",
  'create temp table items (shadow int)',
  'drop table if exists pg_temp.items',
  'create table items (id int)',
  'create index on items (name)',
  'comment on table items is $$things$$',
  'vacuum items',
  'analyze items',
  'truncate heads',
];
const copying = [
  'copy items (id, name) to stdout',
  'copy (select id, name, null from items where id < 4 order by id) to stdout (format csv, header)',
  'copy (select id, name from items where id < 4 order by id) to stdout (format binary)',
  'copy (select 10 / (n - 3) from generate_series(1, 5) n) to stdout',
  'copy missing to stdout',
];
/** Of what the server would not end by itself. */
const sleeping = [
  'select pg_sleep(60)',
  'select 1; select pg_sleep(60); select 2',
  'select name, pg_sleep(60) from items',
  'insert into items select 90, pg_sleep(60)::text returning id',
  'copy (select pg_sleep(60)) to stdout',
  'with gone as (delete from items where id = 2 returning id) select pg_sleep(60) from gone',
];
const odd = ['', ';', '  -- nothing', '/* nothing */ ;;', 'select 1;;select 2'];
const labelled = [
  'select * from people order by id',
  'select email from people where id < 3 order by id',
  'select id, upper(email) e from people order by id limit 2',
  'select p from people p where id = 1',
  'select json_agg(people order by id) from people',
  'copy people to stdout',
  'copy (select id, email from people order by id) to stdout (format csv, header)',
  'copy (select id, email from people order by id) to stdout (format binary)',
  'declare c1 cursor for select id, email from people order by id',
  'declare c2 scroll cursor with hold for select id, email from people order by id',
  'prepare s1 as select email, id from people where id < $1 order by id',
  'create temp view hidden_view as select email as e from people',
  'select * from hidden_view',
  'select email::int from people',
  "insert into people values (1, 'again', 'mine@hidden.example')",
  "update people set email = 'mine@hidden.example' where id = 2 returning *",
  'select loud(email) from people where id = 1',
];

/** Statements that make sense one after the other; any of them may be left out. */
const stories = [
  [
    'begin',
    'declare c1 cursor for select id, name from items order by id',
    'fetch 2 from c1',
    'move 1 in c1',
    'fetch all from c1',
    'close c1',
    'commit',
    'fetch 1 from c1',
  ],
  [
    'declare c2 scroll cursor with hold for select id from items order by id',
    'fetch 3 from c2',
    'begin',
    'fetch 2 from c2',
    'rollback',
    'fetch backward 1 from c2',
    'close c2',
  ],
  [
    'prepare s1 as select id, name from items where id < $1 order by id',
    'execute s1 (3)',
    'begin',
    'execute s1 (5)',
    'rollback',
    'explain (costs off) execute s1 (3)',
    'deallocate s1',
    'execute s1 (3)',
  ],
  [
    'listen news',
    "notify news, 'one'",
    'begin',
    "notify news, 'two'",
    "notify news, 'two'",
    "select pg_notify('news', 'three')",
    'select 1',
    'commit',
    'unlisten *',
    "notify news, 'four'",
  ],
  [
    'begin',
    "insert into items (id, name) values (50, 'fifty') returning id",
    'savepoint a',
    'select 1 / 0',
    'select 1',
    'rollback to a',
    'select count(*) from items',
    'commit',
  ],
  [
    'begin',
    'create table made (a int, b text)',
    "insert into made values (1, 'b')",
    'select * from made',
    'savepoint a',
    'alter table made add column c int default 3',
    'select * from made',
    'rollback to a',
    'select * from made',
    'rollback',
    'select * from made',
  ],
  [
    'create temp table items (shadow int)',
    'insert into items values (5)',
    'select * from items',
    'drop table if exists pg_temp.items',
    'select count(*) from items',
  ],
  [
    'set search_path = other, public',
    'select * from items order by 1 limit 2',
    'begin',
    'set local search_path = public',
    'select id, name from items order by 1 limit 2',
    'rollback',
    'select * from items order by 1 limit 2',
    'reset search_path',
    'show search_path',
  ],
  [
    'begin',
    'insert into heads values (1, 99)',
    'select * from heads',
    'commit',
    'select * from heads',
    'begin',
    'insert into heads values (1, 99)',
    'set constraints all immediate',
    'rollback',
  ],
  [
    "create type mood as enum ('good', 'bad')",
    "select 'good'::mood",
    'create table made (a mood)',
    "insert into made values ('bad') returning a",
    'drop table made',
    'drop type mood',
  ],
  [
    'create view seen as select id, name from items where id < 3',
    'select * from seen order by id',
    'create or replace view seen as select id, name, 1 as more from items where id < 4',
    'select * from seen order by id',
    'drop view seen',
  ],
];

const from = (...pools: readonly (readonly string[])[]) => fc.constantFrom(...pools.flat());

interface Parameterised {
  readonly sql: string;
  readonly types: readonly number[];
  /** Values, and how many of them fit. */
  readonly values: readonly (string | null)[];
}
const parameterised: readonly Parameterised[] = [
  { sql: 'select $1::int + 1', types: [], values: ['41'] },
  { sql: 'select id, name, price from items where id < $1 order by id', types: [], values: ['6'] },
  { sql: 'select $1, $2', types: [25, 23], values: ['text', '5'] },
  { sql: 'select 10 / $1::int', types: [], values: ['0'] },
  { sql: 'select $1::int', types: [], values: ['abc'] },
  { sql: 'insert into items (id, name) values ($1, $2) returning *', types: [23], values: ['70', 'seventy'] },
  { sql: 'insert into items (id, name) values ($1, $2)', types: [], values: ['71', null] },
  { sql: 'update items set name = $1 where id = $2', types: [], values: ['new', '2'] },
  { sql: 'select * from generate_series(1, $1) n', types: [23], values: ['9'] },
  { sql: 'select pg_notify($1, $2)', types: [], values: ['news', 'bound'] },
  { sql: 'select $1', types: [999_999], values: ['x'] },
];

const statementNames = ['', 's1', 's2'];
const portalNames = ['', 'c1', 'w1'];
const statementName = fc.constantFrom(...statementNames);
const portalName = fc.constantFrom(...portalNames);
const formats = fc.constantFrom<(readonly Format[])[]>([], [0], [1], [0, 1], [1, 0]);
const sometimes = fc.integer({ min: 0, max: 3 }).map((n) => n === 0);
const mostly = fc.integer({ min: 0, max: 3 }).map((n) => n > 0);

export function sequences(options: { readonly labelled: boolean; readonly messages: number }) {
  const extra = options.labelled ? [labelled, labelled] : [unread];
  const single = fc.oneof(
    { weight: 4, arbitrary: from(plain, ...extra) },
    { weight: 2, arbitrary: from(failing) },
    { weight: 4, arbitrary: from(transaction) },
    { weight: 2, arbitrary: from(settings) },
    { weight: 3, arbitrary: from(named) },
    { weight: 1, arbitrary: from(notifying) },
    { weight: 2, arbitrary: from(making) },
    { weight: 1, arbitrary: from(copying) },
    { weight: 1, arbitrary: from(odd) },
  );
  const sql = fc.oneof(
    { weight: 4, arbitrary: single },
    { weight: 1, arbitrary: fc.array(single, { minLength: 2, maxLength: 4 }).map((all) => all.join('; ')) },
  );
  const query = fc.record({ do: fc.constant('query' as const), sql, wait: mostly });

  /** How a run of extended messages ends. */
  const ending: fc.Arbitrary<Step[]> = fc.oneof(
    { weight: 6, arbitrary: fc.constant<Step[]>([{ do: 'sync', wait: true }]) },
    { weight: 2, arbitrary: fc.constant<Step[]>([{ do: 'sync', wait: false }]) },
    { weight: 2, arbitrary: fc.constant<Step[]>([{ do: 'flush', wait: true }]) },
    { weight: 1, arbitrary: fc.constant<Step[]>([{ do: 'flush', wait: false }]) },
    { weight: 2, arbitrary: fc.constant<Step[]>([]) },
  );
  const of = fc.constantFrom('S' as const, 'P' as const);
  const limit = fc.constantFrom(0, 0, 1, 2, 5);

  const whole = fc
    .record({
      text: fc.oneof(
        { weight: 2, arbitrary: fc.constantFrom(...parameterised) },
        { weight: 3, arbitrary: sql.map((text): Parameterised => ({ sql: text, types: [], values: [] })) },
      ),
      statement: statementName,
      portal: portalName,
      parse: mostly,
      describe: fc.constantFrom('', 'S', 'P', 'both'),
      limits: fc.array(limit, { minLength: 1, maxLength: 3 }),
      results: formats,
      close: fc.constantFrom('', '', '', 'S', 'P'),
      end: ending,
    })
    .map(({ text, statement, portal, parse, describe, limits, results, close, end }): Step[] => [
      ...(parse ? [{ do: 'parse', name: statement, sql: text.sql, types: text.types } as const] : []),
      ...(describe === 'S' || describe === 'both' ? [{ do: 'describe', of: 'S', name: statement } as const] : []),
      { do: 'bind', portal, statement, values: text.values, formats: [], results },
      ...(describe === 'P' || describe === 'both' ? [{ do: 'describe', of: 'P', name: portal } as const] : []),
      ...limits.map((count) => ({ do: 'execute', portal, limit: count }) as const),
      ...(close === ''
        ? []
        : [{ do: 'close', of: close as 'S' | 'P', name: close === 'S' ? statement : portal } as const]),
      ...end,
    ]);
  const loose: fc.Arbitrary<Step[]> = fc
    .tuple(
      fc.oneof(
        fc.record({ do: fc.constant('parse' as const), name: statementName, sql, types: fc.constant<number[]>([]) }),
        fc.record({
          do: fc.constant('bind' as const),
          portal: portalName,
          statement: statementName,
          values: fc.constantFrom<(string | null)[]>([], ['3'], ['8', 'x'], [null]),
          formats: fc.constant<Format[]>([]),
          results: formats,
        }),
        fc.record({ do: fc.constant('describe' as const), of, name: fc.constantFrom('', 's1', 'c1', 'w1') }),
        fc.record({ do: fc.constant('close' as const), of, name: fc.constantFrom('', 's1', 's2', 'c1', 'w1') }),
        fc.record({ do: fc.constant('execute' as const), portal: fc.constantFrom('', 'w1'), limit }),
        fc.record({ do: fc.constantFrom('sync' as const, 'flush' as const), wait: fc.boolean() }),
      ),
      ending,
    )
    .map(([step, end]) => [step, ...end]);

  /** One statement on its own, as a Query or as a pipeline of its own. */
  const alone = (text: string, extended: boolean, wait: boolean): Step[] =>
    extended
      ? [
          { do: 'parse', name: '', sql: text, types: [] },
          { do: 'bind', portal: '', statement: '', values: [], formats: [], results: [] },
          { do: 'describe', of: 'P', name: '' },
          { do: 'execute', portal: '', limit: 0 },
          { do: 'sync', wait },
        ]
      : [{ do: 'query', sql: text, wait }];
  const story = fc
    .constantFrom(...stories)
    .chain((texts) =>
      fc.tuple(
        fc.subarray(texts, { minLength: Math.ceil(texts.length / 2) }),
        fc.array(fc.tuple(sometimes, mostly), { minLength: 11, maxLength: 11 }),
      ),
    )
    .map(([texts, ways]) => texts.map((text, index) => alone(text, ...ways[index]!)));
  /** One portal fetched in steps, inside a transaction, with something else in between. */
  const fetching = fc
    .record({
      first: limit,
      between: fc.option(single),
      second: limit,
      end: fc.constantFrom('commit', 'rollback'),
      results: formats,
    })
    .map(({ first, between, second, end: last, results }): Step[][] => [
      [{ do: 'query', sql: 'begin', wait: true }],
      [
        { do: 'parse', name: 's2', sql: 'select id, name from items order by id', types: [] },
        { do: 'bind', portal: 'w1', statement: 's2', values: [], formats: [], results },
        { do: 'execute', portal: 'w1', limit: first },
        { do: 'sync', wait: true },
      ],
      between === null ? [] : [{ do: 'query', sql: between, wait: true }],
      [
        { do: 'execute', portal: 'w1', limit: second },
        { do: 'flush', wait: true },
        { do: 'execute', portal: 'w1', limit: 3 },
        { do: 'sync', wait: false },
      ],
      [{ do: 'query', sql: last, wait: true }],
      [
        { do: 'execute', portal: 'w1', limit: 0 },
        { do: 'sync', wait: true },
      ],
    ]);
  const rows = fc.array(
    fc.constantFrom(
      '80\teighty\n',
      '81\t\\N\n',
      '82\teight',
      'y two\n',
      'x\tno number\n',
      '1\tagain\n',
      '83\tcafé\n84\tx\n',
      '85\n',
      '\\.\n',
    ),
    { maxLength: 4 },
  );
  const finish = fc.oneof(
    { weight: 3, arbitrary: fc.constant<Step>({ do: 'copyDone' }) },
    { weight: 1, arbitrary: fc.constant<Step>({ do: 'copyFail', reason: 'changed my mind' }) },
  );
  const copyTexts = fc.constantFrom(
    'copy items (id, name) from stdin',
    "copy items (id, name) from stdin (format csv, delimiter E'\\t')",
    'copy items (id, name) from stdin (format binary)',
    'copy missing from stdin',
    ...(options.labelled ? ['copy people (id, email) from stdin'] : []),
  );
  const data = (pieces: readonly string[]): Step[] =>
    pieces.map((piece) => ({ do: 'copyData', data: piece, encoding: 'utf8' }));
  const copySimple = fc
    .record({ text: copyTexts, before: sometimes, after: sometimes, wait: fc.boolean(), rows, finish })
    .map(({ text, before, after, wait, rows: pieces, finish: last }): Step[] => [
      { do: 'query', sql: `${before ? 'select 1; ' : ''}${text}${after ? '; select 2' : ''}`, wait },
      ...data(pieces),
      last,
      { do: 'sync', wait: true },
    ]);
  const copyExtended = fc
    .record({ text: copyTexts, early: fc.boolean(), wait: fc.boolean(), rows, finish })
    .map(({ text, early, wait, rows: pieces, finish: last }): Step[] => [
      { do: 'parse', name: 'k1', sql: text, types: [] },
      { do: 'bind', portal: 'k1', statement: 'k1', values: [], formats: [], results: [] },
      { do: 'execute', portal: 'k1', limit: 0 },
      // libpq sends its Sync at once and another one behind the data.
      early ? { do: 'sync', wait } : { do: 'flush', wait },
      ...data(pieces),
      last,
      { do: 'sync', wait: true },
      { do: 'close', of: 'S', name: 'k1' },
      { do: 'sync', wait: true },
    ]);

  /** What sleeps is cancelled, with something else behind it in the pipeline or not. */
  const cancelled = fc
    .record({ text: fc.constantFrom(...sleeping), extended: fc.boolean(), behind: fc.option(single) })
    .map(({ text, extended, behind }): Step[] => [
      ...alone(text, extended, false),
      ...(behind === null ? [] : alone(behind, extended, false)),
      { do: 'cancel', wait: true },
    ]);

  return fc
    .array(
      fc.oneof(
        { weight: 1, arbitrary: cancelled.map((steps) => [steps]) },
        { weight: 6, arbitrary: query.map((step): Step[][] => [[step]]) },
        { weight: 6, arbitrary: whole.map((steps) => [steps]) },
        { weight: 3, arbitrary: loose.map((steps) => [steps]) },
        { weight: 1, arbitrary: copySimple.map((steps) => [steps]) },
        { weight: 1, arbitrary: copyExtended.map((steps) => [steps]) },
        { weight: 2, arbitrary: story },
        { weight: 1, arbitrary: fetching },
      ),
      { minLength: 1, maxLength: 12, size: 'max' },
    )
    .map((blocks) => {
      const steps: Step[] = [];
      for (const block of blocks.flat()) if (steps.length + block.length <= options.messages) steps.push(...block);
      return steps;
    });
}
