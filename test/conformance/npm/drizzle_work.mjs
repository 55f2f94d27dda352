// Drizzle: `drizzle-kit pull` writes a schema from what it finds, `push` finds nothing to change against it; the ORM migrates and queries.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { count, desc, eq, relations, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import { bigserial, integer, numeric, pgTable, text, timestamp, varchar } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { failing, link, print, section } from './link.mjs';

const folder = mkdtempSync(join(tmpdir(), 'drizzle-'));
const kit = (...args) =>
  execFileSync(process.execPath, [join(import.meta.dirname, 'node_modules', 'drizzle-kit', 'bin.cjs'), ...args], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
const config = { dialect: 'postgresql', out: './pulled', schema: './pulled/schema.ts', dbCredentials: link };
writeFileSync(join(folder, 'drizzle.config.cjs'), `module.exports = ${JSON.stringify(config)}`);

section('pull of a schema');
kit('pull', '--config=drizzle.config.cjs');
for (const name of ['schema.ts', 'relations.ts']) console.log(readFileSync(join(folder, 'pulled', name), 'utf8'));
const migration = readdirSync(join(folder, 'pulled')).find((name) => name.endsWith('.sql'));
console.log(readFileSync(join(folder, 'pulled', migration), 'utf8'));

const people = pgTable('people', {
  id: integer().generatedAlwaysAsIdentity().primaryKey(),
  name: text().notNull(),
  email: text(),
  city: varchar({ length: 40 }),
});
const orders = pgTable('orders', {
  id: bigserial({ mode: 'number' }).primaryKey(),
  person: integer()
    .notNull()
    .references(() => people.id),
  amount: numeric({ precision: 12, scale: 2 }),
  placed: timestamp({ withTimezone: true }).notNull().defaultNow(),
  note: text(),
});
const schema = {
  people,
  orders,
  peopleRelations: relations(people, ({ many }) => ({ orders: many(orders) })),
  ordersRelations: relations(orders, ({ one }) => ({
    who: one(people, { fields: [orders.person], references: [people.id] }),
  })),
};
const pool = new pg.Pool({ ...link, max: 2 });
const db = drizzle({ client: pool, schema });

section('queries');
print(await db.select({ id: people.id, name: people.name }).from(people).orderBy(people.id));
print(
  await db
    .select({ name: people.name, orders: count(orders.id) })
    .from(people)
    .leftJoin(orders, eq(orders.person, people.id))
    .groupBy(people.name)
    .orderBy(people.name),
);
print(await db.select().from(orders).orderBy(desc(orders.id)).limit(2).offset(1));
print((await db.execute(sql`select ${people.name}, ${21} * 2 as n from ${people} where ${people.id} = ${1}`)).rows);

section('relations in one query');
print(
  await db.query.people.findMany({
    columns: { name: true },
    with: { orders: { columns: { amount: true }, limit: 2, orderBy: (o, { asc }) => asc(o.id) } },
    orderBy: (p, { asc }) => asc(p.id),
  }),
);
print(await db.query.orders.findFirst({ where: eq(orders.id, 5), with: { who: { columns: { city: true } } } }));

section('prepared statements');
const one = db
  .select({ amount: orders.amount })
  .from(orders)
  .where(eq(orders.id, sql.placeholder('id')))
  .prepare('order_by_id');
for (const id of [1, 2, 3]) print(await one.execute({ id }));

section('transactions');
await failing(
  db.transaction(async (tx) => {
    const made = await tx
      .insert(orders)
      .values([1, 2].map((n) => ({ person: 1, amount: String(n), note: 'drizzle' })))
      .returning({ amount: orders.amount });
    print(made);
    await tx
      .transaction(async (inner) => {
        await inner.update(orders).set({ note: 'inner' }).where(eq(orders.note, 'drizzle'));
        inner.rollback();
      })
      .catch(() => print('inner rolled back'));
    print(await tx.$count(orders, eq(orders.note, 'drizzle')));
    await tx.insert(orders).values({ person: 99, amount: '1' });
  }),
);
print(await db.$count(orders, eq(orders.note, 'drizzle')));

section('migrations');
mkdirSync(join(folder, 'made', 'meta'), { recursive: true });
const entries = ['0000_first', '0001_second'].map((tag, idx) => ({
  idx,
  version: '7',
  when: 1_700_000_000_000 + idx,
  tag,
  breakpoints: true,
}));
writeFileSync(
  join(folder, 'made', 'meta', '_journal.json'),
  JSON.stringify({ version: '7', dialect: 'postgresql', entries }),
);
writeFileSync(
  join(folder, 'made', '0000_first.sql'),
  'create table "drizzled" (id int primary key);\n--> statement-breakpoint\ncreate index "drizzled_id" on "drizzled" (id desc);',
);
writeFileSync(join(folder, 'made', '0001_second.sql'), 'alter table "drizzled" add column note text default $$x$$;');
for (let time = 0; time < 2; time++) await migrate(db, { migrationsFolder: join(folder, 'made') });
print(
  (await db.execute(sql`insert into drizzled (id) values (1) returning *`)).rows,
  (await db.execute(sql`select hash, created_at from drizzle.__drizzle_migrations order by id`)).rows,
);
await db.execute(sql`drop table drizzled; drop schema drizzle cascade`);

for (const row of await db.select().from(people).orderBy(people.id)) print('MASKED', row);
await pool.end();
rmSync(folder, { recursive: true, force: true });
