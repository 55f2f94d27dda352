// The target's own log against the ledger, with a real server: what went through the gateway is matched, what went around it is named.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { register } from '../../src/cli/reconcile.ts';
import { run } from '../../src/cli/run.ts';
import { openKeyring } from '../../src/ledger/keyring.ts';
import { type JournalItem, readJournal } from '../../src/ledger/read-journal.ts';
import { logFiles } from '../../src/reconcile/log-files.ts';
import { readRecordedSessions } from '../../src/reconcile/recorded-sessions.ts';
import { type Reconciliation, reconcile } from '../../src/reconcile/reconcile.ts';
import { type LoggedPlace, loggedPlace } from './place.ts';

let place: LoggedPlace;
let outside: string;
/** The log as it was before the tests looked at the server themselves. */
let copied: string;
const files = (format: string) =>
  readdirSync(copied)
    .filter((name) => name.endsWith(format))
    .map((name) => join(copied, name));
const multiline = `select id,
       name -- a comment, "quoted"
  from customers
 where name <> 'x''y'`;
const long = `select 1 where 'x' in (${Array.from({ length: 4_000 }, (_, at) => `'value ${at}'`).join(', ')})`;
const bypass = "update customers set name = 'changed behind'\n where id = 1";

type Text = string | [text: string, values: string[]];
const as = async (who: { user: string; password: string }, database: string, ...texts: Text[]) => {
  const client = new pg.Client({ host: '127.0.0.1', port: place.server.port, ...who, database });
  await client.connect();
  for (const text of texts)
    await (typeof text === 'string' ? client.query(text) : client.query(text[0], text[1])).catch(() => {});
  await client.end();
};
const admin = () => ({ user: place.server.superuser, password: place.server.password });
const app = { user: 'app', password: 'of the application' };

beforeAll(async () => {
  outside = mkdtempSync(join(tmpdir(), 'reconcile-'));
  place = await loggedPlace({ server: { settings: { shared_preload_libraries: 'pg_stat_statements' } } });
  await as(admin(), 'shop', 'create extension pg_stat_statements');
  const one = await place.pg('agent');
  const two = await place.pg('human');
  await one.query('select 1');
  await one.query(multiline);
  await one.query(long);
  await one.query('select name from customers where id = $1', [2]);
  await one.query({ name: 'mine: a name', text: 'select id from customers where name = $1', values: ["b'o"] });
  await one.query({ name: 'mine: a name', text: 'select id from customers where name = $1', values: ['ada'] });
  await one.query("select id from customers where email = 'ada@mail.example' /* labelled */ and id = 1");
  await one.query('select 1; select 2');
  await one.query('select * from nowhere').catch(() => {});
  await one.query('select 1/0').catch(() => {});
  await one.query('do $$ begin perform 1; end $$').catch(() => {});
  await two.query('begin');
  await two.query("insert into notes (body) values ('a')").catch(() => {});
  await two.query('create temp table passing (id int)').catch(() => {});
  await two.query('select * from passing').catch(() => {});
  await two.query('commit').catch(() => {});
  await one.end();
  await two.end();
  // Around the gateway, with its own credential; another role; another database; a login that fails.
  await as(app, 'shop', bypass, 'select * from notes', ['select id from customers where name = $1', ['ada']]);
  await as(admin(), 'shop', 'select count(*) from customers');
  await as(admin(), 'postgres', 'select 1', 'select 2');
  await as({ ...app, user: 'nobody' }, 'shop').catch(() => {});
  await sleep(300);
  copied = mkdtempSync(join(outside, 'log-'));
  for (const name of readdirSync(place.logs).filter((one) => /\.(csv|json)$/.test(one)))
    writeFileSync(join(copied, name), readFileSync(join(place.logs, name)));
}, 60_000);

afterAll(async () => {
  await place?.close();
  rmSync(outside, { recursive: true, force: true });
});

async function ledger(change: (item: JournalItem) => JournalItem = (item) => item) {
  const keys = openKeyring(join(place.folder, 'data', 'state'));
  const recorded = readRecordedSessions('shop');
  for await (const item of readJournal(place.ledger, 0, keys)) recorded.entry(change(item));
  keys.close();
  return recorded.end();
}

async function compare(paths: readonly string[], more: object = {}): Promise<Reconciliation> {
  return reconcile({
    target: 'shop',
    databases: ['shop'],
    role: 'app',
    log: paths.flatMap(logFiles),
    ledger: await ledger(),
    ...more,
  });
}

/** Without those that made the database. */
const bypassed = (found: Reconciliation) =>
  found.onlyInTarget.sessions.filter(({ statements }) => !(statements[0]?.text ?? '').startsWith('create'));

