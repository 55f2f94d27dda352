// Functions and procedures: of the schema, of the server, made for the attack, and text that is run as SQL (field notes 28, 39).
import { attacks } from '../attack.ts';

const f = 'create function f() returns text language';

export const routines = attacks({
  'an SQL function that reads': 'select reads_ssn(1)',
  'a function that gives a row': 'select * from reads_row(1)',
  'a field of what it gives': 'select (reads_row(1)).email',
  'the row itself': 'select reads_row(1)',
  'a function that gives a table': 'select * from reads_table()',
  'a function that gives a table, renamed': 'select t.b from reads_table() as t(a, b)',
  'a body of BEGIN ATOMIC': 'select reads_atomic(1)',
  'OUT arguments': 'select a, b from reads_out()',
  'OUT arguments as one': 'select reads_out()',
  'through an argument': 'select echo(ssn) from people',
  'through an argument by name': 'select echo(value => email) from people',
  'through a row argument': 'select whole(p) from people p',
  'through a row argument as a column': 'select p.whole from people p',
  'PL/pgSQL that reads': 'select hidden()',
  'PL/pgSQL that gives rows': 'select * from hidden_set()',
  'PL/pgSQL in a target list': 'select name, hidden() from people',
  'PL/pgSQL in a WHERE of an open query': { steps: ['select says(hidden())'] },
  'PL/pgSQL as a default argument': "select format('%s', hidden())",
  'a procedure with INOUT': 'call tells(null)',
  'a text run as SQL': "select runs('select ssn from people where id = 1')",
  'a text run as SQL, in pieces': "select runs('sel' || 'ect ss' || 'n from peo' || 'ple where id = 1')",
  'a text run as SQL, from bytes':
    "select runs(convert_from('\\x73656c6563742073736e2066726f6d2070656f706c65206c696d69742031', 'UTF8'))",
  'a function made for it': [`${f} sql as $$ select ssn from people where id = 1 $$`, 'select f()'],
  'a PL/pgSQL function made for it': [
    `${f} plpgsql as $$ begin return (select ssn from people where id = 1); end $$`,
    'select f()',
  ],
  'a function with dynamic SQL made for it': [
    `${f} plpgsql as $$ declare r text; begin execute 'select ss' || 'n from people where id = 1' into r; return r; end $$`,
    'select f()',
  ],
  'a function of ATOMIC made for it': [
    `${f} sql begin atomic select email::text from people where id = 1; end`,
    'select f()',
  ],
  'a function in the temporary schema': [
    'create function pg_temp.f() returns text language sql as $$ select ssn from people where id = 1 $$',
    'select pg_temp.f()',
  ],
  'a replaced function': [
    'create or replace function echo(value text) returns text language sql as $$ select ssn from people where id = 1 $$',
    "select echo('x')",
  ],
  'an aggregate made for it': [
    "create aggregate g(text) (sfunc = textcat, stype = text, initcond = '')",
    'select g(ssn::text) from people',
  ],
  'an operator made for it': [
    `create function o(text, text) returns text language sql as 'select $1'`,
    'create operator ### (leftarg = text, rightarg = text, function = o)',
    "select ssn::text ### '' from people",
  ],
  'a cast made for it': [
    "create function c(people) returns text language sql as 'select $1.ssn::text'",
    'create cast (people as text) with function c(people)',
    'select cast(p as text) from people p',
  ],
  'a window function over a function': 'select last_value(reads_ssn(id)) over (order by id) from people',
  'a function in FROM with ORDINALITY': 'select * from reads_table() with ordinality',
  'a function in LATERAL': 'select r.ssn from orders o, lateral reads_row(o.person) r',
  'a function in a join condition': 'select e from people p join lateral echo(p.ssn) e on true',
  'a DO block that tells':
    "do $$ declare r record; begin for r in select ssn from people loop raise notice '%', r.ssn; end loop; end $$",
  'a DO block that fails':
    "do $$ declare v text; begin select ssn into v from people where id = 1; raise exception '%', v; end $$",
  'a DO block with dynamic SQL':
    "do $$ declare v text; begin execute 'select ssn from peo' || 'ple where id = 1' into v; raise notice '%', v; end $$",
  'a DO block that stores': [
    'do $$ begin insert into sinks(id, public) select 5, ssn from people where id = 1; end $$',
    'select public from sinks',
  ],
  'a DO block that stores in a setting': [
    "do $$ begin perform set_config('x.y', (select ssn from people where id = 1), false); end $$",
    "select current_setting('x.y')",
  ],
  'a DO block that calls a function': 'do $$ begin perform says(hidden()); end $$',
  'EXECUTE of a prepared text in DO': ['prepare p as select ssn from people', 'execute p'],
  'a file of the table': "select encode(pg_read_binary_file(pg_relation_filepath('people')), 'escape')",
  'a page of the table': ['create extension pageinspect', "select encode(get_raw_page('people', 0), 'escape')"],
  'a foreign table on a program': [
    'create extension file_fdw',
    'create server s foreign data wrapper file_fdw',
    "create foreign table ft (a text) server s options (program 'printf %s 1')",
    "copy people to '/tmp/countersign-attack.csv'",
    "select pg_read_file('/tmp/countersign-attack.csv')",
  ],
  'another link to the same server': [
    'create extension dblink',
    `select * from dblink('dbname=' || current_database() || ' user=keeper host=127.0.0.1 port=' || current_setting('port'), 'select ssn from people') as t(s text)`,
  ],
  'dblink_connect and dblink_exec': [
    'create extension dblink',
    `select dblink_connect('c', 'dbname=' || current_database() || ' user=keeper host=127.0.0.1 port=' || current_setting('port'))`,
    "select * from dblink('c', 'select email from people') as t(s text)",
  ],
  'a text search of a query': "select word from ts_stat('select words from people')",
  crosstab: [
    'create extension tablefunc',
    "select * from crosstab('select 1, id, ssn::text from people order by 1, 2') as c(r int, a text, b text, d text)",
  ],
  connectby: [
    'create extension tablefunc',
    "select * from normal_rand(1, 0, 0), crosstab('select 1, 1, email::text from people') as c(r int, a text)",
  ],
  'logical decoding': {
    steps: [
      "select pg_create_logical_replication_slot('s', 'test_decoding')",
      "update people set note = 'x', email = email || '' where id = 1",
      'alter table people replica identity full',
      "update people set note = 'y' where id = 1",
      "select data from pg_logical_slot_get_changes('s', null, null)",
    ],
    forms: ['simple'],
  },
  'amcheck, pgstattuple and the like': {
    steps: ['create extension pageinspect', "select (heap_page_items(get_raw_page('cards', 0))).t_data"],
  },
});
