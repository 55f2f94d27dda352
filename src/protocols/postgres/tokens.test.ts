// Tokens through a whole conversation: equal values stay equal, and what comes back is refused before it reaches the target.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestPostgres, testPostgres } from '../../../test/peers/postgres.ts';
import { verifies } from '../../../test/requirements.ts';
import type { Masks } from '../../domain/decision.ts';
import type { Method } from '../../domain/mask.ts';
import type { Statement } from '../../domain/statement.ts';
import { openWrittenBack } from '../../masking/written-back.ts';
import { openAnalyser } from '../../sql/analyse.ts';
import { targetMessage } from './codec.ts';
import { type Harness, openHarness, token } from './harness.suite.ts';
import { RawClient, say } from './raw-client.suite.ts';

let server: TestPostgres;
let harness: Harness;
let db: pg.Client;
let admin: pg.Client;

const methods: Readonly<Record<string, Method>> = {
  'pii.email': { method: 'full' },
  'pii.score': { method: 'bucket', size: 1_000 },
  'pii.at': { method: 'date', to: 'quarter' },
};
const methodFor = (label: string): Method => methods[label] ?? { method: 'token' };

function masks(statement: Statement): Masks {
  return statement.meaning.results.map((columns) =>
    columns.map((column) => {
      const label = column.sources[0]?.labels[0];
      return label === undefined ? null : { label, ...methodFor(label), whole: !column.direct };
    }),
  );
}

beforeAll(async () => {
  server = await testPostgres();
  const { port, superuser: user, password } = server;
  admin = new pg.Client({ host: '127.0.0.1', port, user, password, database: 'postgres' });
  await admin.connect();
  await admin.query(`create table people (id int primary key, card text, ssn int, email text, note text, score int);
    insert into people values (1, '4111111111111111', 42, 'a@x.example', 'n', 1), (2, '5500005555555559', 43, 'b@x.example', 'n', 2),
      (3, '4111111111111111', 42, 'c@x.example', 'n', -3);
    create table payments (id int primary key, card text);
    insert into payments values (1, '4111111111111111');
    create domain pan as text;
    create table typed (id int primary key, card pan, tags text[], seen timestamptz, score numeric[], at date);
    insert into typed values (1, '4111111111111111', '{a,"b, \\"c",NULL}', '2024-05-06 23:30:00-05', '{1234.5,-1,NULL}', '0044-03-15 BC'),
      (2, null, '{}', 'infinity', null, null);`);
  const key = Buffer.from('mask key of this test');
  const writtenBack = openWrittenBack({ key, methods: [{ method: 'token' }], methodFor });
  harness = await openHarness(server, {
    labels: [
      { columns: 'public.*.card', label: 'pci.pan' },
      { columns: 'public.people.ssn', label: 'pii.ssn' },
      { columns: 'public.people.email', label: 'pii.email' },
      { columns: 'public.people.score', label: 'pii.score' },
      { columns: 'public.typed.tags', label: 'pii.tags' },
      { columns: 'public.typed.score', label: 'pii.score' },
      { columns: 'public.typed.at', label: 'pii.at' },
      { columns: 'public.typed.seen', label: 'pii.at' },
    ],
    rule: (statement) => ({ masks: masks(statement) }),
    preview: () => 'permit',
    postgres: { maskKey: key, writtenBack, analyser: openAnalyser({ writtenBack }) },
  });
  db = new pg.Client({ host: '127.0.0.1', port: harness.port, user: 'agent', password: token, database: 'shop' });
  await db.connect();
});
afterAll(async () => {
  await db?.end();
  await admin?.end();
  await harness?.close();
  await server?.stop();
});

const shown = async (sql: string, values: readonly unknown[] = []) => (await db.query(sql, [...values])).rows;
const refusal = async (sql: string, values: readonly unknown[] = []) =>
  db.query(sql, [...values]).then(
    () => 'not refused',
    (error: { code: string; message: string }) => `${error.code} ${error.message}`,
  );
const raw = async () => (await admin.query('select * from people order by id')).rows;

