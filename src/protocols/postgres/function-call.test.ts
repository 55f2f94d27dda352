// FunctionCall: judged, recorded and masked as the SQL call of the same function, and answered as the server answers it.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestPostgres, testPostgres } from '../../../test/peers/postgres.ts';
import { verifies } from '../../../test/requirements.ts';
import type { Masks } from '../../domain/decision.ts';
import type { Statement } from '../../domain/statement.ts';
import { targetMessage } from './codec.ts';
import { type Harness, openHarness, token } from './harness.suite.ts';
import { RawClient, say } from './raw-client.suite.ts';

let server: TestPostgres;
let admin: pg.Client;
let open: Harness;
let masking: Harness;
const oids = new Map<string, number>();
const oid = (name: string) => oids.get(name) ?? 0;

const masks = ({ meaning }: Statement): Masks =>
  meaning.results.map((columns) =>
    columns.map(({ sources, opaque, direct }) =>
      sources.length > 0 || opaque ? { label: 'pii', method: 'full' as const, whole: !direct } : null,
    ),
  );

beforeAll(async () => {
  server = await testPostgres({ hba: ['host all all 127.0.0.1/32 trust'] });
  const { superuser: user, password, port } = server;
  admin = new pg.Client({ host: '127.0.0.1', port, user, password, database: 'postgres' });
  await admin.connect();
  await admin.query(`
    create table people (id int, email text);
    insert into people values (1, 'ada@example.com');
    create function email_of(int) returns text language sql as 'select email from people where id = $1';
    create function unread(int) returns text language plpgsql as $$ begin execute 'set search_path to nowhere'; return 'x'; end $$;
    create function total(int, variadic int[]) returns int language sql as 'select $1 + coalesce(sum(n), 0)::int from unnest($2) n';
    create function many() returns setof int language sql as 'select 1';
    create table made (n int);
    create function makes(int) returns int language sql as 'insert into made values ($1) returning n';`);
  const { rows } = await admin.query(
    "select oid::int, proname from pg_proc where proname ~ '^lo|^(email_of|unread|total|many|makes|int4pl|version|sum)$'",
  );
  for (const row of rows) oids.set(row.proname, row.oid);
  open = await openHarness(server);
  masking = await openHarness(server, {
    labels: [{ columns: 'public.people.email', label: 'pii' }],
    rule: (statement) =>
      statement.text.includes('makes')
        ? { deny: 'no' }
        : statement.text.includes('sleep')
          ? 'hold'
          : { masks: masks(statement) },
    preview: (meaning) => (meaning.effects.some((effect) => effect.action === 'sql:reveal') ? 'deny' : 'permit'),
  });
});
afterAll(async () => {
  await admin?.end();
  for (const one of [open, masking]) await one?.close();
  await server?.stop();
});

const int = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const through = (harness: Harness) => new RawClient(harness.port).start({ user: 'agent', database: 'shop' }, token);
const straight = () => new RawClient(server.port).start({ user: server.superuser, database: 'postgres' }, undefined);

/** What answers `messages`, of which `cycles` end with ReadyForQuery. */
async function answers(connecting: Promise<RawClient>, messages: readonly Buffer[], cycles: number) {
  const client = await connecting;
  client.take();
  client.send(Buffer.concat(messages));
  await client.ready(cycles);
  client.end();
  return client.take().filter(({ type }) => type !== targetMessage.parameterStatus);
}
const types = (seen: readonly { type: number }[]) => seen.map(({ type }) => String.fromCharCode(type)).join('');
const errors = (seen: readonly { type: number; body: string }[]) =>
  seen.filter(({ type }) => type === targetMessage.errorResponse).map(({ body }) => body.split('|')[1]);

describe('the same answers as the server', () => {
  const call = (name: string, ...values: (string | Buffer | null)[]) => say.call(oid(name), values);
  test.each<[string, () => Buffer[], number]>([
    [
      'a result in both formats, and NULL',
      () => [call('int4pl', int(2), int(3)), call('email_of', int(9)), say.call(oid('email_of'), [int(1)], 0)],
      3,
    ],
    [
      'in the middle of other work',
      () => [
        say.query('select 1'),
        call('int4pl', int(2), int(3)),
        say.parse('', 'select 2'),
        say.bind('', ''),
        say.sync(),
        call('int4pl', int(2), int(3)),
        say.execute(''),
        say.sync(),
      ],
      5,
    ],
    [
      'behind a pipeline without Sync, and one that failed',
      () => [
        say.parse('', 'select 1'),
        say.bind('', ''),
        say.execute(''),
        call('int4pl', int(1), int(1)),
        say.parse('', 'select nothing'),
        call('int4pl', int(1), int(1)),
        say.sync(),
      ],
      2,
    ],
    [
      'errors, in a transaction and out of it',
      () => [
        call('email_of', 'no'),
        say.query('begin'),
        call('email_of', 'no'),
        call('int4pl', int(1), int(1)),
        say.query('rollback'),
        call('int4pl', int(1), int(1)),
      ],
      6,
    ],
    ['a wrong number of arguments', () => [call('int4pl', int(1)), say.query('select 1')], 2],
    ['what cannot be called so', () => [call('many'), call('sum', int(1)), say.query('select 1')], 3],
    [
      'an array for the variadic argument',
      () => [
        call('total', int(1), Buffer.concat([int(1), int(0), int(23), int(2), int(1), int(4), int(5), int(4), int(6)])),
      ],
      1,
    ],
    ['a number that no function has', () => [say.call(4_000_000_000, [int(1)]), say.query('select 1')], 2],
    [
      'what a function changes',
      () => [say.query('begin'), call('makes', int(7)), say.query('select * from made'), say.query('rollback')],
      4,
    ],
  ])('%s', async (_name, messages, cycles) => {
    const theirs = await answers(straight(), messages(), cycles);
    expect(await answers(through(open), messages(), cycles)).toEqual(theirs);
    expect(theirs.length).toBeGreaterThan(1);
    expect(open.faults).toEqual([]);
  });
});

