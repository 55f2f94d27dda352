// EXPLAIN, statistics, and what the server keeps of statements and values in its own catalogues (field notes 37, 39).
import { attacks } from '../attack.ts';

export const plans = attacks({
  'EXPLAIN of a constant': {
    steps: [
      'explain verbose select echo((select ssn from people where id = 1))',
      'explain (verbose) select id from people where email = (select max(email) from people) or id = 1',
      'explain (verbose) execute nothing',
      'select reads_ssn(1)',
    ],
  },
  'EXPLAIN ANALYZE of a DO-like call': 'explain analyze select says(ssn) from people where id = 1',
  'EXPLAIN as JSON': {
    kind: 'tells',
    steps: [
      "explain (format json, analyze, timing off, summary off, buffers off) select id from people where ssn like '5%'",
    ],
  },
  'EXPLAIN of a generic plan': {
    kind: 'tells',
    steps: [
      'prepare p as select id from people where salary > $1',
      'explain (analyze, costs off, timing off, summary off, buffers off) execute p(50000000)',
    ],
  },
  'debug_print_plan to the client': [
    'set client_min_messages to log',
    'set debug_print_rewritten to on',
    "select runs('select id from people where email = ' || quote_literal(email)) from people where id = 1",
  ],
  pg_stats: "select most_common_vals::text, histogram_bounds::text from pg_stats where tablename = 'people'",
  pg_statistic: "select stavalues1, stavalues2 from pg_statistic where starelid = 'people'::regclass",
  'pg_statistic as a row': "select s::text from pg_statistic s where starelid = 'people'::regclass",
  pg_stats_ext: 'select most_common_vals from pg_stats_ext',
  'the items of an MCV list': 'select m.* from pg_statistic_ext_data, pg_mcv_list_items(stxdmcv) m',
  'the MCV list itself': 'select stxdmcv from pg_statistic_ext_data',
  'statistics of an expression': [
    "create statistics e on (upper(ssn::text)), (email || '') from people",
    'analyze people',
    'select most_common_vals, histogram_bounds from pg_stats_ext_exprs',
  ],
  'statistics of an index on an expression':
    "select histogram_bounds::text from pg_stats where tablename = 'people_lower_email'",
  'statistics of a copy': [
    'create temp table t as select id, name from people',
    'analyze people',
    "select array_to_string(histogram_bounds::text::text[], ' ') from pg_stats where attname in ('ssn', 'email')",
  ],
  'pg_stat_activity of another': [
    { by: 'b', sql: "select runs('select ' || quote_literal(ssn) || ' from pg_sleep(0)') from people where id = 1" },
    { by: 'b', sql: "select set_config('application_name', ssn, false) from people where id = 1" },
    'select query, application_name from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()',
  ],
  pg_stat_get_activity: [
    { by: 'b', sql: "select set_config('application_name', ssn, false) from people where id = 1" },
    'select application_name from pg_stat_get_activity(null)',
  ],
  'its own application_name': [
    "select set_config('application_name', ssn, false) from people where id = 1",
    'show application_name',
  ],
  pg_prepared_statements: [
    "do $$ begin execute format('prepare p as select %L', (select ssn from people where id = 1)); end $$",
    'select statement from pg_prepared_statements',
  ],
  pg_cursors: [
    'begin',
    "do $$ begin execute format('declare c cursor with hold for select %L', (select ssn from people where id = 1)); end $$",
    'select statement from pg_cursors',
    'commit',
  ],
  pg_settings: [
    "do $$ begin perform set_config('x.y', (select ssn from people where id = 1), false); end $$",
    "select setting from pg_settings where name = 'x.y'",
    "select current_setting('x.y', true)",
  ],
  pg_authid: { steps: ["select rolpassword from pg_authid where rolname = 'keeper'"], finds: ['SCRAM-SHA-256$'] },
  pg_shadow: { steps: ["select passwd from pg_shadow where usename = 'keeper'"], finds: ['SCRAM-SHA-256$'] },
  'a default kept in the catalogue': [
    "do $$ begin execute format('alter table sinks alter public set default %L', (select ssn from people where id = 1)); end $$",
    'select pg_get_expr(adbin, adrelid) from pg_attrdef',
  ],
  'a missing value kept in the catalogue': [
    "do $$ begin execute format('alter table sinks add extra text default %L', (select ssn from people where id = 1)); end $$",
    "select attmissingval::text from pg_attribute where attname = 'extra'",
  ],
  'a comment kept in the catalogue': [
    "do $$ begin execute format('comment on table sinks is %L', (select ssn from people where id = 1)); end $$",
    "select obj_description('sinks'::regclass), description from pg_description where objoid = 'sinks'::regclass",
  ],
  'an enum label made of it': [
    "do $$ begin execute format('alter type mood add value %L', (select ssn from people where id = 1)); end $$",
    'select enum_range(null::mood)',
  ],
  'a name made of it': [
    "do $$ begin execute format('create table %I ()', (select ssn from people where id = 1)); end $$",
    "select relname from pg_class where relkind = 'r'",
  ],
  'a role made of it': [
    "do $$ begin execute format('create role %I', (select ssn from people where id = 1)); end $$",
    'select rolname from pg_roles',
  ],
  'bounds of a partition made of it': [
    'create table part (a text) partition by list (a)',
    "do $$ begin execute format('create table p1 partition of part for values in (%L)', (select ssn from people where id = 1)); end $$",
    "select pg_get_expr(relpartbound, oid) from pg_class where relname = 'p1'",
  ],
  pg_stat_statements: {
    steps: [
      "do $$ begin perform set_config('x.y', (select ssn from people where id = 1), false); end $$",
      "select current_setting('x.' || 'y', true)",
    ],
  },
  'pg_get_functiondef of a body made of it': [
    "do $$ begin execute format('create function f() returns text language sql as %L', 'select ''' || (select ssn from people where id = 1) || ''''); end $$",
    "select pg_get_functiondef('f'::regproc)",
    'select f()',
  ],
  'information_schema of a body made of it': [
    "do $$ begin execute format('create view v as select %L::text as x', (select ssn from people where id = 1)); end $$",
    "select view_definition from information_schema.views where table_name = 'v'",
  ],
  'a large object by its catalogue': [
    'do $$ begin perform lo_from_bytea(4711, (select ssn::text::bytea from people where id = 1)); end $$',
    'select data from pg_largeobject',
  ],

  'EXPLAIN ANALYZE row counts': {
    kind: 'tells',
    steps: [
      "explain (analyze, costs off, timing off, summary off, buffers off) select id from people where ssn < '6' and id = 1",
    ],
  },
  'EXPLAIN ANALYZE of an open query that reads it': {
    kind: 'tells',
    steps: [
      "explain (analyze, costs off, timing off, summary off, buffers off) select n from guesses where exists (select from people where ssn < '6' and id = 1)",
    ],
  },
  'EXPLAIN in a function': {
    kind: 'tells',
    steps: [
      "do $$ declare r text; begin for r in explain (analyze, costs off, timing off, summary off, buffers off) select id from people where ssn < '6' and id = 1 loop raise notice '%', r; end loop; end $$",
    ],
  },
  'auto_explain to the client': [
    "load 'auto_explain'",
    'set auto_explain.log_min_duration to 0',
    'set auto_explain.log_nested_statements to on',
    'set client_min_messages to log',
    "select runs('select id from people where email = ' || quote_literal(email)) from people where id = 1",
  ],
  // The width and the number of distinct values stay: what they tell is bounded by the column, not by the question.
  'pg_stats by star': { steps: ["select * from pg_stats where tablename = 'people'"], bits: 64 },
  'the order of a column by its correlation': {
    kind: 'tells',
    steps: ["select correlation from pg_stats where tablename = 'people' and attname = 'ssn'"],
  },

  'EXPLAIN row counts over histograms': {
    kind: 'tells',
    steps: ['explain select id from people, generate_series(1, 1000000) where salary < 50000000'],
  },
  'EXPLAIN row counts over an MCV list': {
    kind: 'tells',
    steps: ['explain select id from people, generate_series(1, 1000000) where score > 50'],
  },
  'EXPLAIN that folds': [
    'create function folds() returns text language sql immutable as $$ select ssn::text from people where id = 1 $$',
    'explain verbose select folds(), n from guesses where guess = folds()',
  ],
  'pg_stats through a view made for it': [
    "create temp view v as select attname, histogram_bounds::text as h from pg_stats where tablename = 'people'",
    'select h from v order by attname',
  ],
  'the order of a column by stanumbers': {
    kind: 'tells',
    steps: [
      "select stanumbers1, stanumbers2, stanumbers3 from pg_statistic where starelid = 'people'::regclass and staattnum = 3",
    ],
  },
});
