// What programs ask through node-postgres, as data: run in this order on one connection, each with its result or its error.
import type { QueryConfig } from 'pg';

export interface Asked {
  readonly title: string;
  /** One query, or several that belong together; strings go by the simple protocol. */
  readonly queries: readonly (
    | string
    | (QueryConfig & { rowMode?: 'array'; queryMode?: 'extended'; binary?: boolean; rows?: number })
  )[];
  /** For a principal who may not reveal, texts of the server keep their code only: a body that nobody read has run. */
  readonly guarded?: true;
  /** It reads the labelled column: for that principal its cells differ. */
  readonly masked?: true;
  /** Its result comes from what nobody read (a procedure's body, a plan): for that principal its cells are null. */
  readonly opaque?: true;
  /** The gateway answers in the server's stead, with the same error: it does not say where in the server's source it was raised. */
  readonly own?: true;
}

const one = (title: string, text: string, ...values: unknown[]): Asked => ({
  title,
  queries: [values.length > 0 ? { text, values } : text],
});
const several = (title: string, ...queries: Asked['queries']): Asked => ({ title, queries });
const guarded = (asked: Asked): Asked => ({ ...asked, guarded: true });
const opaque = (asked: Asked): Asked => ({ ...asked, opaque: true });
const own = (asked: Asked): Asked => ({ ...asked, own: true });
const kind = (type: string, ...values: unknown[]): Asked =>
  several(
    `${type}: values there and back`,
    ...values.map((value) => ({
      text: `select $1::${type} as there, pg_typeof($1::${type})::text as kind`,
      values: [value],
    })),
  );

