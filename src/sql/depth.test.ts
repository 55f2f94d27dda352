import { beforeAll, expect, test } from 'vitest';
import { verifies } from '../../test/requirements.ts';
import { depthOf, mostDepth } from './depth.ts';
import { loadParser, parse } from './parse.ts';

const nested: Readonly<Record<string, (n: number) => string>> = {
  operators: (n) => `select 1${' + 1'.repeat(n)}`,
  concatenation: (n) => `select ''${" || 'x'".repeat(n)}`,
  minus: (n) => `select ${'- '.repeat(n)}1`,
  not: (n) => `select ${'not '.repeat(n)} true`,
  parentheses: (n) => `select ${'('.repeat(n)}1${')'.repeat(n)}`,
  calls: (n) => `select ${'f('.repeat(n)}1${')'.repeat(n)}`,
  subqueries: (n) => `select ${'(select '.repeat(n)}1${')'.repeat(n)}`,
  union: (n) => `select 1${' union select 1'.repeat(n)}`,
  join: (n) => `select * from t${' join t using (a)'.repeat(n)}`,
  casts: (n) => `select 1${'::int'.repeat(n)}`,
  case: (n) => `select ${'case when true then '.repeat(n)}1${' end'.repeat(n)}`,
  arrays: (n) => `select ${'array['.repeat(n)}1${']'.repeat(n)}`,
  null: (n) => `select 1${' is null'.repeat(n)}`,
  collate: (n) => `select ''${' collate "C"'.repeat(n)}`,
};

beforeAll(loadParser);

test.each(Object.entries(nested))(
  verifies('bounded', 'the parser outlives any number of deep texts: %s'),
  (_name, text) => {
    for (let round = 0; round < 60; round++) {
      try {
        parse(text(20_000));
      } catch (error) {
        expect(error).toMatchObject({ code: 'statement.not-understood' });
      }
    }
    expect(parse('select * from orders where id in (select 1)')).toHaveLength(1);
    expect(depthOf(text(500))).toBeGreaterThanOrEqual(500);
    // What is allowed is parsed, or refused by the grammar itself, and does no harm.
    for (let round = 0; round < 60; round++) {
      try {
        parse(text(900));
      } catch {}
    }
    expect(parse('select * from orders where id in (select 1)')).toHaveLength(1);
  },
);

test('long texts that are not deep are read', () => {
  const values = `insert into t values ${Array.from({ length: 20_000 }, (_, n) => `(${n}, 'a + b - c (( ${n}', -1.5)`).join(', ')}`;
  const conditions = `select 1 where ${Array.from({ length: 2_000 }, (_, n) => `(a = ${n} or b <> ${n})`).join(' and ')}`;
  const list = `select 1 where a in (${Array.from({ length: 20_000 }, (_, n) => n).join(', ')})`;
  const comment = `select 1 /* ${'( + '.repeat(10_000)} /* nested */ */ -- ${'( + '.repeat(10_000)}`;
  const quoted = `select '${'( + '.repeat(10_000)}', $a$${'( + '.repeat(10_000)}$a$, e'\\'${'( + '.repeat(10_000)}', "x"`;
  for (const sql of [values, conditions, list, comment, quoted]) {
    expect(depthOf(sql)).toBeLessThan(mostDepth / 10);
    expect(parse(sql)).toHaveLength(1);
  }
});
