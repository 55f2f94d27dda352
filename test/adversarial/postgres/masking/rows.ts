// Rows, records and composite values that hold the column (field note 39).
import { attacks } from '../attack.ts';

export const rows = attacks({
  'a row by the name of its table': 'select people from people',
  'a row by its alias': 'select p from people p',
  'a row as text': 'select p::text from people p',
  'a row in ROW': 'select row(p.*) from people p',
  'a row of chosen columns': 'select row(id, ssn) from people',
  'a row without ROW': 'select (id, ssn) from people',
  'a field of a row': 'select (p).ssn from people p',
  'all fields of a row': 'select (p).* from people p',
  'a column as a function': 'select ssn(p) from people p',
  'a row of a subquery': 'select s from (select id, ssn from people) s',
  'a row that travelled': 'select (s.p).ssn from (select people as p from people) s',
  'a field by its number': 'select (s.r).f2 from (select row(id, ssn) as r from people) s',
  'an array of rows': 'select array_agg(p) from people p',
  'an element of an array of rows': 'select (array_agg(p))[1] from people p',
  'a field of an element': 'select ((array_agg(p))[1]).ssn from people p',
  'unnested rows': 'select u.ssn from (select array_agg(people) a from people) s, unnest(s.a) u',
  'a composite column': 'select home from people',
  'a field of a composite column': 'select (home).street from people',
  'all fields of a composite column': 'select (home).* from people',
  'a composite as text': 'select home::text from people',
  'built into a composite': 'select row(p.ssn, p.name)::address from people p',
  'out of a built composite': 'select (row(p.ssn, p.name)::address).street from people p',
  'a row through VALUES': 'select v.x from (values ((select people from people where id = 1))) v(x)',
  'a row through a function': 'select whole(people) from people',
  'a row through record_out': 'select record_out(p) from people p',
  'a row through record_send': 'select record_send(p) from people p',
  'a row through concat': 'select concat(p) from people p',
  'a row through format': "select format('%s', p) from people p",
  'a row through hstore-like json': 'select jsonb_each_text(to_jsonb(p)) from people p',
  'a row through GREATEST':
    'select greatest(a, a) from assets a, vehicles v where false union all select greatest(p, p)::text::assets from (select row(1, chip)::text p from assets) x',
  'a row through max': 'select max(p::text) from people p where id < 3',
  'a row through DISTINCT': 'select distinct row(ssn) from people',
  'a row through UNION': 'select row(id, ssn::text) from people union select row(id, email::text) from people',
  'a row through lag': 'select lag(p) over (order by id) from people p',
  'a row through a CTE': 'with c as materialized (select p from people p) select (c.p).email from c',
  'a row by RETURNING': "update people set note = 'x' where id = 1 returning people",
  'a row by RETURNING *': "update people set note = 'x' where id = 1 returning *",
  'an old row by RETURNING': "update people set email = 'z@z.example' where id = 1 returning old",
  'old columns by RETURNING': "update people set email = 'z@z.example' where id = 1 returning old.email, new.id",
  'old columns under another name':
    "update people set email = 'z@z.example' where id = 1 returning with (old as o, new as n) o.email, n.id",
  'DELETE RETURNING': 'delete from cards where id = 1 returning pan',
  'DELETE RETURNING *': 'delete from cards where id = 1 returning *',
  'INSERT ON CONFLICT RETURNING':
    "insert into cards values (1, 'x', 'y') on conflict (id) do update set holder = 'x' returning *",
  'INSERT ON CONFLICT RETURNING old':
    "insert into cards values (1, 'x', 'y') on conflict (id) do update set pan = 'x' returning old.pan",
  'MERGE RETURNING':
    "merge into cards c using (values (1)) v(id) on c.id = v.id when matched then update set holder = 'x' returning c.*",
  'MERGE RETURNING old':
    "merge into cards c using (values (1)) v(id) on c.id = v.id when matched then update set pan = 'x' returning merge_action(), old.pan, new.id",
  'MERGE DELETE RETURNING':
    'merge into cards c using (values (1)) v(id) on c.id = v.id when matched then delete returning *',
  'RETURNING of a joined table':
    "update orders set status = 'x' from people where people.id = person and orders.id = 1 returning people.ssn",
  'DELETE USING RETURNING': 'delete from orders using people where people.id = person and orders.id = 1 returning ssn',
  'RETURNING in a CTE': "with u as (update people set note = 'x' where id = 1 returning *) select email from u",
  'MERGE in a CTE':
    "with m as (merge into cards c using (values (1)) v(id) on c.id = v.id when matched then update set holder = 'x' returning pan) select * from m",
  'RETURNING a subquery': 'insert into sinks (id) values (7) returning (select ssn from people where id = 1)',
});