test('csvlog and jsonlog: what went through the gateway is matched, what went around it is named', async () => {
  for (const format of ['.csv', '.json']) {
    const found = await compare(files(format));
    expect(found.log.files.map((file) => [file.format, file.broken])).toEqual([[format.slice(1), undefined]]);
    expect(found.log.complete).toBe(true);
    expect(found.sessions).toMatchObject({
      matched: 2,
      own: 1,
      refused: 1,
      elsewhere: { postgres: 2 },
      onlyInLedger: 0,
    });
    const { atTarget, matched, own, onlyInTarget, expected, refused, withoutLogin } = found.sessions;
    expect(matched + own + onlyInTarget + expected + refused + withoutLogin + 2).toBe(atTarget);
    expect(found.statements).toMatchObject({ sent: 17, matched: 15, notSent: 1, byOrder: 0 });
    expect(found.statements.onlyInLedger).toEqual({
      'prepared-only': 2,
      'log-incomplete': 0,
      'not-logged': 0,
      failed: 0,
      'unknown-outcome': 0,
    });
    expect(found.onlyInTarget.statements).toEqual([]);
    expect(bypassed(found)).toMatchObject([
      {
        why: 'our-role',
        role: 'app',
        database: 'shop',
        from: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        ended: true,
        statementCount: 3,
        statements: [
          { text: bypass },
          { text: 'select * from notes' },
          { text: 'select id from customers where name = $1', parameters: "$1 = 'ada'" },
        ],
      },
      { why: 'other-role', role: 'admin', authentication: 'admin by scram-sha-256', statementCount: 1 },
    ]);
    // One machine, one clock.
    expect(found.clock!.least).toBeLessThanOrEqual(0);
    expect(found.clock!.most).toBeGreaterThanOrEqual(0);
    expect(found.ok).toBe(false);
    const other = await compare(files(format), { expected: ['admin', 'app@shop'] });
    expect(other).toMatchObject({ ok: true, sessions: { onlyInTarget: 0 } });
  }
});

test('a statement inside a session of ours that we did not send is named', async () => {
  const text = readFileSync(files('.csv')[0]!, 'utf8');
  const path = join(outside, 'changed.csv');
  writeFileSync(path, text.replace('"statement: select 1; select 2"', '"statement: select 1; delete from notes"'));
  const found = await compare([path]);
  expect(found.onlyInTarget.statements).toMatchObject([
    { text: 'select 1; delete from notes', ours: expect.any(String) },
  ]);
  expect(found.statements.onlyInLedger['not-logged']).toBe(1);
});

test('rotated, compressed and repeated files are one log', async () => {
  const records = readFileSync(files('.json')[0]!, 'utf8').trimEnd().split('\n');
  const folder = mkdtempSync(join(outside, 'rotated-'));
  const part = (from: number, to?: number) => `${records.slice(from, to).join('\n')}\n`;
  // Named so that the order of names is not that of times.
  writeFileSync(join(folder, 'z-first.json.gz'), gzipSync(part(0, 40)));
  writeFileSync(join(folder, 'm-second.json'), part(40, 80));
  writeFileSync(join(folder, 'a-last.json'), part(75));
  writeFileSync(join(folder, 'empty.json'), '');
  const whole = await compare(files('.json'));
  const found = await compare([folder]);
  expect(found.log.files.map(({ name }) => name)).toEqual(['z-first.json.gz', 'm-second.json', 'a-last.json']);
  expect(found.log.findings.map(({ code }) => code)).toContain('lines.repeated');
  expect({ ...found.sessions }).toEqual({ ...whole.sessions });
  expect(found.statements).toEqual(whole.statements);
  rmSync(join(folder, 'm-second.json'));
  const gap = await compare([folder]);
  expect(gap.log.complete).toBe(false);
  expect(gap.log.findings.map(({ code }) => code)).toContain('lines.missing');
  expect(gap.statements.onlyInLedger['log-incomplete']).toBeGreaterThan(0);
});

test('a last line that is cut is told, and what came before it counts', async () => {
  for (const format of ['.csv', '.json']) {
    const bytes = readFileSync(files(format)[0]!);
    const path = join(outside, `cut${format}`);
    writeFileSync(path, bytes.subarray(0, -20));
    const found = await compare([path]);
    expect(found.log.files[0]!.broken).toContain('not whole');
    expect(found.log.complete).toBe(false);
    expect(found.statements.matched).toBe(15);
    const broken = join(outside, `broken${format}`);
    writeFileSync(broken, Buffer.concat([bytes, Buffer.from('nonsense\n'), bytes]));
    expect((await compare([broken])).log.files[0]!.broken).toContain('is no');
    const zipped = join(outside, `cut${format}.gz`);
    writeFileSync(zipped, gzipSync(bytes).subarray(0, -40));
    expect((await compare([zipped])).log.files[0]!.broken).toContain('decompressed');
  }
});

