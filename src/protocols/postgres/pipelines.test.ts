// Pipelines of every shape, said to the server directly and through the gateway: the answers must be the same, message by message.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestPostgres, testPostgres } from '../../../test/peers/postgres.ts';
import { targetMessage } from './codec.ts';
import { type Harness, type HarnessOptions, openHarness, token } from './harness.suite.ts';
import { RawClient, say, type Seen } from './raw-client.suite.ts';

let server: TestPostgres;
let gateway: Harness;
let admin: RawClient;
const open: Harness[] = [];

beforeAll(async () => {
  server = await testPostgres({ hba: ['host all all 127.0.0.1/32 trust'] });
  admin = await straight();
  admin.send(
    say.query(
      'create table items (id int primary key, name text); insert into items select i, $$n$$ || i from generate_series(1, 20) i; create table sink (id int primary key, name text)',
    ),
  );
  await admin.ready(2);
  gateway = await openHarness(server);
  open.push(gateway);
});

afterAll(async () => {
  admin?.end();
  for (const each of open) await each.close();
  await server?.stop();
});

async function reset(): Promise<void> {
  admin.take();
  admin.send(say.query('delete from sink'));
  await admin.ready(1);
}

async function straight(): Promise<RawClient> {
  return new RawClient(server.port).start({ user: server.superuser, database: 'postgres' }, undefined);
}

async function through(harness: Harness = gateway): Promise<RawClient> {
  return new RawClient(harness.port).start({ user: 'agent', database: 'shop' }, token);
}

const marker = Buffer.from('the end').toString('hex');

/** Everything that answers `messages`, up to a marker that is asked for behind them. */
async function answers(client: RawClient, messages: readonly Buffer[], split = false): Promise<Seen[]> {
  client.take();
  const bytes = Buffer.concat([
    ...messages,
    say.copyFail('over'),
    say.sync(),
    say.query('rollback'),
    say.query("select 'the end'"),
  ]);
  if (split) {
    for (let at = 0; at < bytes.length; at += 7) {
      client.send(bytes.subarray(at, at + 7));
      await new Promise((resolve) => setImmediate(resolve));
    }
  } else client.send(bytes);
  await client.until((all) => {
    const last = all.at(-1);
    return (
      last?.type === targetMessage.readyForQuery &&
      all.some((message) => message.type === targetMessage.dataRow && message.body.endsWith(marker))
    );
  });
  return client.take().filter((message) => message.type !== targetMessage.parameterStatus);
}

/** A case that never ends is told with what came so far, instead of stopping the whole run. */
async function stuck(client: RawClient): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, 5_000).unref());
  throw new Error(
    `no end after ${client.seen.map((message) => String.fromCharCode(message.type) + (message.type === targetMessage.errorResponse ? `(${message.body})` : '')).join('')}`,
  );
}

async function alone(connecting: Promise<RawClient>, messages: readonly Buffer[], split: boolean): Promise<Seen[]> {
  await reset();
  const client = await connecting;
  try {
    return await Promise.race([answers(client, messages, split), stuck(client)]);
  } finally {
    client.end();
  }
}

async function same(messages: readonly Buffer[], split = false): Promise<Seen[]> {
  const theirs = await alone(straight(), messages, false);
  const ours = await alone(through(), messages, split);
  expect(ours).toEqual(theirs);
  return ours;
}

const run = (text: string, limit = 0) => [say.parse('', text), say.bind('', ''), say.execute('', limit)];
const fails = 'select 1/(id - 3) from items';

