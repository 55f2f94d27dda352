// The core of what the gateway promises, at every server version that it serves: PostgreSQL 14 to 18.
import { connect } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Masks } from '../../src/domain/decision.ts';
import type { Statement } from '../../src/domain/statement.ts';
import { targetMessage } from '../../src/protocols/postgres/codec.ts';
import { encodeCancelRequest } from '../../src/protocols/postgres/codec-startup.ts';
import { Writer } from '../../src/protocols/postgres/codec-writer.ts';
import { type Harness, openHarness, token } from '../../src/protocols/postgres/harness.suite.ts';
import { RawClient, say } from '../../src/protocols/postgres/raw-client.suite.ts';
import { type TestPostgres, testPostgres } from '../peers/postgres.ts';
import { majors, nativePostgres } from '../peers/versions.ts';

const labels = [{ columns: 'public.customers.email', label: 'pii.email' }];
const shop = `
  create table items (id int primary key, name text, price numeric(10, 2), made timestamptz, data jsonb, raw bytea, tags text[]);
  insert into items select i, 'item ' || i, i * 1.5, '2026-01-01', json_build_object('i', i), decode(lpad(to_hex(i), 8, '0'), 'hex'),
    array['a', 'b' || i] from generate_series(1, 1000) i;
  create table customers (id int primary key, email text unique, note text, upper_email text generated always as (upper(email)) stored);
  insert into customers select i, 'secret' || i || '@example.com', 'n' || i from generate_series(1, 20) i;
  create view contacts as select id, email as address from customers;
  create function first_mail() returns text language sql begin atomic select email from public.customers order by id limit 1; end;
  create table parts (id int, at date) partition by range (at);
  create table parts_2026 partition of parts for values from ('2026-01-01') to ('2027-01-01');
  insert into parts values (1, '2026-02-03');`;

/** As the policy would: labelled columns are masked, derived and opaque ones whole; nobody deletes; updates are held. */
function rule(statement: Statement) {
  if (statement.text.startsWith('delete')) return { deny: 'nobody deletes here' };
  if (statement.text.startsWith('update')) return 'hold' as const;
  const masks: Masks = statement.meaning.results.map((columns) =>
    columns.map((column) => {
      const label = column.sources.flatMap((source) => source.labels)[0] ?? (column.opaque ? 'unresolved' : undefined);
      return label === undefined ? null : { label, method: 'full' as const, whole: !column.direct };
    }),
  );
  return { masks };
}

const error = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('no error'),
    (caught: pg.DatabaseError) => caught,
  );

