// Drivers of Java, Go, Perl, PHP and Ruby, ODBC, and psql, through the gateway and directly.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compare, demand } from './compare.ts';
import type { ClientName } from './roster.ts';
import { openWays, type Ways } from './ways.ts';

const programs = join(import.meta.dirname, 'programs');
const built = mkdtempSync(join(tmpdir(), 'built-'));
let ways: Ways;
beforeAll(async () => {
  ways = await openWays(['psql', 'jdbc', 'pq', 'pgx', 'perl', 'php', 'ruby', 'odbc']);
});
afterAll(async () => {
  rmSync(built, { recursive: true, force: true });
  await ways?.close();
});

test('psql', () =>
  compare('psql', ways, 'psql', {
    command: () => ['sh', '-c', 'exec psql -X -q -f - 2>&1 < "$0"', join(programs, 'psql_work.sql')],
  }));

test('PostgreSQL JDBC', async () => {
  demand('PostgreSQL JDBC');
  const jar = '/usr/share/java/postgresql.jar';
  execFileSync('javac', ['-encoding', 'UTF-8', '-cp', jar, '-d', built, join(programs, 'JdbcWork.java')], {
    stdio: 'pipe',
  });
  const command = [
    'java',
    '-Dfile.encoding=UTF-8',
    '-XX:TieredStopAtLevel=1',
    '-XX:+UseSerialGC',
    '-cp',
    `${jar}:${built}`,
    'JdbcWork',
  ];
  await compare('PostgreSQL JDBC', ways, 'jdbc', { command: () => command });
});

test.each([
  ['lib/pq', 'pq'],
  ['pgx v4', 'pgx'],
] as const)('%s', async (client, name) => {
  demand(client);
  const binary = join(built, name);
  const env = { PATH: process.env.PATH, HOME: built, GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '' };
  execFileSync('go', ['build', '-o', binary, join(programs, name, 'main.go')], { env, stdio: 'pipe' });
  await compare(client, ways, name, { command: () => [binary] });
});

test.each([
  ['DBD::Pg', 'perl', ['perl', 'dbd_pg_work.pl']],
  ['PHP PDO and pgsql', 'php', ['php', 'php_work.php']],
  ['ruby-pg', 'ruby', ['ruby', 'ruby_work.rb']],
] as const satisfies readonly (readonly [ClientName, string, readonly [string, string]])[])(
  '%s',
  (client, name, [runs, file]) => compare(client, ways, name, { command: () => [runs, join(programs, file)] }),
);

test('psqlODBC', async () => {
  demand('psqlODBC');
  const driver = readdirSync('/usr/lib')
    .map((folder) => join('/usr/lib', folder, 'odbc', 'psqlodbcw.so'))
    .find((path) => {
      try {
        execFileSync('test', ['-e', path]);
        return true;
      } catch {
        return false;
      }
    })!;
  await compare('psqlODBC', ways, 'odbc', {
    command: () => ['/usr/bin/python3', join(programs, 'odbc_work.py')],
    environment: () => ({ ODBC_DRIVER: driver }),
  });
});

test('the gateway complained of nothing', () => expect(ways.complaints).toEqual([]));
