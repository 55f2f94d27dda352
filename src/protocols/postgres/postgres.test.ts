import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestPostgres, testPostgres } from '../../../test/peers/postgres.ts';
import { verifies } from '../../../test/requirements.ts';
import { type Harness, type HarnessOptions, openHarness, token } from './harness.suite.ts';

let server: TestPostgres;
const open: Harness[] = [];

/** The server has its own ideas about overloads of `query`; here a text and maybe values are enough. */
const run = (db: pg.Client, text: string, values?: unknown[]) => (values ? db.query(text, values) : db.query(text));

async function harness(options: HarnessOptions = {}): Promise<Harness> {
  const made = await openHarness(server, options);
  open.push(made);
  return made;
}

async function client(port: number, more: pg.ClientConfig = {}): Promise<pg.Client> {
  const made = new pg.Client({ host: '127.0.0.1', port, user: 'agent', password: token, database: 'shop', ...more });
  made.on('error', () => undefined);
  await made.connect();
  return made;
}

async function direct(): Promise<pg.Client> {
  const made = new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    user: server.superuser,
    password: server.password,
    database: 'postgres',
  });
  await made.connect();
  return made;
}

beforeAll(async () => {
  server = await testPostgres();
  const admin = await direct();
  await admin.query(`create table items (id int primary key, name text, price numeric(10, 2), made timestamptz default now(), data jsonb, raw bytea);
    insert into items select i, 'item ' || i, i * 1.5, '2026-01-01', json_build_object('i', i), decode(lpad(to_hex(i), 8, '0'), 'hex') from generate_series(1, 1000) i;
    create table customers (id int primary key, email text, note text);
    insert into customers select i, 'person' || i || '@example.com', 'n' || i from generate_series(1, 20) i;`);
  await admin.end();
});

afterAll(async () => {
  for (const each of open) await each.close();
  await server?.stop();
});

const error = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('no error'),
    (caught: pg.DatabaseError) => caught,
  );

describe('results are the same as without the gateway', () => {
  test.each<[string, unknown[]]>([
    ['select 1 as one, null as nothing, $1::text as t', ['ä€😀']],
    ['select * from items order by id limit 50', []],
    ['select count(*), sum(price) from items where id < $1', [100]],
    ['select * from items where id = any($1)', [[1, 2, 3]]],
    ['select generate_series(1, 5000) n', []],
    ["select repeat('x', 3000000) long", []],
    ['', []],
  ])('%s', async (text, values) => {
    const { port, ...rest } = await harness();
    const [through, straight] = [await client(port), await direct()];
    const [a, b] = [await through.query(text, values), await straight.query(text, values)];
    expect(a.rows).toEqual(b.rows);
    expect(a.fields).toEqual(b.fields);
    expect([a.command, a.rowCount]).toEqual([b.command, b.rowCount]);
    const simple = [
      await through.query(text.replace('$1::text', "'1'").replace('any($1)', "any('{1}')").replace('$1', '5')),
      await straight.query(text.replace('$1::text', "'1'").replace('any($1)', "any('{1}')").replace('$1', '5')),
    ];
    expect(simple[0]?.rows).toEqual(simple[1]?.rows);
    await Promise.all([through.end(), straight.end()]);
    expect(rest.unsettled()).toBe(0);
    expect(rest.faults).toEqual([]);
  });

  test('several statements in one text, and named statements again and again', async () => {
    const { port, statements } = await harness();
    const db = await client(port);
    const results = (await db.query(
      'select 1 a; create temp table t (x int); insert into t values (1), (2); select 2 b',
    )) as unknown as pg.QueryResult[];
    expect(results.map((result) => [result.command, result.rowCount])).toEqual([
      ['SELECT', 1],
      ['CREATE', null],
      ['INSERT', 2],
      ['SELECT', 1],
    ]);
    for (let index = 0; index < 5; index++) {
      const { rows } = await db.query({
        name: 'by-id',
        text: 'select name from items where id = $1',
        values: [index + 1],
      });
      expect(rows).toEqual([{ name: `item ${index + 1}` }]);
    }
    expect(await db.query('select * from t order by x').then((result) => result.rows)).toEqual([{ x: 1 }, { x: 2 }]);
    await db.end();
    expect(statements.filter((each) => each.statement.kind === 'prepare')).toHaveLength(1);
    expect(statements.map((each) => each.statement.kind).slice(0, 4)).toEqual([
      'connect',
      'execute',
      'prepare',
      'execute',
    ]);
    expect(
      statements.filter((each) => each.statement.kind === 'execute').every((each) => each.outcome?.status === 'done'),
    ).toBe(true);
    expect(statements.find((each) => each.statement.parameters)?.statement.parameters).toEqual(['1']);
  });
});

