import { createHmac } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifies } from '../../test/requirements.ts';
import { type TestPostgres, testPostgres } from '../../test/peers/postgres.ts';
import { type MaskMethod, maskMethods } from '../domain/mask.ts';
import { compileMask } from './method.ts';
import { looksMasked } from './written-back.ts';
import { arrayElements } from './type.ts';

const key = Buffer.from('deployment key of this test');
const mask = (method: MaskMethod, whole = false) => ({ label: 'pii', method, whole });
const apply = (method: MaskMethod, value: string, type: number | undefined = 25, whole = false) =>
  compileMask(mask(method, whole), type, 0, key)(Buffer.from(value))?.toString() ?? null;

test('the hash is HMAC-SHA256, for keys of any length', () => {
  for (const length of [0, 1, 63, 64, 65, 200]) {
    const secret = Buffer.alloc(length, 7);
    const expected = createHmac('sha256', secret).update('value').digest('hex').slice(0, 24);
    expect(compileMask(mask('hash'), 25, 0, secret)(Buffer.from('value'))?.toString()).toBe(`masked:${expected}`);
  }
});

describe('text', () => {
  test.each([
    ['full', '4111111111116467', '****'],
    ['partial', '4111111111116467', '****6467'],
    ['partial', 'short-value', '****'],
    ['partial', 'ada.okafor.1@mail.example', '****@****.example'],
    ['partial', 'ada@localhost', '****'],
    ['partial', 'ada@host.secret-not-a-domain!', '****'],
    ['partial', 'ünïcödé-ünïcödé', '****cödé'],
    ['null', 'x', null],
  ] as const)('%s of %s', (method, value, expected) => expect(apply(method, value)).toBe(expected));

  test.each(['full', 'partial', 'hash', 'null'] as const)(
    '%s: a derived value looks the same whether it is NULL or not',
    (method) => {
      for (const type of [25, 1043, 23, 16, 3802, undefined]) {
        const hide = compileMask(mask(method, true), type, 0, key);
        expect(hide(null)).toEqual(hide(Buffer.from('5')));
      }
    },
  );

  test('a hash is stable, keyed and short', () => {
    const hash = apply('hash', 'value');
    expect(hash).toMatch(/^masked:[0-9a-f]{24}$/);
    expect(apply('hash', 'value')).toBe(hash);
    expect(apply('hash', 'valuf')).not.toBe(hash);
    expect(compileMask(mask('hash'), 25, 0, Buffer.from('other'))(Buffer.from('value'))?.toString()).not.toBe(hash);
  });

  test('derived text is one constant, whatever the method', () => {
    for (const method of maskMethods)
      expect(apply(method, '4111111111116467', 25, true)).toBe(method === 'null' ? null : '***');
    for (const method of maskMethods) expect(apply(method, '12', 23, true)).toBeNull();
  });
});

test(verifies('masked-or-withheld', 'an unknown type becomes NULL by every method, and NULL stays NULL'), () => {
  for (const method of maskMethods)
    for (const format of [0, 1] as const) {
      expect(compileMask(mask(method), 999_999, format, key)(Buffer.from('secret'))).toBeNull();
      expect(compileMask(mask(method), undefined, format, key)(Buffer.from('secret'))).toBeNull();
      for (const type of [25, 23, 3802, 2950, 1009])
        expect(compileMask(mask(method), type, format, key)(null)).toBeNull();
    }
});