describe.each(majors)('PostgreSQL %i', (major) => {
  let server: TestPostgres;
  let gateway: Harness;
  let straight: pg.Client;
  let through: pg.Client;

  beforeAll(async () => {
    server = await testPostgres({ native: await nativePostgres(major) });
    straight = new pg.Client({
      host: '127.0.0.1',
      port: server.port,
      user: server.superuser,
      password: server.password,
      database: 'postgres',
    });
    await straight.connect();
    await straight.query(shop);
    gateway = await openHarness(server, {
      labels,
      rule,
      preview: (meaning) => (meaning.effects.some((effect) => effect.action === 'sql:reveal') ? 'deny' : 'permit'),
    });
    through = new pg.Client({
      host: '127.0.0.1',
      port: gateway.port,
      user: 'agent',
      password: token,
      database: 'shop',
    });
    through.on('error', () => undefined);
    await through.connect();
  }, 300_000);
  afterAll(async () => {
    await Promise.all([through?.end(), straight?.end()]);
    await gateway?.close();
    await server?.stop();
  });

  test('is the version that it should be', async () => {
    const { rows } = await through.query<{ major: number }>(
      "select current_setting('server_version_num')::int / 10000 major",
    );
    expect(rows).toEqual([{ major }]);
  });

  test.each<[string, unknown[]]>([
    ['select 1 as one, null as nothing, $1::text as t', ['ä€😀']],
    ['select * from items order by id limit 50', []],
    ['select count(*), sum(price) from items where id < $1', [100]],
    ['select * from items where id = any($1)', [[1, 2, 3]]],
    ['select tableoid::regclass::text t, * from parts', []],
    ['select generate_series(1, 5000) n', []],
    ["select data -> 'i' i, tags[2] t from items where data @> '{\"i\": 7}'", []],
    [
      'with x as (select id from items where id < 5) select i.name, row_number() over (order by x.id desc) from x join items i using (id)',
      [],
    ],
    [
      "select relname::text, relkind::text from pg_catalog.pg_class where relnamespace = 'public'::regnamespace order by 1",
      [],
    ],
  ])('gives the same result: %s', async (text, values) => {
    const [ours, theirs] = [await through.query(text, values), await straight.query(text, values)];
    expect(ours.rows).toEqual(theirs.rows);
    expect(ours.fields).toEqual(theirs.fields);
    expect([ours.command, ours.rowCount]).toEqual([theirs.command, theirs.rowCount]);
    if (values.length === 0) expect((await through.query(text)).rows).toEqual(theirs.rows);
  });

  test.each([
    ['the column itself', 'select id, email from customers order by id'],
    ['a view', 'select * from contacts order by id'],
    ['an expression', "select 'x' || lower(email) from customers"],
    ['a generated column', 'select upper_email from customers'],
    ['a function with a body that the server has parsed', 'select first_mail()'],
    ['a whole row', 'select customers from customers'],
    ['JSON', 'select to_jsonb(c) from customers c'],
    ['a set operation', 'select note from customers union all select email from customers'],
  ])('masks what is labelled, by way of %s', async (_title, text) => {
    for (const values of [undefined, []]) {
      const rows = JSON.stringify((await (values ? through.query(text, values) : through.query(text))).rows);
      expect(rows.toLowerCase()).not.toContain('secret');
      // Types that have no room for a mask become null.
      expect(rows).toMatch(/\*|null/);
    }
    expect(gateway.recorded().toString('latin1').toLowerCase()).not.toContain('@example.com');
  });

  test('masks COPY, and takes COPY in', async () => {
    const raw = await new RawClient(gateway.port).start({ user: 'agent', database: 'shop' }, token);
    for (const form of ['', '(format csv, header)', '(format binary)']) {
      raw.take();
      raw.send(say.query(`copy customers (id, email, note) to stdout ${form}`));
      await raw.ready(1);
      const copied = Buffer.concat(
        raw.take().flatMap(({ type, body }) => (type === targetMessage.copyData ? [Buffer.from(body, 'hex')] : [])),
      ).toString('latin1');
      expect(copied).not.toContain('secret');
      expect(copied).toContain('n20');
    }
    raw.send(say.query('copy parts from stdin'));
    await raw.until((all) => all.some((message) => message.type === targetMessage.copyInResponse));
    raw.send(Buffer.concat([say.copyData('2\t2026-03-04\n'), say.copyDone()]));
    await raw.ready(1);
    raw.end();
    expect((await straight.query('select count(*)::int n from parts where id = 2')).rows).toEqual([{ n: 1 }]);
  });

  test('a denial keeps the connection and fails the transaction', async () => {
    for (const values of [undefined, []]) {
      const run = (text: string) => (values ? through.query(text, values) : through.query(text));
      const denied = await error(run('delete from items'));
      expect([denied.code, denied.message]).toEqual(['42501', 'nobody deletes here']);
      await through.query('begin');
      expect((await error(run('delete from items'))).code).toBe('42501');
      expect((await error(run('select 1'))).code).toBe('25P02');
      expect((await through.query('commit')).command).toBe('ROLLBACK');
      expect((await run('select count(*)::int n from items')).rows).toEqual([{ n: 1000 }]);
    }
  });

  test('an error of the server’s keeps its code, and loses what it could quote', async () => {
    const ours = await error(through.query("insert into customers values (21, 'secret1@example.com')"));
    expect(ours.code).toBe('23505');
    expect(JSON.stringify({ ...ours, message: ours.message })).not.toContain('secret');
    const [a, b] = [
      await error(through.query('select * frm items')),
      await error(straight.query('select * frm items')),
    ];
    expect([a.code, a.message, a.position]).toEqual([b.code, b.message, b.position]);
  });

  test('a held statement runs once, when it is granted', async () => {
    const running = through.query('update items set price = price + 1 where id = 1');
    await expect.poll(() => gateway.holds.length).toBe(1);
    gateway.holds.pop()?.resolve('grant');
    expect((await running).rowCount).toBe(1);
    expect((await straight.query('select price from items where id = 1')).rows).toEqual([{ price: '2.50' }]);
  });

  test('what DDL changes is read again: a column that is labelled by then is masked', async () => {
    await through.query('alter table customers rename column email to mail');
    await through.query('alter table customers add column email text');
    await through.query("insert into customers (id, email) values (30, 'secret30@example.com')");
    const { rows } = await through.query<{ email: string }>('select email from customers where id = 30');
    expect(rows[0]?.email).not.toContain('secret');
    await through.query('alter table customers drop column email');
    await through.query('alter table customers rename column mail to email');
    await through.query('delete from customers where id = 30').catch(() => undefined);
  });

  test.each([
    ['3.0', 0, 4],
    ['3.2', 2, 32],
  ] as const)('a client of protocol %s cancels by its key', async (_version, minor, secretLength) => {
    const raw = await new RawClient(gateway.port).start({ user: 'agent', database: 'shop' }, token, minor);
    expect(raw.seen.some((message) => message.type === targetMessage.negotiateProtocolVersion)).toBe(false);
    const body = raw.take().find((message) => message.type === targetMessage.backendKeyData)?.body ?? '';
    const key = Buffer.from(body, 'hex');
    expect(key.length).toBe(4 + secretLength);
    raw.send(say.query('select pg_sleep(60)'));
    await expect
      .poll(
        async () =>
          (
            await straight.query(
              "select 1 from pg_stat_activity where query like '%pg_sleep(60)%' and state = 'active' and pid <> pg_backend_pid()",
            )
          ).rowCount,
      )
      .toBe(1);
    const writer = new Writer();
    encodeCancelRequest(writer, { pid: key.readInt32BE(0), secret: key.subarray(4) });
    connect({ host: '127.0.0.1', port: gateway.port }).end(writer.take());
    await raw.ready(1);
    expect(raw.take().find((message) => message.type === targetMessage.errorResponse)?.body).toContain('57014');
    raw.end();
  });

  test('nothing was left open, and nobody complained', () => {
    expect(gateway.faults).toEqual([]);
    expect(gateway.unsettled()).toBe(0);
  });
});
