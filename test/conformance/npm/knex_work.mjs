// knex: what its schema builder asks and makes, migrations with their lock, queries, savepoints, rows as a stream.
import knex from 'knex';
import { failing, link, print, section } from './link.mjs';

const db = knex({ client: 'pg', connection: link, pool: { min: 0, max: 2 } });

section('inspection');
print(
  await db('people').columnInfo(),
  await db.schema.hasTable('orders'),
  await db.schema.hasTable('nowhere'),
  await db.schema.hasColumn('orders', 'amount'),
);

section('schema builder');
await db.schema.createTable('knexed', (table) => {
  table.increments('id');
  table.integer('person').references('people.id').onDelete('cascade').index();
  table.jsonb('data').defaultTo('{}');
  table.specificType('tags', 'text[]');
  table.enu('kind', ['a', 'b']);
  table.timestamps(true, true);
  table.unique(['person', 'kind']);
});
await db.schema.alterTable('knexed', (table) => {
  table.string('extra', 20).notNullable().defaultTo('x');
  table.renameColumn('kind', 'sort');
});
print(Object.keys(await db('knexed').columnInfo()));
print(
  await db('knexed')
    .insert([
      { person: 1, sort: 'a', data: { x: 1 }, tags: ['p', 'q'] },
      { person: 2, sort: 'b' },
    ])
    .returning(['id', 'sort', 'data', 'tags', 'extra']),
);
print(
  await db('knexed')
    .insert({ person: 1, sort: 'a', extra: 'again' })
    .onConflict(['person', 'sort'])
    .merge(['extra'])
    .returning(['id', 'extra']),
);
await failing(db('knexed').insert({ person: 1, sort: 'z' }));
await db.schema.dropTable('knexed');

section('migrations');
const source = {
  getMigrations: async () => ['one', 'two'],
  getMigrationName: (name) => name,
  getMigration: async (name) => ({
    up: (on) => on.schema.createTable(`made_${name}`, (table) => table.bigIncrements('id')),
    down: (on) => on.schema.dropTable(`made_${name}`),
  }),
};
print(
  await db.migrate.latest({ migrationSource: source }),
  await db.migrate.currentVersion({ migrationSource: source }),
);
print(await db.migrate.rollback({ migrationSource: source }, true), await db.schema.hasTable('made_one'));
await db.schema.dropTable('knex_migrations').dropTable('knex_migrations_lock');

section('queries');
print(
  await db('people as p')
    .join('orders as o', 'o.person', 'p.id')
    .select('p.name')
    .sum('o.amount as total')
    .groupBy('p.name')
    .orderBy('p.name'),
);
print(
  await db
    .with('big', db('orders').where('amount', '>', 60))
    .from('big')
    .count('*')
    .first(),
);
print(await db('orders').whereIn('id', [1, 2, 3]).andWhereRaw('note like ?', ['order %']).orderBy('id').pluck('note'));
print((await db.raw('select ?::int + ?::int as n, ?::text as t', [1, 2, 'ü'])).rows);

section('transactions and savepoints');
await failing(
  db.transaction(async (trx) => {
    print(await trx('orders').insert({ person: 2, amount: 7, note: 'knex' }).returning(['amount', 'note']));
    await trx
      .transaction((inner) => inner('orders').insert({ person: 77, amount: 1 }))
      .catch((error) => print('inner', error.code));
    print(await trx('orders').where({ note: 'knex' }).count());
    throw new Error('enough');
  }),
);
print(await db('orders').where({ note: 'knex' }).count());

section('rows as a stream');
let sum = 0;
for await (const row of db('orders').select('id').orderBy('id').stream({ highWaterMark: 7 })) sum += Number(row.id);
print(sum);

for (const row of await db('people').orderBy('id')) print('MASKED', row);
await db.destroy();
