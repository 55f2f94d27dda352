// Cursors that a function opened (refcursor): whoever may see everything fetches them as they are, anybody else masked whole; and a name
// that a body can put another cursor behind is not trusted any more.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestPostgres, testPostgres } from '../../../test/peers/postgres.ts';
import type { Masks } from '../../domain/decision.ts';
import type { Statement } from '../../domain/statement.ts';
import { targetMessage } from './codec.ts';
import { type Harness, openHarness, token } from './harness.suite.ts';
import { RawClient, say } from './raw-client.suite.ts';

let server: TestPostgres;
let masking: Harness;
let revealing: Harness;
let hidden: pg.Client;
let open: pg.Client;
let straight: pg.Client;

const masks = ({ meaning }: Statement): Masks =>
  meaning.results.map((columns) =>
    columns.map(({ sources, opaque, direct }) =>
      sources.length > 0 || opaque ? { label: 'pii', method: 'full' as const, whole: !direct } : null,
    ),
  );
const client = async (port: number, user: string, password: string, database: string) => {
  const made = new pg.Client({ host: '127.0.0.1', port, user, password, database });
  await made.connect();
  return made;
};

beforeAll(async () => {
  server = await testPostgres();
  straight = await client(server.port, server.superuser, server.password, 'postgres');
  await straight.query(`
    create table people (id int, email text);
    insert into people select i, 'secret' || i || '@example.com' from generate_series(1, 5) i;
    create function opens(c refcursor) returns refcursor language plpgsql as
      $$ begin open c for select id, email || '' as email from people order by id; return c; end $$;
    create function builds(c refcursor) returns refcursor language plpgsql as
      $$ begin open c for execute 'select id, email || '''' as email from people order by id'; return c; end $$;
    create function closes(c refcursor) returns int language plpgsql as
      $$ begin close c; open c for select email || '' as email from people; return 1; end $$;
    create function dynamic(name text) returns int language plpgsql as
      $$ begin execute 'close ' || name; execute 'declare ' || name || ' cursor for select email || '''' as email from people'; return 1; end $$;`);
  const labels = [{ columns: 'public.people.email', label: 'pii' }];
  masking = await openHarness(server, {
    labels,
    rule: (statement) => ({ masks: masks(statement) }),
    preview: (meaning) => (meaning.effects.some((effect) => effect.action === 'sql:reveal') ? 'deny' : 'permit'),
  });
  revealing = await openHarness(server, { labels });
  hidden = await client(masking.port, 'agent', token, 'shop');
  open = await client(revealing.port, 'agent', token, 'shop');
});
afterAll(async () => {
  for (const one of [hidden, open, straight]) await one?.end();
  for (const one of [masking, revealing]) await one?.close();
  await server?.stop();
});

const outcome = async (db: pg.Client, text: string, values?: unknown[]) =>
  db.query({ text, values: values ?? [], rowMode: 'array' }).then(
    ({ rows }) => rows as unknown[],
    (error: { code: string }) => error.code,
  );

describe.each(['opens', 'builds'])('a cursor that %s() opened', (routine) => {
  const work = async (db: pg.Client, values?: unknown[]) => {
    const seen: unknown[] = [];
    await db.query('begin');
    seen.push(await outcome(db, `select ${routine}('mine')`, values));
    for (const text of ['fetch 2 from mine', 'move 1 in mine', 'fetch all in mine', 'close mine', 'fetch 1 from mine'])
      seen.push(await outcome(db, text, values));
    await db.query('rollback');
    return seen;
  };

  test.each([['simple', undefined] as const, ['extended', []] as const])(
    'is fetched in %s protocol',
    async (_name, values) => {
      const direct = await work(straight, values as unknown[] | undefined);
      expect(direct).toEqual([
        [['mine']],
        [
          [1, 'secret1@example.com'],
          [2, 'secret2@example.com'],
        ],
        [],
        [
          [4, 'secret4@example.com'],
          [5, 'secret5@example.com'],
        ],
        [],
        '34000',
      ]);
      expect(await work(open, values as unknown[] | undefined)).toEqual(direct);
      const [, two, , rest, , none] = await work(hidden, values as unknown[] | undefined);
      expect([two, rest, none]).toEqual([
        [
          [null, '***'],
          [null, '***'],
        ],
        [
          [null, '***'],
          [null, '***'],
        ],
        '34000',
      ]);
    },
  );

  test('as JDBC has it: a name of the server’s own, in a pipeline', async () => {
    for (const [harness, clear] of [
      [revealing, true],
      [masking, false],
    ] as const) {
      const raw = await new RawClient(harness.port).start({ user: 'agent', database: 'shop' }, token);
      raw.send(say.query('begin'));
      await raw.ready(2);
      raw.send(
        Buffer.concat([say.parse('', `select ${routine}(null)`), say.bind('', ''), say.execute(''), say.sync()]),
      );
      await raw.ready(3);
      raw.take();
      const fetch = 'fetch all in "<unnamed portal 1>"';
      raw.send(
        Buffer.concat([
          say.parse('', fetch),
          say.bind('', ''),
          say.describe('portal', ''),
          say.execute(''),
          say.sync(),
        ]),
      );
      await raw.ready(1);
      const types = raw.seen.map(({ type }) => String.fromCharCode(type)).join('');
      expect(types).toBe('12TDDDDDCZ');
      const rows = raw.seen.filter(({ type }) => type === targetMessage.dataRow);
      expect(rows.every(({ body }) => Buffer.from(body, 'hex').includes('example.com') === clear)).toBe(true);
      raw.end();
    }
  });
});

