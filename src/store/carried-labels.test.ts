import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openCarriedLabels, readCarriedLabels, ruleOf } from './carried-labels.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
const state = () => {
  const folder = mkdtempSync(join(tmpdir(), 'carried-'));
  folders.push(folder);
  return folder;
};
const by = { session: 's1', entry: 7 };
const copy = { schema: 'public', relation: 'copy', column: 'mail', labels: ['pii.email'] };

test('labels outlive the process, for their target and database only', async () => {
  const folder = state();
  const first = openCarriedLabels(folder, () => 5);
  expect(first.rules('shop', 'shop')).toEqual([]);
  expect(await first.carry('shop', 'shop', [copy], by)).toBe(true);
  expect(await first.carry('shop', 'shop', [copy], by)).toBe(false);
  expect(await first.carry('shop', 'shop', [{ ...copy, labels: ['pii.email', 'secret'] }], by)).toBe(true);
  first.close();
  const second = openCarriedLabels(folder);
  const columns = '"public"."copy"."mail"';
  expect(second.rules('shop', 'shop')).toEqual([
    { columns, label: 'pii.email' },
    { columns, label: 'secret' },
  ]);
  expect(second.rules('shop', 'shop')).toBe(second.rules('shop', 'shop'));
  expect([...second.rules('shop', 'other'), ...second.rules('other', 'shop')]).toEqual([]);
  second.close();
  expect(readCarriedLabels(folder)).toEqual([
    { at: 5, target: 'shop', database: 'shop', ...copy, ...by },
    { at: 5, target: 'shop', database: 'shop', ...copy, labels: ['secret'], ...by },
  ]);
});

test('a torn last line is cut, a damaged one is told', async () => {
  const folder = state();
  const path = join(folder, 'carried-labels.jsonl');
  const first = openCarriedLabels(folder);
  await first.carry('shop', 'shop', [copy], by);
  first.close();
  const whole = readFileSync(path, 'utf8');
  appendFileSync(path, '{"at":1,"target":"sh');
  const second = openCarriedLabels(folder);
  expect(second.rules('shop', 'shop')).toHaveLength(1);
  await second.carry('shop', 'shop', [{ ...copy, column: 'other' }], by);
  second.close();
  expect(readFileSync(path, 'utf8').startsWith(`${whole}{`)).toBe(true);
  expect(readCarriedLabels(folder)).toHaveLength(2);
  writeFileSync(path, `{}\n${whole}`);
  expect(() => openCarriedLabels(folder)).toThrow(/Line 1 of .* is damaged/);
});

test('the number of columns is bounded', async () => {
  const folder = state();
  const labels = openCarriedLabels(folder);
  const many = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => ({ ...copy, column: `c${from + index}` }));
  await labels.carry('shop', 'shop', many(0, 20_000), by);
  await expect(labels.carry('shop', 'shop', many(20_000, 1), by)).rejects.toMatchObject({ code: 'client.limit' });
  expect(labels.rules('shop', 'shop')).toHaveLength(20_000);
  labels.close();
});

test('temporary relations of any session, every column, and odd names', () => {
  expect(ruleOf({ ...copy, schema: 'pg_temp' }, 'x').columns).toBe('pg_temp*."copy"."mail"');
  expect(ruleOf({ ...copy, column: '*' }, 'x').columns).toBe('"public"."copy".*');
  expect(ruleOf({ ...copy, relation: 'a.b"*' }, 'x').columns).toBe('"public"."a.b""*"."mail"');
});