test('equal values have equal tokens, in every table and in groups', async () => {
  const [one, two, three] = await shown('select card, ssn from people order by id');
  expect([one.card, one.ssn]).toEqual([three.card, three.ssn]);
  expect(one.card).not.toBe(two.card);
  expect(one.card).toMatch(/^\d{16}$/);
  expect(one.ssn).toBeLessThan(0);
  expect(await shown('select card from payments')).toEqual([{ card: one.card }]);
  const groups = await shown('select card, count(*)::int as n from people group by card order by n');
  expect(groups).toEqual([
    { card: two.card, n: 1 },
    { card: one.card, n: 2 },
  ]);
});

test('rows and COPY say the same, of domains, arrays and dates too', async () => {
  const [{ card }] = await shown('select card from payments');
  const { rows } = await db.query({
    text: 'select * from typed order by id',
    rowMode: 'array',
    types: { getTypeParser: () => (value: string) => value },
  });
  const row = rows[0] as unknown as string[];
  expect(row.slice(1, 2)).toEqual([card]);
  expect(row[2]).toMatch(/^\{"tok_[a-z2-7]{20}","tok_[a-z2-7]{20}",NULL\}$/);
  expect(row.slice(3)).toEqual(['2024-04-01 00:00:00+00', '{"1000","-1000",NULL}', '0044-01-01 BC']);
  expect(rows[1]).toEqual(['2', null, '{}', 'infinity', null, null]);
  const copied = async (form: string) => {
    const client = await new RawClient(harness.port).start({ user: 'agent', database: 'shop' }, token);
    client.take();
    client.send(say.query(`copy (select * from typed order by id) to stdout ${form}`));
    await client.ready(1);
    const data = client.take().filter((message) => message.type === targetMessage.copyData);
    client.end();
    return Buffer.from(data.map((message) => message.body).join(''), 'hex');
  };
  const lines = (await copied('')).toString().trimEnd().split('\n');
  expect(lines.map((line) => line.split('\t'))).toEqual(
    rows.map((one) => (one as unknown as (string | null)[]).map((cell) => cell ?? '\\N')),
  );
  const csv = (await copied('(format csv)')).toString();
  expect(csv.split('\n')[0]).toBe(
    row.map((cell, index) => (index === 0 ? cell : `"${cell.replaceAll('"', '""')}"`)).join(','),
  );
  const binary = (await copied('(format binary)')).toString('latin1');
  for (const part of [card as string, ...row[2]!.match(/tok_\w+/g)!]) expect(binary).toContain(part);
  expect(binary).not.toContain('4111111111111111');
});

