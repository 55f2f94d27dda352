import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorld, type World } from '../../test/adversarial/effects/world.ts';
import type { Effect } from '../domain/effect.ts';
import { Fault } from '../domain/fault.ts';
import { openAnalyser } from './analyse.ts';
import { loadParser } from './parse.ts';
import { checkParameterTypes } from './text.ts';

const schema = `
create table parts (id integer primary key, order_id integer references orders on delete cascade);
create table notes (id integer primary key, order_id integer references orders on delete set null on update cascade);
create table deep (id integer, part_id integer references parts on delete cascade);
create table stamped (id serial primary key, updated_at timestamptz, status text, email text);
create function stamp() returns trigger language plpgsql as $$
  begin new.updated_at := now(); if tg_op = 'UPDATE' and new.status is distinct from old.status then new.status := lower(new.status); end if; return new; end $$;
create trigger stamp before insert or update on stamped for each row execute function stamp();
create table logged (id integer);
create function log_row() returns trigger language plpgsql as $$ begin insert into audit(what) values (tg_op || new.id); return null; end $$;
create trigger log_row after insert on logged for each row execute function log_row();
create table bomb (id integer, note text);
create function bomb() returns trigger language plpgsql as $$ begin delete from orders; return null; end $$;
create trigger bomb after delete on bomb for each statement execute function bomb();
create table dark (id integer);
create function dark() returns trigger language plpgsql as $$ begin execute format('delete from %I', tg_argv[0]); return null; end $$;
create trigger dark after insert on dark for each row execute function dark('orders');
create table off (id integer);
create trigger dark after insert on off for each row execute function dark('orders');
alter table off disable trigger dark;
create table conditional (id integer);
create trigger conditional before update on conditional for each row when (purge() > new.id) execute function suppress_redundant_updates_trigger();
create function pure_claim(a integer) returns boolean language sql immutable as 'select public.purge() > a';
create table checked (id integer check (pure_claim(id)));
create table defaulted (id integer, at bigint default purge());
create table indexed (id integer);
create index on indexed (pure_claim(id));
create table generated (id integer, ok boolean generated always as (pure_claim(id)) stored);
create domain evil as integer check (purge() > value);
create domain fine as text check (value ~ '^x' and length(value) < 9);
create type holder as (a evil);
create table domained (id evil);
create table arrays (ids evil[]);
create table composed (h holder);
create view insteaded as select id from customers;
create function instead() returns trigger language plpgsql as $$ begin truncate audit; return new; end $$;
create trigger instead instead of insert on insteaded for each row execute function instead();
create table gated (id integer);
alter table gated enable row level security;
create policy gate on gated using (purge() > 0);
create table tenants (id integer, owner text);
alter table tenants enable row level security;
create policy own on tenants using (owner = current_user and id in (select id from tenants));
create table ruled_all (id integer);
create rule r as on update to ruled_all do also insert into audit(what) values ('was ' || old.id);
create table copier (id integer);
create function copier() returns trigger language plpgsql as $$ begin insert into audit(what) select email from customers; return null; end $$;
create trigger copier after insert on copier for each row execute function copier();
create function acc(a bigint, b integer) returns bigint language sql as 'select purge() + a + b';
create aggregate evil_sum(integer) (sfunc = acc, stype = bigint, initcond = '0');
create function acc_ok(a bigint, b integer) returns bigint language sql as 'select a + b';
create aggregate fine_sum(integer) (sfunc = acc_ok, stype = bigint, initcond = '0');
create aggregate own_sum(integer) (sfunc = int4_sum, stype = bigint);
create function keys_gone() returns trigger language plpgsql as $$ begin delete from keys where id = 1; return null; end $$;
create table path_used (id integer);
create trigger t after insert on path_used execute function keys_gone();
create function takes_default(a bigint default purge()) returns bigint language sql as 'select a';
create function says_immutable() returns bigint language plpgsql immutable as $$ begin return purge(); end $$;
create view calls_body as select purge() as n;
create table ring_a (id integer); create table ring_b (id integer);
create function to_b() returns trigger language plpgsql as $$ begin insert into ring_b values (1); return null; end $$;
create function to_a() returns trigger language plpgsql as $$ begin insert into ring_a values (1); return null; end $$;
create trigger t after insert on ring_a execute function to_b();
create trigger t after insert on ring_b execute function to_a();
`;

let world: World;
beforeAll(async () => {
  await loadParser();
  world = await openWorld(schema);
});
afterAll(() => world.stop());

const effectsOf = (sql: string, from = world.scope): readonly Effect[] =>
  openAnalyser().analyse(sql, from).meaning.effects;
const told = ({ action, resource, attributes }: Effect) => {
  const { schema: of, relation, routine } = resource;
  const name = [of, relation, routine && `${routine}()`].filter((part) => part !== undefined).join('.');
  const marks = ['fired', 'unreadable', 'cascade'].filter((mark) => attributes?.[mark]).join(',');
  const where = attributes?.['hasWhere'] === false ? ' all' : '';
  return `${action} ${name}${where}${marks ? ` {${marks}}` : ''}`;
};

