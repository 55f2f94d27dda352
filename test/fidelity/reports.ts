// Reports: windows, grouping sets, recursion, series, sampling. Labelled columns are near, and nothing of them is asked.
import type { Ordinary } from './ordinary.ts';

export const reports: readonly Ordinary[] = [
  {
    sql: `select city, count(*) as customers, count(distinct email) as addresses from customers group by city order by 2 desc, 1`,
  },
  {
    sql: `select c.country, count(*) as orders, sum(o.total) as revenue, avg(o.total)::numeric(10, 2) as average from orders o join customers c on c.id = o.customer_id group by 1 order by 1`,
  },
  { sql: `select date_trunc('week', placed_at) as week, state, count(*) from orders group by 1, 2 order by 1, 2` },
  {
    sql: `select placed_at::date as day, sum(total) as total, sum(sum(total)) over (order by placed_at::date) as running from orders group by 1 order by 1`,
  },
  {
    sql: `select id, customer_id, total, rank() over (partition by customer_id order by total desc) as place, lag(total) over w as before, total - lag(total) over w as change from orders window w as (partition by customer_id order by placed_at) order by id`,
  },
  {
    sql: `select customer_id, percentile_cont(0.5) within group (order by total) as median, mode() within group (order by state) as usual from orders group by 1 order by 1`,
  },
  {
    sql: `select c.country, o.state, sum(o.total) from orders o join customers c on c.id = o.customer_id group by grouping sets ((c.country, o.state), (c.country), ()) order by 1 nulls last, 2 nulls last`,
  },
  {
    sql: `select c.country, o.state, count(*), grouping(c.country, o.state) from orders o join customers c on c.id = o.customer_id group by cube (c.country, o.state) order by 4, 1, 2`,
  },
  {
    sql: `select coalesce(c.city, 'all') as city, sum(o.total) from orders o join customers c on c.id = o.customer_id group by rollup (c.city) order by 2, 1`,
  },
  {
    sql: `with recursive tree as (select id, name, 1 as depth, name as path from categories where parent_id is null union all select c.id, c.name, t.depth + 1, t.path || ' / ' || c.name from categories c join tree t on c.parent_id = t.id) select * from tree order by path`,
  },
  {
    sql: `with recursive chain as (select id, name, manager_id from employees where id = 4 union all select e.id, e.name, e.manager_id from employees e join chain c on c.manager_id = e.id) select id, name from chain order by id`,
  },
  {
    sql: `select d::date as day, coalesce(s.orders, 0) as orders from generate_series(date '2026-01-01', date '2026-01-08', interval '1 day') d left join daily_sales s on s.day = d::date order by 1`,
  },
  {
    sql: `select c.id, c.name, last.id as last_order, last.total from customers c cross join lateral (select id, total from orders o where o.customer_id = c.id order by placed_at desc limit 1) last order by 1`,
  },
  {
    sql: `select c.name, top.sku from customers c join lateral (select p.sku, sum(i.quantity) q from orders o join order_items i on i.order_id = o.id join products p on p.id = i.product_id where o.customer_id = c.id group by p.sku order by q desc, p.sku limit 1) top on true order by 1`,
  },
  {
    sql: `with spend as (select customer_id, sum(total) as total from orders group by 1), placed as (select customer_id, total, ntile(2) over (order by total desc) as half from spend) select c.name, p.total, p.half from placed p join customers c on c.id = p.customer_id order by p.total desc, c.name`,
  },
  {
    sql: `select department_id, count(*) as people, min(hired) as first, max(hired) as last from employees group by 1 order by 1`,
  },
  {
    sql: `select d.name, count(e.id) as people, avg(e.salary) as average from departments d left join employees e on e.department_id = d.id group by d.name order by d.name`,
    pii: ['average'],
  },
  {
    sql: `select d.name, sum(e.salary) as payroll from departments d join employees e on e.department_id = d.id group by 1 order by 1`,
    pii: ['payroll'],
  },
  {
    sql: `select extract(isodow from placed_at)::int as weekday, extract(hour from placed_at)::int as hour, count(*) from orders group by 1, 2 order by 1, 2`,
  },
  {
    sql: `select to_char(placed_at, 'YYYY-MM') as month, count(*) filter (where state = 'returned') as returned, round(100.0 * count(*) filter (where state = 'returned') / count(*), 1) as percent from orders group by 1 order by 1`,
  },
  { sql: `select width_bucket(total, 0, 300, 6) as bucket, count(*) from orders group by 1 order by 1` },
  {
    sql: `select p.name, sum(i.quantity) as sold, sum(i.quantity * i.price) as revenue, round(100 * sum(i.quantity * i.price) / sum(sum(i.quantity * i.price)) over (), 2) as share from order_items i join products p on p.id = i.product_id group by p.name order by revenue desc, 1`,
  },
  {
    sql: `select a.product_id, b.product_id, count(*) from order_items a join order_items b on b.order_id = a.order_id and b.product_id > a.product_id group by 1, 2 order by 3 desc, 1, 2`,
  },
  {
    sql: `select state, count(*) from orders group by state union all select 'all', count(*) from orders order by 2, 1`.replace(
      'select state,',
      'select state::text,',
    ),
  },
  {
    sql: `select customer_id from orders where state = 'paid' intersect select customer_id from orders where state = 'sent' order by 1`,
  },
  { sql: `select id from customers except select customer_id from orders order by 1` },
  { sql: `select day, orders, revenue, revenue / orders as basket from daily_sales order by day` },
  {
    sql: `select kind, count(*), count(distinct device) as devices from events where at >= '2026-01-01' group by 1 order by 1`,
  },
  {
    sql: `select device, at, kind, lead(kind) over (partition by device order by at) as next from events order by device, at limit 10`,
  },
  {
    sql: `select date_bin('1 day', at, timestamptz '2026-01-01 00:00:00+00') as bin, payload->>'path' as path, count(*) from events group by 1, 2 order by 1, 2 limit 12`,
  },
  { sql: `select count(*) from orders tablesample bernoulli (100)` },
  {
    sql: `select corr(quantity, price)::numeric(6, 3), regr_slope(price, quantity)::numeric(6, 3), stddev_samp(price)::numeric(8, 3) from order_items`,
  },
  { sql: `select string_agg(name, ', ' order by name) as names, array_agg(city order by id) as cities from customers` },
  { sql: `select status, count(*), sum(amount) from payments group by status order by 1` },
  {
    sql: `select o.id, o.total, sum(p.amount) filter (where p.status = 'captured') as paid, o.total - coalesce(sum(p.amount) filter (where p.status = 'captured'), 0) as due from orders o left join payments p on p.order_id = o.id group by o.id order by due desc, o.id limit 5`,
  },
  { sql: `select card_last4, count(*) from payments group by 1 order by 1 limit 3` },
  {
    sql: `select c.name, s.plan, s.since, age(date '2026-02-01', s.since) as since_when from subscriptions s join customers c using (email) order by 1`,
  },
  { sql: `select plan, count(*), avg(renewals)::numeric(6, 2) from subscriptions group by plan order by plan` },
  { sql: `select count(*) as doubles from (select email from customers group by email having count(*) > 1) d` },
  { sql: `select name, phone is not null as reachable, ssn is not null as identified from customers order by name` },
  { sql: `select sum(case when born is null then 1 else 0 end) as unknown_birth from customers` },
  { sql: `select x.n, chr((64 + x.n)::int) from generate_series(1, 5) as x(n)` },
  { sql: `values (1, 'one'), (2, 'two') order by 1` },
  {
    sql: `select first_value(name) over w as first, nth_value(name, 2) over w as second from customers window w as (order by id rows between unbounded preceding and unbounded following) limit 1`,
  },
  {
    sql: `select customer_id, array_agg(id order by placed_at desc) as recent, json_object_agg(id, state order by id) as states from orders group by 1 order by 1`,
  },
  {
    sql: `select make_date(2026, m, 1) as month, (select count(*) from orders where extract(month from placed_at) = m) as orders from generate_series(1, 3) m`,
  },
  {
    sql: `select id, name from customers where id = (select customer_id from orders group by 1 order by sum(total) desc limit 1)`,
  },
  {
    sql: `select c.name from customers c where 2 < (select count(*) from orders o where o.customer_id = c.id) order by 1`,
  },
  { sql: `select id from orders where total > all (select price from products where price < 100) order by id limit 5` },
  {
    sql: `select extract(epoch from max(placed_at) - min(placed_at))::int as seconds, justify_interval(max(placed_at) - min(placed_at)) as span from orders`,
  },
  { sql: `select xmlelement(name product, xmlattributes(sku as sku), name) from products order by id limit 2` },
];
