// What a client copies into labelled columns: values that a mask made are refused, data that cannot be read for the record too, and
// both fail as the server's own errors do.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestPostgres, testPostgres } from '../../../test/peers/postgres.ts';
import { targetMessage } from './codec.ts';
import { type Harness, openHarness, token } from './harness.suite.ts';
import { RawClient, say } from './raw-client.suite.ts';

let server: TestPostgres;
let admin: pg.Client;
let harness: Harness;

beforeAll(async () => {
  server = await testPostgres();
  const { superuser: user, password, port } = server;
  admin = new pg.Client({ host: '127.0.0.1', port, user, password, database: 'postgres' });
  await admin.connect();
  await admin.query('create table customers (id int, email text, note text, more jsonb)');
  harness = await openHarness(server, {
    labels: [
      { columns: 'public.customers.email', label: 'pii' },
      { columns: 'public.customers.more', label: 'pii' },
    ],
    preview: (meaning) => (meaning.effects.some((effect) => effect.action === 'sql:reveal') ? 'deny' : 'permit'),
  });
});
afterAll(async () => {
  await admin?.end();
  await harness?.close();
  await server?.stop();
});

/** A row of binary COPY data with its frame. */
function binary(...cells: readonly (Buffer | null)[]): string {
  const field = (cell: Buffer | null) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(cell?.length ?? -1);
    return Buffer.concat([length, cell ?? Buffer.alloc(0)]);
  };
  const bytes = Buffer.concat([
    Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1'),
    Buffer.from([0, cells.length]),
    ...cells.map(field),
    Buffer.from([0xff, 0xff]),
  ]);
  return bytes.toString('latin1');
}
const data = (text: string) => {
  const message = Buffer.concat([Buffer.from('d\0\0\0\0'), Buffer.from(text, 'latin1')]);
  message.writeInt32BE(message.length - 1, 1);
  return message;
};
const one = Buffer.from([0, 0, 0, 1]);
const jsonb = (text: string) => Buffer.concat([Buffer.from([1]), Buffer.from(text)]);

/** Copies in inside a transaction, in both protocols; what came back after the COPY began, as types, and the error. */
async function copies(copy: string, pieces: readonly string[]) {
  await admin.query('truncate customers');
  const outcomes: string[] = [];
  for (const extended of [false, true]) {
    const client = await new RawClient(harness.port).start({ user: 'agent', database: 'shop' }, token);
    client.send(say.query("begin; insert into customers values (9, 'real@example.com')"));
    await client.ready(2);
    client.take();
    const start = extended ? [say.parse('', copy), say.bind('', ''), say.execute(''), say.sync()] : [say.query(copy)];
    client.send(Buffer.concat([...start, ...pieces.map(data), say.copyDone(), ...(extended ? [say.sync()] : [])]));
    await client.ready(1);
    client.send(say.query('select 1'));
    await client.ready(2);
    client.send(say.query('commit'));
    await client.ready(3);
    const errors = client.seen.filter(({ type }) => type === targetMessage.errorResponse).map(({ body }) => body);
    outcomes.push(errors[0] ?? 'copied');
    // An error fails the transaction until its end, and the connection lives.
    if (errors.length > 0) expect(errors[1]).toContain('25P02');
    const { rows } = await admin.query('select count(*)::int as n from customers');
    expect(rows[0].n > 0).toBe(errors.length === 0);
    client.end();
  }
  expect(new Set(outcomes).size).toBe(1);
  return outcomes[0];
}

const masked = 'ERROR|42501|a masked value cannot be copied in: it would destroy what it hides|';
const unreadable = 'ERROR|22P04|the COPY data is not of the form that the COPY declares|';

describe('a masked value', () => {
  test.each<[string, string, string[]]>([
    ['text', 'copy customers from stdin', ['1\tada@example.com\tn\t\\N\n2\t****\tn\t\\N\n']],
    ['text in pieces', 'copy customers (id, email) from stdin', ['1\t*', '*', '**', '\n']],
    ['text with escapes', 'copy customers (id, email) from stdin', ['1\t\\x2a\\052\\**\n']],
    ['a partial mask', 'copy customers (id, email) from stdin', ['1\t****@****.example\n']],
    ['CSV', 'copy customers (id, email) from stdin csv', ['1,"****"\n']],
    ['CSV behind a header', 'copy customers (email, id) from stdin (format csv, header)', ['email,id\n****,1\n']],
    ['a hash', 'copy customers (id, email) from stdin csv', [`1,masked:${'0a'.repeat(12)}\n`]],
    ['binary', 'copy customers (id, email) from stdin binary', [binary(one, Buffer.from('****'))]],
    ['binary jsonb', 'copy customers (id, more) from stdin (format binary)', [binary(one, jsonb('"****"'))]],
    ['JSON', 'copy customers (id, more) from stdin', ['1\t"****"\n']],
  ])('is refused: %s', async (_name, copy, pieces) => {
    expect(await copies(copy, pieces)).toBe(masked);
  });

  test.each<[string, string, string[]]>([
    ['in a column without a label', 'copy customers (id, note) from stdin', ['1\t****\n']],
    ['as a part of a value', 'copy customers (id, email) from stdin', ['1\tfour stars: ****\n2\t\\N\n']],
    [
      'binary',
      'copy customers (id, email, note) from stdin binary',
      [binary(one, Buffer.from('x'), Buffer.from('****'))],
    ],
  ])('is data %s', async (_name, copy, pieces) => {
    expect(await copies(copy, pieces)).toBe('copied');
  });
});

describe('data that cannot be read for the record', () => {
  test.each<[string, string, string[]]>([
    ['too few columns', 'copy customers (id, email, note) from stdin', ['1\tada@example.com\n']],
    ['too many columns', 'copy customers (id, email) from stdin', ['1\tx\ty\n']],
    ['an open quote', 'copy customers (id, email) from stdin csv', ['1,"ada\n']],
    ['no signature', 'copy customers (id, email) from stdin binary', ['1\tada@example.com\n']],
  ])('%s: 22P04', async (_name, copy, pieces) => {
    expect(await copies(copy, pieces)).toBe(unreadable);
    const copied = harness.statements.filter(({ statement }) => statement.text.startsWith('copy'));
    expect(copied.at(-1)?.outcome).toMatchObject({ status: 'failed', code: '22P04' });
  });

  test('an error of the server that comes first is told', async () => {
    expect(await copies('copy customers (id, email) from stdin', ['none\tx\n', '1\tada@example.com\n'])).toContain(
      'ERROR|22P02|',
    );
  });
});

test('nothing of a labelled column is kept', () => {
  expect(harness.copied().includes('example.com')).toBe(false);
  expect(harness.faults).toEqual([]);
});
