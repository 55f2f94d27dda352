// TypeORM: entities synchronised to tables of their own, the tables that are there as it reads them, the query builder, streams.
import typeorm from 'typeorm';
import { failing, link, print, section } from './link.mjs';

const { DataSource, EntitySchema } = typeorm;
const Person = new EntitySchema({
  name: 'Person',
  tableName: 'people',
  synchronize: false,
  columns: {
    id: { type: Number, primary: true, generated: 'identity', generatedIdentity: 'ALWAYS' },
    name: { type: 'text' },
    email: { type: 'text', nullable: true },
    city: { type: 'varchar', length: 40, nullable: true },
  },
  relations: { orders: { type: 'one-to-many', target: 'Order', inverseSide: 'who' } },
});
const Order = new EntitySchema({
  name: 'Order',
  tableName: 'orders',
  synchronize: false,
  columns: {
    id: { type: 'bigint', primary: true, generated: true },
    amount: { type: 'numeric', nullable: true },
    note: { type: 'text', nullable: true },
  },
  relations: { who: { type: 'many-to-one', target: 'Person', joinColumn: { name: 'person' }, inverseSide: 'orders' } },
});
const Own = new EntitySchema({
  name: 'Own',
  tableName: 'owned',
  schema: 'typed',
  columns: {
    id: { type: 'int', primary: true, generated: true },
    kind: { type: 'enum', enum: ['a', 'b'], enumName: 'own_kind', default: 'a' },
    data: { type: 'jsonb', nullable: true },
    tags: { type: 'text', array: true, default: () => "'{}'" },
    made: { type: 'timestamptz', createDate: true },
  },
  indices: [{ name: 'own_kind_index', columns: ['kind'] }],
});
const source = new DataSource({
  type: 'postgres',
  host: link.host,
  port: link.port,
  username: link.user,
  password: link.password,
  database: link.database,
  ssl: link.ssl,
  entities: [Person, Order, Own],
  installExtensions: false,
  poolSize: 2,
});
await source.initialize();

section('tables as it reads them');
const runner = source.createQueryRunner();
const tables = await runner.getTables(['people', 'orders', 'kinds']);
for (const table of tables.toSorted((a, b) => a.name.localeCompare(b.name))) {
  print(
    table.name.replace(/^.*\./, ''),
    table.columns.map((c) => [
      c.name,
      c.type,
      c.isNullable,
      c.isPrimary,
      c.isGenerated,
      c.default,
      c.comment,
      c.length,
      c.precision,
      c.scale,
    ]),
  );
  print(
    table.indices.map((i) => [i.columnNames, i.isUnique, i.where]),
    table.uniques.map((u) => u.columnNames),
    table.checks.map((c) => c.expression),
    table.foreignKeys.map((f) => [f.columnNames, f.referencedColumnNames, f.onDelete]),
  );
}
print(await runner.hasTable('orders'), await runner.hasColumn('orders', 'nope'), await runner.getCurrentSchema());
await runner.release();

section('synchronisation');
await source.query('create schema typed');
await source.synchronize();
print((await source.driver.createSchemaBuilder().log()).upQueries.length);
print(
  await source.query(
    "select column_name, data_type, column_default from information_schema.columns where table_schema = 'typed' order by ordinal_position",
  ),
);

section('entities');
const own = source.getRepository('Own');
const saved = await own.save([{ kind: 'b', data: { x: [1] }, tags: ['p'] }, {}]);
print(saved.map(({ id, kind, tags }) => [id, kind, tags]));
print(
  (await own.find({ where: { kind: 'b' } })).map(({ data }) => data),
  await own.update({ id: 2 }, { tags: ['u', 'v'] }),
  await own.count(),
);
await own.upsert([{ id: 2, kind: 'b' }], ['id']);
print((await own.findOneByOrFail({ id: 2 })).kind, (await own.delete({ kind: 'b' })).affected);
print(
  (
    await source.getRepository('Person').find({
      select: { id: true, name: true, orders: { amount: true } },
      relations: { orders: true },
      order: { id: 'ASC', orders: { id: 'ASC' } },
    })
  ).map((p) => [p.name, p.orders.length, p.orders[0]?.amount]),
);

section('query builder');
print(
  await source
    .createQueryBuilder('Order', 'o')
    .innerJoin('o.who', 'p')
    .select('p.name', 'name')
    .addSelect('sum(o.amount)', 'total')
    .groupBy('p.name')
    .having('count(*) > :n', { n: 5 })
    .orderBy('p.name')
    .getRawMany(),
);
print(
  await source
    .createQueryBuilder('Order', 'o')
    .select(['o.id', 'o.note'])
    .where('o.id in (:...ids)', { ids: [3, 4] })
    .orderBy('o.id')
    .getManyAndCount(),
);
const stream = await source.createQueryBuilder('Order', 'o').select('o.id', 'id').orderBy('o.id').stream();
let rows = 0;
for await (const row of stream) rows += Number(row.id);
print(rows);

section('transactions');
await failing(
  source.transaction('SERIALIZABLE', async (manager) => {
    await manager.insert('Order', { amount: '3', note: 'typed', who: { id: 3 } });
    await manager
      .transaction(async (inner) => inner.insert('Order', { amount: '-1', who: { id: 3 } }))
      .catch((error) => print('inner', error.code));
    print(await manager.countBy('Order', { note: 'typed' }));
    await manager.query('select 1 / 0');
  }),
);
print(await source.getRepository('Order').countBy({ note: 'typed' }));
await source.query('drop schema typed cascade');

for (const row of await source.getRepository('Person').find({ order: { id: 'ASC' } })) print('MASKED', row);
await source.destroy();
