// Large objects travel by function call messages: psycopg2, psql and pg_restore use them directly and through the gateway alike.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Harness, openHarness, token } from '../../src/protocols/postgres/harness.suite.ts';
import { type TestPostgres, testPostgres } from '../peers/postgres.ts';
import { type LibpqWay, libpqEnvironment } from './libpq.ts';
import { distributionServer } from './ways.ts';

let server: TestPostgres;
let gateway: Harness;
let folder: string;

const direct = (database = 'postgres'): LibpqWay => ({
  port: server.port,
  user: server.superuser,
  password: server.password,
  database,
});
const through = (database = 'postgres'): LibpqWay => ({
  port: gateway.port,
  user: 'agent',
  password: token,
  database: `shop/${database}`,
});
const call = promisify(execFile);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-large-'));
  // pg_dump refuses servers that are newer than it is.
  server = await testPostgres({ native: distributionServer() });
  gateway = await openHarness(server);
});
afterAll(async () => {
  await gateway?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('psycopg2', async () => {
  const script = `
import psycopg2
conn = psycopg2.connect("")
lo = conn.lobject(0, "wb")
print(lo.write(bytes(range(256)) * 200))
oid = lo.oid
lo.close()
conn.commit()
lo = conn.lobject(oid, "rwb")
print(lo.read(5), lo.tell(), lo.seek(51000), lo.read(300)[:4], lo.seek(0, 2))
lo.truncate(10)
lo.seek(0)
print(lo.read(), lo.closed)
lo.close()
conn.commit()
try:
    conn.lobject(4_000_000_000, "r")
except psycopg2.Error as e:
    print(e.pgcode, e)
conn.rollback()
lo = conn.lobject(oid)
lo.unlink()
conn.commit()
with conn.cursor() as cur:
    cur.execute("select count(*) from pg_largeobject_metadata")
    print(cur.fetchall())
`;
  const run = async (way: LibpqWay) =>
    (await call('/usr/bin/python3', ['-c', script], { env: libpqEnvironment(way) })).stdout;
  const theirs = await run(direct());
  expect(theirs).toContain('51200');
  expect(await run(through())).toBe(theirs);
});

test('psql: lo_import, lo_export, lo_unlink', async () => {
  const file = join(folder, 'file');
  writeFileSync(file, Buffer.from(Array.from({ length: 50_000 }, (_, index) => index % 251)));
  const run = async (way: LibpqWay) => {
    const script = `\\lo_import ${file} note\n\\lo_export :LASTOID ${file}.out\n\\lo_list\n\\lo_unlink :LASTOID\n\\lo_list\n`;
    const child = call('/usr/bin/psql', ['-X', '-f', '-'], { env: libpqEnvironment(way) });
    child.child.stdin?.end(script);
    const { stdout, stderr } = await child;
    expect(readFileSync(`${file}.out`).equals(readFileSync(file))).toBe(true);
    return `${stdout}${stderr}`
      .replaceAll(/\d{4,}/g, 'n')
      .replaceAll(/-{3,}/g, '-')
      .replaceAll(new RegExp(`${server.superuser} *`, 'g'), 'owner');
  };
  expect(await run(through())).toBe(await run(direct()));
});

test.each(['custom', 'plain'])('pg_dump and pg_restore, %s', async (format) => {
  const admin = new pg.Client({ host: '127.0.0.1', ...direct() });
  await admin.connect();
  await admin.query('select lo_unlink(oid) from pg_largeobject_metadata');
  await admin.query(
    `select lo_from_bytea(0, convert_to(repeat('piece ' || i, 5000), 'utf8')) from generate_series(1, 4) i`,
  );
  const content = 'select md5(lo_get(oid)) as sum from pg_largeobject_metadata order by 1';
  const before = (await admin.query(content)).rows;
  await admin.query(`create database restored_${format}`);
  const file = join(folder, `dump-${format}`);
  await call('/usr/bin/pg_dump', ['--blobs', `--format=${format}`, '-f', file], { env: libpqEnvironment(through()) });
  const into = libpqEnvironment(through(`restored_${format}`));
  if (format === 'plain') await call('/usr/bin/psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', file], { env: into });
  else await call('/usr/bin/pg_restore', ['--exit-on-error', '-d', `shop/restored_${format}`, file], { env: into });
  const restored = new pg.Client({ host: '127.0.0.1', ...direct(`restored_${format}`) });
  await restored.connect();
  expect((await restored.query(content)).rows).toEqual(before);
  expect(before).toHaveLength(4);
  await restored.end();
  await admin.end();
});

test('the gateway met no fault', () => {
  expect(gateway.faults).toEqual([]);
});
