// Ways to find out a nine-digit value that arrives masked: by everything that a query can ask of it. The file only grows.

/** One a session, each sent whether or not those before it were refused: what comes back must not depend on the value. */
export const blocked: Readonly<Record<string, readonly string[]>> = {
  'a range': [`select id from people where ssn < '5'`, `select count(*) from people where ssn between '5' and '6'`],
  'a pattern': [
    `select id from people where ssn like '5%'`,
    `select id from people where ssn ~ '^5'`,
    `select id from people where ssn similar to '5%'`,
  ],
  'a part of it': [
    `select id from people where left(ssn, 1) = '5'`,
    `select id from people where substr(ssn, 2, 1) in ('3', '0')`,
    `select id from people where ascii(ssn) = 53`,
  ],
  'its number': [
    `select id from people where ssn::int < 600000000`,
    `select id from people where ssn::int % 2 = 0`,
    `select id, ssn::int / 100000000 from people`,
  ],
  CASE: [
    `select id, case when ssn < '5' then 1 else 0 end from people`,
    `select sum(case when ssn like '5%' then 1 else 0 end) from people`,
    `select id, case left(ssn, 1) when '5' then 'x' end from people`,
  ],
  'a filter': [
    `select count(*) filter (where ssn < '5') from people`,
    `select bool_and(ssn < '5') from people`,
    `select name from people group by name, ssn having ssn < '5'`,
  ],
  'division by zero': [
    `select id, 1 / (ssn::int - ssn::int) from people`,
    `select id, 1 / (ascii(ssn) - 53) from people`,
    `select id from people where 1 / (length(ssn) - 9) is null`,
  ],
  'a failing cast': [
    `select (case when ssn < '6' then '1' else 'x' end)::int from people`,
    `select (ssn || 'x')::int from people`,
    `select ssn::smallint from people`,
  ],
  time: [
    `select pg_sleep(case when ssn < '6' then 1 else 0 end) from people`,
    `select id from people where ssn < '6' and pg_sleep(1) is not null`,
    `select pg_sleep(ascii(ssn) - 53) from people`,
  ],
  'the order': [
    `select id from people order by ssn`,
    `select name from (select name, ssn::text from people union all select 'guess', '4') t order by ssn`,
    `select id, row_number() over (order by ssn) from people`,
    `select array_agg(id order by ssn) from people`,
    `select id from people order by left(ssn, 1), id`,
  ],
  'an extreme': [
    `select id from people where ssn = (select min(ssn) from people)`,
    `select greatest(ssn, '6') = '6' from people`,
    `select least(ssn, '6') from people`,
  ],
  'how many rows': [
    `select id from people limit (select ascii(ssn) - 52 from people where id = 1)`,
    `select generate_series(1, ascii(ssn) - 50) from people where id = 1`,
    `select p.id from people p, generate_series(1, ssn::int % 10) where p.id = 1`,
  ],
  'whether NULL comes out': [
    `select nullif(left(ssn, 1), '5') from people`,
    `select substring(ssn from '^5.*') from people`,
    `select regexp_substr(ssn, '^5') from people`,
    `select (regexp_match(ssn, '^5'))[1] from people`,
    `select (string_to_array(ssn, '5'))[2] from people`,
  ],
  'a count of NULL': [
    `select count(nullif(left(ssn, 1), '5')) from people`,
    `select count(substring(ssn from '^5')) from people`,
    `select num_nulls(nullif(left(ssn, 1), '5')) from people`,
  ],
  'a series': [
    `select g from generate_series(536909140, 536909149) g join people p on p.ssn = g::text`,
    `select p.id from people p where p.ssn = any (array(select g::text from generate_series(536909140, 536909149) g))`,
    `select id from people where ssn in (select g::text from generate_series(536909140, 536909149) g)`,
  ],
  'a recursive series': [
    `with recursive n(i) as (select 536909140 union all select i + 1 from n where i < 536909149) select i from n join people on ssn = i::text`,
  ],
  'products of lists': [
    `select a.x || b.x from (values ('536909'), ('2')) a(x), (values ('148'), ('4')) b(x), people p where p.ssn = a.x || b.x`,
    `select a.x from (values ('536909'), ('2')) a(x), (values ('148'), ('4')) b(x) join people p on p.ssn = b.x where p.ssn = concat(a.x, b.x)`,
  ],
  'numbers by chance': [
    `select g.x from (select (random() * 1e9)::int::text as x from generate_series(1, 9)) g join people p on p.ssn = g.x`,
    `select id from people where ssn = (nextval('tickets'))::text`,
    `select r.n from (select row_number() over () as n from people a, people b) r join people p on p.ssn = r.n::text`,
  ],
  'a table of guesses': [
    `create temporary table guesses (guess text)`,
    `insert into guesses values ('536909148'), ('111111111')`,
    `select guess from guesses join people on ssn = guess`,
    `select guess from guesses where guess in (select ssn from people)`,
    `select guess from guesses where exists (select 1 from people where ssn = guess)`,
  ],
  sets: [
    `select g::text from generate_series(536909140, 536909149) g except select ssn from people`,
    `select count(*) from (select ssn from people union select g::text from generate_series(536909140, 536909149) g) t`,
    `select count(*) from (select ssn from people intersect select g::text from generate_series(536909140, 536909149) g) t`,
  ],
  'unpacked texts': [
    `select id from people where ssn = any (string_to_array('536909148,2,3', ','))`,
    `select x from string_to_table('536909148,2,3', ',') x join people on ssn = x`,
    `select x from jsonb_array_elements_text('["536909148", "2"]') x join people on ssn = x`,
  ],
  containment: [
    `select id from people where array[ssn] <@ array(select g::text from generate_series(536909140, 536909149) g)`,
    `select id from people where array[ssn::text] && array['536909148', '2']`,
    `select id from people where jsonb_build_object('s', ssn) @> '{"s": "536909148"}'`,
  ],
  'a digest': [
    `select id from people where md5(ssn) < '8'`,
    `select id from people where hashtext(ssn) > 0`,
    `select id from people where md5(ssn) = md5('536909148')`,
  ],
  rows: [
    `select id from people where (ssn, id) < ('6', 1)`,
    `select id from people p where row(p.*) > row(p.*)`,
    `select id from people where (ssn, id) in (select g::text, 1 from generate_series(536909140, 536909149) g)`,
  ],
  windows: [
    `select name, rank() over (order by ssn) from (select name, ssn::text from people union all select 'guess', '4') t`,
    `select id, count(*) over (order by ssn range unbounded preceding) from people`,
    `select id, dense_rank() over (partition by left(ssn, 1) order by id) from people`,
  ],
  groups: [
    `select left(ssn, 1), count(*) from people group by 1`,
    `select count(*) from people group by left(ssn, 1)`,
    `select count(distinct left(ssn, 1)) from people`,
  ],
  'an index of its own': [`create index on people ((ssn < '6'))`],
  'a check of its own': [
    `create table probe (id int, ok int check (ok > 0))`,
    `insert into probe select id, case when ssn < '7' then 1 else 0 end from people where id = 1`,
  ],
  'a view of its own': [`create view small as select id from people where ssn < '7'`, `select * from small`],
  'what conflicts': [
    `insert into people (id, name, ssn) select 100 + g, 'x', g::text from generate_series(536909140, 536909149) g on conflict (ssn) do nothing returning name`,
  ],
  'a merge': [
    `merge into people p using (select g::text as x from generate_series(536909140, 536909149) g) g on p.ssn = g.x when matched then update set note = g.x`,
  ],
  'a code block': [
    `do $$ begin for g in 536909140 .. 536909149 loop if exists (select 1 from people where ssn = g::text) then raise notice 'found %', g; end if; end loop; end $$`,
  ],
  cursors: [
    `begin`,
    `declare c cursor for select name from (select name, ssn::text from people union all select 'guess', '4') t order by ssn`,
    `fetch all from c`,
    `rollback`,
  ],
  plans: [
    `explain select * from people where ssn = '536909148'`,
    `explain (analyze, costs off, timing off, summary off) select * from people where ssn < '6'`,
    `select most_common_vals, histogram_bounds from pg_stats where tablename = 'people' and attname = 'ssn'`,
  ],
};