test('nobody opened it: the text is refused as before', async () => {
  const fresh = await client(masking.port, 'agent', token, 'shop');
  expect(await outcome(fresh, 'fetch 1 from nothing')).toBe('34000');
  expect(masking.statements.at(-1)?.statement.text).not.toContain('nothing');
  await fresh.end();
});

describe('a body that closes a cursor and opens another under its name', () => {
  const swapped = [['***'], ['***']];

  test.each([
    "select closes('c')",
    "do $$ declare c refcursor := 'c'; begin close c; open c for select email || '' from people; end $$",
  ])('is not taken for the one that was declared: %s', async (swap) => {
    await hidden.query("begin; declare c cursor for select 'x'::text as email");
    await hidden.query(swap);
    expect(await outcome(hidden, 'fetch 2 from c')).toEqual(swapped);
    await hidden.query('rollback');
  });

  test('in one text', async () => {
    const results = (await hidden.query(
      "begin; declare c cursor for select 'x'::text as email; select closes('c'); fetch 2 from c; rollback",
    )) as unknown as pg.QueryResult[];
    expect(results[3]?.rows).toEqual([{ email: '***' }, { email: '***' }]);
  });

  test('by SQL that only the server knows', async () => {
    await hidden.query("begin; declare c cursor for select 'x'::text as email");
    await hidden.query("select dynamic('c')");
    expect(await outcome(hidden, 'fetch 2 from c')).toEqual(swapped);
    await hidden.query('rollback');
  });

  test('nor for the portal that was bound, whose masks are known', async () => {
    for (const swap of ["select closes('p')", "select dynamic('p')"]) {
      const raw = await new RawClient(masking.port).start({ user: 'agent', database: 'shop' }, token);
      raw.send(say.query('begin'));
      await raw.ready(2);
      raw.send(
        Buffer.concat([
          say.parse('s', 'select i::text as email from generate_series(1, 9) i'),
          say.bind('p', 's'),
          say.describe('portal', 'p'),
          say.execute('p', 2),
          say.sync(),
        ]),
      );
      await raw.ready(3);
      raw.send(say.query(swap));
      await raw.ready(4);
      raw.take();
      raw.send(Buffer.concat([say.execute('p', 2), say.sync()]));
      await raw.ready(1);
      expect(raw.seen.some(({ body }) => Buffer.from(body, 'hex').includes('example.com'))).toBe(false);
      expect(raw.seen[0]?.body).toContain('34000');
      raw.end();
    }
  });

  test('a cursor that runs such a body stays itself, and the others do not', async () => {
    await hidden.query(
      "begin; declare c cursor for select 'x'::text as email; declare d cursor for select 'own'::text as own, closes('c') from generate_series(1, 2)",
    );
    expect(await outcome(hidden, 'fetch 1 from d')).toEqual([['own', null]]);
    expect(await outcome(hidden, 'fetch 2 from c')).toEqual(swapped);
    expect(await outcome(hidden, 'fetch 0 from d')).toEqual([['own', null]]);
    await hidden.query('rollback');
  });
});

test('what could quote a value is not recorded in clear', () => {
  expect(masking.recorded().includes('example.com')).toBe(false);
  expect(masking.faults).toEqual([]);
});
