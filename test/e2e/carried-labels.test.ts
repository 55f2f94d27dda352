// Whoever may derive copies labelled values through the real gateway; the copies show no more than the originals did.
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Arena, openArena } from '../model/arena.ts';
import { verifies } from '../requirements.ts';

const secret = 'quill.harrow@vault.example';
let arena: Arena;
beforeAll(async () => {
  arena = await openArena({
    schema: `create table people (id int, email text); insert into people values (1, '${secret}');
      create table sink (id int, a text, b text); create view sink_view as select id as no, a as first from sink;
      create table slow (v text);
      create procedure fill() language plpgsql as $$ begin insert into slow select email from people; commit; perform pg_sleep(2); end $$;
      create schema other; create table animals (id int, email text); insert into animals values (1, '${secret}')`,
    labels: ['public.people.email', 'public.animals.email', 'public.people.emial'],
  });
});
afterAll(() => arena.stop());

const clients: pg.Client[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.end().catch(() => {});
});
async function connect(): Promise<pg.Client> {
  const { port, user, database, password } = arena.gateway;
  const client = new pg.Client({ host: '127.0.0.1', port, user, database, password });
  await client.connect();
  clients.push(client);
  return client;
}
const rows = async (client: pg.Client, sql: string) =>
  (await client.query({ text: sql, rowMode: 'array' })).rows as unknown[][];

test('a rule that labels no column is told of before any session', async () => {
  const told: string[] = [];
  await expect
    .poll(() => told.push(...arena.complaints().filter((line) => line.includes('label no column'))), {
      timeout: 10_000,
    })
    .toBe(1);
  expect(JSON.parse(told[0]!)).toMatchObject({
    target: 'model',
    database: 'through',
    rules: ['pii: public.people.emial'],
  });
});

test(
  verifies('masked-or-withheld', 'a copy made by whoever may derive keeps its labels, in every session'),
  async () => {
    const [one, other] = [await connect(), await connect()];
    expect(await rows(one, 'select id, email from people')).toEqual([[1, '****']]);
    expect(await rows(other, 'select id, a, b from sink')).toEqual([]);

    await one.query('create table copied as select id, email as mail from people');
    expect(await rows(one, 'select id, mail from copied')).toEqual([[1, '****']]);
    expect(await rows(other, 'select * from copied')).toEqual([[1, '****']]);

    // Not a change of structure: the other session has a catalogue in which the column was free.
    await one.query('insert into sink (id, a) select id, email from people');
    expect(await rows(other, 'select id, a, b from sink')).toEqual([[1, '****', null]]);
    await one.query('update sink set b = p.email from people p where p.id = sink.id');
    expect(await rows(one, 'select id, a, b from sink')).toEqual([[1, '****', '****']]);

    await one.query('create temp table quick as select email from people');
    expect(await rows(one, 'select * from quick')).toEqual([['****']]);

    await one.query('alter table animals rename column email to mail');
    expect(await rows(other, 'select mail from animals')).toEqual([['****']]);
    await one.query('alter table animals rename to beasts');
    await one.query('alter table beasts set schema other');
    expect(await rows(other, 'select mail from other.beasts')).toEqual([['****']]);
    // A copy of a copy.
    await one.query('select mail into again from other.beasts');
    expect(await rows(other, 'select * from again')).toEqual([['****']]);
  },
);

test(
  verifies('masked-or-withheld', 'a copy and its reading in one text, one transaction or one prepared statement'),
  async () => {
    const [one, other] = [await connect(), await connect()];
    await one.query('create table fresh (id int, v text)');
    const prepared = { name: 'p', text: 'select v from fresh', rowMode: 'array' } as const;
    expect((await other.query(prepared)).rows).toEqual([]);
    const both = await one
      .query({ text: 'insert into fresh select id, email from people; select v from fresh' })
      .catch((error: Error) => error);
    expect(JSON.stringify(both)).not.toContain(secret);
    await one.query('begin');
    await one.query('insert into fresh select id, email from people');
    expect(new Set((await rows(one, 'select v from fresh')).flat())).toEqual(new Set(['****']));
    await one.query('commit');
    expect(new Set((await other.query(prepared)).rows.flat())).toEqual(new Set(['****']));
  },
);

test(verifies('masked-or-withheld', 'what is committed before its statement ends is masked already'), async () => {
  const [one, other] = [await connect(), await connect()];
  expect(await rows(other, 'select v from slow')).toEqual([]);
  let over = false;
  const filling = one.query('call fill()').then(() => (over = true));
  await expect.poll(() => rows(other, 'select count(*)::int from slow'), { timeout: 10_000 }).toEqual([[1]]);
  expect(await rows(other, 'select v from slow')).toEqual([['****']]);
  expect(over).toBe(false);
  await filling;
});

test('a copy that was rolled back leaves a label behind, which hides too much and never too little', async () => {
  const one = await connect();
  await one.query('begin');
  await one.query('create table gone as select email from people');
  await one.query('rollback');
  await one.query("create table gone as select 'free'::text as email, 'open'::text as other");
  expect(await rows(one, 'select * from gone')).toEqual([['****', 'open']]);
});
