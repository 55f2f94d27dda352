// A real schema with planted values for the lineage corpus: every kind of relation through which a value could travel.
import pg from 'pg';
import { catalogueQueries, readCatalogue, type Catalogue, type LabelRule } from '../../../src/sql/catalogue.ts';
import { testPostgres, type TestPostgres } from '../../peers/postgres.ts';

export const rules: readonly LabelRule[] = [
  { columns: 'public.people.ssn', label: 'pii.ssn' },
  { columns: 'public.people.email', label: 'pii.email' },
  { columns: 'public.people.salary', label: 'pii.salary' },
  { columns: 'public.people.born', label: 'pii.born' },
  { columns: 'public.people.profile', label: 'pii' },
  { columns: 'public.people.tags', label: 'pii' },
  { columns: 'public.people.vip', label: 'pii' },
  { columns: 'public.address.street', label: 'pii' },
  { columns: 'public.events.who', label: 'pii' },
  { columns: 'public.animals.chip', label: 'pii' },
  { columns: '"Odd Schema"."Odd.Table".Se Cret', label: 'pii' },
  { columns: '*.*.Secret', label: 'secret' },
];

/** The planted values; none may be seen in any form. */
export const secrets = [
  '536909148',
  '702411385',
  'quill.harrow@vault.example',
  '918273',
  '1971-03-17',
  'Zephyrgasse',
  'X9K7chip55',
  'Kestrelmoor',
];

const schema = `
create type address as (street text, city text);
create domain ssn_text as text check (length(value) < 40);
create type mood as enum ('calm', 'keen');
create table people (
  id int primary key, name text, ssn ssn_text unique, email varchar(80), salary int, born date, profile jsonb, tags text[], vip boolean,
  home address, mood mood, note text, ssn_tail text generated always as (right(ssn::text, 4)) stored
);
insert into people values
  (1, 'Ada', '536909148', 'quill.harrow@vault.example', 918273, '1971-03-17', '{"alias": "Kestrelmoor", "n": 1}', '{Kestrelmoor,b}', true, row('Zephyrgasse', 'Wien'), 'keen', 'plain'),
  (2, 'Bob', '702411385', 'quill.harrow@vault.example', 918273, '1971-03-17', '{"alias": "Kestrelmoor", "n": 2}', '{Kestrelmoor}', false, row('Zephyrgasse', 'Graz'), 'calm', 'words');
create table orders (id int primary key, person int references people, amount numeric(10,2), placed timestamptz default '2026-01-02', status text);
insert into orders values (1, 1, 10.50, '2026-01-02', 'paid'), (2, 1, 20, '2026-01-03', 'open'), (3, 2, 30, '2026-01-04', 'paid');
create table guesses (guess text, n int);
insert into guesses values ('111111111', 1), ('999999999', 2);
create table sinks (id int primary key, public text, number int);
insert into sinks values (1, 'x', 1);
create table events (at date, who text, kind text) partition by range (at);
create table events_old partition of events for values from ('2020-01-01') to ('2025-01-01');
create table events_new partition of events for values from ('2025-01-01') to ('2030-01-01');
insert into events values ('2021-02-03', 'Kestrelmoor', 'a'), ('2026-02-03', 'Kestrelmoor', 'b');
create table animals (id int, chip text);
create table dogs (breed text) inherits (animals);
insert into dogs values (7, 'X9K7chip55', 'beagle');
create view directory as select id, name, email as contact from people;
create view over_view as select d.*, upper(d.contact) as loud from directory d;
create view harmless_view as select id, name from people where ssn like '5%';
create materialized view stored_view as select id, ssn as number, left(name, 1) as initial from people;
create view union_view as select id, email::text as value from people union all select id, ssn::text from people;
create view counted as select p.id, count(o.id) as orders, sum(o.amount) as total from people p left join orders o on o.person = p.id group by p.id;
create schema "Odd Schema";
create table "Odd Schema"."Odd.Table" (id int, "Se Cret" text);
insert into "Odd Schema"."Odd.Table" values (1, 'Kestrelmoor');
create table vaults (id int, "Secret" text, secret text);
insert into vaults values (1, 'Kestrelmoor', 'open');
create function reads_ssn(who int) returns text language sql stable as $$ select ssn from people where id = who $$;
create function reads_row(who int) returns people language sql stable as $$ select * from people where id = who $$;
create function reads_table() returns table (number int, mail text) language sql stable as $$ select id, email from people $$;
create function reads_atomic(who int) returns text language sql stable begin atomic select email from people where people.id = who; end;
create function reads_return() returns text language sql stable return (select email from people limit 1);
create function echo(value text) returns text language sql immutable as $$ select value $$;
create function twice(text) returns text language sql immutable as $$ select $1 || $1 $$;
create function two(out a text, out b text) language sql stable as $$ select name, ssn from people limit 1 $$;
create function hidden() returns text language plpgsql as $$ begin return (select ssn from people limit 1); end $$;
create function added(a int, b int) returns int language plpgsql immutable as $$ begin return a + b; end $$;
create aggregate glue(text) (sfunc = textcat, stype = text, initcond = '');
create function same_text(text, text) returns boolean language sql immutable as $$ select $1 < $2 $$;
create operator === (leftarg = text, rightarg = text, function = same_text);
create schema shadow;
create table shadow.people (id int, ssn text, name text);
insert into shadow.people values (9, 'free', 'Shade');
create function shadow.count(text) returns text language sql immutable as $$ select $1 $$;
create extension if not exists pgcrypto;
create extension if not exists pageinspect;
set allow_system_table_mods = on;
create function pg_catalog.sneaky() returns text language plpgsql as $$ begin return (select ssn from people limit 1); end $$;
reset allow_system_table_mods;
`;

export interface Shop {
  readonly server: TestPostgres;
  readonly client: pg.Client;
  readonly catalogue: Catalogue;
  reload(by?: readonly LabelRule[]): Promise<Catalogue>;
  stop(): Promise<void>;
}

export async function openShop(): Promise<Shop> {
  const server = await testPostgres();
  const client = new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    user: server.superuser,
    password: server.password,
    database: 'postgres',
  });
  await client.connect();
  for (const statement of schema.split(/;\n/)) if (statement.trim()) await client.query(statement);
  await client.query('analyze');
  const reader = new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    user: server.superuser,
    password: server.password,
    database: 'postgres',
  });
  await reader.connect();
  const reload = async (by: readonly LabelRule[] = rules) => {
    const results: string[][][] = [];
    for (const text of catalogueQueries)
      results.push((await reader.query({ text, rowMode: 'array' })).rows as string[][]);
    return readCatalogue(results, by);
  };
  return {
    server,
    client,
    catalogue: await reload(),
    reload,
    async stop() {
      await client.end();
      await reader.end();
      await server.stop();
    },
  };
}
