// pg_dump and pg_restore: a schema with one of most things, dumped and restored through the gateway, byte for byte as directly.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { demand, plain, runClient } from './compare.ts';
import { distributionServer, openWays, type Way, type Ways } from './ways.ts';

const schema = readFileSync(join(import.meta.dirname, 'programs', 'dump_schema.sql'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'dump-'));
let ways: Ways;
let source: ReturnType<Ways['of']>;
let target: ReturnType<Ways['of']>;
beforeAll(async () => {
  demand('pg_dump, pg_restore');
  ways = await openWays(['source', 'target', 'jobs'], { native: distributionServer(), seed: 'select 1' });
  source = ways.of('source');
  target = ways.of('target');
  for (const way of Object.values(source)) await ways.run(way.work, schema);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await ways?.close();
});

/** What a command prints; it must succeed. Newer versions put a random key into plain dumps, which is no difference. */
async function said(way: Way, ...command: string[]): Promise<string> {
  const { status, stdout, stderr } = await runClient(way, command);
  expect(plain(way, stderr), command.join(' ')).toBe('');
  expect(status).toBe(0);
  return plain(way, stdout).replaceAll(/^\\(un)?restrict .*$/gm, '');
}
const masked = (dump: string) => dump.replaceAll(/p\d+@mail\.example/g, '****');

describe('dumps', () => {
  test.each([
    ['schema and data', []],
    ['schema', ['--schema-only', '--create', '--clean', '--if-exists']],
    ['data as INSERT', ['--data-only', '--column-inserts', '--rows-per-insert=50', '--disable-triggers']],
    ['one schema', ['--schema=app', '--exclude-table=app.measures*', '--no-owner', '--no-privileges']],
    [
      'by root partition, serializable',
      ['--load-via-partition-root', '--serializable-deferrable', '--quote-all-identifiers'],
    ],
  ])('%s', async (_name, options) => {
    const [theirs, hidden, shown] = await Promise.all([
      said(source.direct, 'pg_dump', ...options),
      said(source.masked, 'pg_dump', ...options),
      said(source.revealed, 'pg_dump', ...options),
    ]);
    expect(theirs.length).toBeGreaterThan(5_000);
    expect(shown).toBe(theirs);
    expect(hidden).toBe(masked(theirs));
  });
});

test('restored through the gateway, and dumped again', async () => {
  const archive = join(folder, 'archive');
  await said(source.direct, 'pg_dump', '-Fc', '-f', archive);
  await said(
    target.masked,
    'pg_restore',
    '--exit-on-error',
    '--single-transaction',
    '-d',
    target.masked.database,
    archive,
  );
  const before = await said(source.direct, 'pg_dump');
  expect(await said({ ...target.direct, database: target.masked.work, work: target.masked.work }, 'pg_dump')).toBe(
    before,
  );
  expect(await said(target.masked, 'pg_dump')).toBe(masked(before));
});

test('dumped and restored through the gateway by several links at once', async () => {
  const archive = join(folder, 'parallel');
  const jobs = ways.of('jobs');
  // Indexes, constraints and triggers were restored above; each costs a reading of the catalogue.
  const sections = ['--section=pre-data', '--section=data'];
  await said(source.revealed, 'pg_dump', '-Fd', '-j', '3', '-f', archive);
  const restore = ['pg_restore', '--exit-on-error', '-j', '3', ...sections];
  await said(jobs.revealed, ...restore, '-d', jobs.revealed.database, archive);
  const restored = { ...jobs.direct, database: jobs.revealed.work, work: jobs.revealed.work };
  expect(await said(restored, 'pg_dump', ...sections)).toBe(await said(source.direct, 'pg_dump', ...sections));
});

// What is restored into begins empty: there the label has no column yet, and the log says so.
test('the gateway complained of nothing else', () =>
  expect(ways.complaints.filter((line) => !line.includes('label rules that label no column'))).toEqual([]));
