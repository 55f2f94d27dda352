import { describe, expect, test } from 'vitest';
import { compileRule, exactColumns, type LabelRule, type LabelType, ruleWords } from './label-rule.ts';
import { fits } from './wildcard.ts';

const types = new Map<number, LabelType>([
  [25, { schema: 'pg_catalog', name: 'text', element: 0, base: 0 }],
  [1009, { schema: 'pg_catalog', name: '_text', element: 25, base: 0 }],
  [100, { schema: 'crm', name: 'mail', element: 0, base: 25 }],
  [101, { schema: 'crm', name: 'work_mail', element: 0, base: 100 }],
  [102, { schema: 'crm', name: '_work_mail', element: 101, base: 0 }],
  [103, { schema: 'ring', name: 'ring', element: 0, base: 103 }],
]);
const means = (rule: Omit<LabelRule, 'label'>, type: number, comment?: string, system = false) => {
  const compiled = compileRule({ ...rule, label: 'x' });
  const subject = {
    schema: 's',
    relation: 'r',
    system,
    name: 'c',
    type,
    ...(comment === undefined ? {} : { comment }),
  };
  return compiled.relation('s', 'r', system) && compiled.column(subject, types);
};

describe('types', () => {
  test.each([
    ['mail', [100, 101, 102]],
    ['crm.mail', [100, 101, 102]],
    ['public.mail', []],
    ['*mail', [100, 101, 102]],
    ['work_mail', [101, 102]],
    ['text', [25, 1009, 100, 101, 102]],
    ['"crm"."mail"', [100, 101, 102]],
    ['"*mail"', []],
    ['none', []],
  ])('%s means domains and arrays of it too', (type, found) => {
    expect([...types.keys()].filter((oid) => means({ type }, oid))).toEqual(found);
  });
});

describe('comments', () => {
  test.each([
    ['@pii.email', 'e-mail of the customer @pii.email', true],
    ['@pii.email', '@PII.Email', true],
    ['@pii.email', 'see @pii.email.', true],
    ['@pii.email', '(@pii.email)', true],
    ['@pii', '@pii.email', false],
    ['@pii', '@pii-x', false],
    ['@pii', 'ask me@pii', false],
    ['@pii', '@pii.email and @pii', true],
    ['@pii.*', '@pii.email', true],
    ['@pii.*', 'the @pii.email', false],
    ['*secret*', 'Very SECRET thing', true],
    ['secret', 'secret thing', false],
    ['*a*b*', 'xbxa', false],
    ['*a*b*', 'xaxb', true],
  ])('%s in %j: %s', (comment, text, found) => {
    expect(means({ comment }, 25, text)).toBe(found);
  });

  test('no comment fits no pattern, not even *', () => expect(means({ comment: '*' }, 25)).toBe(false));

  test('a long comment costs one pass for each piece', () => {
    const comment = 'ab'.repeat(2_000_000);
    expect(means({ comment: `*${'a*'.repeat(30)}c` }, 25, comment)).toBe(false);
    expect(fits(`*${'a*b*'.repeat(30)}`, comment)).toBe(true);
    expect(means({ comment: '@aba' }, 25, '@ab'.repeat(1_000_000))).toBe(false);
  });
});

test('all keys of a rule must fit', () => {
  expect(means({ columns: 's.r.c', type: 'mail', comment: '@x' }, 100, '@x')).toBe(true);
  expect(means({ columns: 's.r.c', type: 'mail', comment: '@x' }, 25, '@x')).toBe(false);
  expect(means({ columns: 's.r.c', type: 'mail', comment: '@x' }, 100, '@y')).toBe(false);
  expect(means({ columns: 's.r.d', type: 'mail', comment: '@x' }, 100, '@x')).toBe(false);
});

test('a type or a comment alone never means the tables of the server', () => {
  expect(means({ type: 'text' }, 25, undefined, true)).toBe(false);
  expect(means({ comment: '@x' }, 25, '@x', true)).toBe(false);
  expect(means({ columns: '*.*.*', type: 'text' }, 25, undefined, true)).toBe(true);
});

test('patterns', () => {
  expect([fits('a*a', 'a'), fits('a*a', 'aa'), fits('*', ''), fits('**', 'x'), fits('', '')]).toEqual([
    false,
    true,
    true,
    true,
    true,
  ]);
  expect(() => compileRule({ label: 'x' })).toThrow(/names no columns, type or comment/);
  expect(() => compileRule({ type: 'a.b.c', label: 'x' })).toThrow(/schema\.type/);
  expect(exactColumns('a.b', 'c"d', 'e*')).toBe('"a.b"."c""d"."e*"');
  expect(ruleWords({ columns: 'a.b.c', type: 't', comment: '@x', label: 'l' })).toBe('a.b.c, type t, comment @x');
});
