// Recorded sessions run again on a throw-away database, and decided again under other policies: the command, real servers.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AgainReport } from '../../src/cli/replay-again.ts';
import { register as replay } from '../../src/cli/replay-command.ts';
import { run } from '../../src/cli/run.ts';
import { readJournal } from '../../src/ledger/read-journal.ts';
import { startGateway, testIssuer, type TestGateway } from '../peers/gateway.ts';
import { testPostgres, type TestPostgres } from '../peers/postgres.ts';
import { RawClient, say } from '../peers/raw-client.ts';

const schema = `create table people (id int primary key, email text, born date);
  insert into people values (1, 'ada@mail.example', '1815-12-10'), (2, 'bob@mail.example', null), (3, 'cy@mail.example', '2000-01-01');
  create table orders (id serial primary key, person int references people, total numeric);
  create function twice(n int) returns int language sql immutable as 'select n * 2';`;

let folder: string;
let target: TestPostgres;
let sandbox: TestPostgres;
let gateway: TestGateway;
let ids: Record<'full' | 'some' | 'none' | 'changing' | 'piped' | 'bold', string>;

const at = (server: TestPostgres) => ({
  host: '127.0.0.1',
  port: server.port,
  user: server.superuser,
  password: server.password,
  database: 'postgres',
});

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sandbox-'));
  [target, sandbox] = await Promise.all([testPostgres(), testPostgres()]);
  const admin = new pg.Client(at(target));
  await admin.connect();
  await admin.query(schema);
  await admin.end();
  const issuer = await testIssuer(folder);
  const token = await issuer.token('bot', {});
  for (const [name, text] of Object.entries({ policies, draft })) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'all.cedar'), text);
  }
  writeFileSync(join(folder, 'password'), target.password);
  writeFileSync(join(folder, 'schema.sql'), `\\restrict abc\n${schema}\n\\unrestrict abc\n`);
  writeFileSync(
    join(folder, 'other.sql'),
    schema.replace("'1815-12-10'", "'1815-12-11'").replace('n * 2', 'n * 3').replace('total numeric', 'amount numeric'),
  );
  writeFileSync(join(folder, 'broken.sql'), 'create table t (id int); create tabel u ()');
  const one = (name: string, recording: object | string) => ({
    name,
    protocol: 'postgres',
    host: '127.0.0.1',
    port: target.port,
    database: 'postgres',
    tls: { mode: 'disable' },
    credential: { user: target.superuser, password: { file: 'password' } },
    labels: [{ columns: 'public.people.email', label: 'pii.email' }],
    recording,
  });
  gateway = await startGateway(folder, {
    listeners: [{ protocol: 'postgres', port: 0, plaintext: 'loopback' }],
    issuers: [{ ...issuer.entry, principal: { kind: 'agent' } }],
    targets: [
      one('full', 'full'),
      one('some', { rows: 2 }),
      one('none', 'digest'),
      one('changing', 'full'),
      one('piped', 'full'),
      one('bold', 'full'),
    ],
  });
  const connect = async (database: string) => {
    const client = new pg.Client({ host: '127.0.0.1', port: gateway.port, user: 'x', password: token, database });
    await client.connect();
    return client;
  };
  for (const name of ['full', 'some', 'none']) {
    const client = await connect(name);
    await reads(client);
    await client.end();
  }
  const client = await connect('changing');
  await changes(client);
  await client.end();
  const bold = await connect('bold');
  for (const sql of reaching) await bold.query(sql);
  await bold.end();
  const raw = await RawClient.open({ port: gateway.port, user: 'x', password: token, database: 'piped' });
  await pipelines(raw);
  await gateway.stop();
  const found: Record<string, string> = {};
  for await (const { entry } of readJournal(gateway.ledger, 0))
    if (entry.t === 'session.open') found[String(entry.x['target'])] = entry.sid!;
  ids = found as typeof ids;
}, 120_000);

