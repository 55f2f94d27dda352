// Session state, roles, several sessions at once, and values that one session keeps for another (field notes 28, 36, 40, 43).
import { attacks } from '../attack.ts';

export const sessions = attacks({
  'SET ROLE': ['set role keeper', 'select ssn from people'],
  'SET SESSION AUTHORIZATION': ['set session authorization admin', 'select ssn from people'],
  'SET LOCAL ROLE in a transaction': ['begin', 'set local role keeper', 'select ssn from people', 'commit'],
  'the role as a setting': ["select set_config('role', 'keeper', false)", 'select ssn from people'],
  'RESET ALL': ['reset all', 'select ssn from people'],
  'DISCARD ALL': ['discard all', 'select ssn from people'],
  'row_security off': ['set row_security to off', 'select login from accounts'],
  session_replication_role: ['set session_replication_role to replica', 'select ssn from people'],
  'another user name at start-up': [{ start: { user: 'admin' }, sql: 'select ssn from people' }],
  'an application name that claims another': [
    { start: { application_name: 'reader pii-readers' }, sql: 'select ssn from people' },
  ],
  'a setting that claims another': [
    "set countersign.principal to 'reader'",
    "set app.groups to 'pii-readers'",
    'select ssn from people',
  ],
  'a comment that claims another': '/* principal=reader groups=pii-readers */ select ssn from people',
  'a hint that asks for it': '/*+ reveal(ssn) */ select ssn from people /* countersign: reveal */',
  'GRANT to itself': ['grant all on people to keeper', 'grant pg_read_all_data to keeper', 'select ssn from people'],
  'a snapshot of another session': [
    'begin isolation level repeatable read',
    { by: 'b', sql: 'select ssn from people' },
    'select ssn from people',
    'commit',
  ],
  'one stores, another reads': [
    'insert into sinks (id, public) select 5, ssn from people where id = 1',
    { by: 'b', sql: 'select public from sinks' },
  ],
  'one stores a view, another reads': [
    'create view v as select ssn::text as harmless from people',
    { by: 'b', sql: 'select harmless from v' },
  ],
  'one stores a function, another calls': [
    'create function f() returns text language sql as $$ select ssn::text from people limit 1 $$',
    { by: 'b', sql: 'select f()' },
  ],
  'one renames, another reads': [
    'alter table people rename column ssn to harmless',
    { by: 'b', sql: 'select harmless from people' },
  ],
  'one renames, and back': [
    'alter table people rename column ssn to harmless',
    { by: 'b', sql: 'select harmless from people' },
    'alter table people rename column harmless to ssn',
  ],
  'one notifies, another listens': [
    { by: 'b', sql: 'listen c' },
    "select pg_notify('c', ssn) from people where id = 1",
    { by: 'b', sql: 'select 1' },
    { by: 'b', sql: 'select 2' },
  ],
  'one names it, another looks': [
    "select set_config('application_name', email, false) from people where id = 1",
    { by: 'b', sql: "select application_name from pg_stat_activity where application_name <> ''" },
  ],
  'one runs it, another looks': [
    "select runs('select ''' || ssn || '''') from people where id = 1",
    { by: 'b', sql: 'select query from pg_stat_activity where datname = current_database()' },
  ],
  'one locks it, another looks': [
    'select pg_advisory_lock(salary) from people where id = 1',
    {
      by: 'b',
      sql: "select objid, classid from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
    },
  ],
  'one keeps it in a large object, another reads': [
    'select lo_from_bytea(4711, email::text::bytea) from people where id = 1',
    { by: 'b', sql: "select convert_from(lo_get(4711), 'UTF8')" },
  ],
  'one sets a sequence, another reads': [
    "select setval('tickets', salary) from people where id = 1",
    { by: 'b', sql: 'select last_value from tickets' },
  ],
  'one comments, another reads': [
    "do $$ begin execute format('comment on table sinks is %L', (select ssn from people where id = 1)); end $$",
    { by: 'b', sql: "select obj_description('sinks'::regclass)" },
  ],
  'one prepares a transaction, another commits': {
    forms: ['simple'],
    steps: [
      'begin',
      'insert into sinks (id, public) select 5, ssn from people where id = 1',
      "prepare transaction 't'",
      { by: 'b', sql: "commit prepared 't'" },
      { by: 'b', sql: 'select public from sinks' },
    ],
  },
  'one exports a snapshot': {
    forms: ['simple'],
    steps: ['begin isolation level repeatable read', 'select ssn, pg_export_snapshot() is null from people', 'commit'],
  },
  'a masked value written back': {
    kind: 'value',
    steps: [
      "update people set email = '****', ssn = '***' where id = 2",
      'select ssn, ssn_tail from people where id = 1',
    ],
  },
  'a masked row moved in a circle': [
    "insert into cards select 9, 'x', pan from cards where id = 1",
    'update cards set holder = pan where id = 9',
    'select holder from cards',
  ],
  'an old mask as a key': ["select ssn from people where email = '****' or id = 1"],
  'a default role setting': [
    'alter role keeper set search_path to shadow',
    { by: 'b', sql: 'select 1' },
    { by: 'b', ends: true },
    { by: 'b', sql: 'select public.people.ssn from public.people' },
  ],
  'a database setting': [
    "do $$ begin execute format('alter database %I set search_path to shadow, public', current_database()); end $$",
    { by: 'b', sql: 'select ssn, name, email from public.people' },
  ],
  'a setting of the database that keeps it': [
    "do $$ begin execute format('alter database %I set x.y to %L', current_database(), (select ssn from people where id = 1)); end $$",
    { by: 'b', sql: 'show x.y' },
  ],
  'in a failed transaction': ['begin', 'select 1 / 0', 'select ssn from people', 'rollback', 'select ssn from people'],
  'behind a failed COMMIT': ['begin', 'select 1 / 0', 'commit', 'select ssn from people'],
  'COMMIT AND CHAIN': ['begin', 'commit and chain', 'select ssn from people', 'commit'],
  'in a read-only transaction': ['begin read only', 'select ssn from people', 'commit'],
  'serializable deferrable': [
    'begin isolation level serializable, read only, deferrable',
    'select ssn from people',
    'commit',
  ],
});
