// A body that nobody read can put another statement behind a name that was prepared: then the name stands for nothing that was judged.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestPostgres, testPostgres } from '../../../test/peers/postgres.ts';
import { verifies } from '../../../test/requirements.ts';
import type { Masks } from '../../domain/decision.ts';
import type { Statement } from '../../domain/statement.ts';
import { type Harness, openHarness, token } from './harness.suite.ts';
import { RawClient, say } from './raw-client.suite.ts';

let server: TestPostgres;
let gateway: Harness;
let straight: pg.Client;

const masks = ({ meaning }: Statement): Masks =>
  meaning.results.map((columns) =>
    columns.map(({ sources, opaque, direct }) =>
      sources.length > 0 || opaque ? { label: 'pii', method: 'full' as const, whole: !direct } : null,
    ),
  );

beforeAll(async () => {
  server = await testPostgres();
  straight = new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    user: server.superuser,
    password: server.password,
    database: 'postgres',
  });
  await straight.connect();
  const swaps = `execute 'deallocate ' || name; execute 'prepare ' || name || ' as select email || '''' as email from people'`;
  await straight.query(`
    create table people (id int, email text);
    insert into people select i, 'secret' || i || '@example.com' from generate_series(1, 5) i;
    create table noted (id int);
    create table late (name text);
    create function swaps(name text) returns int language plpgsql as $$ begin ${swaps}; return 1; end $$;
    create function swaps_and_fails(name text) returns int language plpgsql as $$ begin ${swaps}; raise 'failed'; end $$;
    create function swaps_plainly() returns int language plpgsql as
      $$ begin deallocate s; prepare s as select email || '' as email from people; deallocate other; return 1; end $$;
    create function pretends() returns int language plpgsql as
      $$ begin prepare s as select 'x'::text as email; return 1; exception when others then return 0; end $$;
    create procedure swaps_by_call(name text) language plpgsql as $$ begin ${swaps}; end $$;
    create function counts(name text) returns int language plpgsql as
      $$ declare n int; begin execute 'select count(*) from ' || name into n; return n; end $$;
    create function fails(name text) returns int language plpgsql as
      $$ begin execute 'select 1 from ' || name; raise 'failed'; end $$;
    create function swaps_when_noted() returns trigger language plpgsql as
      $$ declare name text := 's'; begin ${swaps}; return null; end $$;
    create constraint trigger swapped after insert on late deferrable initially deferred
      for each row execute function swaps_when_noted();`);
  gateway = await openHarness(server, {
    labels: [{ columns: 'public.people.email', label: 'pii' }],
    rule: (statement) => ({ masks: masks(statement) }),
    preview: (meaning) => (meaning.effects.some((effect) => effect.action === 'sql:reveal') ? 'deny' : 'permit'),
  });
});
afterAll(async () => {
  await straight?.end();
  await gateway?.close();
  await server?.stop();
});

const harmless = "select 'x'::text as email";
const start = () => new RawClient(gateway.port).start({ user: 'agent', database: 'shop' }, token);
const run = (name: string) => [say.bind('', name), say.describe('portal', ''), say.execute('')];

/** What the client sees, in clear. */
async function saw(raw: RawClient, count: number): Promise<string> {
  await raw.ready(count);
  return raw
    .take()
    .map(({ type, body }) => (type === 0x45 ? body : Buffer.from(body, 'hex').toString('latin1')))
    .join('\n');
}

/** Prepares, lets `calls` run, and runs what was prepared. */
async function after(calls: readonly string[], prepare: Buffer | string, use: Buffer | string): Promise<string> {
  const raw = await start();
  try {
    raw.take();
    raw.send(typeof prepare === 'string' ? say.query(prepare) : prepare);
    await raw.ready(1);
    raw.take();
    for (const text of calls) {
      raw.send(say.query(text));
      await raw.ready(1);
      raw.take();
    }
    raw.send(typeof use === 'string' ? say.query(use) : use);
    return await saw(raw, 1);
  } finally {
    raw.end();
  }
}

const parsed = Buffer.concat([say.parse('s', harmless), say.parse('other', harmless), say.sync()]);
const bound = Buffer.concat([...run('s'), say.sync()]);
const ways: readonly (readonly [string, Buffer | string, Buffer | string])[] = [
  ['of the protocol', parsed, bound],
  ['of the protocol, from SQL', parsed, 'execute s'],
  ['of SQL', `prepare s as ${harmless}`, 'execute s'],
  ['of SQL, by the protocol', `prepare s as ${harmless}`, bound],
];

describe.each(ways)('a name %s', (_name, prepare, use) => {
  test.each([
    [["select swaps('s')"]],
    [["call swaps_by_call('s')"]],
    [["do $$ begin execute 'deallocate s'; execute 'prepare s as select email || '''' as email from people'; end $$"]],
    [["select swaps_and_fails('s')"]],
    [['begin', 'savepoint a', "select swaps_and_fails('s')", 'rollback to a']],
    [['begin', "select swaps_and_fails('s')", 'rollback']],
    [['prepare other as select 1 as one', 'select swaps_plainly()']],
    [['insert into late values (1)']],
    [['begin', 'insert into late values (1)', 'commit']],
  ])(verifies('understood-or-refused', 'a name that an unread body took is not believed: %j'), async (calls) => {
    const seen = await after(calls, prepare, use);
    expect(seen).not.toContain('example.com');
    expect(seen).toContain('26000');
  });

  test.each([
    [["select counts('people')"]],
    [["select fails('people')"]],
    [['begin', "select counts('people')", 'commit']],
  ])('stays when the body left it alone: %j', async (calls) => {
    const seen = await after(calls, prepare, use);
    expect(seen).toContain('x');
    expect(seen).toContain('SELECT 1');
    expect(seen).not.toContain('26000');
  });
});