describe('a denial', () => {
  test(verifies('denial.usable', 'keeps the connection, fails the transaction, and says what to do'), async () => {
    const { port } = await harness({
      rule: (statement) => (statement.text.startsWith('delete') ? { deny: 'nobody deletes here' } : 'permit'),
    });
    const db = await client(port);
    for (const values of [undefined, []]) {
      const alone = await error(run(db, 'delete from items', values));
      expect([alone.code, alone.message, alone.hint]).toEqual([
        '42501',
        'nobody deletes here',
        'Do something else. Change the statement and send it again.',
      ]);
      expect((await run(db, 'select 1 one', values)).rows).toEqual([{ one: 1 }]);
      await db.query('begin');
      await db.query('select 1');
      expect((await error(run(db, 'delete from items', values))).code).toBe('42501');
      expect((await error(run(db, 'select 1', values))).code).toBe('25P02');
      expect((await db.query('commit')).command).toBe('ROLLBACK');
      expect((await run(db, 'select count(*)::int n from items', values)).rows).toEqual([{ n: 1000 }]);
    }
    await db.end();
  });

  test('a text that cannot be parsed is answered as the server would', async () => {
    const { port } = await harness();
    const [db, straight] = [await client(port), await direct()];
    for (const values of [undefined, []]) {
      const [ours, theirs] = [
        await error(run(db, 'select * frm items', values)),
        await error(run(straight, 'select * frm items', values)),
      ];
      expect([ours.code, ours.message, ours.position]).toEqual([theirs.code, theirs.message, theirs.position]);
    }
    expect((await db.query('select 1 one')).rows).toEqual([{ one: 1 }]);
    await Promise.all([db.end(), straight.end()]);
  });
});

describe('a hold', () => {
  const rule = (statement: { text: string }) =>
    statement.text.startsWith('update') ? ('hold' as const) : ('permit' as const);
  const until = async (condition: () => boolean) => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  test(verifies('hold.exactly-once', 'is told at once, and runs once when it is granted'), async () => {
    const { port, holds } = await harness({ rule });
    const db = await client(port);
    const notices: string[] = [];
    db.on('notice', (notice) => notices.push(notice.message ?? ''));
    for (const values of [undefined, []]) {
      await db.query('select 1');
      const running = run(db, 'update items set price = price + 1 where id = 1 returning price', values);
      const behind = db.query('select 2 two');
      await until(() => holds.length > 0 && notices.length > 0);
      expect(notices.pop()).toContain('group "dba"');
      holds.pop()?.resolve('grant');
      expect((await running).rowCount).toBe(1);
      expect((await behind).rows).toEqual([{ two: 2 }]);
    }
    expect((await db.query('select price from items where id = 1')).rows).toEqual([{ price: '3.50' }]);
    await db.end();
  });

  test('refused and expired are told apart', async () => {
    const { port, holds } = await harness({ rule });
    const db = await client(port);
    for (const [how, code] of [
      ['refused', 'KC001'],
      ['expired', 'KC002'],
    ] as const) {
      const running = error(db.query('update items set price = 0', []));
      await until(() => holds.length > 0);
      holds.pop()?.resolve(how);
      expect((await running).code).toBe(code);
    }
    await db.end();
  });

  test('a cancel withdraws it, and so does leaving', async () => {
    const { port, holds, statements, unsettled } = await harness({ rule });
    const db = await client(port);
    const running = error(db.query('update items set price = 0'));
    await until(() => holds.length > 0);
    const { processID, secretKey } = db as unknown as { processID: number; secretKey: number };
    const canceller = new pg.Connection({});
    (canceller as unknown as { connect(port: number, host: string): void }).connect(port, '127.0.0.1');
    canceller.once('connect', () =>
      (canceller as unknown as { cancel(a: number, b: number): void }).cancel(processID, secretKey),
    );
    expect((await running).code).toBe('57014');
    holds.pop();
    const left = db.query('update items set price = 0').catch(() => undefined);
    await until(() => holds.length > 0);
    (db as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    await left;
    await until(() => unsettled() === 0);
    const [straight] = [await direct()];
    expect((await straight.query('select price from items where id = 2')).rows).toEqual([{ price: '3.00' }]);
    await straight.end();
    expect(
      statements.filter((each) => each.outcome?.status === 'done' && each.statement.text.startsWith('update')),
    ).toEqual([]);
  });
});
