import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifies } from '../../test/requirements.ts';
import { type TestPostgres, testPostgres } from '../../test/peers/postgres.ts';
import { Fault } from '../domain/fault.ts';
import type { MaskedCells } from '../domain/statement.ts';
import { type CopyColumn, type CopyForm, openCopyMasks } from './copy.ts';
import { maxCell } from './copy-held.ts';

const key = Buffer.from('key');
const text: CopyForm = { format: 'text', delimiter: '\t', nullText: '\\N', quote: '"', escape: '"', header: false };
const csv: CopyForm = { ...text, format: 'csv', delimiter: ',', nullText: '' };
const hide = (method: 'full' | 'partial' | 'hash' | 'null' = 'full', type: number | undefined = 25): CopyColumn => ({
  mask: { label: 'pii', method, whole: false },
  type,
});
const show: CopyColumn = { mask: null, type: 25 };

function run(form: CopyForm, columns: readonly CopyColumn[], data: Buffer, cuts: readonly number[] = []): string {
  const masks = openCopyMasks(form, columns, key);
  const out: Buffer[] = [];
  let from = 0;
  for (const cut of [...cuts, data.length]) {
    // A copy, because what is returned may be a slice of what was given.
    out.push(Buffer.from(masks.push(data.subarray(from, cut))));
    from = cut;
  }
  out.push(masks.end());
  return Buffer.concat(out).toString('latin1');
}

describe('text and CSV', () => {
  test.each([
    ['text', text, 'a\tsecret\tb\n1\t\\N\t2\n', 'a\t****\tb\n1\t\\N\t2\n'],
    ['text with escapes', text, 'a\tsec\\tret\\\nx\tb\n', 'a\t****\tb\n'],
    ['text, carriage return and newline', text, 'a\tsecret\tb\r\nc\tsecret\td\r\n', 'a\t****\tb\r\nc\t****\td\r\n'],
    ['text, end mark', text, 'a\tsecret\tb\n\\.\nrest', 'a\t****\tb\n\\.\n'],
    ['text, no last newline', text, 'a\tsecret\tb', 'a\t****\tb'],
    ['CSV', csv, 'a,secret,b\n1,,2\n', 'a,"****",b\n1,,2\n'],
    ['CSV, quotes', csv, 'a,"sec""ret,\nmore",b\n"x,y",sec"re,t"x,z\n', 'a,"****",b\n"x,y","****",z\n'],
    ['CSV, another escape', { ...csv, escape: '\\' }, 'a,"sec\\"ret,",b\n', 'a,"****",b\n'],
    ['CSV, header', { ...csv, header: true }, 'x,y,z\na,secret,b\n', 'x,y,z\na,"****",b\n'],
  ] as const)('%s', (_name, form, given, expected) => {
    const data = Buffer.from(given);
    const columns = [show, hide(), show];
    expect(run(form, columns, data)).toBe(expected);
    for (let cut = 0; cut <= data.length; cut++) expect(run(form, columns, data, [cut])).toBe(expected);
    expect(
      run(
        form,
        columns,
        data,
        Array.from(data, (_, index) => index),
      ),
    ).toBe(expected);
  });

  test.each([
    ['too few fields', text, 'a\tb\n'],
    ['too many fields', text, 'a\tb\tc\td\n'],
    ['too many fields in the last line', text, 'a\tb\tc\td'],
    ['too few fields in the last line', text, 'a\tb'],
    ['an open quote', csv, 'a,"b,c\n'],
    ['an open escape', text, 'a\tb\tc\\'],
  ] as const)('%s is a fault, and the value does not leave', (_name, form, data) => {
    expect(() => run(form, [show, hide(), show], Buffer.from(data))).toThrow(Fault);
  });

  test('a masked cell is bounded', () => {
    const masks = openCopyMasks(text, [hide()], key);
    const chunk = Buffer.alloc(1 << 20, 'x');
    expect(() => {
      for (let sent = 0; sent <= maxCell; sent += chunk.length) masks.push(chunk);
    }).toThrow(/longer than 16 MiB/);
  });

  test(verifies('masked-or-withheld', 'no bytes and no cuts let a masked column through'), () => {
    const form = fc.constantFrom(text, csv, { ...csv, escape: '\\', quote: "'" });
    const piece = fc.constantFrom('SECRET', '\t', ',', '\n', '\r', '"', "'", '\\', '\\.', '\\N', 'a', '');
    fc.assert(
      fc.property(
        form,
        fc.array(piece, { maxLength: 24 }),
        fc.array(fc.nat(60), { maxLength: 5 }),
        (chosen, pieces, cuts) => {
          const data = Buffer.from(pieces.join(''));
          const at = cuts.map((cut) => Math.min(cut, data.length)).sort((a, b) => a - b);
          // All columns masked: whatever the form, the word can never appear.
          for (const columns of [
            [hide()],
            [hide(), hide('null')],
            [hide('full', undefined), hide(), hide('full', 23)],
          ]) {
            const whole = attempt(() => run(chosen, columns, data));
            expect(whole ?? '').not.toContain('SECRET');
            expect(attempt(() => run(chosen, columns, data, at))).toBe(whole);
          }
        },
      ),
      { numRuns: 1500 },
    );
  });
});

