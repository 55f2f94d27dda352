// What shops, back offices and workers do all day with the tables of shop.ts.
import type { Ordinary } from './ordinary.ts';

export const applications: readonly Ordinary[] = [
  // Looking up by a sensitive key
  { sql: `select id, name from customers where email = 'ana.lopes@mail.example'` },
  { sql: `select id, name from customers where email <> 'ana.lopes@mail.example' order by id` },
  { sql: `select id from customers where ssn = $1`, values: ['702-41-1385'] },
  { sql: `select id from customers where phone in ('+351 912 345 678', '+351 900 000 000')` },
  { sql: `select id from customers where born = date '1985-07-02'` },
  {
    sql: `select name from customers where email = any ($1) order by name`,
    values: ['{ana.lopes@mail.example,dora.novak@mail.example}'],
  },
  { sql: `select id, phone is null as unreachable from customers order by id` },
  { sql: `select count(*) filter (where phone is null) as without_phone, count(*) as all from customers` },
  { sql: `select id from customers where (email, country) = ('ana.lopes@mail.example', 'PT')` },
  {
    sql: `select u.id, u.username, u.is_active from auth_user u join api_tokens t on t.user_id = u.id where t.token = $1 and 'read' = any (t.scopes)`,
    values: ['tok_live_9f8e7d6c5b4a'],
  },
  { sql: `select exists (select 1 from subscriptions where email = 'dora.novak@mail.example') as subscribed` },
  { sql: `select c.id, s.plan from customers c join subscriptions s on s.email = c.email order by c.id` },
  {
    sql: `select c.id, c.name from customers c left join subscriptions s using (email) where s.plan is null order by c.id`,
  },
  { sql: `select id from customers where email in (select email from subscriptions) order by id` },
  {
    sql: `select id from customers c where not exists (select 1 from subscriptions s where s.email = c.email) order by id`,
  },
  { sql: `select coalesce(phone, 'none') = 'none' as silent from customers order by id`, pii: [] },
  // Pages of things
  { sql: `select id, name, email, phone from customers order by id limit 2 offset 2`, pii: ['email', 'phone'] },
  { sql: `select id, name from customers where (created_at, id) > ('2025-01-01', 1) order by created_at, id limit 2` },
  { sql: `select * from customer_directory where city = 'Porto'`, pii: ['email'] },
  { sql: `select * from order_summary where total > 100 order by total desc, id limit 5` },
  {
    sql: `select id, total, count(*) over () as found from orders where state = 'paid' order by placed_at desc limit 3`,
  },
  { sql: `table departments` },
  {
    sql: `select o.id, c.name, c.email from orders o join customers c on c.id = o.customer_id where o.id = 7`,
    pii: ['email'],
  },
  {
    sql: `select p.id, p.status, p.card_number, p.card_last4 from payments p where p.order_id = 4`,
    other: ['card_number'],
  },
  {
    sql: `select e.name, m.name as manager, e.salary from employees e left join employees m on m.id = e.manager_id order by e.id`,
    pii: ['salary'],
  },
  { sql: `select id, username, email, password from auth_user order by id`, pii: ['email'], other: ['password'] },
  { sql: `select id, scopes, expires_at > '2026-06-01' as valid from api_tokens order by id` },
  { sql: `select id, name from customers where notes ilike '%mornings%'` },
  { sql: `select id, name, upper(city) as city, length(name) as n from customers order by length(name), id` },
  { sql: `select distinct on (customer_id) customer_id, id, state from orders order by customer_id, placed_at desc` },
  { sql: `select id, name from products where price between 40 and 200 order by price` },
  {
    sql: `select id, case when total > 100 then 'large' when total > 50 then 'medium' else 'small' end as size from orders order by id limit 6`,
  },
  { sql: `select id, name, coalesce(email, 'unknown') as email from customers where id = 1`, pii: ['email'] },
  { sql: `select id, upper(email) as loud from customers where id = 1`, pii: ['loud'] },
  // Writing
  {
    sql: `insert into customers (name, email, phone) values ('Filip', 'filip@mail.example', '+420 1') returning id, name`,
  },
  {
    sql: `insert into customers (name, email) values ('Greta', 'greta@mail.example') returning id, email`,
    pii: ['email'],
  },
  {
    sql: `insert into customers (name, email) values ('G1', 'g1@mail.example'), ('G2', 'g2@mail.example'), ('G3', 'g3@' || 'mail.example')`,
  },
  {
    sql: `insert into subscriptions (email, plan, since) values ('ana.lopes@mail.example', 'yearly', '2026-02-01') on conflict (email) do update set plan = excluded.plan, renewals = subscriptions.renewals + 1 returning plan, renewals`,
  },
  {
    sql: `insert into subscriptions as s (email, plan, since) values ('zoe@mail.example', 'monthly', '2026-02-01') on conflict (email) do update set plan = excluded.plan where s.plan <> excluded.plan`,
  },
  {
    sql: `insert into customers (name, email) values ('Ana', 'ana.lopes@mail.example') on conflict on constraint customers_email_key do nothing`,
  },
  { sql: `update customers set phone = '+351 999 000 111' where id = 1` },
  { sql: `update customers set email = 'ana@new.example' where email = 'ana.lopes@mail.example' returning id` },
  { sql: `update customers set phone = null, notes = 'asked us to forget it' where id = 3` },
  { sql: `update customers set city = 'Braga' where id = 1 returning *`, pii: ['email', 'phone', 'ssn', 'born'] },
  {
    sql: `update orders o set note = c.name from customers c where c.id = o.customer_id and o.id = 1 returning o.note`,
  },
  { sql: `update products set price = price * 1.05 where id = 1 returning price, updated_at` },
  {
    sql: `update stock set quantity = stock.quantity - i.quantity from order_items i where i.product_id = stock.product_id and i.order_id = 3`,
  },
  { sql: `update employees set salary = 50000 where id = 4` },
  {
    sql: `update orders set state = v.state::order_state from (values (1, 'sent'), (2, 'paid')) as v(id, state) where orders.id = v.id returning orders.id, orders.state`,
  },
  { sql: `delete from subscriptions where email = 'dora.novak@mail.example'` },
  {
    sql: `delete from order_items using orders o where o.id = order_id and o.state = 'returned' returning order_id, line`,
  },
  { sql: `delete from api_tokens where expires_at < '2026-12-31' returning id` },
  {
    sql: `merge into stock s using (values (1, 5), (9, 7)) as n(product_id, quantity) on n.product_id = s.product_id when matched then update set quantity = s.quantity + n.quantity when not matched and n.product_id < 5 then insert values (n.product_id, n.quantity, null)`,
  },
  {
    sql: `merge into subscriptions s using (values ('ana.lopes@mail.example', 'yearly')) as n(email, plan) on s.email = n.email when matched then update set plan = n.plan`,
  },
  {
    sql: `with moved as (update orders set state = 'sent' where state = 'paid' and id < 8 returning id) select count(*) from moved`,
  },
  {
    sql: `with gone as (delete from jobs where attempts = 0 and id < 3 returning *) insert into settings select 'job' || id, payload from gone returning key`,
  },
  {
    sql: `insert into orders (customer_id, total) select id, 5 from customers where email = 'ana.lopes@mail.example' returning customer_id`,
  },
  { sql: `insert into order_items select 1, 10, p.id, 1, p.price from products p where p.sku = 'LMP-1'` },
  // Queues and locks
  {
    sql: `update jobs set locked_by = 'w1', attempts = attempts + 1 where id = (select id from jobs where queue = 'mail' and locked_by is null and run_at <= '2026-06-01' order by run_at for update skip locked limit 1) returning id, payload`,
  },
  { sql: `select id from jobs where queue = 'mail' order by id for update nowait limit 2` },
  { sql: `select * from orders where id = 3 for share` },
  { sql: `lock table stock in share row exclusive mode` },
  { sql: `select pg_advisory_xact_lock(42)` },
  { sql: [`set local lock_timeout = '2s'`, `select quantity from stock where product_id = 2 for update`] },
  { sql: `select pg_try_advisory_xact_lock(hashtext('nightly'))` },
  // Documents
  { sql: `select id, profile->>'tier' as tier, profile->'tags' as tags from customers order by id` },
  { sql: `select id from customers where profile @> '{"tier": "gold"}' order by id` },
  { sql: `select id from customers where profile ? 'newsletter'` },
  {
    sql: `select id, jsonb_array_length(profile->'tags') as n from customers where jsonb_typeof(profile->'tags') = 'array' order by id`,
  },
  { sql: `select p.sku, a.key, a.value from products p, jsonb_each_text(p.attributes) a order by 1, 2` },
  {
    sql: `select sku, attributes #>> '{size,h}' as height, (attributes->>'weight')::numeric as weight from products order by 1`,
  },
  { sql: `select jsonb_path_query(attributes, '$.size.*') from products where id = 1` },
  {
    sql: `update products set attributes = jsonb_set(attributes, '{watt}', '11') where sku = 'LMP-1' returning attributes`,
  },
  {
    sql: `update customers set profile = profile || '{"newsletter": false}'::jsonb - 'tier'::text where id = 1 returning profile`,
  },
  {
    sql: `select json_build_object('id', o.id, 'items', (select json_agg(json_build_object('line', i.line, 'product', p.name) order by i.line) from order_items i join products p on p.id = i.product_id where i.order_id = o.id)) as document from orders o where o.id = 2`,
  },
  { sql: `select row_to_json(x) from (select id, name, city from customers order by id limit 1) x` },
  {
    sql: `select jt.* from settings s, json_table(s.value, '$' columns (dark boolean path '$.dark', orders int path '$.orders')) jt order by s.key`,
  },
  { sql: `select jsonb_object_agg(key, value) from settings` },
  { sql: `select * from jsonb_to_recordset('[{"a": 1, "b": "x"}, {"a": 2}]') as t(a int, b text)` },
  // Arrays, ranges, text search
  { sql: `select sku from products where 'oak' = any (colours) order by sku` },
  { sql: `select sku, unnest(colours) as colour from products order by 1, 2` },
  { sql: `select array_agg(distinct colour order by colour) from products, unnest(colours) as colour` },
  { sql: `select sku from products where valid @> date '2026-03-01' or valid is null order by sku` },
  { sql: `select sku, lower(valid), upper(valid) from products order by sku` },
  {
    sql: `select title, ts_rank(search, q) as rank from documents, to_tsquery('simple', 'lamp') q where search @@ q order by rank desc, title`,
  },
  {
    sql: `select id, ts_headline('simple', body, plainto_tsquery('simple', 'oak')) from documents where search @@ plainto_tsquery('simple', 'oak')`,
  },
  {
    sql:
      `select title from documents where title % 'Lamp' is not null`.replace(
        "title % 'Lamp' is not null",
        "body like '%lamp%'",
      ) + ' order by 1',
  },
  {
    sql: `select regexp_replace(sku, '[^0-9]', '', 'g') as digits, split_part(sku, '-', 1) as prefix from products order by 1`,
  },
  // Cursors, COPY, prepared statements, EXPLAIN
  {
    sql: [
      `declare c cursor for select id, name from customers order by id`,
      `fetch 2 from c`,
      `fetch all from c`,
      `close c`,
    ],
  },
  {
    sql: [`declare d no scroll cursor for select id, email from customers order by id`, `fetch forward 3 from d`],
    pii: ['email'],
  },
  {
    sql: [
      `prepare by_city(text) as select id, name from customers where city = $1 order by id`,
      `execute by_city('Porto')`,
      `deallocate by_city`,
    ],
  },
  { sql: `copy (select id, name, city from customers order by id) to stdout with (format csv, header)` },
  { sql: `copy products (id, sku, name, price) to stdout` },
  { sql: `copy departments to stdout (format csv, delimiter ';')` },
  { sql: `copy stock (product_id, quantity) to stdout (format binary)` },
  { sql: `copy departments from stdin`, data: '10\tGarden\n11\tKitchen\n' },
  {
    sql: `copy customers (name, email) from stdin (format csv)`,
    data: 'Hana,hana@mail.example\nIvo,ivo@mail.example\n',
  },
  { sql: `explain (costs off) select id, name from products where sku = 'LMP-1'` },
  { sql: `explain (costs off, format json) select count(*) from orders join order_items on order_id = id` },
  { sql: `explain (analyze, costs off, timing off, summary off, buffers off) select * from departments` },
  {
    sql: `explain (costs off) select o.id, c.name from orders o join customers c on c.id = o.customer_id where c.id = 3`,
  },
  // Functions of the schema
  { sql: `select id, order_total(id) from orders order by id limit 3` },
  { sql: `select * from order_total(4)` },
  // Temporary tables and DDL of a session
  {
    sql: [
      `create temporary table picked (id bigint primary key, why text) on commit drop`,
      `insert into picked select id, 'open' from orders where state = 'open'`,
      `select count(*) from picked join orders using (id)`,
    ],
  },
  { sql: [`create temp table rows as select id, name, city from customers`, `select * from rows order by id`] },
  {
    sql: [
      `create table wishes (id bigint primary key, customer_id bigint references customers, what text)`,
      `insert into wishes values (1, 1, 'a lamp')`,
      `select what from wishes`,
    ],
  },
  { sql: `create index on orders (state) where state = 'open'` },
  { sql: `create unique index on subscriptions (email, plan)` },
  { sql: `comment on column customers.notes is 'free text'` },
  { sql: `create view open_orders as select id, customer_id from orders where state = 'open'` },
  // Transactions
  { sql: ['begin isolation level serializable', 'select sum(quantity) from stock', 'commit'], alone: true },
  {
    sql: [
      'savepoint a',
      `update orders set note = 'x' where id = 1`,
      'rollback to a',
      `select note from orders where id = 1`,
    ],
  },
  { sql: ['set transaction isolation level repeatable read', 'select count(*) from orders'] },
  { sql: ['listen orders_changed', 'unlisten orders_changed'], alone: true },
  { sql: `notify orders_changed, '7'` },
  { sql: [`set statement_timeout = '30s'`, `show statement_timeout`, `reset statement_timeout`], alone: true },
  { sql: 'discard temp', alone: true },
];
