// Tables that somebody else made anew a moment ago, behind the gateway's back: the catalogue is older than what the target
// describes. It is brought up to date before anything is withheld, and what is labelled stays hidden meanwhile.
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type TestPostgres, testPostgres } from '../../../test/peers/postgres.ts';
import type { Masks } from '../../domain/decision.ts';
import type { Statement } from '../../domain/statement.ts';
import { type Harness, openHarness, token } from './harness.suite.ts';
import { RawClient, say } from './raw-client.suite.ts';

let server: TestPostgres;
let admin: pg.Client;
let harness: Harness;
let db: pg.Client;

const masks = ({ meaning }: Statement): Masks =>
  meaning.results.map((columns) =>
    columns.map(({ sources, opaque, direct }) =>
      sources.length > 0 || opaque ? { label: 'pii', method: 'full' as const, whole: !direct } : null,
    ),
  );

beforeAll(async () => {
  server = await testPostgres();
  const { superuser: user, password, port } = server;
  admin = new pg.Client({ host: '127.0.0.1', port, user, password, database: 'postgres' });
  await admin.connect();
  harness = await openHarness(server, {
    labels: [{ columns: 'public.people.email', label: 'pii' }],
    rule: (statement) => ({ masks: masks(statement) }),
    preview: (meaning) => (meaning.effects.some((effect) => effect.action === 'sql:reveal') ? 'deny' : 'permit'),
  });
  await anew();
  db = new pg.Client({ host: '127.0.0.1', port: harness.port, user: 'agent', password: token, database: 'shop' });
  await db.connect();
});
afterAll(async () => {
  await db?.end();
  await admin?.end();
  await harness?.close();
  await server?.stop();
});

const anew = (columns = 'id int, email text') =>
  admin.query(`drop table if exists people cascade; create table people (${columns});
    insert into people (id, email) values (1, 'ada@example.com'), (2, 'bob@example.com')`);

beforeEach(async () => {
  // What was read is in step before each of them.
  await expect
    .poll(() => db.query('select id from people').then(() => db.query('select id from people')))
    .toBeDefined();
});

test('made anew: a query, a prepared statement, a portal and a cursor all work at once, masked', async () => {
  const masked = [{ id: 1, email: '****' }];
  await anew();
  expect((await db.query('select id, email from people where id = 1')).rows).toEqual(masked);
  await anew();
  expect((await db.query('select id, email from people where id = $1', [1])).rows).toEqual(masked);
  await anew();
  expect(
    (await db.query({ name: 'one', text: 'select id, email from people where id = $1', values: [1] })).rows,
  ).toEqual(masked);
  await anew();
  await db.query('begin');
  await db.query('declare c cursor for select id, email from people where id = 1');
  expect((await db.query('fetch c')).rows).toEqual(masked);
  await db.query('commit');
  expect(harness.recorded().includes('example.com')).toBe(false);
  expect(harness.faults).toEqual([]);
});

test('made anew: a whole pipeline, in which nothing is described before it runs', async () => {
  const client = await new RawClient(harness.port).start({ user: 'agent', database: 'shop' }, token);
  client.take();
  await anew();
  client.send(
    Buffer.concat([
      say.parse('', 'select id, email from people order by id'),
      say.bind('', ''),
      say.execute(''),
      say.parse('', 'select id from people'),
      say.describe('statement', ''),
      say.bind('', ''),
      say.execute(''),
      say.sync(),
    ]),
  );
  await client.ready(1);
  const types = client.seen.map(({ type }) => String.fromCharCode(type)).join('');
  expect(types).toBe('12DDC1tT2DDCZ');
  expect(client.seen.filter(({ body }) => body.includes(Buffer.from('****').toString('hex')))).toHaveLength(2);
  client.end();
});

test('another shape: what was decided under the old one is withheld, and the next try has it', async () => {
  await anew('id int, more text, email text');
  const first = await db.query('select * from people where id = 1').catch((error: { code: string }) => error.code);
  expect(first).toBe('42501');
  const { rows } = await db.query('select * from people where id = 1');
  expect(rows).toEqual([{ id: 1, more: null, email: '****' }]);
  // Only prepared, nothing has run yet: it is decided anew when it is bound.
  await anew('id int, other text, email text');
  const again = await db
    .query('select * from people where id = $1', [1])
    .catch((error: { code: string }) => error.code);
  expect(again).not.toMatchObject({ rows: [{ email: 'ada@example.com' }] });
  expect((await db.query('select * from people where id = $1', [1])).rows).toEqual([
    { id: 1, other: null, email: '****' },
  ]);
  expect(harness.recorded().includes('example.com')).toBe(false);
});

test('a view that shows a labelled column now: the rows that ran under the old reading do not leave', async () => {
  await admin.query('drop view if exists shown; create view shown as select id, id::text as x from people');
  expect((await db.query('select x from shown where id = 1')).rows).toEqual([{ x: '1' }]);
  for (const ask of [
    () => db.query('select x from shown where id = 1'),
    () => db.query('select x from shown where id = $1', [1]),
  ]) {
    await admin.query('drop view shown; create view shown as select id, id::text as x from people');
    await db.query('select x from shown where id = 1').catch(() => db.query('select x from shown where id = 1'));
    await admin.query('drop view shown; create view shown as select id, email as x from people');
    const seen = await ask().then(
      ({ rows }) => JSON.stringify(rows),
      (error: { code: string }) => error.code,
    );
    expect(seen === '42501' || seen === '[{"x":"****"}]').toBe(true);
    expect((await ask()).rows).toEqual([{ x: '****' }]);
  }
  await admin.query('drop view shown');
});

test('other sessions that ask meanwhile get their own answers', async () => {
  const others = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const one = new pg.Client({
        host: '127.0.0.1',
        port: harness.port,
        user: 'agent',
        password: token,
        database: 'shop',
      });
      await one.connect();
      return one;
    }),
  );
  await anew();
  const results = await Promise.all(
    others.map((one, index) => one.query(`select ${index} as mine, email from people`)),
  );
  expect(results.map(({ rows }) => rows[0])).toEqual(others.map((_, mine) => ({ mine, email: '****' })));
  await Promise.all(others.map((one) => one.end()));
});