test.each([
  ['delete from bomb where id = 1', 'sql:delete public.orders all {fired}'],
  ['insert into logged values (1)', 'sql:insert public.audit {fired}'],
  ['copy logged from stdin', 'sql:insert public.audit {fired}'],
  [
    'merge into logged l using orders o on l.id = o.id when not matched then insert values (o.id)',
    'sql:insert public.audit {fired}',
  ],
  ['insert into dark values (1)', 'sql:call public.dark() {fired,unreadable}'],
  ['update conditional set id = 2 where id = 1', 'sql:delete public.orders all {fired}'],
  ['insert into checked values (1)', 'sql:delete public.orders all {fired}'],
  ['insert into defaulted(id) values (1)', 'sql:delete public.orders all {fired}'],
  ['insert into indexed values (1)', 'sql:delete public.orders all {fired}'],
  ['update generated set id = 2 where id = 1', 'sql:delete public.orders all {fired}'],
  ['insert into insteaded values (1)', 'sql:truncate public.audit {fired}'],
  ['select * from gated', 'sql:delete public.orders all {fired}'],
  ['insert into ruled values (1)', 'sql:delete public.orders all {fired}'],
  ['update ruled_all set id = 2 where id = 1', 'sql:insert public.audit {fired}'],
  ['delete from orders where id = 1', 'sql:delete public.parts {fired,cascade}'],
  ['delete from orders where id = 1', 'sql:delete public.deep {fired,cascade}'],
  ['delete from orders where id = 1', 'sql:update public.notes {fired,cascade}'],
  ['update orders set id = 2 where id = 1', 'sql:update public.notes {fired,cascade}'],
  ['truncate orders cascade', 'sql:truncate public.deep {fired,cascade}'],
  ['insert into copier values (1)', 'sql:derive public.customers'],
  ['select evil_sum(id) from orders', 'sql:delete public.orders all'],
  ['select takes_default()', 'sql:delete public.orders all'],
  ['explain select says_immutable()', 'sql:delete public.orders all'],
  ['select n from calls_body', 'sql:delete public.orders all'],
  ['insert into ring_a values (1)', 'sql:insert public.ring_b {fired}'],
])('%s: %s', (sql, wanted) => {
  expect(effectsOf(sql).map(told)).toContain(wanted);
});

// The server runs the CHECK of a domain when it parses a literal of an array or a row of it, or binds a value: nobody was asked yet.
test.each([
  ['insert into domained values (1)'],
  ["insert into arrays values ('{1}')"],
  ["insert into composed values ('(1)')"],
  ['select 1::evil'],
  ["select '{1}'::evil[]"],
  ["select '(1)'::holder"],
  ["select * from json_populate_record(null::composed, '{}')"],
  ["select * from json_to_record('{}') as x(a evil)"],
  ["select pg_input_is_valid('1', 'evil')"],
  ['select * from domained'],
  ["select count(*) from arrays where ids = '{1}'"],
  ['prepare p as select $1::evil'],
])('a domain that acts is refused wherever a value of it could be read: %s', (sql) => {
  expect(() => effectsOf(sql)).toThrow(Fault);
});

test('a domain that acts is refused as the type of a parameter; one that computes is not', () => {
  const oid = (name: string) => world.scope.catalogue.typeNamed('public', name)!.oid;
  for (const name of ['evil', 'holder', '_evil'])
    expect(() => checkParameterTypes([0, 25, oid(name)], world.scope), name).toThrow(/base type/);
  checkParameterTypes([0, 25, oid('fine'), oid('mood')], world.scope);
  expect(effectsOf("select 'x'::fine, '{x}'::fine[]")).toEqual([]);
});

test('what fires runs under the search path of the session', () => {
  const from = { ...world.scope, searchPath: ['pg_catalog', 'private'] };
  expect(effectsOf('insert into public.path_used values (1)', from).map(told)).toContain(
    'sql:delete private.keys {fired}',
  );
  expect(effectsOf('insert into path_used values (1)').some((effect) => effect.attributes?.['unresolved'])).toBe(true);
});

test('what EXPLAIN only plans writes nothing', () => {
  const found = effectsOf('explain select takes_default()').concat(effectsOf('explain delete from bomb'));
  expect(found.filter(({ action }) => action === 'sql:delete')).toEqual([]);
});

test('ordinary triggers, defaults, keys and policies are read and add nothing that waits or is refused', () => {
  for (const sql of [
    "insert into stamped(status) values ('x') returning id",
    "update stamped set status = 'y' where id = 1",
    'insert into off values (1)',
    'select * from tenants',
    "update tenants set owner = 'a' where id = 1",
    'select fine_sum(id) from orders',
    'select own_sum(id) from orders',
    'insert into bomb values (1)',
    'delete from checked where id = 1',
    'insert into parts values (1, 1)',
    'delete from parts where id = 1',
    'insert into customers(id, name) values (1, $1)',
  ]) {
    const risky = effectsOf(sql).filter(
      ({ action, attributes }) =>
        attributes?.['unreadable'] ||
        attributes?.['unresolved'] ||
        attributes?.['hasWhere'] === false ||
        ['sql:derive', 'sql:probe', 'sql:truncate', 'sql:drop', 'sql:alter'].includes(action),
    );
    expect(risky, sql).toEqual([]);
  }
});

test('event triggers fire with DDL alone', async () => {
  await world.client.query(`create function on_ddl() returns event_trigger language plpgsql as $$ begin delete from orders; end $$;
    create function on_drop() returns event_trigger language plpgsql as $$ begin execute tg_tag; end $$;
    create event trigger on_ddl on ddl_command_end execute function on_ddl();
    create event trigger on_drop on sql_drop execute function on_drop();`);
  const from = await world.read();
  expect(effectsOf('create temp table t(a int)', from).map(told)).toContain('sql:delete public.orders all {fired}');
  expect(effectsOf('create temp table t(a int)', from).map(told)).not.toContain(
    'sql:call public.on_drop() {fired,unreadable}',
  );
  expect(effectsOf('drop table orders', from).map(told)).toContain('sql:call public.on_drop() {fired,unreadable}');
  expect(effectsOf('select * from orders', from).some((effect) => effect.attributes?.['fired'])).toBe(false);
});
