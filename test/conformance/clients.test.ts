// Clients of other makers through the gateway, against the same clients connected directly: psql, pgbench, psycopg, postgres.js.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Harness, openHarness, token } from '../../src/protocols/postgres/harness.suite.ts';
import { type TestPostgres, testPostgres } from '../peers/postgres.ts';
import { type LibpqWay, libpqEnvironment } from './libpq.ts';

let server: TestPostgres;
let gateway: Harness;

const direct = (): LibpqWay => ({
  port: server.port,
  user: server.superuser,
  password: server.password,
  database: 'postgres',
});
const through = (): LibpqWay => ({ port: gateway.port, user: 'agent', password: token, database: 'shop' });

const call = promisify(execFile);

beforeAll(async () => {
  server = await testPostgres();
  gateway = await openHarness(server);
});
afterAll(async () => {
  await gateway?.close();
  await server?.stop();
});

describe('psql', () => {
  const psql = async (way: LibpqWay, script: string) => {
    const child = call('/usr/bin/psql', ['-X', '-v', 'VERBOSITY=default', '-f', '-'], { env: libpqEnvironment(way) });
    child.child.stdin?.end(script);
    const { stdout, stderr } = await child;
    return { stdout, stderr };
  };

  test.each([
    [
      'statements, errors and transactions',
      "create table a (id int primary key, t text);\ninsert into a values (1, 'x'), (2, null) returning *;\nselect * from a order by id;\nselect 1/0;\nbegin;\nselect nonsense;\nselect 1;\nrollback;\nselect 2 \\; select 3;\n\\gset\ndrop table a;\n",
    ],
    [
      'COPY both ways',
      'create table b (id int, t text);\ncopy b from stdin;\n1\tone\n2\ttwo\n\\.\ncopy b to stdout csv header;\n\\copy (select * from b) to stdout\ndrop table b;\n',
    ],
    ['cursors by FETCH_COUNT', '\\set FETCH_COUNT 7\nselect g, g * 2 from generate_series(1, 40) g;\n'],
    [
      'notices and listening',
      "do $$ begin raise notice 'hello %', 1; end $$;\nlisten c;\nnotify c, 'payload';\nselect 1;\n",
    ],
    ['describe', "select 1 as a, 'x' as b \\gdesc\nselect id, relname from pg_class \\gdesc\n"],
  ])('%s', async (_name, script) => {
    const [theirs, ours] = [await psql(direct(), script), await psql(through(), script)];
    const plain = (text: string) => text.replaceAll(/PID \d+/g, 'PID n');
    expect(plain(ours.stdout)).toBe(plain(theirs.stdout));
    expect(plain(ours.stderr)).toBe(plain(theirs.stderr));
  });
});

describe('pgbench', () => {
  test.each(['simple', 'extended', 'prepared'])('in %s mode', async (mode) => {
    await call('/usr/bin/pgbench', ['-i', '-q', '-s', '1'], { env: libpqEnvironment(direct()) });
    // Tables made anew behind the gateway's back are noticed at once.
    const { stdout } = await call('/usr/bin/pgbench', ['-M', mode, '-c', '4', '-t', '50', '-n'], {
      env: libpqEnvironment(through()),
    });
    expect(stdout).toContain('number of transactions actually processed: 200/200');
    expect(stdout).toContain('number of failed transactions: 0');
  });

  test('initialises a database through the gateway', async () => {
    await call('/usr/bin/pgbench', ['-i', '-q', '-s', '1'], { env: libpqEnvironment(through()) });
    const { stdout } = await call('/usr/bin/psql', ['-X', '-At', '-c', 'select count(*) from pgbench_accounts'], {
      env: libpqEnvironment(through()),
    });
    expect(stdout.trim()).toBe('100000');
  });
});

describe('psycopg', () => {
  const script = `
import psycopg, datetime
with psycopg.connect("") as conn:
    conn.execute("create temp table t (id int, v numeric, b bytea, j jsonb, d timestamptz, a text[])")
    with conn.cursor() as cur:
        cur.executemany("insert into t values (%s, %s, %s, %s, %s, %s)", [(i, i / 4, bytes([i]), '{"i": %d}' % i, datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc), ['a', None]) for i in range(30)])
        for binary in (False, True):
            print(conn.execute("select * from t where id < %s order by id", (3,), binary=binary).fetchall())
        with conn.pipeline() as p:
            results = [conn.execute("select %s::int", (i,)) for i in range(20)]
        print([r.fetchone() for r in results])
        with cur.copy("copy t (id, v) from stdin") as copy:
            for i in range(100, 110):
                copy.write_row((i, i))
        with cur.copy("copy (select id, v from t where id >= 100 order by id) to stdout") as copy:
            print(list(copy.rows()))
        with conn.cursor(name="server side") as named:
            named.execute("select id from t order by id")
            print(named.fetchmany(5), named.fetchone())
    conn.commit()
    try:
        conn.execute("select 1/0")
    except psycopg.Error as e:
        print(e.sqlstate, e.diag.message_primary)
    conn.rollback()
    for i in range(8):
        conn.execute("select %s::text || 'x'", (str(i),)).fetchone()
    print(conn.execute("select count(*) from t").fetchone())
`;
  test('types, executemany, pipelines, COPY, server-side cursors', async () => {
    const run = async (way: LibpqWay) =>
      (await call('/usr/bin/python3', ['-c', script], { env: libpqEnvironment(way) })).stdout;
    expect(await run(through())).toBe(await run(direct()));
  });
});

describe('postgres.js', () => {
  const work = async (way: LibpqWay) => {
    const sql = postgres({
      host: '127.0.0.1',
      port: way.port,
      user: way.user,
      password: way.password,
      database: way.database,
      max: 3,
      onnotice: () => undefined,
    });
    try {
      const seen: unknown[] = [];
      seen.push(
        await Promise.all(
          Array.from({ length: 40 }, (_, index) => sql`select ${index}::int as n, ${'v' + index} as v`),
        ),
      );
      seen.push(
        await sql.begin(async (tx) => {
          await tx`create temp table t (id int, j jsonb)`;
          await tx`insert into t ${tx([{ id: 1, j: tx.json({ a: 1 }) }])}`;
          await tx
            .savepoint(async (inner) => {
              await inner`insert into t values (1 / 0, null)`;
            })
            .catch((error: Error) => seen.push(error.message));
          return tx`select * from t`;
        }),
      );
      const rows: unknown[] = [];
      for await (const chunk of sql`select g from generate_series(1, 25) g`.cursor(10)) rows.push(...chunk);
      seen.push(rows, await sql`select 1 as a; select 2 as b`.simple());
      seen.push(
        await sql`select nonsense`.catch((error: { code: string; position: string }) => [error.code, error.position]),
      );
      return JSON.parse(JSON.stringify(seen)) as unknown;
    } finally {
      await sql.end();
    }
  };
  test('many at once, transactions, savepoints, cursors', async () => {
    expect(await work(through())).toEqual(await work(direct()));
  });
});

test('the gateway met no fault, and every permit has its outcome', async () => {
  expect(gateway.faults).toEqual([]);
  while (gateway.unsettled() > 0) await new Promise((resolve) => setTimeout(resolve, 10));
});
