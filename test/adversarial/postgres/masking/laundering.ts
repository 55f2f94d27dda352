// Carrying a value to a place that has no label, and reading it there (field notes 39, 40): by writes, by structure, by the session.
import { attacks } from '../attack.ts';

export const laundering = attacks({
  'INSERT … SELECT': [
    'insert into sinks (id, public) select 5, ssn from people where id = 1',
    'select public from sinks',
  ],
  'INSERT with a subquery': [
    'insert into sinks (id, public) values (5, (select ssn from people where id = 1))',
    'select public from sinks',
  ],
  'INSERT of a computed value': [
    'insert into sinks (id, number) select 5, salary + 1 from people where id = 1',
    'select number from sinks',
  ],
  'INSERT of a row as JSON': [
    'insert into sinks (id, data) select 5, to_jsonb(p) from people p where id = 1',
    'select data from sinks',
  ],
  'INSERT of an array': ['insert into sinks (id, list) select 5, array_agg(ssn) from people', 'select list from sinks'],
  'INSERT of bytes': [
    "insert into sinks (id, raw) select 5, convert_to(email, 'UTF8') from people where id = 1",
    'select raw from sinks',
  ],
  'INSERT DEFAULT through a function': [
    'insert into sinks (id, public) values (5, reads_ssn(1))',
    'select public from sinks',
  ],
  'INSERT through an unreadable function': [
    'insert into sinks (id, public) values (5, hidden())',
    'select public from sinks',
  ],
  UPDATE: ['update sinks set public = (select ssn from people where id = 1) where id = 1', 'select public from sinks'],
  'UPDATE FROM': ['update sinks set public = email from people where people.id = sinks.id', 'select public from sinks'],
  'UPDATE to an open column': ['update people set note = ssn where id = 1', 'select note from people'],
  'UPDATE of several columns': [
    'update people set (note, name) = (select ssn, email from people q where q.id = people.id) where id = 1',
    'select note, name from people',
  ],
  'UPDATE of an array element': [
    'update sinks set list[1] = (select ssn from people where id = 1) where id = 1',
    'select list from sinks',
  ],
  'UPDATE of a JSON key': [
    "update sinks set data['a'] = to_jsonb((select ssn::text from people where id = 1)) where id = 1",
    'select data from sinks',
  ],
  'ON CONFLICT DO UPDATE': [
    'insert into sinks (id) values (1) on conflict (id) do update set public = (select ssn from people where id = 1)',
    'select public from sinks',
  ],
  MERGE: [
    'merge into sinks s using people p on s.id = p.id when matched then update set public = p.ssn when not matched then insert (id, public) values (p.id + 10, p.email)',
    'select public from sinks',
  ],
  'DELETE RETURNING into INSERT': [
    'with d as (delete from cards returning pan) insert into sinks (id, public) select 5, pan from d',
    'select public from sinks',
  ],
  'UPDATE RETURNING into INSERT': [
    "with u as (update people set note = 'x' where id = 1 returning ssn) insert into sinks (id, public) select 5, ssn from u",
    'select public from sinks',
  ],
  'into a labelled column of another table': [
    "insert into cards select 5, 'x', ssn from people where id = 1",
    'select upper(pan) from cards',
  ],
  'CREATE TABLE AS': ['create table t as select id, ssn from people', 'select * from t'],
  'CREATE TEMP TABLE AS': ['create temp table t as table people', 'select * from t'],
  'CREATE TABLE AS with columns': ['create table t (a, b) as select id, ssn from people', 'select b from t'],
  'SELECT INTO': ['select id, email into t from people', 'select * from t'],
  'SELECT INTO TEMP': ['select ssn into temp t from people', 'select * from t'],
  'a view': ['create view v as select ssn as x from people', 'select x from v'],
  'a temporary view': ['create temp view v as select ssn as x from people', 'select x from v'],
  'a view with columns': ['create view v (a) as select ssn from people', 'select a from v'],
  'a recursive view': ['create recursive view v (a) as select ssn::text from people', 'select a from v'],
  'a view over a view': [
    'create temp view v as select contact as c from directory',
    'create temp view w as select c as d from v',
    'select d from w',
  ],
  'a replaced view': [
    'create or replace view harmless_view as select id, ssn::text as name from people',
    'select name from harmless_view',
  ],
  'a shipped view': 'select contact from directory',
  'a view over a view as shipped': 'select loud from over_view',
  'a view of a UNION': 'select value from union_view',
  'a materialised view as shipped': 'select number from stored_people',
  'a materialised view': ['create materialized view m as select ssn as x from people', 'select x from m'],
  'a materialised view, refreshed later': [
    'create materialized view m as select ssn as x from people with no data',
    'refresh materialized view m',
    'select x from m',
  ],
  'a renamed view column': ['alter view directory rename column contact to note', 'select note from directory'],
  'a renamed materialised view column': [
    'alter materialized view stored_people rename column number to n',
    'select n from stored_people',
  ],
  'a renamed column': ['alter table people rename column ssn to harmless', 'select harmless from people'],
  'a renamed table': ['alter table people rename to persons', 'select ssn from persons'],
  'a renamed schema': ['alter schema "Odd Schema" rename to even', 'select "Se Cret" from even."Odd.Table"'],
  'a table moved to another schema': ['alter table cards set schema shadow', 'select pan from shadow.cards'],
  'a swap of names': [
    'begin',
    'alter table people rename to p1',
    'alter table shadow.people set schema public',
    'select ssn from p1',
    'rollback',
  ],
  'ALTER TYPE USING': ['alter table people alter note type text using ssn', 'select note from people'],
  'a new generated column': [
    'alter table people add copy text generated always as (ssn::text) stored',
    'select copy from people',
  ],
  'a new virtual generated column': [
    "alter table cards add copy text generated always as (pan || '') virtual",
    'select copy from cards',
  ],
  'a new default that reads': [
    'alter table sinks alter public set default reads_ssn(1)',
    'insert into sinks (id) values (5) returning public',
  ],
  'CREATE TABLE with a default that reads': [
    'create temp table t (id int, x text default reads_ssn(1))',
    'insert into t values (1)',
    'select x from t',
  ],
  'LIKE, then a copy': ['create temp table t (like cards)', 'insert into t select * from cards', 'select pan from t'],
  'a detached partition': ['alter table visits detach partition visits_new', 'select patient from visits_new'],
  'an attached partition': [
    'create table visits_more (at date not null, patient text, kind text)',
    "alter table visits attach partition visits_more for values from ('2030-01-01') to ('2040-01-01')",
    "insert into visits_more values ('2031-01-01', 'x', 'y')",
    'select patient from visits',
  ],
  'a typed table': [
    'create table t of address',
    'insert into t select (home).* from people where id = 1',
    'select street from t',
  ],
  'a table dropped and made again': [
    'create table keep as select pan from cards',
    'drop table cards',
    'alter table keep rename to cards2',
    'select pan from cards2',
  ],
  'a column dropped and added again': [
    'alter table cards add column p2 text',
    'update cards set p2 = pan',
    'select p2 from cards',
  ],
  'a trigger that copies': [
    'create function t() returns trigger language plpgsql as $$ begin insert into sinks (id, public) values (5, new.pan); return new; end $$',
    'create trigger t after update on cards for each row execute function t()',
    "update cards set holder = 'y'",
    'select public from sinks',
  ],
  'a trigger with transition tables': [
    'create function t() returns trigger language plpgsql as $$ begin insert into sinks (id, public) select 5, pan from o; return null; end $$',
    'create trigger t after update on cards referencing old table as o for each statement execute function t()',
    "update cards set holder = 'y'",
    'select public from sinks',
  ],
  'a rule that copies': [
    'create rule r as on update to cards do also insert into sinks (id, public) values (5, old.pan)',
    "update cards set holder = 'y'",
    'select public from sinks',
  ],
  'a rule that shows': [
    'create rule r as on insert to guesses do also select ssn from people',
    "insert into guesses values ('x', 99)",
  ],
  'a rule on a view': [
    'create view v as select 1 as a',
    'create rule r as on insert to v do instead insert into sinks (id, public) select 5, ssn from people where id = 1',
    'insert into v values (1)',
    'select public from sinks',
  ],
  'an INSTEAD OF trigger': [
    'create view v as select 1 as a',
    'create function t() returns trigger language plpgsql as $$ begin insert into sinks (id, public) select 5, ssn from people where id = 1; return new; end $$',
    'create trigger t instead of insert on v for each row execute function t()',
    'insert into v values (1)',
    'select public from sinks',
  ],
  'an event trigger': [
    'create function t() returns event_trigger language plpgsql as $$ begin insert into sinks (id, public) select 5, ssn from people where id = 1; end $$',
    'create event trigger t on ddl_command_end execute function t()',
    'create temp table x ()',
    'select public from sinks',
  ],
  'a policy that tells': [
    "create policy p on sinks using (says((select ssn from people where people.id = 1)) = 'said')",
    'alter table sinks enable row level security',
    'alter table sinks force row level security',
    'set role reader',
    'reset role',
    'select says(hidden())',
  ],
  'an index that calls': {
    steps: [
      "create function g(p people) returns text language plpgsql immutable as $$ begin raise notice '%', p.ssn; return 'x'; end $$",
      'create index i on people (g(people))',
    ],
  },
  'a constraint that calls': ["alter table people add check (says(ssn) = 'said')"],
  'a sequence that keeps it': [
    "select setval('tickets', salary) from people where id = 1",
    'select last_value from tickets',
  ],
  'a sequence started from it': [
    "do $$ begin execute format('alter sequence tickets restart %s', (select salary from people where id = 1)); end $$",
    "select nextval('tickets')",
  ],
  'an identity column from it': [
    "select setval('tickets', phone) from people where id = 1",
    "select currval('tickets'), lastval()",
  ],
  'a setting of the session': [
    "select set_config('x.y', ssn, false) from people where id = 1",
    "select current_setting('x.y')",
  ],
  'a setting of the transaction': [
    'begin',
    "select set_config('x.y', ssn, true) from people where id = 1",
    'show x.y',
    'commit',
  ],
  'a known setting': [
    "select set_config('timezone', '<' || left(ssn, 3) || '>' || right(ssn, 1), false), set_config('search_path', ssn, false) from people where id = 1",
    'show search_path',
  ],
  'a setting of a role': [
    "do $$ begin execute format('alter role reader set x.y to %L', (select ssn from people where id = 1)); end $$",
    'select setconfig from pg_db_role_setting',
  ],
  'a setting in a WHERE': {
    steps: ["select count(*) from people where id = 1 and set_config('x.y', ssn, false) <> ''", 'show x.y'],
  },
  'a setting through a subquery': [
    "select set_config('x.y', (select email from people where id = 1), false) is null",
    'show x.y',
  ],
  'a large object': ['select lo_from_bytea(4711, ssn::text::bytea) from people where id = 1', 'select lo_get(4711)'],
  'a large object, put': [
    'select lo_create(4712)',
    "select lo_put(4712, 0, convert_to(email, 'UTF8')) from people where id = 1",
    'select lo_get(4712)',
  ],
  'a large object, opened': [
    'begin',
    'select lo_create(4713)',
    'select lowrite(lo_open(4713, 131072), ssn::text::bytea) from people where id = 1',
    'select loread(lo_open(4713, 262144), 20)',
    'commit',
  ],
  'an advisory lock': {
    steps: [
      'select pg_advisory_lock(salary) from people where id = 1',
      "select objid::text, classid from pg_locks where locktype = 'advisory'",
    ],
    finds: ['91827364'],
  },
  'an advisory lock, asked from elsewhere': {
    steps: [
      'select pg_advisory_lock(salary) from people where id = 1',
      { by: 'b', sql: "select objid from pg_locks where locktype = 'advisory'" },
    ],
  },
  'a savepoint or cursor by its name': [
    "do $$ begin execute format('declare %I cursor with hold for select 1', (select ssn from people where id = 1)); end $$",
    'select name from pg_cursors',
  ],
  'a prepared transaction by its name': {
    steps: [
      "do $$ begin execute format('create table if not exists %I (a int)', (select email from people where id = 1)); end $$",
      "select relname from pg_class where relname like '%@%'",
    ],
  },
  'two steps through an open table': [
    'create temp table t (a text, b text)',
    'insert into t (a) select ssn from people',
    'update t set b = a',
    'select b from t',
  ],
  'by COPY out and in': [
    "copy (select 6, ssn from people where id = 1) to program 'cat > /tmp/countersign-attack-4.txt'",
    "copy sinks (id, public) from program 'cat /tmp/countersign-attack-4.txt'",
    'select public from sinks',
  ],
  'a new label on the old place': [
    "comment on column people.ssn is 'open'",
    "security label for dummy on column people.ssn is 'open'",
    'select ssn from people',
  ],

  // The copy rests in a column that inherits the label, so what counts is what is heard.
  'an inheriting table': {
    kind: 'tells',
    steps: [
      'create table child () inherits (cards)',
      'alter table child no inherit cards',
      'insert into child select 7, holder, pan from only cards',
      'select pan from child',
    ],
  },
});