afterAll(async () => {
  await Promise.all([target?.stop(), sandbox?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

const policies = `@id("all") permit (principal, action, resource) unless { action == Action::"sql:reveal" };
  @id("no-drop") @advice("Ask a person.") forbid (principal, action == Action::"sql:drop", resource);`;
const draft = `@id("all") permit (principal, action, resource);
  @id("no-orders") @advice("No.") forbid (principal, action == Action::"sql:insert", resource);`;

async function reads(client: pg.Client): Promise<void> {
  await client.query('select id, email, born from people order by id');
  await client.query('select id, born from people where id > $1 order by id', [0]);
  await client.query('select 1 as one; select twice(id) as two from people order by id');
  await client.query('copy (select id, born from people order by id) to stdout');
  await expect(client.query('select 1 / (id - 2) from people order by id')).rejects.toMatchObject({ code: '22012' });
  await client.query('select id from people where id < 0');
  await client.query({ name: 'by-id', text: 'select born from people where id = $1', values: [1] });
  await client.query({ name: 'by-id', text: 'select born from people where id = $1', values: [3] });
}

async function changes(client: pg.Client): Promise<void> {
  await client.query('begin');
  await client.query('insert into orders (person, total) values (1, 9.50), (2, 1)');
  await client.query('commit');
  await client.query('begin');
  await expect(client.query('drop table orders')).rejects.toThrow('no-drop');
  await expect(client.query('select count(*) from orders')).rejects.toMatchObject({ code: '25P02' });
  await client.query('rollback');
  await client.query('select id, person, total from orders order by id');
  await client.query('select count(*) from people where email = $1', ['ada@mail.example']);
  await client.query('select now() > timestamptz $$2020-01-01$$ as later, pg_backend_pid()');
}

/** What acts outside of a database. */
const reaching = [
  "copy (select 1) to program 'cat > /dev/null'",
  'create role mallory',
  "alter system set application_name = 'x'",
  'create database elsewhere',
];

/** Several statements on their way at once, in binary, failing in the middle, fetched in pieces and in part. */
async function pipelines(raw: RawClient): Promise<void> {
  const ready = (times: number) => raw.until((all) => all.filter(({ type }) => type === 'Z').length === times, 20_000);
  const go = (...parts: Buffer[]) => raw.send(Buffer.concat(parts));
  const born = 'select id, born from people where id > $1 order by id';
  go(
    say.parse('', born),
    say.bind('', '', ['0'], [], [1]),
    say.describe('P', ''),
    say.execute('', 2),
    say.execute('', 0),
    say.parse('', 'select twice(id) from people order by id'),
    say.bind('', ''),
    say.execute(''),
    say.sync(),
  );
  await ready(2);
  go(
    say.parse('', 'select 1 as fine'),
    say.bind('', ''),
    say.execute(''),
    say.parse('', 'select 1 / (id - id) from people'),
    say.bind('', ''),
    say.execute(''),
    say.parse('', 'select 2 as never'),
    say.bind('', ''),
    say.execute(''),
    say.sync(),
    say.query('select 3 as later'),
  );
  await ready(4);
  go(say.query('begin'), say.parse('', born), say.bind('p', '', ['0']), say.execute('p', 1), say.sync());
  await ready(6);
  go(say.query('commit'), say.query('copy orders (person, total) from stdin'));
  await raw.until((all) => all.some(({ type }) => type === 'G'), 20_000);
  go(say.copyData('1\t5.5\n2\t'), say.copyData('6\n'), say.copyDone());
  await ready(8);
  go(say.query('select person, total from orders where total in (5.5, 6) order by person'), say.terminate());
  await raw.until(() => raw.closed, 20_000);
}

async function command(args: readonly string[]) {
  const said = { out: '', err: '' };
  const code = await run(
    ['replay', ...args, '--config', join(folder, 'countersign.yaml')],
    { version: '0', commands: [replay] },
    {
      stdout: { write: (text) => void (said.out += text) },
      stderr: { write: (text) => void (said.err += text) },
      env: { PGPASSWORD: sandbox.password },
      now: Date.now,
    },
  );
  return { code, ...said };
}
const url = () => `postgres://${sandbox.superuser}@127.0.0.1:${sandbox.port}/postgres`;
const file = (name: string) => join(folder, name);
async function report(id: string, ...args: string[]): Promise<{ code: number; report: AgainReport }> {
  const { code, out, err } = await command([id, '--json', ...args]);
  expect(err).toBe('');
  return { code, report: JSON.parse(out) as AgainReport };
}
const inSandbox = (id: string, sql: string, ...more: string[]) =>
  report(id, '--sandbox', '--server', url(), '--schema', file(sql), ...more);
const differing = (of: AgainReport) =>
  of.statements.filter((one) => one.differences.length > 0).map((one) => [one.text, ...one.differences]);

describe('in a sandbox', () => {
  test.each(['full', 'some', 'none'] as const)('on the same schema and data nothing differs (%s)', async (name) => {
    const { code, report: of } = await inSandbox(ids[name], 'schema.sql');
    expect(differing(of)).toEqual([]);
    expect(of).toMatchObject({ same: 8, different: 0, notRun: 0 });
    expect(code).toBe(0);
    const masked = of.statements.find((one) => one.masksBefore.length > 0)!;
    expect(masked.notes.join()).toMatch(
      name === 'none' ? /values are not compared/ : /1 masked columns are not compared/,
    );
    expect(JSON.stringify(of)).not.toContain('mail.example');
  });

  test.each(['full', 'some', 'none'] as const)('what differs is listed by statement (%s)', async (name) => {
    const { code, report: of } = await inSandbox(ids[name], 'other.sql');
    expect(code).toBe(1);
    const texts = differing(of).map(([text]) => text);
    const born = 'select id, born from people where id > $1 order by id';
    expect(texts).toContain(born);
    expect(texts).toContain('select 1 as one; select twice(id) as two from people order by id');
    expect(texts).toContain('copy (select id, born from people order by id) to stdout');
    expect(texts).not.toContain('select id from people where id < 0');
    expect(of.statements.filter((one) => one.text.startsWith('select born from people')).map((one) => one.run)).toEqual(
      expect.arrayContaining(['different', 'same']),
    );
    if (name === 'full')
      expect(differing(of).find(([text]) => text === born)).toEqual([
        born,
        'other values: ["1","1815-12-10"] then, ["1","1815-12-11"] now',
      ]);
  });

  test('writes, transactions, denials, masked literals and volatile functions', async () => {
    const { report: of } = await inSandbox(ids.changing, 'schema.sql');
    const run = Object.fromEntries(of.statements.map((one) => [one.text, one]));
    expect(of.statements.flatMap((one) => (one.run ? [one.run] : []))).toEqual([
      'same',
      'same',
      'same',
      'same',
      'not run',
      'same',
      'same',
      'same',
      'not run',
      'different',
    ]);
    expect(run['drop table orders']!.notes).toEqual(['it was not permitted']);
    expect(of.statements.findLast((one) => one.run === 'not run')!.notes).toEqual([
      'values of it are masked in the record',
    ]);
    expect(of.statements.at(-1)!.notes.join()).toContain('may differ each time: now(), pg_backend_pid()');
    const other = await inSandbox(ids.changing, 'other.sql');
    expect(differing(other.report)).toContainEqual([
      'insert into orders (person, total) values (1, 9.50), (2, 1)',
      'SQLSTATE none then, 42703 (column "total" of relation "orders" does not exist) now',
    ]);
  });

  test('pipelines, binary, errors, pieces and COPY from the client', async () => {
    const { code, report: of } = await inSandbox(ids.piped, 'schema.sql');
    expect(differing(of)).toEqual([]);
    expect(of.statements.filter((one) => one.run === 'not run').map((one) => [one.text, ...one.notes])).toEqual([
      ['select 2 as never', 'it was not sent'],
    ]);
    expect(of.same).toBe(10);
    expect(code).toBe(0);
    expect(of.statements.flatMap((one) => one.notes)).toContain(
      'the client did not fetch all of it: the rows that it fetched are compared',
    );
    expect(JSON.stringify(of)).not.toContain('could not be found');
    const other = await inSandbox(ids.piped, 'other.sql');
    expect(differing(other.report).map(([text, difference]) => [text, difference])).toEqual([
      [expect.stringContaining('select id, born'), expect.stringContaining('other values: ["1","1815-12-10"] then')],
      [expect.stringContaining('select twice'), expect.stringContaining('other values: ["2"] then, ["3"] now')],
      [expect.stringContaining('select id, born'), expect.stringContaining('other values')],
      [expect.stringContaining('copy orders'), expect.stringContaining('42703')],
      [expect.stringContaining('select person'), expect.stringContaining('42703')],
    ]);
  });

  test('what acts outside of the database has no right to', async () => {
    const { report: of } = await inSandbox(ids.bold, 'schema.sql');
    const run = of.statements.filter((one) => one.run !== undefined);
    expect(run.map((one) => one.text)).toEqual(reaching);
    for (const one of run)
      expect([one.text, one.differences.join()]).toEqual([one.text, expect.stringContaining('42501')]);
  });

  test('nothing is left on the server', async () => {
    const admin = new pg.Client(at(sandbox));
    await admin.connect();
    const left = async () =>
      (
        await admin.query(
          "select datname from pg_database where datname like 'countersign%' union all select rolname from pg_roles where rolname like 'countersign%'",
        )
      ).rows;
    expect(await left()).toEqual([]);
    const failed = await command([ids.full, '--sandbox', '--server', url(), '--schema', file('broken.sql')]);
    expect(failed.code).toBe(2);
    expect(failed.err).toContain('42601');
    expect(await left()).toEqual([]);
    await admin.end();
  });

  test('the server of a target is refused, by whatever name', async () => {
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '127.0.0.9']) {
      const refused = await command([ids.full, '--sandbox', '--server', `postgres://x@${host}:${target.port}/other`]);
      expect([host, refused.code, refused.err]).toEqual([host, 2, expect.stringContaining('never run there again')]);
    }
    expect((await command([ids.full, '--server', url()])).err).toContain('for --sandbox');
    expect((await command(['nobody', '--sandbox', '--server', url()])).code).toBe(1);
  });

  test('without a server an embedded one is used', async () => {
    const { code, report: of } = await report(ids.full, '--sandbox', '--schema', file('schema.sql'));
    expect([code, of.same]).toEqual([0, 8]);
  });
});

describe('under other policies', () => {
  test('each statement has its ruling and masks then and now', async () => {
    const { code, report: of } = await report(ids.changing, '--policy', file('draft'));
    expect(code).toBe(1);
    expect(
      of.statements.filter((one) => one.before !== one.after!.ruling).map((one) => [one.text, one.before, one.after]),
    ).toEqual([
      [
        'insert into orders (person, total) values (1, 9.50), (2, 1)',
        'permit',
        { ruling: 'deny', rules: ['no-orders'], reason: expect.stringContaining('no-orders') },
      ],
      ['drop table orders', 'deny', { ruling: 'permit', rules: ['all'] }],
    ]);
    const reading = await report(ids.full, '--policy', file('draft'));
    expect(reading.report.statements.find((one) => one.masksBefore.length > 0)).toMatchObject({
      masksBefore: ['column 2: pii.email (full)'],
      masksAfter: [],
    });
    const same = await report(ids.changing, '--policy', file('policies'));
    expect([same.code, same.report.decidedOtherwise]).toEqual([0, 0]);
    const shown = await command([ids.changing, '--policy', file('draft')]);
    expect(shown.out).toContain('permit → deny');
    expect(shown.out).toContain('2 otherwise');
  });

  test('in a sandbox only what they permit runs', async () => {
    const { report: of } = await inSandbox(ids.changing, 'schema.sql', '--policy', file('draft'));
    const insert = of.statements.find((one) => one.text.startsWith('insert'))!;
    expect(insert).toMatchObject({ run: 'not run', notes: ['the other policies deny it'] });
    const drop = of.statements.find((one) => one.text.startsWith('drop'))!;
    expect(drop).toMatchObject({ run: 'different', differences: ['denied then, DROP TABLE now'] });
    // Refused inside a transaction, it takes the transaction with it, as it would have.
    expect(of.statements.find((one) => one.text === 'commit')).toMatchObject({
      differences: ['COMMIT then, ROLLBACK now'],
    });
  });
});
