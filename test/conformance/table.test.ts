// The section "Clients" of the protocol's page names what the conformance tests run, no more and no less.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { page, rows } from './table.ts';

test('the page is as the roster: else run node test/conformance/table.ts', () => {
  const text = readFileSync(page, 'utf8');
  const table = text
    .slice(text.indexOf('\n## Clients\n'))
    .split('\n')
    .filter((line) => /^\| .* \|.*\|.*\|.*\|$/.test(line));
  const withoutVersion = (line: string) => line.split(' | ').toSpliced(1, 1);
  expect(table.slice(1).map(withoutVersion)).toEqual(rows(() => '').map(withoutVersion));
});
