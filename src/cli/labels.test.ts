// `labels suggest` and `labels list` against a real server with planted columns, and with controls that look like them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type TestPostgres, testPostgres } from '../../test/peers/postgres.ts';
import { type IdentifierKind, identifiers } from '../masking/identifiers.ts';
import { loadConfig } from '../config/config.ts';
import { register } from './labels.ts';
import type { Io } from './output.ts';
import { run } from './run.ts';

let seed = 11;
const random = (below: number) => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
  return Math.floor((seed / 2_147_483_648) * below);
};
const digits = (count: number) => Array.from({ length: count }, () => random(10)).join('');
const letters = (count: number) => Array.from({ length: count }, () => String.fromCharCode(65 + random(26))).join('');
const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;

/** A value of that kind, found by trying. */
function valid(kind: IdentifierKind, draw: () => string): string {
  const { fits } = identifiers.find((one) => one.kind === kind)!;
  for (;;) {
    const text = draw();
    if (fits(text)) return text;
  }
}
const card = () => valid('card', () => pick(['4', '51', '6011', '37']) + digits(15).slice(0, pick([15, 14, 12, 13])));
const many = <T>(draw: (index: number) => T, count = 200): T[] =>
  Array.from({ length: count }, (_, index) => draw(index));

/** Column, its type, its values, and the label that it should get; none for a control. */
const planted: readonly (readonly [name: string, type: string, values: readonly unknown[], label?: string])[] = [
  ['email', 'text', many((i) => `person${i}@mail.example`), 'pii.email'],
  ['contact', 'varchar(80)', many((i) => `p${i}.x@corp.example`), 'pii.email'],
  ['courriel', 'text', [], 'pii.email'],
  ['c1', 'text', many(card), 'pci.pan'],
  ['c2', 'text', many(() => card().replace(/(....)(?=.)/g, '$1 ')), 'pci.pan'],
  ['kreditkarte', 'numeric', many(card), 'pci.pan'],
  ['c3', 'text', many(() => valid('iban', () => `NO${digits(13)}`)), 'pii.bank'],
  ['c4', 'text', many(() => `+43660${digits(7)}`), 'pii.phone'],
  ['telefon', 'text', many(() => `0660 ${digits(7)}`), 'pii.phone'],
  ['ssn', 'text', many(() => valid('us-ssn', () => digits(9))), 'pii.national-id'],
  ['c5', 'text', many(() => valid('uk-nhs', () => digits(10))), 'pii.national-id'],
  [
    'c6',
    'text',
    many(() => valid('uk-ni', () => letters(2) + digits(6) + pick(['A', 'B', 'C', 'D']))),
    'pii.national-id',
  ],
  ['c7', 'int8', many(() => valid('br-cpf', () => `1${digits(10)}`)), 'pii.national-id'],
  ['c8', 'text', many(() => valid('pl-pesel', () => `${digits(2)}0${1 + random(9)}1${digits(6)}`)), 'pii.national-id'],
  ['c9', 'text', many(() => valid('in-aadhaar', () => digits(12))), 'pii.national-id'],
  ['bsn', 'int4', many(() => valid('nl-bsn', () => `1${digits(8)}`)), 'pii.national-id'],
  ['c10', 'text', many(() => valid('es-dni', () => digits(8) + letters(1))), 'pii.national-id'],
  ['c11', 'text', many(() => valid('de-tax', () => `${1 + random(9)}${digits(10)}`)), 'pii.national-id'],
  ['remote', 'inet', many(() => `10.${random(255)}.${random(255)}.${random(255)}`), 'pii.ip'],
  ['c12', 'text', many(() => `ghp_${letters(36)}`), 'secret'],
  ['api_key', 'text', many(() => letters(20)), 'secret'],
  ['password_hash', 'text', many(() => `$2b$12$${letters(40)}`), 'secret'],
  ['firstName', 'text', many(() => pick(['Ada', 'Bob', 'Eve'])), 'pii.name'],
  ['nachname', 'text', many(() => pick(['Berg', 'Thal'])), 'pii.name'],
  ['geburtsdatum', 'date', many(() => '1971-03-17'), 'pii.birth'],
  ['postal_address', 'text', many(() => 'Zephyrgasse 1'), 'pii.address'],
  ['note', 'text', many((i) => (i % 10 === 0 ? `call ada${i}@mail.example back` : 'nothing')), 'text.free'],
  ['payload', 'jsonb', many((i) => JSON.stringify({ id: i, mail: `ada${i}@mail.example` })), 'text.free'],
  ['c13', 'text', many(() => pick(['a', 'b'])), 'pii'],
  // Controls.
  ['id', 'int8', many((i) => i)],
  ['order_number', 'text', many(() => `4${digits(15)}`)],
  ['invoice', 'int8', many((i) => 4_000_000_000_000_000n + BigInt(i))],
  ['tracking', 'text', many(() => digits(10))],
  ['customer_number', 'text', many(() => digits(9))],
  ['long_number', 'text', many(() => digits(11))],
  ['ean', 'text', many(() => `400${digits(10)}`)],
  ['imei', 'text', many(() => `35${digits(13)}`)],
  ['sku', 'text', many(() => letters(2) + digits(6) + letters(1))],
  ['product_code', 'text', many(() => `${digits(8)}${letters(1)}`)],
  ['checksum', 'text', many(() => Array.from({ length: 40 }, () => random(16).toString(16)).join(''))],
  ['ref', 'uuid', many(() => '123e4567-e89b-12d3-a456-426614174000')],
  ['email_verified', 'boolean', many(() => true)],
  ['password_changed_at', 'timestamptz', many(() => '2026-01-01')],
  ['phone_type', 'text', many(() => pick(['home', 'work']))],
  ['email_template', 'text', many(() => pick(['welcome', 'reset']))],
  ['description', 'text', many(() => 'a plain text with 3 numbers, 12 and 4711')],
  ['created_at', 'timestamptz', many(() => '2026-01-01')],
  ['amount', 'numeric', many(() => `${random(10_000)}.50`)],
  ['status', 'text', many(() => pick(['paid', 'open']))],
  ['version', 'text', many(() => `1.${random(9)}.${random(9)}`)],
  ['url', 'text', many((i) => `https://shop.example/items/${i}?page=2`)],
  ['mailing', 'text', many(() => pick(['daily', 'never']))],
  ['name', 'text', many(() => pick(['Widget', 'Gadget']))],
];