export const asked: readonly Asked[] = [
  // Results and their description.
  one('a constant', 'select 1 as one'),
  one('no columns', 'select from people'),
  one('no rows', 'select id, name from people where false'),
  one('columns with one name', 'select 1 as same, 2 as same'),
  one('columns without a name', 'select 1, 2.5, true, null'),
  one('names that need quotes', `select 1 as "two words", 2 as "it's", 3 as "a""b", 4 as "ünïcode", 5 as "\\"`),
  one('a name of 63 bytes and one that is cut', `select 1 as ${'n'.repeat(63)}, 2 as ${'m'.repeat(70)}`),
  one('a table with its origins', 'select id, name, city, born from people order by id'),
  one('a star', 'select * from orders order by id limit 3'),
  one(
    'a join, a group and an order',
    'select p.name, count(*), sum(o.amount) from people p join orders o on o.person = p.id group by 1 order by 1',
  ),
  one('every type of one row', 'select * from kinds where id = 1'),
  one('a row of nulls', 'select * from kinds where id = 2'),
  several('rows as arrays', { text: 'select 1 as same, 2 as same, id from people order by id', rowMode: 'array' }),
  several('rows as arrays, with values', { text: 'select $1::int, $2::text', values: [7, 'seven'], rowMode: 'array' }),
  one('five thousand rows', "select g, 'row ' || g as word from generate_series(1, 5000) g"),
  one('one wide row', `select ${Array.from({ length: 300 }, (_, index) => `${index} as c${index}`).join(', ')}`),
  one('a value of two megabytes', "select repeat('ab', 1000000) as long"),
  one('a text of half a megabyte', `select length('${'x'.repeat(500_000)}')`),
  one('a whole row and a record', 'select o, row(1, null, $$a "b"$$) from orders o where id = 1'),
  one('values', "values (1, 'a'), (2, null) order by 1"),
  {
    ...several('the labelled column itself', 'select id, email from people order by id', {
      text: 'select email from people where id = $1',
      values: [1],
    }),
    masked: true,
  },

  // Parameters.
  one('numbers, texts and nulls', 'select $1::int as a, $2::text as b, $3::int as c', 5, 'five', null),
  one('undefined is null', 'select $1::text is null as missing', undefined),
  one('a list of them in any order', 'select $2::text as second, $1::text as first, $2::text as again', 'a', 'b'),
  one('a parameter whose type the server finds', 'select name from people where id = $1', 2),
  one('a comparison with null', 'select 7 <> $1 as res', null),
  one('an array for any', 'select id from people where id = any($1) order by id', [1, 3]),
  one(
    'texts with everything',
    'select $1::text as v',
    `it's "quoted" \\ back\\slash \n new\tline $1 ; -- /* ü 😀 \u2028`,
  ),
  one('an empty text', "select $1::text as v, $1::text = '' as empty", ''),
  one(
    'two hundred parameters',
    `select ${Array.from({ length: 200 }, (_, index) => `$${index + 1}::int`).join(' + ')} as sum`,
    ...Array.from({ length: 200 }, (_, index) => index),
  ),
  one(
    'a long list in an array',
    'select cardinality($1::int[]) as n',
    Array.from({ length: 20_000 }, (_, index) => index),
  ),
  several('extended without values', { text: 'select 1 as one', queryMode: 'extended' }),
  several('an object becomes JSON', {
    text: 'select $1::json as j, $2::jsonb as b',
    values: [{ a: [1, { b: null }] }, { z: 1, a: 'ü' }],
  }),
  several('an own form by toPostgres', {
    text: 'select $1::point::text as p',
    values: [{ toPostgres: () => '(1,2)' }],
  }),

  // Types, in text and binary.
  kind('integer', -2_147_483_648, 0, 2_147_483_647, null),
  kind('smallint', -32_768, 32_767),
  kind('bigint', '-9223372036854775808', '9007199254740993'),
  kind('oid', 0, 4_294_967_295),
  kind('boolean', true, false, 'yes', null),
  kind('numeric', '-12.340', '31415926535897932384626433832795.0288', 'NaN', 'Infinity'),
  kind('numeric(6, 2)', '1234.567', 0),
  kind('real', 1.5, -0.1, '1e38', 'NaN'),
  kind('double precision', 0.1, 1e308, '-Infinity'),
  kind('varchar(5)', 'yo', '', 'five!'),
  kind('char(4)', 'ab'),
  kind('date', '2026-02-28', '0044-03-15 BC', 'infinity'),
  kind('time', '13:12:12.321'),
  kind('timetz', '13:11:12.1234-05:30'),
  kind('timestamp', '2026-02-28 23:59:59.999', 'infinity', '-infinity'),
  kind(
    'timestamptz',
    new Date(Date.UTC(2026, 1, 3, 4, 5, 6, 789)),
    '4713-12-31 12:31:59 BC',
    '275760-09-13 00:00:00 GMT',
  ),
  kind('interval', '1 year 2 mons 3 days 04:05:06.789', '-00:00:01', 'P1Y'),
  kind('uuid', '00112233-4455-6677-8899-aabbccddeeff'),
  kind('bytea', Buffer.from([0, 1, 254, 255, 92]), Buffer.alloc(0), '\\xdeadbeef'),
  kind('bytea', Buffer.alloc(100_000, 0xa5)),
  kind('json', '{"a": [1, "ü", null]}', '"text"', '17'),
  kind('jsonb', '{"b": 1, "a": {"c": []}}', 'null'),
  kind(
    'int[]',
    [1, null, 3],
    [],
    [
      [1, 2],
      [3, 4],
    ],
  ),
  kind('text[]', ['a', 'b c', 'd"e', 'f\\g', '', 'NULL', null, '{}', 'ü,']),
  kind('numeric[]', ['1.50', '2']),
  kind('boolean[]', [true, false]),
  kind('timestamptz[]', [new Date(0)]),
  kind('jsonb[]', ['{"a":1}', 'null']),
  kind('bytea[]', [Buffer.from('a'), Buffer.from([0])]),
  kind('mood', 'happy'),
  kind('inet', '10.0.0.1/8', '::1'),
  kind('int4range', '[1,5)', 'empty'),
  kind('point', '(1.5,-2)'),
  kind('circle', '<(0,0),5>'),
  kind('money', '12.34'),
  kind('bit varying', '10110'),
  kind('xml', '<a>1</a>'),
  kind('tsvector', 'a fat cat'),
  kind('int4multirange', '{[1,3),[5,7)}'),
  several('binary results', {
    text: 'select $1::int as i, $2::bigint as b, $3::boolean as t, $4::text as s, $5::double precision as f',
    values: [7, '8', true, 'x', 1.5],
    binary: true,
  }),
  several('binary rows of a table', {
    text: 'select id, b, i2, f4, f8, t, by from kinds where id > $1 order by id',
    values: [0],
    binary: true,
  }),

  // Changes, and what they say of themselves.
  one(
    'a temporary table',
    'create temporary table mine (id serial primary key, word varchar(10) not null, n int check (n > 0))',
  ),
  one('an insert and its count', "insert into people (name, city) values ('Lin', 'Oslo'), ('Max', 'Bern')"),
  one('an insert that returns', 'insert into mine (word, n) values ($1, $2) returning id, word', 'one', 1),
  one('many rows in one insert', "insert into mine (word) select 'w' || g from generate_series(1, 10) g returning *"),
  one('an update and its count', 'update mine set n = $1 where id < $2', 5, 4),
  one('an update that finds nothing', 'update mine set n = 1 where id = -1 returning *'),
  one('a delete that returns', 'delete from mine where id > 8 returning id'),
  one(
    'an upsert',
    'insert into mine (id, word) values (1, $1) on conflict (id) do update set word = excluded.word returning word',
    'again',
  ),
  one(
    'a merge',
    "merge into mine m using (values (2, 'two'), (99, 'new')) v(id, word) on m.id = v.id when matched then update set word = v.word when not matched then insert (id, word) values (v.id, v.word)",
  ),
  one('a writing CTE', 'with gone as (delete from mine where id = 3 returning *) select count(*) from gone'),
  one('a table made of a query', 'create temporary table copy_of_mine as select * from mine'),
  one('truncate', 'truncate copy_of_mine'),
  one('comment, alter and drop', 'drop table copy_of_mine'),
  one('a function of the seed', 'select add($1, $2) as sum', 2, 3),
  opaque(one('a row from a procedure', 'call place(1, 12.5, null)')),
  opaque(one('explain', 'explain (costs off) select * from people where id = 1')),
  one('show', 'show server_version_num'),
  several(
    'the time zone',
    "set time zone 'Asia/Tokyo'",
    'show timezone',
    "select '2026-01-01 00:00:00+00'::timestamptz::text as there",
    'reset timezone',
  ),
  several(
    'date style and interval style',
    'set datestyle = german',
    "select '2026-02-03'::date::text as d",
    'reset datestyle',
    "set intervalstyle = 'iso_8601'",
    "select '1 day'::interval as i",
    'reset intervalstyle',
  ),
  several(
    'the encoding of the client is what it was',
    'show client_encoding',
    "select convert_from('\\xc3bc', 'UTF8') as u, octet_length('ü') as two",
  ),

  // Several statements in one text.
  one('two results', "select 'a'::text as first; select 'b'::text as second"),
  one(
    'results and changes mixed',
    "insert into mine (word) values ('multi'); select word from mine where word = 'multi'; delete from mine where word = 'multi'; select 1 as last",
  ),
  one(
    'an error in the middle takes back what was before',
    "insert into mine (word) values ('lost'); select 1 / 0; select 2",
  ),
  one('and indeed it did', "select count(*) from mine where word = 'lost'"),
  one('nothing between semicolons', ';;'),
  one('nothing at all', ''),
  one('blanks and comments only', ' /* nothing */ -- here'),
  several('nothing, by the extended protocol', { text: '', queryMode: 'extended' }),
  own(several('two statements by the extended protocol', { text: 'select 1; select 2', queryMode: 'extended' })),

  // Prepared names.
  several(
    'a name used again',
    { name: 'by id', text: 'select name from people where id = $1', values: [1] },
    { name: 'by id', text: 'select name from people where id = $1', values: [2] },
    { name: 'by id', text: 'select name from people where id = $1', values: [-1] },
  ),
  several('a name for another text is refused by the client', { name: 'by id', text: 'select 1' }),
  several(
    'an error in a named statement, then the name again',
    { name: 'wrong', text: 'select nothing from nowhere' },
    { name: 'wrong', text: 'select 1 as right' },
  ),
  several(
    'an error at execution leaves the name',
    { name: 'div', text: 'select 1 / $1::int as q', values: [0] },
    { name: 'div', text: 'select 1 / $1::int as q', values: [1] },
  ),
  several(
    'a name whose table changes',
    'create temporary table shape (a int)',
    { name: 'shape', text: 'select * from shape' },
    'alter table shape add b text',
    { name: 'shape', text: 'select * from shape' },
  ),
  own(
    several(
      'prepare and execute as SQL',
      'prepare by_city(text) as select name from people where city = $1',
      "execute by_city('London')",
      'deallocate by_city',
      "execute by_city('London')",
    ),
  ),
  several('the list of them', {
    text: 'select name, parameter_types::text from pg_prepared_statements where name <> $1 order by name',
    values: ['by id'],
  }),

  // Portals with a limit of rows.
  several('one row at a time', { text: 'select g from generate_series(1, 5) g', rows: 1 }),
  several('more than there are', { text: 'select g from generate_series(1, 5) g', rows: 1000 }),
  several(
    'exactly as many, with a name',
    { name: 'paged', text: 'select g from generate_series(1, $1) g', values: [6], rows: 3 },
    { name: 'paged', text: 'select g from generate_series(1, $1) g', values: [2], rows: 3 },
  ),
  several('a limit on a change', { text: "insert into mine (word) values ('paged') returning word", rows: 1 }),
  several(
    'a cursor of SQL',
    'begin',
    'declare c cursor for select g from generate_series(1, 7) g',
    'fetch 3 from c',
    'move 2 in c',
    'fetch all from c',
    'close c',
    'commit',
  ),

  // Transactions.
  several(
    'taken back',
    'begin',
    "insert into mine (word) values ('tx')",
    'rollback',
    "select count(*) from mine where word = 'tx'",
  ),
  several(
    'kept',
    'begin',
    "insert into mine (word) values ('kept')",
    'commit',
    "select count(*) from mine where word = 'kept'",
  ),
  several(
    'failed until its end',
    'begin',
    'select 1 / 0',
    'select 1',
    { text: 'select $1::int', values: [1] },
    'commit',
    'select 1 as fine',
  ),
  several(
    'savepoints',
    'begin',
    'savepoint s',
    'select nonsense',
    'rollback to s',
    "insert into mine (word) values ('sp')",
    'release s',
    'commit',
  ),
  several(
    'levels and read only',
    'begin isolation level serializable read only',
    'show transaction_isolation',
    "insert into people (name) values ('no')",
    'rollback',
  ),
  several('outside of one', 'commit', 'rollback to nothing'),

  // Errors and their fields.
  own(one('a syntax error, with its place', 'select 1 fromm people wher')),
  one('a place behind letters of two bytes', "select 'üüü', nonsense"),
  one('a table that is not there', 'select * from no_such_table'),
  one('a column that is not there, with a hint', 'select nam from people'),
  one('a function that is not there', 'select no_such_function(1)'),
  one('a schema that is not there', 'select * from nowhere.people'),
  one('an ambiguous column', 'select id from people, orders'),
  one('a value that is no number', 'select $1::int', 'abc'),
  one('a number that is too large', 'select 2147483648::int'),
  one('a text that is too long', "insert into mine (word) values ('longer than ten letters')"),
  one('a date that is none', "select '2026-02-30'::date"),
  one('a division by zero', 'select 1 / (id - id) from people'),
  one('not null: table and column', 'insert into mine (word) values (null)'),
  one('unique: detail and constraint', "insert into mine (id, word) values (1, 'x')"),
  one('check: constraint', "insert into mine (word, n) values ('x', -1)"),
  one('a foreign key', 'insert into orders (person, amount) values (-1, 1)'),
  one('an enum', "select 'angry'::mood"),
  one('JSON: where it broke', `select '{"a": }'::json`),
  one('a parameter too many', 'select $1::int', 1, 2),
  one('a parameter too few', 'select $1::int, $2::int', 1),
  one('a type that nobody can tell', 'select $1 is null', null),
  one('a right that is missing', 'select * from pg_authid'),
  one('a setting that is not there', 'set no_such_setting = 1'),
  one('a grouping error', 'select name, count(*) from people'),
  guarded(
    one(
      'an error raised by code, with all its fields',
      "do $$ begin raise exception using errcode = 'P0099', message = 'ours', detail = 'more', hint = 'less', column = 'c', constraint = 'k', datatype = 't', table = 'tt', schema = 's'; end $$",
    ),
  ),
  guarded(one('an error inside code, with its context', 'do $$ begin perform 1 / 0; end $$')),
  guarded(one('a query inside code that is wrong', "do $$ begin execute 'select nothing'; end $$")),

  // Notices, as the client hears them.
  guarded(one('a notice', "do $$ begin raise notice 'hello %', 1 using hint = 'a hint', detail = 'a detail'; end $$")),
  guarded(one('a warning and an info', "do $$ begin raise warning 'careful'; raise info 'told'; end $$")),
  several(
    'notices of the server itself',
    'drop table if exists not_there',
    'create table if not exists people (x int)',
    'begin',
    'begin',
    'commit',
    'commit',
  ),

  // Time limits.
  several(
    'a statement that takes too long',
    "set statement_timeout = '80ms'",
    'select pg_sleep(5)',
    'reset statement_timeout',
    'select 1 as alive',
  ),
  several('a lock that takes too long', "set lock_timeout = '50ms'", 'reset lock_timeout'),
  several('what must be last', 'discard all', 'select 1 as fresh'),
];
