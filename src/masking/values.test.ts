// What the server itself makes of masked values: random values of every type go to a real server, come back in text and in
// binary form, are masked in both, and are read again as the type that they claim to be.
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifies } from '../../test/requirements.ts';
import { type TestPostgres, testPostgres } from '../../test/peers/postgres.ts';
import { type Mask, type Method, dateUnits } from '../domain/mask.ts';
import { compileMask } from './method.ts';

const key = Buffer.from('deployment key of this test');
const mask = (method: Method): Mask => ({ label: 'pii', whole: false, ...method });

let server: TestPostgres;
let client: pg.Client;
beforeAll(async () => {
  server = await testPostgres();
  const { port, superuser: user, password } = server;
  client = new pg.Client({ host: '127.0.0.1', port, user, password, database: 'postgres' });
  await client.connect();
  await client.query("set timezone to 'America/Lima'");
});
afterAll(async () => {
  await client.end();
  await server.stop();
});

const pad = (number: number, length = 2) => String(number).padStart(length, '0');
const day = fc
  .record({ year: fc.integer({ min: -4_712, max: 290_000 }), month: fc.nat(11), day: fc.nat(27) })
  .map((of) => ({
    text: `${pad(of.year > 0 ? of.year : 1 - of.year, 4)}-${pad(of.month + 1)}-${pad(of.day + 1)}`,
    era: of.year > 0 ? '' : ' BC',
  }));
const instant = fc
  .record({ day, seconds: fc.nat(86_399), micros: fc.nat(999_999) })
  .map(
    ({ day: on, seconds, micros }) =>
      `${on.text} ${pad(Math.floor(seconds / 3_600))}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}.${pad(micros, 6)}${on.era}`,
  );
const integers = (bits: bigint) => fc.bigInt({ min: -(1n << bits), max: (1n << bits) - 1n }).map(String);
const decimals = fc
  .tuple(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), fc.nat(30))
  .map(([units, scale]) => `${units}e-${scale}`);
const texts = fc.oneof(
  fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')),
  fc.constantFrom('4111 1111 1111 1111', '4111111111111111', 'DE89 3704 0044 0532 0130 00', 'GB82WEST12345698765432'),
  fc.emailAddress(),
);
const special = fc.constantFrom('infinity', '-infinity');

