// What reading a statement costs: again (a look-up by text or by shape) and for the first time, on a real server's catalogue.
// No sockets and no other process: `node bench/analysis.ts`.
import { openAnalyser } from '../src/sql/analyse.ts';
import { loadParser } from '../src/sql/parse.ts';
import { openWorld } from '../test/adversarial/effects/world.ts';
import { cost } from './cost.ts';

const statements: readonly (readonly [string, string])[] = [
  ['select by key, text unchanged', 'select name, email from customers where id = $1'],
  ['select by key, numbers differ', 'select name, email from customers where id = 4711'],
  ['update with a trigger', "update guarded set note = 'x' where id = $1"],
  ['insert of a row', 'insert into orders(id, customer_id, amount) values ($1, $2, $3)'],
  [
    'report, two joins and a group',
    `select c.city, count(*), sum(o.amount) from customers c join orders o on o.customer_id = c.id left join totals t
     on t.customer_id = c.id where o.status <> $1 group by c.city having sum(o.amount) > 10 order by 3 desc limit 20`,
  ],
  [
    'psql: relations of a schema',
    `select n.nspname, c.relname, c.relkind, pg_get_userbyid(c.relowner) from pg_catalog.pg_class c
     left join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'v')
     and n.nspname !~ '^pg_toast' and pg_catalog.pg_table_is_visible(c.oid) order by 1, 2`,
  ],
];

await loadParser();
const world = await openWorld();
const { scope } = world;
await world.stop();

console.log(`Node ${process.version}; microseconds a statement\n`);
console.log(`${'statement'.padEnd(34)}${'again'.padStart(8)}${'first'.padStart(8)}`);
for (const [name, sql] of statements) {
  const analyser = openAnalyser();
  analyser.analyse(sql, scope);
  const varied = sql.includes('4711') ? Array.from({ length: 512 }, (_, n) => sql.replace('4711', String(n))) : [sql];
  const again = cost(200_000, (n) => analyser.analyse(varied[n % varied.length]!, scope));
  const first = cost(300, () => openAnalyser().analyse(sql, scope));
  if (again > 5) throw new Error(`${name}: a look-up costs ${again.toFixed(2)} µs, more than the 5 it may`);
  console.log(`${name.padEnd(34)}${again.toFixed(2).padStart(8)}${first.toFixed(0).padStart(8)}`);
}