test(verifies('permit.before-send', 'a function call message is asked for as the call that it is'), async () => {
  const before = open.statements.length;
  await answers(through(open), [say.call(oid('int4pl'), [int(2), int(3)])], 1);
  const [, asked] = open.statements.slice(before);
  expect(asked?.statement).toMatchObject({ kind: 'execute', parameters: ['2', '3'] });
  expect(asked?.statement.text).toBe(
    `select pg_catalog.int4pl($1, $2) /* function call message, OID ${oid('int4pl')} */`,
  );
  expect(asked?.outcome).toMatchObject({ status: 'done', rows: 1 });
  // Two overloads are told apart by what is approved.
  expect(asked?.statement.digest()).not.toBe(open.statements[0]?.statement.digest());
});

test('a denial keeps the connection and fails the transaction, and nothing ran', async () => {
  const seen = await answers(
    through(masking),
    [
      say.query('begin'),
      say.call(oid('makes'), [int(1)]),
      say.query('select 1'),
      say.query('rollback'),
      say.query('select 1'),
    ],
    5,
  );
  expect([types(seen), errors(seen)]).toEqual(['CZEZEZCZTDCZ', ['42501', '25P02']]);
  expect((await admin.query('select count(*)::int n from made')).rows).toEqual([{ n: 0 }]);
});

describe('labelled values', () => {
  test(verifies('masked-or-withheld', 'what a function call message returns is masked as its SQL call'), async () => {
    const seen = await answers(
      through(masking),
      [say.call(oid('email_of'), [int(1)]), say.call(oid('int4pl'), [int(1), int(2)])],
      2,
    );
    expect(types(seen)).toBe('VZVZ');
    expect(Buffer.from(seen[0]?.body ?? '', 'hex').toString()).toContain('****');
    expect(masking.statements.at(-2)?.outcome?.masked).toEqual([{ label: 'pii', method: 'full', cells: 1 }]);
    expect(seen[2]?.body).toBe('0000000400000003');
  });

  test('what nobody read is withheld, and its transaction is failed', async () => {
    const seen = await answers(
      through(masking),
      [say.query('begin'), say.call(oid('lo_creat'), [int(-1)]), say.query('rollback')],
      3,
    );
    expect(types(seen)).toBe('CZVZCZ');
    const { rows } = await admin.query("select lo_from_bytea(0, 'secret@example.com')::int as id");
    const read = [
      say.query('begin'),
      say.call(oid('lo_open'), [int(rows[0].id), int(0x20000)]),
      say.call(oid('loread'), [int(0), int(100)]),
      say.query('select 1'),
      say.query('rollback'),
    ];
    const masked = await answers(through(masking), read, 5);
    expect([types(masked), errors(masked)]).toEqual(['CZVZEZEZCZ', ['42501', '25P02']]);
    const clear = await answers(through(open), read, 5);
    expect([types(clear), clear.some(({ body }) => Buffer.from(body, 'hex').includes('example.com'))]).toEqual([
      'CZVZVZTDCZCZ',
      true,
    ]);
    expect(masking.recorded().includes('example.com')).toBe(false);
  });
});

test('after a call that nobody can read the search path is read again', async () => {
  const client = await through(open);
  client.send(say.call(oid('unread'), [int(1)]));
  await client.ready(2);
  client.take();
  client.send(say.query('select * from people'));
  await client.ready(1);
  expect(client.seen[0]?.body).toContain('42P01');
  expect(open.statements.at(-1)?.statement.meaning.effects).toContainEqual(
    expect.objectContaining({ attributes: expect.objectContaining({ unresolved: true }) }),
  );
  client.end();
});

test('no session ended for any of it', () => {
  expect([...open.faults, ...masking.faults]).toEqual([]);
  expect(open.unsettled() + masking.unsettled()).toBe(0);
});