test('the text log is refused with words', async () => {
  const path = join(outside, 'postgresql.log');
  writeFileSync(path, '2026-11-21 16:52:45.008 UTC [4088] LOG:  statement: select 1\n');
  await expect(compare([path])).rejects.toThrow('neither csvlog nor jsonlog');
  const empty = mkdtempSync(join(outside, 'none-'));
  expect(() => logFiles(empty)).toThrow('no csvlog');
});

test('what was erased from the record is matched by its place', async () => {
  const all = await ledger((item) => (item.payload ? { ...item, payload: 'shredded' } : item));
  const found = await compare(files('.csv'), { ledger: all });
  expect(found.statements).toMatchObject({ matched: 15, byOrder: 15 });
  expect(found.onlyInTarget.statements).toEqual([]);
});

test('a process that serves us has our port; another one with its number is not ours', async () => {
  const recorded = await ledger();
  const sessions = recorded.sessions.map((session) => ({ ...session, port: (session.port ?? 0) + 1 }));
  const found = await compare(files('.csv'), { ledger: { ...recorded, sessions } });
  expect(found.sessions).toMatchObject({ matched: 0, own: 0, onlyInLedger: 3 });
  const translated = await compare(files('.csv'), { ledger: { ...recorded, sessions }, ignorePort: true });
  expect(translated.sessions).toMatchObject({ matched: 2, own: 1, onlyInLedger: 0 });
  const before = recorded.sessions.map((session) => ({ ...session, from: 0, reached: 1 }));
  expect((await compare(files('.csv'), { ledger: { ...recorded, sessions: before } })).sessions.matched).toBe(0);
});

async function command(...args: string[]) {
  let out = '';
  let err = '';
  const io = {
    stdout: { write: (text: string) => void (out += text) },
    stderr: { write: (text: string) => void (err += text) },
    env: {},
    now: Date.now,
  };
  const config = ['--config', join(place.folder, 'countersign.yaml')];
  const code = await run(['reconcile', 'shop', ...config, ...args], { version: '0', commands: [register] }, io);
  return { code, out, err };
}

test('the command: 1 when something is only in the target, 0 when it was expected', async () => {
  const found = await command('--log', place.logs, '--expect', 'admin');
  expect(found.err).toBe('');
  expect(found.code).toBe(1);
  expect(found.out).toContain('ONLY IN THE TARGET');
  expect(found.out).toContain('with the credential of the gateway');
  expect(found.out).toContain("update customers set name = 'changed behind'");
  expect((await command('--log', place.logs, '--expect', 'admin', '--expect', 'app')).code).toBe(0);
  const json = JSON.parse((await command('--log', place.logs, '--json')).out);
  expect(json).toMatchObject({ target: 'shop', ok: false, log: { sessions: { matched: 2 } } });
  expect((await command()).code).toBe(2);
  expect((await command('--log', join(outside, 'postgresql.log'))).err).toContain('neither csvlog nor jsonlog');
});

test('through the database: the log, its settings, who is connected and how often statements ran', async () => {
  const password = join(place.folder, 'admin.password');
  writeFileSync(password, place.server.password);
  const who = [
    '--user',
    place.server.superuser,
    '--password-file',
    password,
    '--expect',
    place.server.superuser,
    '--skew',
    '1',
  ];
  await sleep(1_100);
  await as(admin(), 'shop', 'select pg_stat_statements_reset()');
  const here = await place.pg('agent');
  await here.query('select 3');
  await here.query('select 4, count(*) from notes');
  const around = new pg.Client({ host: '127.0.0.1', port: place.server.port, ...app, database: 'shop' });
  await around.connect();
  await around.query('select 5, count(*) from notes');
  const found = await command('--from-server', '--live', '--calls', ...who, '--json');
  expect(found.err).toBe('');
  const { log, live, calls } = JSON.parse(found.out);
  expect(log.log.settings).toMatchObject({ log_statement: 'all', log_connections: expect.any(String) });
  expect(log.log.findings.map(({ code }: { code: string }) => code)).not.toContain('settings.unknown');
  expect(log.sessions).toMatchObject({ matched: 3, own: 1 });
  expect(live).toMatchObject({ matched: 2, foreign: [{ role: 'app', database: 'shop' }] });
  expect(calls.judged).toBe(true);
  expect(calls.more).toEqual([{ database: 'shop', query: 'select $1, count(*) from notes', calls: 2, sent: 1 }]);
  const words = await command('--from-server', '--live', '--calls', ...who);
  expect(words.out).toContain('Connected now');
  expect(words.out).toContain('select $1, count(*) from notes');
  await around.end();
  await here.end();
  const poor = await command('--from-server');
  expect(poor.err).toContain('pg_read_server_files');
});