let server: TestPostgres;
let folder: string;
let file: string;
beforeAll(async () => {
  server = await testPostgres();
  const { port, superuser: user, password } = server;
  const client = new pg.Client({ host: '127.0.0.1', port, user, password, database: 'postgres' });
  await client.connect();
  await client.query(`create table planted (${planted.map(([name, type]) => `"${name}" ${type}`).join(', ')})`);
  const count = Math.max(...planted.map(([, , values]) => values.length));
  for (let row = 0; row < count; row++)
    await client.query(
      `insert into planted values (${planted.map((_, index) => `$${index + 1}`).join(', ')})`,
      planted.map(([, , values]) => values[row] ?? null),
    );
  await client.query(`comment on column planted.c13 is 'Personal data of the customer'`);
  await client.query(`create table secretive (email text); alter table secretive enable row level security;
    create role reader login password '${password}'; grant select on planted to reader; create domain mail as text; create table typed (m mail)`);
  await client.end();
  folder = mkdtempSync(join(tmpdir(), 'labels-'));
  file = join(folder, 'countersign.yaml');
  writeFileSync(join(folder, 'password'), password, { mode: 0o600 });
  writeFileSync(file, config('admin'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await server.stop();
});

const config = (user: string, labels = '[]', port = server.port) => `version: 1
gateway: { name: gw, origin: example.org/gw }
listeners: [{ protocol: postgres, port: 6432, plaintext: loopback }]
console: { url: "http://127.0.0.1:8080" }
issuers: [{ name: one, issuer: "https://one.example", audience: c, jwks: { file: one.json }, principal: { kind: agent } }]
targets: [{ name: shop, protocol: postgres, host: 127.0.0.1, port: ${port}, database: postgres, tls: { mode: disable }, credential: { user: ${user}, password: { file: password } }, labels: ${labels} }]
`;

async function line(...args: string[]) {
  const written = { out: '', err: '' };
  const io: Io = {
    stdout: { write: (text) => void (written.out += text) },
    stderr: { write: (text) => void (written.err += text) },
    env: { COUNTERSIGN_CONFIG: file },
    now: Date.now,
  };
  const code = await run(args, { version: '0', commands: [register] }, io);
  return { code, ...written };
}

describe('suggest', () => {
  test('finds what was planted and nothing else', async () => {
    const { code, out, err } = await line('labels', 'suggest', '--json');
    expect([code, err]).toEqual([0, '']);
    const found = JSON.parse(out) as { columns: { relation: string; column: string; label: string }[] };
    const labels = new Map(
      found.columns.filter((one) => one.relation === 'planted').map((one) => [one.column, one.label]),
    );
    const wanted = new Map(planted.flatMap(([name, , , label]) => (label ? [[name, label] as const] : [])));
    const right = [...labels].filter(([name, label]) => wanted.get(name) === label).length;
    // Precision and recall on this corpus are 1; a change that makes them less has to say so here.
    expect(Object.fromEntries([...labels].sort())).toEqual(Object.fromEntries([...wanted].sort()));
    expect([right / labels.size, right / wanted.size]).toEqual([1, 1]);
  });

  test('never a value', async () => {
    const outputs = await Promise.all([
      line('labels', 'suggest', '--json', '--min', '0', '--all'),
      line('labels', 'suggest', '--yaml'),
      line('labels', 'suggest'),
    ]);
    const values = planted.filter(([, , , label]) => label).flatMap(([, , list]) => list.map(String));
    for (const { out, err } of outputs)
      for (const value of new Set(values)) if (value.length > 4) expect((out + err).includes(value)).toBe(false);
  });

  test('as rules that load, after which nothing is proposed any more', async () => {
    const { out } = await line('labels', 'suggest', '--yaml');
    const rules = (parse(out) as { labels: { columns: string; label: string }[] }).labels;
    expect(rules.length).toBeGreaterThan(25);
    writeFileSync(file, config('admin', JSON.stringify(rules)));
    try {
      expect(loadConfig(file).targets[0]!.labels).toHaveLength(rules.length);
      expect(await line('labels', 'suggest', '--check')).toEqual({ code: 0, out: '', err: '' });
      const { out: listed } = await line('labels', 'list');
      expect(listed).toContain('public.planted.email\tpii.email\tconfiguration: public.planted.email\n');
    } finally {
      writeFileSync(file, config('admin'));
    }
    expect((await line('labels', 'suggest', '--check')).code).toBe(1);
  });

  test('a table that may not be read is told, and its names are looked at', async () => {
    writeFileSync(file, config('reader'));
    try {
      const { code, out, err } = await line('labels', 'suggest');
      expect(code).toBe(0);
      expect(err).toContain('public.secretive could not be read (SQLSTATE 42501)');
      expect(out).toContain('public.secretive.email\ttext\tpii.email\t0.60\tname\t0\t–\n');
    } finally {
      writeFileSync(file, config('admin'));
    }
  });

  test('a sample of a large table', async () => {
    const { out } = await line('labels', 'suggest', '--sample', '20', '--json');
    const { columns } = JSON.parse(out) as { columns: { column: string; values: number }[] };
    expect(columns.find((one) => one.column === 'email')?.values).toBe(20);
  });

  test('exit codes', async () => {
    expect((await line('labels', 'suggest', '--target', 'none')).code).toBe(2);
    expect((await line('labels', 'suggest', '--database', 'none')).code).toBe(2);
    expect((await line('labels', 'suggest', '--sample', '0')).code).toBe(2);
    expect((await line('labels', 'suggest', '--sample', 'x')).code).toBe(2);
    writeFileSync(file, config('admin', '[]', 1));
    expect((await line('labels', 'suggest')).code).toBe(3);
    writeFileSync(file, config('admin'));
  });
});

test('list names the rule of each label, and rules that label nothing', async () => {
  writeFileSync(file, config('admin', '[{ type: mail, label: pii.email }, { columns: a.b.c, label: pii }]'));
  try {
    const { code, out, err } = await line('labels', 'list');
    expect([code, out]).toEqual([0, 'public.typed.m\tpii.email\tconfiguration: type mail\n']);
    expect(err).toContain('the rule a.b.c labels no column as pii');
    const { out: json } = await line('labels', 'list', '--json');
    expect(JSON.parse(json)).toMatchObject({
      columns: [{ column: 'public.typed.m' }],
      unmatched: [{ columns: 'a.b.c' }],
    });
  } finally {
    writeFileSync(file, config('admin'));
  }
});
