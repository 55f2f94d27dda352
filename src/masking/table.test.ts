// docs/masking.md promises what each method does to each type: its table is compared with the code.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Method, maskMethods } from '../domain/mask.ts';
import { compileMask } from './method.ts';

const key = Buffer.from('key');
/** Type OID, a value, and constants that may fit it. */
const samples: Readonly<Record<string, readonly [type: number, value: string]>> = {
  text: [25, 'Zephyrgasse 12345'],
  varchar: [1043, 'Zephyrgasse 12345'],
  char: [1042, 'Zephyrgasse 12345'],
  name: [19, 'zephyr_gasse_12345'],
  json: [114, '{"a": 1}'],
  jsonb: [3802, '{"a": 1}'],
  xml: [142, '<a/>'],
  smallint: [21, '12345'],
  integer: [23, '12345'],
  bigint: [20, '12345'],
  numeric: [1700, '12345'],
  real: [700, '12345.5'],
  'double precision': [701, '12345.5'],
  boolean: [16, 't'],
  date: [1082, '1983-04-05'],
  timestamp: [1114, '1983-04-05 12:34:56'],
  timestamptz: [1184, '1983-04-05 12:34:56+00'],
  time: [1083, '12:34:56'],
  timetz: [1266, '12:34:56+02'],
  interval: [1186, '1 day'],
  money: [790, '$12.00'],
  uuid: [2950, '6f1d2a3b-1111-4222-8333-444455556666'],
  bytea: [17, '\\x0102'],
  inet: [869, '10.0.0.1'],
  cidr: [650, '10.0.0.0/8'],
  macaddr: [829, '08:00:2b:01:02:03'],
  macaddr8: [774, '08:00:2b:01:02:03:04:05'],
};
const constants = ['12', 'true', '1999-12-31', '6f1d2a3b-1111-4222-8333-444455556667'];
const variants: Readonly<Record<string, readonly Method[]>> = {
  constant: constants.map((value) => ({ method: 'constant', value })),
  bucket: [{ method: 'bucket', size: 10 }],
  date: [{ method: 'date', to: 'year' }],
};

const rows = readFileSync('docs/masking.md', 'utf8').split('\n');
const head = rows.findIndex((row) => row.startsWith('| type |'));
const cells = (row: string) =>
  row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
const names = cells(rows[head]!).slice(1);
const table = rows.slice(head + 2, rows.indexOf('', head)).map(cells);

test('the page names every method in its order, and the table every one that does something to a value', () => {
  const order = rows.map((row) => /^\| `([a-z]+)` \|/.exec(row)?.[1]).filter((name) => name !== undefined);
  expect(order.slice(0, maskMethods.length)).toEqual([...maskMethods]);
  expect(names).toEqual(maskMethods.filter((name) => name !== 'null'));
});

test('every type of the table is masked as it says, and every type that is known is in it', () => {
  const seen = new Set<string>();
  for (const [types, ...marks] of table)
    for (const type of types!.split(', ')) {
      seen.add(type);
      const [oid, value] = samples[type]!;
      names.forEach((name, at) => {
        const made = (variants[name] ?? [{ method: name as Method['method'] }]).map((method) =>
          compileMask({ label: 'x', whole: false, ...method }, oid, 0, key)(Buffer.from(value)),
        );
        const mark = made.some((one) => one !== null) ? '✓' : '–';
        expect([type, name, mark]).toEqual([type, name, marks[at]]);
        // A constant may happen to be the value, and of most values nothing is detected.
        if (name !== 'constant' && name !== 'detect') for (const one of made) expect(one?.toString()).not.toBe(value);
      });
    }
  expect([...seen].sort()).toEqual(Object.keys(samples).sort());
});
