import fc from 'fast-check';
import { expect, test } from 'vitest';
import { verifies } from '../../test/requirements.ts';
import { maskBinaryArray, maskTextArray } from './array.ts';

const hide = (value: Buffer | null) => value && Buffer.from('x"\\');
const text = (value: string) => maskTextArray(hide)(Buffer.from(value))?.toString() ?? null;
const x = '"x\\"\\\\"';

test.each([
  ['{}', '{}'],
  ['{a,NULL,"NULL",""}', `{${x},NULL,${x},${x}}`],
  ['{"a,}\\"b\\\\",c d}', `{${x},${x}}`],
  ['{{a,b},{c,d}}', `{{${x},${x}},{${x},${x}}}`],
  ['[-1:0]={a,b}', `[-1:0]={${x},${x}}`],
])('%s is masked element by element', (value, expected) => expect(text(value)).toBe(expected));

test.each([
  '',
  'a',
  '{a',
  'a}',
  '{a}}',
  '{a}b',
  '{,}',
  '{a,,b}',
  '{a"b"}',
  '{"a}',
  '{a{b}}',
  '{{{{{{{a}}}}}}}',
  'a={b}',
  '[a]={b}',
])('what is no array is hidden: %s', (value) => expect(text(value)).toBeNull());

test(verifies('masked-or-withheld', 'whatever the bytes are, no element of an array leaves'), () => {
  const pieces = fc.constantFrom('{', '}', ',', '"', '\\', 's', 'NULL', ' ', '[0:1]=', '=');
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 24 }), (parts) => {
      expect(text(parts.join('')) ?? '').not.toContain('s');
    }),
    { numRuns: 5_000 },
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 24 }), (parts) => {
      expect(text(`{${parts.join('')}}`) ?? '').not.toContain('s');
    }),
    { numRuns: 5_000 },
  );
});

const form = (...numbers: (number | string)[]) =>
  Buffer.concat(
    numbers.map((one) => {
      if (typeof one === 'string') return Buffer.from(one);
      const bytes = Buffer.alloc(4);
      bytes.writeInt32BE(one);
      return bytes;
    }),
  );

test('binary: elements are masked, and the header says whether any is NULL', () => {
  const gone = maskBinaryArray((value) => (value?.toString() === 'gone' ? null : hide(value)), 25);
  expect(gone(form(1, 0, 25, 2, 1, 4, 'gone', 2, 'ab'))).toEqual(form(1, 1, 25, 2, 1, -1, 3, 'x"\\'));
  expect(gone(form(1, 1, 25, 2, 1, 1, 'a', -1))).toEqual(form(1, 1, 25, 2, 1, 3, 'x"\\', -1));
  expect(gone(form(1, 1, 25, 1, 1, 0))).toEqual(form(1, 0, 25, 1, 1, 3, 'x"\\'));
  expect(gone(form(0, 0, 25))).toEqual(form(0, 0, 25));
});

test.each([
  form(),
  form(1, 0, 25),
  form(1, 0, 23, 1, 1, 1, 's'),
  form(7, 0, 25, 1, 1, 1, 's'),
  form(-1, 0, 25, 1, 1, 1, 's'),
  form(1, 0, 25, 1, 1, 2, 's'),
  form(1, 0, 25, 1, 1, -2, 's'),
  form(1, 0, 25, 1, 1, 1, 'ss'),
  form(1, 0, 25, 0x7fff_ffff, 1, 1, 's'),
  form(1, 0, 25, -1, 1, 1, 's'),
  form(2, 0, 25, 0x7fff_ffff, 1, 0x7fff_ffff, 1, 1, 's'),
])('binary: what is no array is hidden (%#)', (value) => {
  expect(maskBinaryArray(hide, 25)(value)).toBeNull();
});
