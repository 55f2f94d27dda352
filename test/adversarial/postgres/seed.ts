// The database under attack: every kind of place that a value can live in, and every kind of relation it can travel through.
import type { LabelRule } from '../../../src/sql/catalogue.ts';
import type { Secrets } from './secrets.ts';

/** As they stand in the configuration of the gateway. */
export const labels: readonly LabelRule[] = [
  ...'ssn email salary balance phone born seen pin token photo profile hobbies tags doc score ip vip mood words home'
    .split(' ')
    .map((column): LabelRule => ({ columns: `public.people.${column}`, label: `pii.${column}` })),
  { columns: 'public.address.street', label: 'pii.street' },
  { columns: 'public.visits.patient', label: 'pii' },
  { columns: 'public.assets.chip', label: 'pii' },
  { columns: 'public.api_keys.key', label: 'secret' },
  { columns: 'public.cards.pan', label: 'pci.pan' },
  { columns: 'public.messages.body', label: 'pii' },
  { columns: 'public.accounts.login', label: 'pii' },
  { columns: '"Odd Schema"."Odd.Table".Se Cret', label: 'pii' },
  { columns: 'public.long_rows.diary', label: 'pii' },
];

const quoted = (value: string) => `'${value.replaceAll("'", "''")}'`;

export function seed(secrets: Secrets): string {
  const s = Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, quoted(value)])) as Secrets;
  return `
create extension pgcrypto;
create type address as (street text, city text);
create domain ssn_text as text check (length(value) < 40);
create type mood as enum ('calm', 'keen', 'grim');
create table people (
  id int primary key, name text not null, ssn ssn_text unique, email varchar(80) unique, salary int check (salary > -1000000), balance numeric,
  phone bigint, born date, seen timestamptz, pin char(8), token uuid, photo bytea, profile jsonb, hobbies json, tags text[], doc xml,
  score float8, ip inet, vip boolean, mood mood, words tsvector, home address, note text,
  ssn_tail text generated always as (right(ssn::text, 4)) stored,
  email_host text generated always as (split_part(email::text, '@', 2)) virtual
);
insert into people values
  (1, 'Ada', ${s.ssn}, ${s.email}, ${s.salary}, ${s.balance}, ${s.phone}, ${s.born}, ${s.seen}, ${s.pin}, ${s.token}, convert_to(${s.photo}, 'UTF8'),
   jsonb_build_object('alias', ${s.alias}, 'n', 1), json_build_object('hobby', ${s.hobby}), array[${s.tag}, 'b'], xmlelement(name d, ${s.doc}),
   ${s.score}, ${s.ip}, true, 'keen', to_tsvector('simple', ${s.alias}), row(${s.street}, 'Wien'), 'plain'),
  (2, 'Bob', ${s.otherSsn}, ${s.otherEmail}, 1 + ${s.salary}, ${s.balance}, ${s.phone}, ${s.born}, ${s.seen}, ${s.pin}, ${s.token}, convert_to(${s.photo}, 'UTF8'),
   jsonb_build_object('alias', ${s.alias}, 'n', 2), json_build_object('hobby', ${s.hobby}), array[${s.tag}], xmlelement(name d, ${s.doc}),
   ${s.score}, ${s.ip}, false, 'calm', to_tsvector('simple', ${s.alias}), row(${s.street}, 'Graz'), 'words'),
  (3, 'Cyd', null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null);
create table orders (id int primary key, person int references people, amount numeric(10,2), status text, placed date default '2026-01-02');
insert into orders values (1, 1, 10.50, 'paid'), (2, 1, 20, 'open'), (3, 2, 30, 'paid');
create table guesses (guess text, n int);
insert into guesses select g::text, g from generate_series(1, 40) g;
create table sinks (id int primary key, public text, number bigint, data jsonb, list text[], raw bytea);
insert into sinks values (1, 'x', 1, '{}', '{}', '');
create table visits (at date not null, patient text, kind text) partition by range (at);
create table visits_old partition of visits for values from ('2020-01-01') to ('2025-01-01');
create table visits_new partition of visits for values from ('2025-01-01') to ('2030-01-01');
insert into visits values ('2021-02-03', ${s.patient}, 'a'), ('2026-02-03', ${s.patient}, 'b');
create table assets (id int, chip text);
create table vehicles (wheels int) inherits (assets);
insert into vehicles values (7, ${s.chip}, 4);
create table api_keys (id int primary key, name text, key text);
insert into api_keys values (1, 'billing', ${s.key});
create table cards (id int primary key, holder text, pan varchar(19));
insert into cards values (1, 'A', ${s.card});
create table messages (id int primary key, body text, sent date);
insert into messages values (1, 'Meet at ' || ${s.message} || ' tonight', '2026-01-02');
create table accounts (id int primary key, owner text, login text);
insert into accounts values (1, 'ada', ${s.login});
alter table accounts enable row level security;
create policy own on accounts using (owner = current_user);
create table long_rows (id int primary key, filler text, diary text);
insert into long_rows select g, repeat('f', 100), case g when 1001 then ${s.diary} else 'Silence' end from generate_series(1, 1010) g;
create schema "Odd Schema";
create table "Odd Schema"."Odd.Table" (id int, "Se Cret" text);
insert into "Odd Schema"."Odd.Table" values (1, ${s.alias});
create schema shadow;
create table shadow.people (id int, ssn text, name text, email text);
insert into shadow.people values (9, 'free', 'Shade', 'free@open.example');
create index people_lower_email on people (lower(email));
create index people_keen on people (id) where vip;
create statistics people_mcv (mcv, dependencies) on ssn, email from people;
create view directory as select id, name, email as contact from people;
create view over_view as select d.*, upper(d.contact) as loud from directory d;
create view harmless_view as select id, name from people;
create view union_view as select id, email::text as value from people union all select id, ssn::text from people;
create view counted as select p.id, count(o.id) as orders, sum(o.amount) as total from people p left join orders o on o.person = p.id group by p.id;
create materialized view stored_people as select id, ssn as number, left(name, 1) as initial from people;
create sequence tickets;
create function reads_ssn(who int) returns text language sql stable as $$ select ssn from people where id = who $$;
create function reads_row(who int) returns people language sql stable as $$ select * from people where id = who $$;
create function reads_table() returns table (number int, mail text) language sql stable as $$ select id, email from people $$;
create function reads_atomic(who int) returns text language sql stable begin atomic select email from people where people.id = who; end;
create function reads_out(out a text, out b text) language sql stable as $$ select name, ssn from people where id = 1 $$;
create function echo(value text) returns text language sql immutable as $$ select value $$;
create function whole(p people) returns text language sql immutable as $$ select p.ssn::text $$;
create function hidden() returns text language plpgsql as $$ begin return (select ssn from people where id = 1); end $$;
create function hidden_set() returns setof text language plpgsql as $$ begin return query select ssn::text from people; end $$;
create function hidden_cursor(c refcursor) returns refcursor language plpgsql as $$ begin open c for select ssn from people; return c; end $$;
create function says(value text) returns text language plpgsql immutable as $$ begin raise notice 'value: %', value; return 'said'; end $$;
create function fails(value text) returns text language plpgsql immutable as $$ begin raise exception 'value: %', value; end $$;
create function runs(query text) returns text language plpgsql as $$ declare found text; begin execute query into found; return found; end $$;
create procedure tells(inout value text) language plpgsql as $$ begin value := (select email from people where id = 1); end $$;
create table members (id int primary key, email text, city text);
insert into members values (1, 'open@free.example', 'Wien');
create function people_seen() returns trigger language plpgsql as $$ begin raise notice 'changed %', new.email; return new; end $$;
create trigger people_seen before update on people for each row execute function people_seen();
create aggregate glue(text) (sfunc = textcat, stype = text, initcond = '');
create function same_text(text, text) returns boolean language sql immutable as $$ select $1 < $2 $$;
create operator === (leftarg = text, rightarg = text, function = same_text);
analyze;
`;
}
