// Labelled values leave masked or not at all, in every message that could carry them (guarantee 3).
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestPostgres, testPostgres } from '../../../test/peers/postgres.ts';
import { verifies } from '../../../test/requirements.ts';
import type { Masks } from '../../domain/decision.ts';
import type { Statement } from '../../domain/statement.ts';
import { targetMessage } from './codec.ts';
import { type Harness, type HarnessOptions, openHarness, token } from './harness.suite.ts';
import { RawClient, say } from './raw-client.suite.ts';

let server: TestPostgres;
let db: pg.Client;
let harness: Harness;
const open: Harness[] = [];

const labels = [{ columns: 'public.customers.email', label: 'pii.email' }];

/** What the policy does: labelled columns are masked in full, derived ones whole, and what is opaque too. */
function masks(statement: Statement): Masks {
  return statement.meaning.results.map((columns) =>
    columns.map((column) => {
      if (column.sources.length === 0 && !column.opaque) return null;
      return { label: column.sources[0]?.labels[0] ?? 'unresolved', method: 'full' as const, whole: !column.direct };
    }),
  );
}

const options: HarnessOptions = {
  labels,
  rule: (statement) => ({ masks: masks(statement) }),
  preview: (meaning) => (meaning.effects.some((effect) => effect.action === 'sql:reveal') ? 'deny' : 'permit'),
};

async function client(of: Harness): Promise<pg.Client> {
  const made = new pg.Client({ host: '127.0.0.1', port: of.port, user: 'agent', password: token, database: 'shop' });
  made.on('error', () => undefined);
  await made.connect();
  return made;
}

async function raw(of: Harness): Promise<RawClient> {
  return new RawClient(of.port).start({ user: 'agent', database: 'shop' }, token);
}

beforeAll(async () => {
  server = await testPostgres();
  const admin = new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    user: server.superuser,
    password: server.password,
    database: 'postgres',
  });
  await admin.connect();
  await admin.query(`create table customers (id int primary key, email text unique, note text);
    insert into customers select i, 'secret' || i || '@example.com', 'n' || i from generate_series(1, 20) i;
    create table changes (id int, email text);
    create table log (id int);
    create rule also as on insert to log do also select email from customers where id = 1;
    create function shout() returns trigger language plpgsql as $$ begin raise notice 'saw %', new.email; return new; end $$;
    create trigger shout before update on customers for each row execute function shout();`);
  await admin.end();
  harness = await openHarness(server, options);
  open.push(harness);
  db = await client(harness);
});

afterAll(async () => {
  await db?.end();
  for (const each of open) await each.close();
  await server?.stop();
});

const error = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('no error'),
    (caught: pg.DatabaseError) => caught,
  );

describe('rows', () => {
  test(verifies('masked-or-withheld', 'are masked in text and binary, simple and extended'), async () => {
    const simple = await db.query('select id, email, note from customers order by id');
    expect(simple.rows[0]).toEqual({ id: 1, email: '****', note: 'n1' });
    const extended = await db.query('select id, email from customers where id = $1', [2]);
    expect(extended.rows).toEqual([{ id: 2, email: '****' }]);
    const binary = await db.query({
      text: 'select email, id from customers where id = $1',
      values: [3],
      binary: true,
    } as pg.QueryConfig);
    expect(binary.rows).toEqual([{ email: '****', id: 3 }]);
    const derived = await db.query("select upper(email) u, email || 'x' c from customers where id = 1");
    expect(derived.rows).toEqual([{ u: '***', c: '***' }]);
    expect(harness.statements.filter((each) => each.outcome?.masked.length).at(-1)?.outcome?.masked).toEqual([
      { label: 'pii.email', method: 'full', cells: 2 },
    ]);
    expect(harness.recorded().includes('@example.com')).toBe(false);
  });

  test('are masked when the client describes nothing, and when it described the statement only', async () => {
    const mine = await raw(harness);
    mine.take();
    mine.send(
      Buffer.concat([
        say.parse('s', 'select email from customers order by id'),
        say.bind('', 's'),
        say.execute('', 2),
        say.sync(),
      ]),
    );
    await mine.ready(1);
    const seen = mine.take();
    expect(seen.map((message) => String.fromCharCode(message.type)).join('')).toBe('12DDsZ');
    expect(
      seen
        .filter((message) => message.type === targetMessage.dataRow)
        .every((message) => message.body.endsWith('2a2a2a2a')),
    ).toBe(true);
    mine.send(
      Buffer.concat([
        say.parse('t', 'select email from customers where id = 4'),
        say.describe('statement', 't'),
        say.sync(),
      ]),
    );
    await mine.ready(1);
    mine.take();
    for (const format of [0, 1] as const) {
      mine.send(Buffer.concat([say.bind('', 't', [], [format]), say.execute(''), say.sync()]));
      await mine.ready(1);
      const rows = mine.take();
      expect(rows.map((message) => String.fromCharCode(message.type)).join('')).toBe('2DCZ');
      expect(rows[1]?.body.endsWith('2a2a2a2a')).toBe(true);
    }
    mine.end();
  });

  test('of cursors, SQL-level statements and RETURNING are masked', async () => {
    await db.query('begin');
    await db.query('declare c cursor for select email from customers order by id');
    expect((await db.query('fetch 2 c')).rows).toEqual([{ email: '****' }, { email: '****' }]);
    await db.query('commit');
    await db.query('prepare p as select email from customers where id = 1');
    expect((await db.query('execute p')).rows).toEqual([{ email: '****' }]);
    expect(
      (await db.query("insert into customers values (100, 'new-secret@example.com') returning email")).rows,
    ).toEqual([{ email: '****' }]);
    expect(JSON.stringify(harness.statements.map((each) => each.statement.text))).not.toContain('new-secret');
  });
});