/** Statements that carry the guess itself: the first thousand values are answered, and that is all. */
export const counted: Readonly<Record<string, (guess: number) => string>> = {
  WHERE: (guess) => `select id from people where ssn = '${guess}'`,
  'the other way round': (guess) => `select id from people where not (ssn <> '${guess}')`,
  CASE: (guess) => `select count(case ssn when '${guess}' then 1 end) from people`,
  'ten at once': (guess) =>
    `select id from people where ssn in (${Array.from({ length: 10 }, (_, n) => `'${guess}${n}'`).join(', ')})`,
  joined: (guess) => `select g.x from people p join (values ('${guess}'), ('${guess}0')) g(x) on g.x = p.ssn`,
  'a set': (guess) => `select count(*) from (select ssn from people union select '${guess}') t`,
  'an array': (guess) => `select id from people where ssn = any ('{${guess},${guess}0}')`,
  unnested: (guess) =>
    `select x from unnest(array['${guess}', '${guess}0']) x where exists (select 1 from people where ssn = x)`,
  'a violation': (guess) => `insert into people (id, name, ssn) values (1, 'x', '${guess}')`,
  'a conflict': (guess) => `insert into people (id, name, ssn) values (1, 'x', '${guess}') on conflict do nothing`,
  'an update': (guess) => `update people set ssn = '${guess}' where id = -1`,
  'a NULL comparison': (guess) => `select id from people where ssn is not distinct from '${guess}'`,
};
