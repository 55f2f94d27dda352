// What speaks the protocol and is not PostgreSQL itself: a pooler in front of it, and PostgreSQL in WebAssembly.
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:net';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openHarness, token, type Harness } from '../../src/protocols/postgres/harness.suite.ts';
import { freePort, type TestPostgres, testPostgres } from '../peers/postgres.ts';
import { verifies } from '../requirements.ts';
import { works } from './ways.ts';

const labels = [{ columns: 'public.customers.email', label: 'pii.email' }];
const shop = `
  create table customers (id int primary key, email text, note text);
  insert into customers select i, 'secret' || i || '@example.com', 'n' || i from generate_series(1, 20) i;
  create schema other;
  create table other.customers (id int, email text);`;

const apart = { code: '08006', message: expect.stringContaining('does not keep sessions apart') };

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of closing.splice(0).toReversed()) await step();
});

async function gatewayTo(peer: { port: number; superuser: string; password: string }): Promise<Harness> {
  const gateway = await openHarness(peer, {
    labels,
    rule: (statement) => ({
      masks: statement.meaning.results.map((columns) =>
        columns.map(({ sources, opaque, direct }) => {
          const label = sources.flatMap((source) => source.labels)[0] ?? (opaque ? 'unresolved' : undefined);
          return label === undefined ? null : { label, method: 'full' as const, whole: !direct };
        }),
      ),
    }),
  });
  closing.push(() => gateway.close());
  return gateway;
}

async function client(port: number, options: pg.ClientConfig = {}): Promise<pg.Client> {
  const made = new pg.Client({ host: '127.0.0.1', port, user: 'agent', password: token, database: 'shop', ...options });
  made.on('error', () => undefined);
  await made.connect();
  closing.push(() => made.end());
  return made;
}

/** What a session ends with before its first statement is answered: an error of its own, or that of the statement. */
async function ending(port: number): Promise<unknown> {
  const made = new pg.Client({ host: '127.0.0.1', port, user: 'agent', password: token, database: 'shop' });
  const errors: unknown[] = [];
  made.on('error', (error) => errors.push(error));
  await made.connect().catch((error: unknown) => errors.push(error));
  await made.query('select * from customers').catch((error: unknown) => errors.push(error));
  closing.push(() => made.end());
  return errors[0];
}

