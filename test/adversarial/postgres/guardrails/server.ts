import { type Form, guardrails } from './guardrail.ts';

const simple: readonly Form[] = ['simple', 'extended'];

/** Files, programs, large objects, other servers and other sessions. */
export const server = guardrails({
  'a program by COPY': {
    steps: ["copy (select 1) to program 'cat > /dev/null; echo ran >&2; touch ran_here'"],
    forms: simple,
    proof: "select (pg_stat_file('ran_here', true)).size is not null",
    after: "copy (select 1) to program 'cat > /dev/null; rm -f ran_here'",
  },
  'a program that is read': { steps: [{ sql: "copy log from program 'echo spoken'" }] },
  'a file by COPY': { steps: ["copy log from '/etc/hostname'"] },
  'a file written by COPY': {
    steps: ["copy (select 1) to '/tmp/countersign-written'"],
    proof: "select (pg_stat_file('/tmp/countersign-written', true)).size is not null",
    after: "copy (select 1) to program 'cat > /dev/null; rm -f /tmp/countersign-written'",
  },
  'a file read': { steps: ["select pg_read_file('PG_VERSION')"], hears: /D[\s\S]*18/ },
  'a file read as bytes': { steps: ["select pg_read_binary_file('PG_VERSION')"], hears: /3138/ },
  'a file read by a row and a dot': { steps: ["select ('PG_VERSION'::text).pg_read_file"], hears: /D[\s\S]*18/ },
  'a file read in a prepared statement': {
    steps: ['prepare f(text) as select pg_read_file($1)', "execute f('PG_VERSION')"],
    hears: /D[\s\S]*18/,
  },
  'a folder listed': { steps: ["select pg_ls_dir('.')"], hears: /pg_wal/ },
  'logs listed': { steps: ['select * from pg_ls_waldir()'], hears: /0000000/ },
  'the file of who may sign in': { steps: ['select * from pg_hba_file_rules'], hears: /trust/ },
  'the settings files': { steps: ['select * from pg_file_settings'], hears: /postgresql/ },
  'a file as a large object': "select lo_import('/etc/hostname', 4711)",
  'a large object made': 'select lo_create(4711)',
  'a large object made of bytes': "select lo_from_bytea(4711, 'x')",
  'a large object written': "select lo_put(4700, 0, 'gone')",
  'a large object removed': 'select lo_unlink(4700)',
  'a large object removed over and over': 'select count(lo_unlink(4700)) from generate_series(1, 1)',
  'a large object read': { steps: ['select lo_get(4700)'], hears: /6b657074/ },
  'a large object as a file': {
    steps: ["select lo_export(4700, '/tmp/countersign-exported')"],
    proof: "select (pg_stat_file('/tmp/countersign-exported', true)).size is not null",
    after: "copy (select 1) to program 'cat > /dev/null; rm -f /tmp/countersign-exported'",
  },
  'a query in a text': { steps: ["select query_to_xml('select purge()', true, true, '')"] },
  'a query in a text with a cursor': {
    steps: ['begin', 'declare c cursor for select purge()', "select cursor_to_xml('c', 10, true, true, '')", 'commit'],
  },
  'a table in a text': { steps: ["select table_to_xml('purge_view', true, true, '')"] },
  'a schema in a text': { steps: ["select schema_to_xml('hidden', true, true, '')"], hears: /<stock>/ },
  'statistics of a text': { steps: ["select * from ts_stat('select to_tsvector(purge()::text)')"] },
  'a query rewritten by a text': {
    steps: ["select ts_rewrite('a'::tsquery, 'select ''a''::tsquery, purge()::text::tsquery')"],
  },
  'another session ended': {
    steps: [
      { by: 'b', sql: "set application_name = 'victim'" },
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim'",
    ],
    proof: "select not exists (select 1 from pg_stat_activity where application_name = 'victim')",
  },
  'a replication slot': {
    steps: ["select pg_create_logical_replication_slot('taken', 'pgoutput')"],
    proof: "select true from pg_replication_slots where slot_name = 'taken'",
    after: "select pg_drop_replication_slot('taken')",
    forms: ['simple', 'extended', 'prepared'],
  },
  'a message in the log of changes': {
    steps: ["select pg_logical_emit_message(false, 'x', 'y')"],
    hears: /D[\s\S]*0\//,
  },
  'settings read again': { steps: ['select pg_reload_conf()'], hears: /D\0\x01\0\0\0\x01t/ },
  'the log of changes switched': { steps: ['select pg_switch_wal()'], hears: /D[\s\S]*\// },
  'statistics reset': {
    steps: ['select pg_stat_reset()'],
    proof: 'select stats_reset is not null from pg_stat_database where datname = current_database()',
  },
  'a library loaded': { steps: ["load 'auto_explain'", 'show auto_explain.log_analyze'], hears: /D[\s\S]*off/ },
  'a restore point': { steps: ["select pg_create_restore_point('x')"], hears: /D[\s\S]*\// },
  'an origin of replication': {
    steps: ["select pg_replication_origin_create('x')"],
    proof: "select true from pg_replication_origin where roname = 'x'",
    after: "select pg_replication_origin_drop('x')",
  },
});
