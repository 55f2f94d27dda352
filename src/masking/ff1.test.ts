import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openFf1 } from './ff1.ts';

// The samples that NIST publishes beside SP 800-38G.
const short = '2B7E151628AED2A6ABF7158809CF4F3C';
const middle = `${short}EF4359D8D580AA4F`;
const long = `${short}EF4359D8D580AA4F7F036D6F04FC6A94`;
const samples = [
  [short, 10, '', '0123456789', '2433477484'],
  [short, 10, '39383736353433323130', '0123456789', '6124200773'],
  [short, 36, '3737373770717273373737', '0123456789abcdefghi', 'a9tv40mll9kdu509eum'],
  [middle, 10, '', '0123456789', '2830668132'],
  [middle, 10, '39383736353433323130', '0123456789', '2496655549'],
  [middle, 36, '3737373770717273373737', '0123456789abcdefghi', 'xbj3kv35jrawxv32ysr'],
  [long, 10, '', '0123456789', '6657667009'],
  [long, 10, '39383736353433323130', '0123456789', '1001623463'],
  [long, 36, '3737373770717273373737', '0123456789abcdefghi', 'xs8a0azh2avyalyzuwd'],
] as const;

test.each(samples)('sample: key %s, radix %i, tweak %s', (key, radix, tweak, plain, expected) => {
  const ff1 = openFf1(Buffer.from(key, 'hex'), radix, Buffer.from(tweak, 'hex'));
  const numerals = [...plain].map((letter) => Number.parseInt(letter, radix));
  const made = ff1.encrypt(numerals);
  expect(made.map((numeral) => numeral.toString(radix)).join('')).toBe(expected);
  expect(ff1.decrypt(made)).toEqual(numerals);
});

test('decrypt undoes encrypt, for every radix and length in use', () => {
  const key = Buffer.alloc(32, 3);
  for (const [radix, lengths] of [
    [2, [15, 31, 63]],
    [10, [6, 11, 12, 17, 18, 30]],
  ] as const)
    for (const length of lengths) {
      const ff1 = openFf1(key, radix, Buffer.from('t'));
      fc.assert(
        fc.property(fc.array(fc.nat(radix - 1), { minLength: length, maxLength: length }), (numerals) => {
          const made = ff1.encrypt(numerals);
          expect(made.every((numeral) => numeral >= 0 && numeral < radix)).toBe(true);
          expect(ff1.decrypt(made)).toEqual(numerals);
        }),
        { numRuns: 50 },
      );
    }
});

test('a permutation: 1,000 numbers of three digits become 1,000 others', () => {
  const ff1 = openFf1(Buffer.alloc(32, 9), 10, Buffer.alloc(0));
  const seen = new Set<string>();
  for (let n = 0; n < 1_000; n++) seen.add(ff1.encrypt([...String(n).padStart(3, '0')].map(Number)).join(''));
  expect(seen.size).toBe(1_000);
});