describe('the same answers as the server', () => {
  test.each<[string, Buffer[]]>([
    ['one pipeline', [...run('select 1'), ...run('select 2'), say.sync()]],
    [
      'an error in the middle',
      [...run('select 1'), ...run(fails), ...run('select 2'), say.sync(), ...run('select 3'), say.sync()],
    ],
    [
      'an error in Parse',
      [
        say.parse('a', 'select 1'),
        say.parse('b', 'select nothing'),
        say.bind('', 'a'),
        say.execute(''),
        say.sync(),
        say.bind('', 'a'),
        say.execute(''),
        say.sync(),
      ],
    ],
    [
      'a failed Parse leaves the old statement in force',
      [
        say.parse('s', 'select 1'),
        say.sync(),
        say.parse('s', 'select 2'),
        say.sync(),
        say.bind('', 's'),
        say.execute(''),
        say.sync(),
      ],
    ],
    [
      'an unknown statement and an unknown portal',
      [
        say.bind('', 'none'),
        say.sync(),
        say.execute('none'),
        say.sync(),
        say.describe('portal', 'none'),
        say.sync(),
        say.describe('statement', 'none'),
        say.sync(),
      ],
    ],
    [
      'a portal with limits inside a transaction',
      [
        say.query('begin'),
        say.parse('', 'select id from items order by id'),
        say.bind('p', ''),
        say.describe('portal', 'p'),
        say.execute('p', 3),
        say.sync(),
        say.execute('p', 4),
        say.sync(),
        say.close('portal', 'p'),
        say.execute('p'),
        say.sync(),
        say.query('commit'),
      ],
    ],
    [
      'portals end with their transaction',
      [
        say.parse('', 'select id from items order by id'),
        say.bind('p', ''),
        say.execute('p', 3),
        say.sync(),
        say.execute('p', 4),
        say.sync(),
      ],
    ],
    [
      'simple queries in a row',
      [
        say.query('select 1; select 2'),
        say.query('selec'),
        say.query(''),
        say.query(' -- nothing'),
        say.query('select 3; select 1/0; select 4'),
        say.query('select 5'),
      ],
    ],
    [
      'a query behind an open segment',
      [...run('select 1'), say.query('select 2'), ...run(fails), say.query('select 3'), say.sync()],
    ],
    [
      'a failed transaction',
      [
        say.query('begin'),
        ...run(fails),
        say.sync(),
        ...run('select 1'),
        say.sync(),
        say.query('select 2'),
        say.query('rollback'),
        ...run('select 3'),
        say.sync(),
      ],
    ],
    [
      'Flush',
      [
        say.parse('', 'select 1'),
        say.flush(),
        say.bind('', ''),
        say.describe('portal', ''),
        say.flush(),
        say.execute(''),
        say.flush(),
        say.sync(),
      ],
    ],
    [
      'SQL-level PREPARE and EXECUTE',
      [
        say.query('prepare q (int) as select name from items where id = $1'),
        say.query('execute q (2)'),
        say.bind('', 'q', ['3']),
        say.describe('portal', ''),
        say.execute(''),
        say.sync(),
        say.query('deallocate q'),
        say.bind('', 'q', ['3']),
        say.sync(),
      ],
    ],
    [
      'cursors',
      [
        say.query('begin; declare c cursor for select id, name from items order by id'),
        say.query('fetch 2 c'),
        say.query('move 3 c'),
        say.query('fetch c'),
        say.query('close c'),
        say.query('commit'),
      ],
    ],
    [
      'COPY out',
      [
        say.query('copy items to stdout'),
        say.query('copy (select id from items where id < 4) to stdout (format binary)'),
        ...run('copy items to stdout (format csv, header)'),
        say.sync(),
      ],
    ],
    [
      'COPY in',
      [
        say.query('begin; truncate sink'),
        say.query('copy sink from stdin'),
        say.copyData('1\ta\n2\tb\n'),
        say.copyData('3\t'),
        say.copyData('c\n'),
        say.copyDone(),
        say.query('select * from sink'),
        say.query('rollback'),
      ],
    ],
    [
      'COPY in that fails',
      [
        say.query('begin'),
        say.query('copy sink from stdin'),
        say.copyData('1\ta\nno number\tb\n'),
        say.copyDone(),
        say.query('select 1'),
        say.query('rollback'),
        say.query('copy nothing from stdin'),
        say.copyData('x'),
        say.copyFail('gave up'),
        say.query('select 2'),
      ],
    ],
    [
      'COPY in, extended, with a Sync before the data as libpq sends it',
      [
        say.query('begin'),
        ...run('copy sink from stdin'),
        say.sync(),
        say.copyData('7\tg\n'),
        say.copyDone(),
        say.sync(),
        say.query('select * from sink'),
        say.query('rollback'),
      ],
    ],
    [
      'CopyFail',
      [
        say.query('copy sink from stdin'),
        say.copyData('9\tx\n'),
        say.copyFail('changed my mind'),
        say.query('select count(*) from sink'),
      ],
    ],
    [
      'DDL and what depends on it in one pipeline',
      [
        say.query('begin'),
        ...run('create table fresh (a int, b text)'),
        ...run("insert into fresh values (1, 'x')"),
        ...run('select * from fresh'),
        ...run('alter table fresh add c int default 7'),
        ...run('select * from fresh'),
        say.sync(),
        say.query('rollback'),
        say.query('select * from fresh'),
      ],
    ],
    [
      'temporary tables and search_path',
      [
        say.query('create temp table items (only_here int)'),
        say.query('select * from items'),
        say.query('begin; set local search_path to public'),
        say.query('select count(*) from items'),
        say.query('commit'),
        say.query('select * from items'),
        say.query('set search_path to public, pg_temp'),
        say.query('select id from items limit 1'),
        say.query('rollback'),
        say.query('discard all'),
        say.query('select id from items limit 1'),
      ],
    ],
    [
      'an unnamed portal left behind by a failed Query',
      [
        say.query('begin'),
        say.query(fails),
        say.execute(''),
        say.sync(),
        say.describe('portal', ''),
        say.sync(),
        say.query('rollback to nothing'),
        say.execute(''),
        say.describe('portal', ''),
        say.sync(),
        say.close('portal', ''),
        say.execute(''),
        say.sync(),
        say.query('rollback'),
        say.execute(''),
        say.sync(),
      ],
    ],
    [
      'an unnamed portal left behind by a Bind that failed',
      [
        say.query('begin'),
        say.parse('a', 'select $1::int'),
        say.bind('', 'a', ['no number']),
        say.sync(),
        say.execute(''),
        say.describe('portal', ''),
        say.sync(),
        say.execute(''),
        say.sync(),
        say.query('rollback'),
      ],
    ],
    ['LISTEN and NOTIFY', [say.query('listen c'), say.query("notify c, 'hello'"), say.query('unlisten *')]],
    [
      'DISCARD ALL forgets statements',
      [
        say.parse('s', 'select 1'),
        say.sync(),
        say.query('discard all'),
        say.bind('', 's'),
        say.sync(),
        say.parse('s', 'select 2'),
        say.bind('', 's'),
        say.execute(''),
        say.sync(),
      ],
    ],
  ])('%s', async (_name, messages) => {
    const whole = await same(messages);
    expect(whole.length).toBeGreaterThan(3);
    // Split anywhere, the same.
    await same(messages, true);
    expect(gateway.faults).toEqual([]);
  });

  test('random pipelines', async () => {
    const names = fc.constantFrom('', 'a');
    const texts = fc.constantFrom(
      'select 1',
      'select id from items order by id',
      fails,
      'select nothing',
      'begin',
      'commit',
      'rollback',
      '',
      "insert into sink values (1, 'x')",
      'savepoint s',
      'rollback to s',
      'create temp table t (x int)',
      'select * from t',
    );
    const message = fc.oneof(
      { weight: 3, arbitrary: fc.tuple(names, texts).map(([name, text]) => say.parse(name, text)) },
      { weight: 4, arbitrary: fc.tuple(names, names).map(([portal, name]) => say.bind(portal, name)) },
      { weight: 4, arbitrary: fc.tuple(names, fc.constantFrom(0, 2)).map(([name, limit]) => say.execute(name, limit)) },
      { weight: 3, arbitrary: texts.map((text) => Buffer.concat(run(text))) },
      // Behind a Bind without Sync, PostgreSQL 18 itself loses its way (XX000), so a Query closes the segment first.
      { weight: 2, arbitrary: texts.map((text) => Buffer.concat([say.sync(), say.query(text)])) },
      { weight: 3, arbitrary: fc.constant(say.sync()) },
      fc.constant(say.flush()),
      fc
        .tuple(fc.constantFrom('statement' as const, 'portal' as const), names)
        .map(([of, name]) => say.describe(of, name)),
      fc
        .tuple(fc.constantFrom('statement' as const, 'portal' as const), names)
        .map(([of, name]) => say.close(of, name)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 2, maxLength: 14 }), async (messages) => {
        await same(messages);
      }),
      { numRuns: 120 },
    );
    expect(gateway.faults).toEqual([]);
  }, 120_000);
});