function attempt(action: () => string): string | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

describe('against a real server', () => {
  let server: TestPostgres;
  let client: pg.Client;
  let folder: string;
  beforeAll(async () => {
    server = await testPostgres();
    const { port, superuser: user, password } = server;
    client = new pg.Client({ host: '127.0.0.1', port, user, password, database: 'postgres' });
    await client.connect();
    folder = mkdtempSync(join(tmpdir(), 'countersign-copy-'));
    chmodSync(folder, 0o777);
    await client.query(`create table cells (a text, secret text, n int, card int8, j jsonb, plain text);
      insert into cells values ('one', 'SECRET value 0001', 1, 4111, '{"SECRET": 1}', 'p'),
        (E'tab\\t"quote"\\n\\\\back', E'SECRET\\t"quoted",\\n\\\\.\\r', null, 4111, '["SECRET"]', E'\\\\.'), (null, null, null, null, null, null), ('', '', 0, 4111, '"SECRET"', '')`);
    await client.query('create table back (like cells)');
  });
  afterAll(async () => {
    await client.end();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const columns = [show, hide('partial'), { mask: null, type: 23 }, hide('full', 20), hide('full', 3802), show];

  test.each([
    ['text', text, ''],
    [
      'text with another delimiter and NULL',
      { ...text, delimiter: '|', nullText: 'nil' },
      ", delimiter '|', null 'nil'",
    ],
    ['csv', csv, ''],
    [
      'csv with header, quote and escape',
      { ...csv, header: true, quote: "'", escape: '\\' },
      `, header, quote '''', escape '\\'`,
    ],
    ['csv, everything quoted', csv, ', force_quote *'],
    ['binary', { ...text, format: 'binary' as const }, ''],
  ] as const)('%s: what was masked loads again with every other cell unchanged', async (_name, form, options) => {
    const file = join(folder, `rows-${form.format}-${Math.abs(options.length)}`);
    await client.query(`copy cells to '${file}' with (format ${form.format}${options})`);
    const data = (await client.query('select pg_read_binary_file($1) as data', [file])).rows[0].data as Buffer;
    const masked = run(form, columns, data);
    expect(masked).not.toContain('SECRET');
    expect(masked).not.toContain('4111');
    for (let cut = 1; cut < data.length; cut++)
      if (run(form, columns, data, [cut]) !== masked) expect.fail(`cut at ${cut}`);
    writeFileSync(`${file}.masked`, Buffer.from(masked, 'latin1'));
    await client.query('truncate back');
    await client.query(
      `copy back from '${file}.masked' with (format ${form.format}${options.replace(', force_quote *', '')})`,
    );
    const was = (await client.query('select a, n, plain from cells')).rows;
    expect((await client.query('select a, n, plain from back')).rows).toEqual(was);
    expect((await client.query('select secret, card, j::text as j from back')).rows).toEqual([
      { secret: '****0001', card: '0', j: '"****"' },
      { secret: '****.\\.\r'.slice(0, 4) + [...'SECRET\t"quoted",\n\\.\r'].slice(-4).join(''), card: '0', j: '"****"' },
      { secret: null, card: null, j: null },
      { secret: '****', card: '0', j: '"****"' },
    ]);
  });

  test('cells are counted by label and method, NULLs not', async () => {
    const masks = openCopyMasks(text, [hide(), hide('null'), show], key);
    masks.push(Buffer.from('a\tb\tc\n\\N\tb\tc\n'));
    const into: MaskedCells[] = [{ label: 'pii', method: 'full', cells: 1 }];
    masks.collect(into);
    expect(into).toEqual([
      { label: 'pii', method: 'full', cells: 2 },
      { label: 'pii', method: 'null', cells: 2 },
    ]);
    masks.collect(into);
    expect(into[0]?.cells).toBe(2);
  });
});

test('binary data of another form is a fault', () => {
  const form = { ...text, format: 'binary' as const };
  const head = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
  const row = (count: number) => Buffer.from([0, count, 0, 0, 0, 1, 0x53]);
  const end = Buffer.from([0xff, 0xff]);
  for (const data of [
    Buffer.concat([head, row(2), row(2).subarray(2), end]),
    Buffer.from('not a copy!'),
    head,
    Buffer.concat([head, row(2)]),
    Buffer.concat([head, Buffer.from([0, 1, 0xff, 0xff, 0xff, 0xf0])]),
  ])
    expect(() => run(form, [hide()], data)).toThrow(Fault);
  expect(run(form, [hide()], Buffer.concat([head, row(1), Buffer.from([0xff, 0xff])]))).toContain('****');
});