describe('a token that comes back is refused, and the target never sees it', () => {
  const said = /^42501 .*token of a masked value/;

  test(verifies('masked-or-withheld', 'in a literal, however it is written'), async () => {
    const [{ card, ssn }] = await shown('select card, ssn from people where id = 1');
    const before = await raw();
    const hex = [...(card as string)].map((letter) => `\\x${letter.charCodeAt(0).toString(16)}`).join('');
    const points = [...(card as string)].map((letter) => `\\00${letter.charCodeAt(0).toString(16)}`).join('');
    for (const sql of [
      `select id from people where card = '${card}'`,
      `select id from people where card in ('x', '${card}')`,
      `select id from people where card = any('{x,${card}}')`,
      `select id from people where card = any(array['${card}'])`,
      `select id from people where card = E'${hex}'`,
      `select id from people where card = U&'${points}'`,
      `select id from people where card = $q$${card}$q$`,
      `select id from people where ssn = ${ssn}`,
      `select id from people where ssn = '${ssn}'`,
      `update people set card = '${card}' where id = 2`,
      `update people set ssn = ${ssn} where id = 2`,
      `update people set note = 'x' where card = '${card}'`,
      `delete from people where card = '${card}'`,
      `insert into people values (4, '${card}', 1, 'd@x.example', 'n')`,
      `insert into people (id, card) select 4, '${card}'`,
      `insert into payments values (4, '${card}') on conflict (id) do update set card = excluded.card`,
      `merge into people p using payments q on q.id = p.id when matched then update set card = '${card}'`,
      `with w as (update people set card = '${card}' returning id) select id from w`,
      `prepare back as update people set card = '${card}' where id = 2`,
    ])
      expect([sql, await refusal(sql)]).toEqual([sql, expect.stringMatching(said)]);
    await db.query('prepare put (text) as update people set card = $1 where id = 2');
    expect(await refusal(`execute put('${card}')`)).toMatch(said);
    expect(await raw()).toEqual(before);
  });

  test('in a parameter, as text and in binary', async () => {
    const [{ card, ssn }] = await shown('select card, ssn from people where id = 1');
    const before = await raw();
    const number = Buffer.alloc(4);
    number.writeInt32BE(ssn as number);
    for (const [sql, value] of [
      ['select id from people where card = $1', card],
      ['select id from people where card = $1', Buffer.from(card as string)],
      ['select id from people where card = any($1)', [card]],
      ['update people set card = $1 where id = 2', card],
      ['update people set ssn = $1 where id = 2', ssn],
      ['update people set ssn = $1 where id = 2', number],
      ['select id from people where ssn = $1::int4', number],
      ['insert into people (id, card) values (4, $1)', card],
    ] as const)
      expect([sql, await refusal(sql, [value])]).toEqual([sql, expect.stringMatching(said)]);
    expect(await raw()).toEqual(before);
  });

  test('in COPY, column by column', async () => {
    const [{ card, ssn }] = await shown('select card, ssn from people where id = 1');
    const copied = async (row: string) => {
      const client = await new RawClient(harness.port).start({ user: 'agent', database: 'shop' }, token);
      client.take();
      client.send(say.query('copy people (id, card, ssn, score) from stdin'));
      client.send(Buffer.concat([say.copyData(`${row}\n`), say.copyDone()]));
      await client.ready(1);
      const error = client.take().find((message) => message.type === targetMessage.errorResponse);
      client.end();
      return error?.body ?? 'copied';
    };
    expect(await copied(`60\t${card}\t1\t1`)).toContain('42501|a masked value cannot be copied in');
    expect(await copied(`60\tx\t${ssn}\t1`)).toContain('42501|a masked value cannot be copied in');
    expect(await copied('60\t5500005555555559\t1\t-1')).toBe('copied');
    expect((await admin.query('delete from people where id = 60 returning score')).rows).toEqual([{ score: -1 }]);
  });

  test('and ordinary values pass, near labelled columns too', async () => {
    expect(await shown("select id from people where card = '4111111111111111' order by id")).toEqual([
      { id: 1 },
      { id: 3 },
    ]);
    expect(await shown('select id from people where card = $1', ['5500005555555559'])).toEqual([{ id: 2 }]);
    expect(await shown("select id from people where score = 2 and score <> -5 and card = '5500005555555559'")).toEqual([
      { id: 2 },
    ]);
    expect(await shown('select id from people where score = -3 and ssn = 42')).toEqual([{ id: 3 }]);
    expect(await shown("select id from people where email = '****'")).toEqual([]);
    // A negative number is data in a labelled column that has no tokens, beside one that has.
    await db.query("insert into people (id, card, score) values (50, '5500005555555559', -7)");
    await db.query('insert into people (id, card, score) values (51, $1, $2)', ['5500005555555559', -8]);
    await db.query('prepare more (int) as insert into people (id, ssn, score) values (52, 1, $1)');
    await db.query('execute more(-9)');
    expect(await refusal('insert into people (id, card, ssn) values (53, $1, $2)', ['5500005555555559', -8])).toMatch(
      said,
    );
    await db.query('prepare less (int) as update people set ssn = $1 where id = 2');
    expect(await refusal('execute less(-9)')).toMatch(said);
    expect((await admin.query('delete from people where id >= 50 returning score')).rows).toHaveLength(3);
    const [{ card }] = await shown('select card from people where id = 1');
    // Where no token can stand, it is text like any other.
    expect(await shown('select id from people where note = $1', [card])).toEqual([]);
    expect(await refusal("update people set email = '****' where id = 1")).toMatch(/^42501 a masked value cannot/);
  });
});