test('the name is believed again once the client has prepared it anew', async () => {
  const anew = Buffer.concat([say.close('statement', 's'), say.parse('s', harmless), ...run('s'), say.sync()]);
  expect(await after(["select swaps('s')"], parsed, anew)).toContain('SELECT 1');
});

test('in one text and in one pipeline', async () => {
  const seen = await after([], `prepare s as ${harmless}`, "select swaps('s'); execute s");
  expect(seen).toContain('26000');
  expect(seen).not.toContain('example.com');
  const call = [say.parse('', "select swaps('s')"), ...run('')];
  for (const use of [
    Buffer.concat([...call, ...run('s'), say.sync()]),
    Buffer.concat([...call, say.sync(), ...run('s')]),
  ])
    expect(await after([], parsed, Buffer.concat([use, say.sync()]))).not.toContain('example.com');
});

test('a body that only pretends to prepare does not make a name known', async () => {
  const raw = await start();
  raw.take();
  for (const text of ["select swaps('s')", 'select pretends()']) {
    raw.send(say.query(text));
    await raw.ready(1);
    raw.take();
  }
  raw.send(say.query('execute s'));
  expect(await saw(raw, 1)).toContain('26000');
  raw.end();
});

test('the same text within another', async () => {
  // The first PREPARE of the text stands, as its second statement fails; run whole by a body, the last one stands.
  const text = `prepare s as ${harmless}; select 1 / (select count(*) from noted); deallocate s; prepare s as select email || '' as email from people`;
  const again = `do $b$ begin insert into noted values (1); execute 'deallocate s'; execute $t$${text}$t$; end $b$`;
  expect(await after([again], text, 'execute s')).not.toContain('example.com');
  expect(await after([again], text, bound)).not.toContain('example.com');
});

test('a deferred trigger that runs at Sync', async () => {
  const raw = await start();
  raw.take();
  raw.send(parsed);
  await raw.ready(1);
  raw.take();
  raw.send(Buffer.concat([say.parse('', 'insert into late values (1)'), ...run(''), say.flush()]));
  await raw.until((all) => all.some(({ type }) => type === 0x43));
  raw.send(Buffer.concat([say.parse('', 'select 1'), say.sync(), ...run('s'), say.sync()]));
  expect(await saw(raw, 2)).not.toContain('example.com');
  raw.end();
});

test(verifies('understood-or-refused', 'names that the server cannot tell apart are not told apart here'), async () => {
  const one = `${'n'.repeat(63)}1`;
  const two = `${'n'.repeat(63)}2`;
  const raw = await start();
  raw.take();
  raw.send(Buffer.concat([say.parse(one, harmless), say.sync()]));
  raw.send(
    Buffer.concat([say.close('statement', two), say.parse(two, "select email || '' as email from people"), say.sync()]),
  );
  raw.send(Buffer.concat([...run(one), say.sync()]));
  expect(await saw(raw, 3)).not.toContain('example.com');
  raw.send(say.query('begin'));
  raw.send(Buffer.concat([say.parse('', harmless), say.bind(one, ''), say.describe('portal', one), say.sync()]));
  raw.send(
    Buffer.concat([say.close('portal', two), say.parse('', "select email || '' as email from people"), say.sync()]),
  );
  raw.send(Buffer.concat([say.bind(two, ''), say.execute(one), say.sync()]));
  expect(await saw(raw, 4)).not.toContain('example.com');
  raw.end();
});

test('nor in a database of another encoding, which cuts the names of texts elsewhere', async () => {
  await straight.query("create database latin encoding 'LATIN1' locale 'C' template template0");
  const latin = { host: '127.0.0.1', port: server.port, user: server.superuser, password: server.password };
  const direct = new pg.Client({ ...latin, database: 'latin' });
  await direct.connect();
  await direct.query("create table people (email text); insert into people values ('secret1@example.com')");
  await direct.end();
  const email = "select email || '' as email from people";
  for (const [one, two] of [
    ['n'.repeat(62), `${'n'.repeat(62)}é`],
    ['é'.repeat(31), 'é'.repeat(40)],
    ['é'.repeat(40), 'é'.repeat(41)],
  ] as const) {
    const raw = await new RawClient(gateway.port).start({ user: 'agent', database: 'shop/latin' }, token);
    raw.take();
    const prepares = [say.query(`prepare "${one}" as ${email}`), say.query(`prepare "${two}" as ${harmless}`)];
    raw.send(Buffer.concat([...prepares, say.query(`execute "${one}"`)]));
    expect(await saw(raw, 3)).not.toContain('example.com');
    raw.send(Buffer.concat([say.query('prepare short as select 7 as seven'), say.query('execute short')]));
    expect(await saw(raw, 2)).toContain('SELECT 1');
    raw.end();
  }
});