describe('COPY', () => {
  test('out is masked in each format', async () => {
    const mine = await raw(harness);
    for (const form of ['', '(format csv, header)', '(format binary)']) {
      mine.take();
      mine.send(say.query(`copy customers to stdout ${form}`));
      await mine.ready(1);
      const data = Buffer.from(
        mine
          .take()
          .filter((message) => message.type === targetMessage.copyData)
          .map((message) => message.body)
          .join(''),
        'hex',
      );
      expect(data.includes('secret')).toBe(false);
      expect(data.includes('****')).toBe(true);
      expect(data.includes('n20')).toBe(true);
    }
    mine.end();
  });

  test('in is recorded with labelled columns masked', async () => {
    const mine = await raw(harness);
    mine.take();
    mine.send(
      Buffer.concat([
        say.query('copy customers from stdin'),
        say.copyData('200\tcopied-secret@exam'),
        say.copyData('ple.com\tnote-in-clear\n'),
        say.copyDone(),
      ]),
    );
    await mine.ready(1);
    expect(
      mine
        .take()
        .map((message) => String.fromCharCode(message.type))
        .join(''),
    ).toBe('GCZ');
    expect(harness.copied().includes('copied-secret')).toBe(false);
    expect(harness.copied().includes('note-in-clear')).toBe(true);
    mine.end();
  });
});

describe('what would undo or evade a mask', () => {
  test('a masked value is not written back', async () => {
    const refused = await error(db.query('update customers set email = $1 where id = 1', ['****']));
    expect([refused.code, refused.message]).toEqual([
      '42501',
      'parameter $1 is a masked value: writing it back would destroy what it hides',
    ]);
    expect((await db.query('select id from customers where email = $1', ['****'])).rows).toEqual([]);
  });

  test('data that cannot be recorded is not copied in', async () => {
    const mine = await raw(harness);
    mine.take();
    mine.send(
      Buffer.concat([
        say.query('copy customers from stdin (format binary)'),
        say.copyData('PGCOPY but not really, with secret77@example.com'),
        say.copyDone(),
        say.query('select 1'),
      ]),
    );
    await mine.ready(2);
    const seen = mine.take();
    expect(seen.map((message) => String.fromCharCode(message.type)).join('')).toBe('GEZTDCZ');
    expect(harness.copied().includes('secret77')).toBe(false);
    mine.end();
  });
});

describe('texts of the server', () => {
  test('keep their code and lose their text where they could quote a labelled value', async () => {
    const duplicate = await error(db.query("update customers set email = 'secret1@example.com' where id = 2"));
    expect([duplicate.code, duplicate.detail, duplicate.table]).toEqual(['23505', undefined, undefined]);
    expect(duplicate.message).not.toContain('secret');
    const cast = await error(db.query('select email::int from customers'));
    expect(cast.code).toBe('22P02');
    expect(cast.message).not.toContain('secret');
    const named = await error(db.query('select email::regclass from customers'));
    expect(named.message).not.toContain('secret');
    const notices: string[] = [];
    db.on('notice', (notice) => notices.push(notice.message ?? ''));
    await db.query("update customers set note = 'x' where id = 5");
    expect(notices).toHaveLength(1);
    expect(notices[0]).not.toContain('secret');
    db.removeAllListeners('notice');
    const missing = await error(db.query('select nothing from customers'));
    expect([missing.code, missing.message]).toEqual(['42703', 'column "nothing" does not exist']);
  });

  test('of other sessions lose their payload', async () => {
    const payloads: string[] = [];
    db.on('notification', (message) => payloads.push(`${message.channel}:${message.payload}`));
    await db.query('listen talk');
    const other = new pg.Client({
      host: '127.0.0.1',
      port: server.port,
      user: server.superuser,
      password: server.password,
      database: 'postgres',
    });
    await other.connect();
    await other.query("notify talk, 'secret1@example.com'");
    await other.end();
    while (payloads.length === 0) await db.query('select 1');
    expect(payloads).toEqual(['talk:']);
    expect(harness.recorded().includes('secret1')).toBe(false);
  });
});

describe('a result that disagrees is withheld', () => {
  test('rows that nobody read from the text', async () => {
    await db.query('begin');
    const refused = await error(db.query('insert into log values (1)'));
    expect([refused.code, refused.message.startsWith('The result was withheld')]).toEqual(['42501', true]);
    expect((await error(db.query('select 1'))).code).toBe('25P02');
    await db.query('rollback');
    expect((await db.query('select 1 one')).rows).toEqual([{ one: 1 }]);
    expect(harness.recorded().includes('@example.com')).toBe(false);
    expect(harness.faults).toEqual([]);
  });
});
