// Questions whose answer depends on a value that is never shown: by rows, orders, errors, changes, limits (field note 37). What equality
// with the client's own value tells is allowed: one bit to each value that is asked.
import { attacks } from '../attack.ts';
import { worlds } from '../secrets.ts';

const tells = (sql: string, ...more: string[]) => ({ kind: 'tells' as const, steps: [sql, ...more] });
const asks = (bits: number, ...steps: string[]) => ({ kind: 'bounded' as const, bits, steps });
const { ssn, email } = worlds.a;

export const inference = attacks({
  LIKE: tells("select id from people where ssn like '5%'"),
  'NOT LIKE': tells("select id from people where ssn not like '5%'"),
  ILIKE: tells("select id from people where email ilike 'QUILL%'"),
  'SIMILAR TO': tells("select id from people where ssn similar to '5%'"),
  'a regular expression': tells("select id from people where ssn ~ '^5'"),
  '^@': tells("select id from people where email ^@ 'quill'"),
  starts_with: tells("select id from people where starts_with(ssn, '5')"),
  'a range': tells("select id from people where ssn > '6' order by id"),
  BETWEEN: tells("select id from people where ssn between '5' and '6'"),
  'BETWEEN SYMMETRIC': tells('select id from people where salary between symmetric 99999999 and 50000000'),
  'a row comparison': tells("select id from people where (ssn, id) > ('6', 0) order by id"),
  'a range type': tells('select id from people where salary <@ int4range(50000000, 99999999)'),
  'overlap of dates': tells(
    "select id from people where (born, born + 1) overlaps (date '1970-01-01', date '1975-01-01')",
  ),
  'substr =': tells("select id from people where substr(ssn, 1, 1) = '5'"),
  'left =': tells("select id from people where left(email, 5) = 'quill'"),
  'a cast and =': tells("select id from people where ssn::char(1) = '5'"),
  'arithmetic and =': tells('select id from people where salary / 10000000 = 9 order by id'),
  length: tells('select id from people where length(email) = 30'),
  strpos: tells("select id from people where strpos(email, 'quill') = 1"),
  'a year': tells('select id from people where extract(year from born) = 1971 order by id'),
  'a JSON containment': tells(`select id from people where profile @> '{"alias": "${worlds.a.alias}"}' order by id`),
  'a JSON path': tells(`select id from people where profile @? '$ ? (@.alias starts with "K")' order by id`),
  'an array containment': tells(`select id from people where tags @> array['${worlds.a.tag}'] order by id`),
  'an array overlap': tells(`select id from people where tags && array['${worlds.a.tag}'] order by id`),
  'a subnet': tells("select id from people where ip << '203.0.0.0/8' order by id"),
  'a text search': tells("select id from people where words @@ 'kestrelmoor' order by id"),
  'a sign': tells('select id from people where balance < 0 order by id'),
  'sign()': tells('select id from people where sign(balance) = -1 order by id'),
  'ORDER BY': tells('select id from people order by ssn'),
  'ORDER BY a number': tells('select id, ssn from people order by 2'),
  'ORDER BY an alias': tells('select id, ssn as s from people order by s desc'),
  'ORDER BY an expression': tells("select id from people order by ssn || ''"),
  'ORDER BY in an aggregate': tells('select array_agg(id order by ssn) from people'),
  'ORDER BY in a window': tells('select id, row_number() over (order by ssn) from people order by id'),
  'ORDER BY in a subquery': tells('select id from (select id, ssn from people order by ssn limit 1) s'),
  'ORDER BY USING': tells('select id from people order by ssn using <'),
  width_bucket: tells('select id from people where width_bucket(salary, 0, 100000000, 10) = 10 order by id'),
  ntile: tells('select id, ntile(2) over (order by ssn nulls last) from people where id < 3 order by id'),
  percent_rank: tells('select id, percent_rank() over (order by ssn) from people order by id'),
  'a running count': tells('select id, count(*) over (order by ssn) from people where id < 3 order by id'),
  'DISTINCT ON with an order': tells('select distinct on (note is null) id from people order by note is null, ssn'),
  'min and whose': tells('select id from people where ssn = (select min(ssn) from people)'),
  'max in a subquery': tells("select id from orders where (select max(ssn) from people) > '8' order by id"),
  ALL: tells("select id from orders where '6' > all (select ssn from people where id = 1) order by id"),
  ANY: tells('select n from guesses where guess > any (select ssn from people where id = 1) order by n'),
  EXISTS: tells("select id from orders where exists (select from people where ssn like '5%') order by id"),
  HAVING: tells("select name from people group by name having max(ssn) > '6' order by 1"),
  'HAVING count FILTER': tells(
    "select note from people group by note having count(*) filter (where ssn like '5%') > 0",
  ),
  FILTER: tells("select count(*) filter (where ssn like '5%') from people"),
  'GROUP BY its first letter': tells(
    "select count(*) from people where id = 1 group by left(ssn, 1) having left(ssn, 1) = '5'",
  ),
  'CASE in a result': tells("select case when ssn like '5%' then 1 else 0 end from people"),
  'CASE around an open column': tells("select case when ssn like '5%' then name end from people order by id"),
  'CASE in ORDER BY': tells("select id from people where id < 3 order by case when ssn > '6' then 0 else 1 end"),
  'CASE in a LIMIT': tells(
    "select id from orders limit (select case when ssn like '5%' then 1 else 2 end from people where id = 1)",
  ),
  'CASE in a join': tells(
    "select o.id from orders o join people p on case when p.ssn like '5%' then o.id = 1 else o.id = 2 end where p.id = 1",
  ),
  'a truth value as a result': tells("select ssn like '5%', ssn > '6', ssn = '" + ssn + "' from people"),
  'a truth value as a condition': tells("select id from people where not (ssn > '6') order by id"),
  'IS TRUE': tells("select id from people where (ssn > '6') is true order by id"),
  'IS DISTINCT FROM an expression': tells("select id from people where left(ssn, 1) is distinct from '5' order by id"),
  'COALESCE of a test': tells("select id from people where coalesce(ssn > '6', false) order by id"),
  'a guess by NULLIF': tells("select id from people where nullif(left(ssn, 1), '5') is null order by id"),
  'a guess by GREATEST': tells("select id from people where greatest(ssn, '6') = '6' order by id"),
  'a division by zero': tells('select 1 / (ascii(ssn) - 53) from people where id = 1'),
  'a division by zero in a condition': tells(
    "select id from orders where 1 / (select case when ssn like '5%' then 0 else 1 end from people where id = 1) = 1 order by id",
  ),
  'an overflow': tells('select id from people where salary * 30 > 0 order by id'),
  'a cast that fails for some': tells(
    "select id from people where case when ssn like '5%' then 'x' else '1' end::int = 1 order by id",
  ),
  'an array bound': tells(
    "select (array[1, 2])[case when ssn like '5%' then 1 else 9 end] is null from people where id = 1",
  ),
  'a substring of negative length': tells(
    "select id from people where substr('abc', 1, 5 - ascii(ssn) + 49) = 'a' or id = 1",
  ),
  'a regular expression that fails for some': tells(
    "select 'x' ~ case when ssn like '5%' then '(' else 'x' end from people where id = 1",
  ),
  'a wait and a timeout': tells(
    'set statement_timeout to 300',
    "select pg_sleep(case when ssn like '5%' then 2 else 0 end) from people where id = 1",
  ),
  'a wait in a condition': tells(
    'set statement_timeout to 300',
    "select id from people where id = 1 and ssn like '5%' and pg_sleep(2) is not null",
  ),
  'a series as long as the value': tells(
    'set statement_timeout to 400',
    "select count(*) from people, generate_series(1, case when ssn like '5%' then 100000000 else 1 end) where id = 1",
  ),
  'a lock': tells(
    "select pg_try_advisory_lock(case when ssn like '5%' then 1 else 2 end) from people where id = 1",
    "select objid from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()",
  ),
  'rows changed': tells("update orders set status = 'x' where exists (select from people where ssn like '5%')"),
  'rows deleted': tells("delete from orders using people where people.id = person and ssn > '6'"),
  'rows merged': tells(
    "merge into orders o using people p on o.person = p.id and p.ssn > '6' when matched then update set status = 'x'",
  ),
  'rows copied': tells("copy (select id from people where ssn > '6') to stdout"),
  'a sequence that is drawn': tells(
    "select count(case when ssn like '5%' then nextval('tickets') end) from people",
    'select last_value, is_called from tickets',
  ),
  'a setting that is set': tells(
    "select count(case when ssn like '5%' then set_config('x.y', '1', false) end) from people",
    "select current_setting('x.y', true)",
  ),
  'a notice that is raised': tells("select count(case when ssn like '5%' then says('hit') end) from people"),
  'a check constraint that fails': tells("alter table people add check (ssn not like '5%')"),
  'a policy that filters': tells(
    "create view v as select id from people where ssn > '6'",
    'select id from v order by id',
  ),
  'a join by order': tells('select g.n from people p join guesses g on p.ssn > g.guess where p.id = 1 order by 1'),
  'a join by a part': tells('select g.n from people p join guesses g on left(p.ssn, 1) = g.guess where p.id = 1'),
  'IN of parts': tells('select n from guesses where guess in (select left(ssn, 1) from people where id = 1)'),
  'INTERSECT of parts': tells('select guess from guesses intersect select left(ssn, 1) from people where id = 1'),
  'a guess table of all values': tells(
    'select g.g from people p join (select g::text from generate_series(536909000, 536909999) g) g on p.ssn = g.g',
  ),
  'a guess table by EXISTS': tells(
    'select id from people where exists (select from generate_series(536909000, 536909999) g where g::text = ssn)',
  ),
  'a guess table by = ANY of an array': tells(
    'select id from people where ssn = any (array(select g::text from generate_series(536909000, 536909999) g))',
  ),
  'a guess table by USING': tells(
    'select id from people join (select g::text as ssn from generate_series(536909000, 536909999) g) x using (ssn)',
  ),
  'a guess table by NATURAL JOIN': tells(
    'select count(*) from (select ssn from people) p natural join (select g::text as ssn from generate_series(536909000, 536909999) g) x',
  ),
  'a guess table by INTERSECT': tells(
    'select count(*) from (select ssn::text from people intersect select g::text from generate_series(536909000, 536909999) g) s',
  ),
  'a guess table by UNION': tells(
    'select count(*) from (select ssn::text from people union select g::text from generate_series(536909000, 536909999) g) s',
  ),
  'a guess table in a CTE': tells(
    'with g as (select g::text as s from generate_series(536909000, 536909999) g) select id from people, g where ssn = s',
  ),
  'a guess table by LATERAL': tells(
    'select g from people, lateral (select g from generate_series(536909000, 536909999) g where g::text = ssn) x',
  ),
  'a guess table that is temporary': tells(
    'create temp table g as select g::text as s from generate_series(536909000, 536909999) g',
    'select g.s from people, g where ssn = s',
  ),
  'a guess table of numbers': tells(
    'select g from people, generate_series(91827000, 91828000) g where g = salary and id = 1',
  ),
  'a guess table by a recursive query': tells(
    'with recursive g(n) as (select 536909000 union all select n + 1 from g where n < 536909999) select n from g, people where n::text = ssn',
  ),
  'a guess table by a letter': tells("select id from people where ssn = any (select '53690914' || n from guesses)"),
  'a guess table built of digits': tells(
    "select a.n, b.n from guesses a, guesses b, people where ssn = '5369091' || a.guess || b.guess",
  ),
  'a guess table by a left join': tells(
    'select count(p.id) from generate_series(536909000, 536909999) g left join people p on p.ssn = g::text',
  ),
  'a guess table by MERGE': tells(
    'merge into people p using generate_series(536909000, 536909999) g on p.ssn = g::text when matched then update set note = g::text returning p.note',
  ),
  'a guess table by UPDATE FROM': tells(
    'update people set note = g::text from generate_series(536909000, 536909999) g where ssn = g::text returning note',
  ),
  'a guess table by DELETE USING': tells(
    'delete from cards using generate_series(4929364718205000, 4929364718205999) g where pan = g::text',
  ),
  'a guess table by a window': tells(
    'select count(*) over (partition by s) as c from (select ssn::text s from people union all select g::text from generate_series(536909000, 536909999) g) x order by c desc limit 1',
  ),
  'a guess table by GROUP BY': tells(
    'select count(*) from (select ssn::text s from people union all select g::text from generate_series(536909000, 536909999) g) x group by s having count(*) > 1',
  ),
  'a guess of one value': asks(1, `select count(*) from people where ssn = '${ssn}'`),
  'a guess, and the row': asks(1, `select id from people where email = '${email}'`),
  'a guess by <>': asks(1, `select id from people where id = 1 and ssn <> '${ssn}'`),
  'a guess by IN': asks(3, `select id from people where ssn in ('1', '${ssn}', '3')`),
  'a guess by NOT IN': asks(2, `select id from people where id = 1 and ssn not in ('1', '${ssn}')`),
  'a guess by ANY': asks(2, `select id from people where ssn = any ('{1,${ssn}}')`),
  'a guess by a row': asks(1, `select id from people where (id, ssn) = (1, '${ssn}')`),
  'a guess by IS NOT DISTINCT FROM': asks(1, `select id from people where ssn is not distinct from '${ssn}'`),
  'a guess by DELETE': asks(1, `delete from cards where pan = '${worlds.a.card}'`),
  'a guess by UPDATE': asks(1, `update people set note = 'x' where ssn = '${ssn}' and id = 1`),
  'a guess by a unique index': asks(
    1,
    `insert into people (id, name, ssn) values (9, 'x', '${ssn}') on conflict do nothing`,
  ),
  'a guess by a unique violation': asks(1, `insert into people (id, name, ssn) values (9, 'x', '${ssn}')`),
  'a guess by a prepared statement': asks(
    1,
    `prepare p(text) as select id from people where ssn = $1`,
    `execute p('${ssn}')`,
  ),
  'a guess by a cursor': asks(
    1,
    'begin',
    `declare c cursor for select id from people where ssn = '${ssn}'`,
    'fetch all from c',
    'commit',
  ),
  'a guess table by VALUES and digits': tells(
    "select p.id from people p, (values ('4'), ('5')) a(x), (values ('8'), ('9')) b(y) where ssn = '5369091' || x || y",
  ),
  'a guess table by row numbers': tells(
    'select x.n from people p, (select 91820000 + row_number() over () as n from generate_series(1, 9999)) x where salary = n and p.id = 1',
  ),
  'a guess table by ordinality': tells(
    'select n from people p, unnest(array_fill(1, array[9999])) with ordinality u(x, n) where salary = 91820000 + n and p.id = 1',
  ),
  'a guess table by ON CONFLICT': tells(
    "insert into people (id, name, ssn) select g, 'x', g::text from generate_series(536909100, 536909200) g on conflict (ssn) do nothing",
  ),
  'a guess table by ON CONFLICT, any': tells(
    "insert into people (id, name, ssn) select g, 'x', g::text from generate_series(536909100, 536909200) g on conflict do nothing returning id",
  ),
  'a guess table that is filled first': tells(
    'insert into guesses select g::text, g from generate_series(536909000, 536909999) g',
    'select guess from guesses, people where guess = ssn',
  ),
  'a guess table by a function that gives rows': tells(
    "create function series() returns setof text language sql as 'select g::text from generate_series(536909000, 536909999) g'",
    'select s from people, series() s where s = ssn',
  ),

  'rank within a group': tells('select rank(50000000) within group (order by salary) from people where id = 1'),
  'rows inserted': tells("insert into guesses select 'x', 99 from people where ssn > '6' and id = 1"),
  'rows copied, counted': tells("copy (select count(*) from people where ssn > '6' and id = 1) to stdout"),
  'a partial index and its size': tells(
    'create index i on people (id) where salary > 50000000',
    'analyze people',
    "select reltuples from pg_class where relname = 'i'",
  ),
  'a unique index and its failure': tells('create unique index i on people ((1)) where salary > 50000000 or id = 3'),
  'EXCEPT of parts': tells(
    "select count(*) from (select '5' as x except select left(ssn, 1) from people where id = 1) s",
  ),
  'UNION counts': tells("select count(*) from (select '5' union select left(ssn, 1) from people where id = 1) s"),
  'a guess table by IN': tells(
    'select id from people where ssn in (select g::text from generate_series(536909000, 536909999) g)',
  ),
  'a guess by VALUES': asks(2, `select p.id from people p, (values ('1'), ('${ssn}')) v(x) where ssn = x`),
  'a guess by unnest': asks(2, `select p.id from people p join unnest(array['1', '${ssn}']) u on u = ssn`),
  'a guess by UNION': asks(1, `select count(*) from (select ssn::text from people union select '${ssn}') s`),

  'a guess table by a sequence': tells(
    "select setval('tickets', 91820000)",
    "select count(*) from people p, generate_series(1, 9999) g where p.id = 1 and salary = nextval('tickets') + 0 * g",
  ),
});
