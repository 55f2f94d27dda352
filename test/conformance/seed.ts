/** What is in every database of the conformance tests; `people.email` is labelled, so masks are at work in every client. */
export const seed = `
create type mood as enum ('sad', 'ok', 'happy');
create table people (
  id integer generated always as identity primary key,
  name text not null,
  email text,
  city varchar(40) default 'Porto',
  born date
);
comment on table people is 'Who we know';
comment on column people.name is 'As they write it';
insert into people (name, email, city, born) values
  ('Ada', 'ada@mail.example', 'London', '1815-12-10'),
  ('Grace', 'grace@mail.example', 'New York', '1906-12-09'),
  ('Zoë', null, 'Genève', null);
create table orders (
  id bigserial primary key,
  person integer not null references people on delete cascade,
  amount numeric(12, 2) check (amount >= 0),
  placed timestamptz not null default '2026-01-02 03:04:05+00',
  note text,
  unique (person, placed, id)
);
create index orders_by_amount on orders (amount desc) where amount > 10;
insert into orders (person, amount, note) select 1 + g % 3, g * 1.25, 'order ' || g from generate_series(1, 60) g;
create view totals as select p.name, sum(o.amount) as total, count(*) as orders from people p join orders o on o.person = p.id group by p.name;
create table kinds (
  id integer primary key, b boolean, i2 smallint, i8 bigint, f4 real, f8 double precision, n numeric, t text, c char(5), by bytea,
  d date, ti time, ts timestamp, tz timestamptz, iv interval, u uuid, j json, jb jsonb, a integer[], ta text[], m mood, ip inet, r int4range, x xml
);
insert into kinds values
  (1, true, -2, 9007199254740993, 1.5, 2.25, 12345678901234567890.123, 'tëxt', 'ab', '\\x00ff10', '2026-02-03', '04:05:06.789', '2026-02-03 04:05:06',
   '2026-02-03 04:05:06+00', '1 day 02:03:04', '00112233-4455-6677-8899-aabbccddeeff', '{"a": [1, null]}', '{"b": "ü"}', '{1,NULL,3}', '{x,"y z"}', 'happy', '10.0.0.1/8', '[1,5)', '<a>1</a>'),
  (2, null, null, null, null, null, 'NaN', '', null, '', null, null, null, null, null, null, null, null, '{}', null, null, null, 'empty', null);
create function add(a integer, b integer) returns integer language sql immutable as 'select a + b';
create procedure place(who integer, price numeric, inout made bigint default null) language plpgsql as $$
begin
  insert into orders (person, amount, note) values (who, price, 'placed') returning id into made;
end $$;
`;