const types: readonly (readonly [oid: number, name: string, values: fc.Arbitrary<string>])[] = [
  [25, 'text', texts],
  [1043, 'varchar', texts],
  [1042, 'char(60)', texts.filter((text) => text.length <= 60)],
  [114, 'json', fc.json()],
  [3802, 'jsonb', fc.json().filter((text) => !text.includes('\\u'))],
  [142, 'xml', fc.constantFrom('<a>x</a>', 'text')],
  [21, 'int2', integers(15n)],
  [23, 'int4', integers(31n)],
  [20, 'int8', integers(63n)],
  [700, 'float4', fc.float({ noNaN: false }).map(String)],
  [701, 'float8', fc.double({ noNaN: false }).map(String)],
  [1700, 'numeric', fc.oneof(decimals, special, fc.constant('NaN'), fc.nat().map(String))],
  [16, 'bool', fc.boolean().map(String)],
  [
    1082,
    'date',
    fc.oneof(
      day.map((on) => on.text + on.era),
      special,
    ),
  ],
  [1114, 'timestamp', fc.oneof(instant, special)],
  [1184, 'timestamptz', fc.oneof(instant, special)],
  [1083, 'time', fc.constantFrom('00:00:00', '23:59:59.999999')],
  [2950, 'uuid', fc.uuid()],
  [17, 'bytea', fc.uint8Array().map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`)],
  [869, 'inet', fc.ipV4()],
];
/** Array type of each that has one here. */
const arrays: Readonly<Record<string, number>> = {
  text: 1009,
  int2: 1005,
  int4: 1007,
  int8: 1016,
  numeric: 1231,
  date: 1182,
  timestamp: 1115,
  timestamptz: 1185,
  uuid: 2951,
  jsonb: 3807,
};

const methods: readonly Method[] = [
  { method: 'full' },
  { method: 'null' },
  { method: 'hash' },
  { method: 'token' },
  { method: 'partial' },
  { method: 'partial', keep: 1 },
  { method: 'constant', value: '(hidden) & <"gone">' },
  { method: 'constant', value: '12' },
  { method: 'constant', value: '70000' },
  { method: 'constant', value: '9999999999999999999' },
  { method: 'constant', value: '-1.50' },
  { method: 'constant', value: '1999-12-31' },
  { method: 'constant', value: 'true' },
  { method: 'constant', value: '6f1d2a3b-1111-4222-8333-444455556666' },
  { method: 'bucket', size: 1_000 },
  { method: 'bucket', size: 7 },
  { method: 'bucket', size: 0.25 },
  ...dateUnits.map((to) => ({ method: 'date', to }) as const),
];

interface Row {
  readonly shown: string;
  readonly sent: Buffer;
}

/** The values as the server sends them in both forms. */
async function sent(name: string, values: readonly string[]): Promise<Row[]> {
  const kind = name.replace(/^char.*/, 'bpchar');
  const send = (await client.query('select typsend::text as fn from pg_type where oid = $1::regtype', [kind])).rows[0]
    .fn as string;
  const { rows } = await client.query(
    `select format('%s', v) as shown, ${send}(v) as sent from (select t::${name} as v from unnest($1::text[]) t) x`,
    [values],
  );
  return rows as Row[];
}

/** What the server reads from masked bytes, as text; an error when it does not take them. */
async function read(name: string, values: readonly (Buffer | null)[], binary: boolean): Promise<(string | null)[]> {
  const of = name.replace(/^char.*/, 'bpchar');
  const list = values.map((_, index) => `$${index + 1}::${of}::text`).join(', ');
  if (values.length === 0) return [];
  const { rows } = await client.query({
    text: `select array[${list}] as seen`,
    values: values.map((value) => (binary || value === null ? value : value.toString('utf8'))),
  });
  return rows[0].seen as (string | null)[];
}

async function agree(oid: number, name: string, values: readonly string[]): Promise<Map<Method, (string | null)[]>> {
  const rows = await sent(name, values);
  const found = new Map<Method, (string | null)[]>();
  for (const method of methods) {
    const text = rows.map(({ shown }) => compileMask(mask(method), oid, 0, key)(Buffer.from(shown)));
    const binary = rows.map((row) => compileMask(mask(method), oid, 1, key)(row.sent));
    const seen = await read(name, text, false);
    expect([name, method, values, await read(name, binary, true)]).toEqual([name, method, values, seen]);
    found.set(method, seen);
  }
  return found;
}

test.each(types)(
  verifies('masked-or-withheld', 'masked text and binary of %i %s are values of the type, and the same'),
  async (oid, name, values) => {
    await fc.assert(
      fc.asyncProperty(fc.array(values, { minLength: 1, maxLength: 60 }), async (list) => {
        await agree(oid, name, list);
      }),
      { numRuns: 4 },
    );
  },
);

test.each(types.filter(([, name]) => arrays[name] !== undefined))(
  'arrays of %i %s are masked element by element',
  async (oid, name, values) => {
    const array = arrays[name]!;
    const drawn = fc.sample(values, { numRuns: 24, seed: 7 });
    const single = await agree(oid, name, drawn);
    const elements = (await sent(name, drawn)).map(({ shown }) => shown);
    const literal = `{${elements.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`).join(',')},NULL}`;
    const nested = `[0:1]={{${literal.slice(1, -1)}},{${literal.slice(1, -1)}}}`.replace('=', '[1:25]=');
    for (const value of [literal, nested, '{}']) {
      const lists = await agree(array, `${name}[]`, [value]);
      for (const [method, seen] of lists) {
        if (!['hash', 'token', 'partial', 'bucket', 'date'].includes(method.method) || seen[0] === null) continue;
        const { rows } = await client.query(`select array(select unnest($1::${name}[])::text) as list`, [seen[0]]);
        const expected = value === '{}' ? [] : [...single.get(method)!, null];
        expect([name, method, rows[0].list]).toEqual([
          name,
          method,
          value === nested ? [...expected, ...expected] : expected,
        ]);
      }
    }
  },
);

test('dates are cut as the server cuts them, time stamps with time zone in UTC', async () => {
  for (const unit of dateUnits) {
    const days = fc.sample(day, { numRuns: 200, seed: 11 }).map((on) => on.text + on.era);
    const instants = fc.sample(instant, { numRuns: 200, seed: 12 });
    for (const [oid, name, values, zone] of [
      [1082, 'date', days, ''],
      [1114, 'timestamp', instants, ''],
      [1184, 'timestamptz', instants, ", 'UTC'"],
    ] as const) {
      if (name === 'date' && (unit === 'day' || unit === 'hour')) continue;
      const rows = await sent(name, values);
      const { rows: cut } = await client.query(
        `select date_trunc('${unit}', t::${name === 'date' ? 'timestamp' : name}${zone})::${name}::text as seen from unnest($1::text[]) t`,
        [values],
      );
      const own = rows.map((row) => compileMask(mask({ method: 'date', to: unit }), oid, 1, key)(row.sent));
      expect([name, unit, await read(name, own, true)]).toEqual([name, unit, cut.map((row) => row.seen as string)]);
    }
  }
});

const least: Readonly<Record<string, bigint>> = { int2: -(2n ** 15n), int4: -(2n ** 31n), int8: -(2n ** 63n) };

test('numbers fall into the buckets that the server computes', async () => {
  for (const [oid, name, values] of types.filter(([, one]) => ['int2', 'int4', 'int8', 'numeric'].includes(one)))
    for (const size of [2, 7, 1_000, 0.25, 1e15]) {
      const drawn = fc.sample(values, { numRuns: 100, seed: 13 });
      const rows = await sent(name, drawn);
      const own = await read(
        name,
        rows.map((row) => compileMask(mask({ method: 'bucket', size }), oid, 0, key)(Buffer.from(row.shown))),
        false,
      );
      const { rows: expected } = await client.query(
        'select (v - mod(mod(v, s) + s, s))::text as seen from (select t::numeric as v, $2::numeric as s from unnest($1::text[]) t) x',
        [rows.map((row) => row.shown), String(size)],
      );
      const exact = rows.map((row, index) => ({ shown: row.shown, seen: own[index], server: expected[index].seen }));
      for (const { shown, seen, server: by } of exact) {
        // A bucket that begins below the least number of the type, or that hides nothing.
        if (seen !== null && /^-?[0-9.]+$/.test(seen!))
          expect([shown, size, Number(seen)]).toEqual([shown, size, Number(by)]);
        else if (seen === null && name !== 'numeric' && Number.isInteger(size))
          expect(BigInt(by)).toBeLessThan(least[name]!);
      }
      if (name !== 'numeric' && !Number.isInteger(size)) expect(new Set(own)).toEqual(new Set([null]));
    }
});

test.each([
  { method: 'bucket', size: 1 },
  { method: 'bucket', size: 1.5 },
  { method: 'bucket' },
  { method: 'date' },
  { method: 'date', to: 'day' },
  { method: 'constant' },
] as const)('what would hide nothing hides everything: %o', (method) => {
  expect(compileMask(mask(method), 23, 0, key)(Buffer.from('5'))).toBeNull();
  expect(compileMask(mask(method), 1082, 0, key)(Buffer.from('2024-05-06'))).toBeNull();
});

test('text in another style of dates, or that is no date, is hidden', () => {
  for (const value of ['17.12.1997', '12/17/1997', '1997-12-17 07:37:16 PST', 'Wed Dec 17 07:37:16 1997', '', 'x'])
    for (const type of [1082, 1114, 1184])
      expect(compileMask(mask({ method: 'date', to: 'year' }), type, 0, key)(Buffer.from(value))).toBeNull();
});
