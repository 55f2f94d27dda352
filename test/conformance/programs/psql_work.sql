\echo == backslash commands
\d
\d+
\d orders
\d+ people
\d+ totals
\dt+
\dv+
\di+
\ds+
\df
\df+ add
\sf add
\sv+ totals
\dT+
\dn+
\dp
\ddp
\du
\dx
\dD
\dC text
\do =
\dy
\dL
\l work_never
\drds
\dRp
\dRs
\des
\dew
\dc utf8*
\dA+
\dO "C"
\dd
\dF
\da count
\db
\dP
\dm
\dE


\echo == variables, gexec, gset, gdesc, crosstabview
select format('select %s as n', g) from generate_series(1, 3) g \gexec
select 42 as answer, 'x' as letter \gset
\echo :answer :'letter' :"letter"
select :answer + 1;
select id, name from people \gdesc
select person, note is null as empty, count(*) from orders group by 1, 2 order by 1, 2 \crosstabview person empty count
select 'create table made' || g || ' (id int); drop table made' || g || ';' from generate_series(1, 2) g \gexec
\if true
select 'yes';
\else
select 'no';
\endif
\echo == formats
\x on
select * from orders where id = 1;
\x off
\pset format csv
select * from orders where id < 3;
\pset format html
select 1 as a;
\pset format aligned
\pset null '(null)'
select null::int as n, '' as e;
\a \t
select 1, 2;
\a \t
\echo == COPY
create temp table c (id int, t text);
copy c from stdin;
1	one
2	\N
\.
\copy (select * from c order by id) to stdout csv header
\copy c from program 'printf "3,three\n4,\n"' csv
copy (select * from c order by id) to stdout;
copy c to stdout (format binary);
\echo
\echo == transactions and errors
begin;
insert into orders (person, amount) values (1, -1);
select 1;
rollback;
\set ON_ERROR_ROLLBACK on
begin;
select 1/0;
select 'still in transaction';
commit;
\set ON_ERROR_ROLLBACK off
\set VERBOSITY verbose
select nonsense;
\errverbose
select * from nowhere;
\set VERBOSITY default
\set AUTOCOMMIT off
insert into orders (person, amount, note) values (1, 1, 'auto');
rollback;
\set AUTOCOMMIT on
select count(*) from orders where note = 'auto';
select 1 \; select 2 \; select 3;
\echo == cursors
\set FETCH_COUNT 7
select id, amount from orders order by id;
\set FETCH_COUNT 0
begin;
declare c scroll cursor with hold for select id from orders order by id;
fetch 3 from c;
commit;
fetch absolute 10 c;
move forward 5 in c;
fetch backward 2 from c;
close c;
\echo == session
set search_path = pg_catalog, public;
show search_path;
reset search_path;
prepare p (int) as select $1 + 1;
execute p (1);
explain (costs off) execute p (1);
deallocate all;
discard all;
set statement_timeout = '100ms';
select pg_sleep(5);
reset statement_timeout;
select current_user, session_user, current_database(), current_schemas(false);
explain (costs off) select * from orders where amount > 20 order by amount desc;
explain (analyze, costs off, timing off, summary off, buffers off) select count(*) from orders;
\pset format unaligned
\pset tuples_only on
\pset fieldsep ' '
select 'MASKED', name, email from people order by id;
\copy (select 'MASKED ' || name, email from people order by id) to stdout
