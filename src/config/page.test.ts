import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { jsonSchema, parseConfig } from './config.ts';
import { example } from './example.ts';
import { configPage } from './page.ts';

const again = 'out of date: run node scripts/config-docs.ts';

test('countersign.schema.json is current', () => {
  expect(JSON.parse(readFileSync('countersign.schema.json', 'utf8')), again).toEqual(jsonSchema());
});

test('docs/config.md is current', () => {
  expect(readFileSync('docs/config.md', 'utf8'), again).toBe(configPage(jsonSchema()));
});

test('the example of the page loads', () => {
  expect(parseConfig(example, '/etc/countersign/countersign.yaml').targets[0]?.databases).toEqual([
    'shop',
    'shop_archive',
  ]);
});

test('every key has a meaning and a row', () => {
  const rows = configPage(jsonSchema())
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  expect(rows.length).toBeGreaterThan(60);
  expect(rows.filter((row) => row.endsWith('|  |'))).toEqual([]);
});
