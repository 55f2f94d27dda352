// pg-cursor, pg-query-stream and pg-copy-streams: portals with limits and COPY by the byte, over node-postgres.
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import Cursor from 'pg-cursor';
import QueryStream from 'pg-query-stream';
import { failing, link, print, section } from './link.mjs';

const client = new pg.Client(link);
await client.connect();

section('cursors');
const cursor = client.query(new Cursor('select id, note from orders where id > $1 order by id', [40]));
for (let rows = await cursor.read(8); rows.length > 0; rows = await cursor.read(8)) print(rows.length, rows.at(-1));
await cursor.close();
const early = client.query(new Cursor('select generate_series(1, 100000) n', [], { rowMode: 'array' }));
print(await early.read(3));
await early.close();
const bad = client.query(new Cursor('select 10 / (3 - n) from generate_series(1, 9) n'));
print(await bad.read(2));
await failing(bad.read(5));
print((await client.query('select 1 as one')).rows);

section('rows as a stream');
let sum = 0;
for await (const { n } of client.query(
  new QueryStream('select generate_series(1, $1::int) n', [2500], { batchSize: 100 }),
))
  sum += n;
print(sum);
for await (const { n } of client.query(new QueryStream('select generate_series(1, 100000) n', [], { batchSize: 50 })))
  if (n === 120) break;
print((await client.query('select 2 as two')).rows);

section('COPY out');
const copied = async (text) => Buffer.concat(await Readable.from(client.query(copyTo(text))).toArray());
print((await copied('copy (select id, amount, note from orders order by id limit 3) to stdout')).toString());
print(
  (
    await copied('copy (select id, note from orders where id < 3 order by id) to stdout (format csv, header)')
  ).toString(),
);
print((await copied('copy (select id from orders order by id limit 2) to stdout (format binary)')).toString('hex'));
await copied('copy nowhere to stdout').catch((error) => print('error', error.code));

section('COPY in');
await client.query('create temp table taken (id int, note text)');
const take = async (text, chunks) => {
  const stream = client.query(copyFrom(text));
  await pipeline(Readable.from(chunks), stream);
  print(stream.rowCount);
};
await take(
  'copy taken from stdin',
  Array.from({ length: 500 }, (_, n) => Buffer.from(`${n}\tnote ${n}\n`)),
);
await take('copy taken from stdin (format csv)', [Buffer.from('600,"a,'), Buffer.from('b"\n601,\n')]);
await failing(take('copy taken from stdin', [Buffer.from('x\ty\n')]));
print((await client.query('select count(*)::int, max(note) from taken')).rows);
const left = client.query(copyFrom('copy taken from stdin'));
left.on('error', (error) => print('given up', error.code));
left.write(Buffer.from('700\tgone\n'));
left.destroy(new Error('changed my mind'));
await new Promise((done) => left.once('close', done));
print((await client.query('select count(*)::int from taken where id = 700')).rows);

for (const row of await client.query(new QueryStream('select * from people order by id')).toArray())
  print('MASKED', row);
print('MASKED', (await copied('copy people to stdout')).toString());
await client.end();
