import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { faultCodes } from '../../src/domain/fault.ts';
import { requirements } from '../requirements.ts';

const testFiles = ['src', 'test'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(folder, name)),
);

describe('guarantees', () => {
  const cited = new Map<string, string[]>();
  for (const file of testFiles) {
    for (const match of readFileSync(file, 'utf8').matchAll(/verifies\(\s*'([^']+)'/g))
      cited.set(match[1]!, [...(cited.get(match[1]!) ?? []), file]);
  }

  test('every requirement is cited by a test, and no test cites one that does not exist', () => {
    const known = new Set<string>(requirements.map((requirement) => requirement.id));
    expect(requirements.map((requirement) => requirement.id).filter((id) => !cited.has(id))).toEqual([]);
    expect([...cited.keys()].filter((id) => !known.has(id))).toEqual([]);
  });

  test('the table of the README links each guarantee to a test that holds it', () => {
    const readme = readFileSync('README.md', 'utf8');
    for (let guarantee = 1; guarantee <= 10; guarantee++) {
      const of = requirements.filter((requirement) => requirement.guarantee === guarantee);
      const row = readme.split('\n').find((line) => line.startsWith(`| ${guarantee} |`)) ?? '';
      expect(row, `row ${guarantee}`).toContain(of[0]!.title);
      const linked = [...row.matchAll(/\]\(([^)]+\.test\.ts)\)/g)].map((match) => match[1]!);
      expect(linked.length, `row ${guarantee} links no test`).toBeGreaterThan(0);
      const holding = new Set(of.flatMap((requirement) => cited.get(requirement.id) ?? []));
      expect(
        linked.filter((file) => !holding.has(file)),
        `row ${guarantee}`,
      ).toEqual([]);
    }
  });
});

test('docs/errors.md lists every fault code, and no other', () => {
  const listed = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `([a-z.-]+)` \|/gm)].map(
    (match) => match[1]!,
  );
  expect(listed.sort()).toEqual([...faultCodes].sort());
});

test('decisions are numbered once each, and all stand in their list', () => {
  const files = readdirSync('docs/adr').filter((name) => /^\d{4}-/.test(name));
  expect(files.length).toBeGreaterThan(20);
  expect(files.map((name) => name.slice(0, 4))).toEqual([...new Set(files.map((name) => name.slice(0, 4)))]);
  const list = readFileSync('docs/adr/README.md', 'utf8');
  for (const name of files) {
    expect(list, name).toContain(`[${name.slice(0, 4)}](${name})`);
    expect(readFileSync(join('docs/adr', name), 'utf8').startsWith(`# ${name.slice(0, 4)} `), name).toBe(true);
  }
});