describe('against a real server', () => {
  let server: TestPostgres;
  let client: pg.Client;
  beforeAll(async () => {
    server = await testPostgres();
    const { port, superuser: user, password } = server;
    client = new pg.Client({ host: '127.0.0.1', port, user, password, database: 'postgres' });
    await client.connect();
    await client.query('create extension if not exists pgcrypto');
  });
  afterAll(async () => {
    await client.end();
    await server.stop();
  });

  const values: readonly (readonly [type: number, name: string, value: string])[] = [
    [25, 'text', 'Zephyrgasse 12345'],
    [1043, 'varchar', 'Zephyrgasse 12345'],
    [1042, 'bpchar', 'Zephyrgasse 12345'],
    [19, 'name', 'Zephyrgasse'],
    [114, 'json', '{"a": "Zephyrgasse"}'],
    [3802, 'jsonb', '{"a": "Zephyrgasse"}'],
    [142, 'xml', '<a>Zephyrgasse</a>'],
    [21, 'int2', '12345'],
    [23, 'int4', '123456789'],
    [20, 'int8', '4111111111116467'],
    [700, 'float4', '12345.5'],
    [701, 'float8', '12345.5'],
    [1700, 'numeric', '12345.678'],
    [790, 'money', '12345.67'],
    [16, 'bool', 'true'],
    [1082, 'date', '1983-04-05'],
    [1083, 'time', '12:34:56'],
    [1266, 'timetz', '12:34:56+02'],
    [1114, 'timestamp', '1983-04-05 12:34:56'],
    [1184, 'timestamptz', '1983-04-05 12:34:56+00'],
    [1186, 'interval', '1 year 2 days'],
    [2950, 'uuid', '6f1d2a3b-1111-4222-8333-444455556666'],
    [869, 'inet', '10.20.30.40/24'],
    [650, 'cidr', '10.20.30.0/24'],
    [829, 'macaddr', '08:00:2b:01:02:03'],
    [774, 'macaddr8', '08:00:2b:01:02:03:04:05'],
    [17, 'bytea', '\\x5a65706879726761737365'],
    [26, 'oid', '12345'],
    [1560, 'bit', '1'],
    [600, 'point', '(1,2)'],
    ...[...arrayElements.keys()].map((type) => [type, '', ''] as const),
  ];

  test(
    verifies('masked-or-withheld', 'text and binary decode to the same value of the column’s own type'),
    async () => {
      let checked = 0;
      for (const [type, declared, value] of values) {
        const name =
          declared || ((await client.query('select $1::oid::regtype::text as name', [type])).rows[0].name as string);
        const raw = declared ? await bytes(type, name, value) : { text: Buffer.from('{}'), binary: emptyArray(type) };
        for (const method of maskMethods)
          for (const whole of [false, true]) {
            const text = compileMask(mask(method, whole), type, 0, key)(raw.text);
            const binary = compileMask(mask(method, whole), type, 1, key)(raw.binary);
            const read = async (bytes_: Buffer | string | null) =>
              (await client.query(`select $1::${name}::text as value`, [bytes_])).rows[0].value as string | null;
            const seen = await read(text === null ? null : text.toString());
            expect([name, method, whole, await read(binary)]).toEqual([name, method, whole, seen]);
            // A street is nothing that is detected.
            if (method !== 'detect' || whole)
              expect(seen ?? '').not.toMatch(/zephyr|12345|4111|1983|5a6570|6f1d|10\.20|08:00:2b/i);
            checked++;
          }
      }
      expect(checked).toBe(values.length * maskMethods.length * 2);
    },
  );

  /** The value as the server itself sends it in both formats. */
  async function bytes(_type: number, name: string, value: string): Promise<{ text: Buffer; binary: Buffer }> {
    const text = (await client.query(`select $1::${name}::text as value`, [value])).rows[0].value as string;
    const send = (await client.query('select typsend::text as fn from pg_type where oid = $1::regtype', [name])).rows[0]
      .fn as string;
    const binary = (await client.query(`select ${send}($1::${name}) as value`, [value])).rows[0].value as Buffer;
    return { text: Buffer.from(text), binary };
  }
});

/** Without dimensions and elements. */
function emptyArray(type: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(arrayElements.get(type)!, 8);
  return bytes;
}

test('what a mask made is recognised when it is written back, and nothing else', () => {
  for (const made of [
    '****',
    '***',
    '"****"',
    '<masked/>',
    '****6467',
    '****@****.example',
    apply('hash', 'x')!,
    `"${apply('hash', 'x')!}"`,
  ])
    expect([made, looksMasked(made)]).toEqual([made, true]);
  for (const value of ['', '**', '*****', 'a****', '0', 'masked:', 'x@y.example', '**** and more'])
    expect([value, looksMasked(value)]).toEqual([value, false]);
});