describe('every permit gets one outcome', () => {
  test('also when a pipeline fails, is skipped or is cut off', async () => {
    const harness = await openHarness(server);
    open.push(harness);
    const client = await through(harness);
    client.send(
      Buffer.concat([...run('select 1'), ...run(fails), ...run('select 2'), say.sync(), say.query('select 3')]),
    );
    await client.ready(3);
    expect(harness.statements.slice(1).map((each) => [each.statement.kind, each.outcome?.status])).toEqual([
      ['prepare', 'done'],
      ['execute', 'done'],
      ['prepare', 'done'],
      ['execute', 'failed'],
      ['prepare', 'skipped'],
      ['execute', 'skipped'],
      ['execute', 'done'],
    ]);
    client.send(say.query('select pg_sleep(5)'));
    await new Promise((resolve) => setTimeout(resolve, 100));
    client.end();
    while (harness.unsettled() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(harness.statements.at(-1)?.outcome?.status).toBe('lost');
  });
});

test('what is judged is what the server runs, also behind a Parse that fails later', async () => {
  const harness = await openHarness(server);
  open.push(harness);
  const client = await through(harness);
  await answers(client, [
    say.parse('s', 'select 1'),
    say.sync(),
    say.parse('s', 'select 2'),
    say.sync(),
    say.bind('', 's'),
    say.execute(''),
    say.sync(),
  ]);
  const executed = harness.statements
    .filter((each) => each.statement.kind === 'execute')
    .map((each) => each.statement.text);
  expect(executed.slice(0, 1)).toEqual(['select 1']);
  client.end();
});

describe('a denial in a pipeline', () => {
  const denying = async (options: HarnessOptions = {}) => {
    // Other tests write to the same table.
    await reset();
    const harness = await openHarness(server, {
      rule: (statement) => (statement.text.includes('99') && statement.kind === 'execute' ? { deny: 'no' } : 'permit'),
      ...options,
    });
    open.push(harness);
    return harness;
  };

  test.each([0, 1, 2])(
    'at position %i it fails what follows until Sync, and what came before in the same transaction',
    async (position) => {
      const harness = await denying();
      const client = await through(harness);
      const messages = [0, 1, 2].flatMap((index) =>
        run(index === position ? 'delete from items where id = 99' : `insert into sink values (${index}, 'x')`),
      );
      const seen = await answers(client, [...messages, say.sync(), say.query('select count(*) from sink')]);
      const types = seen.map((message) => String.fromCharCode(message.type)).join('');
      expect(types).toMatch(new RegExp(`^${'12C'.repeat(position)}1EZTDCZ`));
      expect(seen.find((message) => message.type === targetMessage.errorResponse)?.body).toBe('ERROR|42501|no|');
      expect(seen.find((message) => message.type === targetMessage.dataRow)?.body.endsWith('30')).toBe(true);
      client.end();
    },
  );
});