describe('pgbouncer', () => {
  let server: TestPostgres;
  let folder: string;
  beforeAll(async () => {
    if (!works('pgbouncer', ['--version'])) throw new Error('pgbouncer is missing: apt-get install pgbouncer');
    folder = mkdtempSync(join(tmpdir(), 'bouncer-'));
    server = await testPostgres();
    const direct = { user: server.superuser, password: server.password, database: 'postgres' };
    const admin = new pg.Client({ host: '127.0.0.1', port: server.port, ...direct });
    await admin.connect();
    await admin.query(shop);
    await admin.end();
  }, 120_000);
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function bouncer(mode: 'session' | 'transaction'): Promise<number> {
    const port = await freePort();
    const users = join(folder, `${mode}.users`);
    const settings = join(folder, `${mode}.ini`);
    writeFileSync(users, `"${server.superuser}" "${server.password}"\n`);
    writeFileSync(
      settings,
      `[databases]
postgres = host=127.0.0.1 port=${server.port} dbname=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
pool_mode = ${mode}
logfile = ${join(folder, `${mode}.log`)}
pidfile = ${join(folder, `${mode}.pid`)}
`,
    );
    // It refuses to run as root.
    const lent = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    if ('uid' in lent) for (const path of [folder, users, settings]) chownSync(path, 65_534, 65_534);
    const child = spawn('pgbouncer', ['-q', settings], { ...lent, stdio: 'ignore' });
    const gone = new Promise((done) => child.once('exit', done));
    closing.push(() => {
      child.kill('SIGTERM');
      return gone;
    });
    const answers = () =>
      new Promise<boolean>((done) => {
        const socket = connect(port, '127.0.0.1', () => done(true)).once('error', () => done(false));
        socket.once('connect', () => socket.destroy());
      });
    await expect.poll(answers, { timeout: 10_000 }).toBe(true);
    return port;
  }

  test('in session mode it is a target like any other: catalogue, masks, prepared statements, COPY, cancel, DDL', async () => {
    const gateway = await gatewayTo({ ...server, port: await bouncer('session') });
    const through = await client(gateway.port);
    const masked = [{ id: 1, email: '****', note: 'n1' }];
    expect((await through.query('select * from customers where id = 1')).rows).toEqual(masked);
    for (const id of [1, 1]) {
      const { rows } = await through.query({
        name: 'one',
        text: 'select * from customers where id = $1',
        values: [id],
      });
      expect(rows).toEqual(masked);
    }
    await expect(through.query('select * from nowhere')).rejects.toMatchObject({ code: '42P01' });
    await through.query('set search_path = other');
    expect((await through.query('select count(*)::int n from customers')).rows).toEqual([{ n: 0 }]);
    await through.query('reset search_path');
    await through.query('create table made (n int, email text)');
    expect((await through.query('select * from made')).rows).toEqual([]);
    await through.query('drop table made');
    expect((await through.query("select 'text' || id as t from customers where id = 2")).rows).toEqual([
      { t: 'text2' },
    ]);
    // A second session does not meet the first one, and its cancel does not either.
    const other = await client(gateway.port);
    const slept = other.query('select pg_sleep(60)').catch((error: pg.DatabaseError) => error.code);
    await expect.poll(() => gateway.statements.some(({ statement }) => statement.text.includes('pg_sleep'))).toBe(true);
    const { processID, secretKey } = other as unknown as { processID: number; secretKey: number };
    const busy = through.query('select pg_sleep(0.5), 7 as n');
    await expect
      .poll(
        async () => {
          const socket = connect(gateway.port, '127.0.0.1');
          const packet = Buffer.alloc(16);
          for (const [at, value] of [16, 80_877_102, processID, secretKey].entries())
            packet.writeInt32BE(value, at * 4);
          socket.end(packet);
          await new Promise((done) => socket.once('close', done));
          return Promise.race([slept, new Promise((done) => setTimeout(done, 200, 'sleeps'))]);
        },
        { timeout: 20_000 },
      )
      .toBe('57014');
    expect((await busy).rows[0]).toMatchObject({ n: 7 });
    expect((await other.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(gateway.faults).toEqual([]);
  });

  test(
    verifies('understood-or-refused', 'in transaction mode it does not keep sessions apart, and nothing is answered'),
    async () => {
      const gateway = await gatewayTo({ ...server, port: await bouncer('transaction') });
      expect(await ending(gateway.port)).toMatchObject(apart);
      expect(gateway.faults.map(({ code }) => code)).toEqual(['target.protocol']);
    },
  );

  test('what it refuses of a start-up is told to the operator, and its code to the client', async () => {
    const gateway = await gatewayTo({ ...server, port: await bouncer('session') });
    const refused = client(gateway.port, { options: '-c extra_float_digits=2' });
    await expect(refused).rejects.toMatchObject({ code: '08006', message: expect.stringContaining('SQLSTATE 08P01') });
    expect(gateway.faults[0]?.cause).toMatchObject({
      message: expect.stringContaining('unsupported startup parameter'),
    });
  });
});

test(
  verifies('understood-or-refused', 'PGlite serves all its sockets by one session, and nothing is answered'),
  async () => {
    const packages = join(import.meta.dirname, 'npm', 'node_modules', '@electric-sql');
    if (!existsSync(packages)) throw new Error('PGlite is missing: npm ci --prefix test/conformance/npm');
    const port = await freePort();
    const script = `
    import { PGlite } from '${packages}/pglite/dist/index.js';
    import { PGLiteSocketServer } from '${packages}/pglite-socket/dist/index.js';
    await new PGLiteSocketServer({ db: await PGlite.create(), host: '127.0.0.1', port: ${port}, maxConnections: 9 }).start();
    console.log('listening');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const gone = new Promise((done) => child.once('exit', done));
    closing.push(() => {
      child.kill('SIGKILL');
      return gone;
    });
    await new Promise((done) => child.stdout.once('data', done));
    const gateway = await gatewayTo({ port, superuser: 'postgres', password: 'postgres' });
    expect(await ending(gateway.port)).toMatchObject(apart);
  },
);
