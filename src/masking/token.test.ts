import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../test/requirements.ts';
import type { Mask } from '../domain/mask.ts';
import { compileMask } from './method.ts';
import { isToken } from './token.ts';
import { openWrittenBack } from './written-back.ts';

const key = Buffer.from('deployment key of this test');
const other = Buffer.from('key of another deployment');
const mask: Mask = { label: 'pci.pan', method: 'token', whole: false };
const tokenOf = (value: string, type = 25, by = key) =>
  compileMask(mask, type, 0, by)(Buffer.from(value))?.toString() ?? null;

const luhn = (digits: string) =>
  [...digits].reverse().reduce((sum, digit, at) => {
    const number = Number(digit) * (at % 2 === 1 ? 2 : 1);
    return sum + (number > 9 ? number - 9 : number);
  }, 0) %
    10 ===
  0;
const mod97 = (iban: string) =>
  [...(iban.slice(4) + iban.slice(0, 4))].map((letter) => Number.parseInt(letter, 36)).join('');
const validIban = (iban: string) => BigInt(mod97(iban)) % 97n === 1n;

const digits = (least: number, most: number) =>
  fc.array(fc.nat(9), { minLength: least, maxLength: most }).map((list) => list.join(''));
const cards = digits(11, 18).map((body) => {
  for (let digit = 0; ; digit++) if (luhn(body + digit)) return body + digit;
});
const ibans = fc
  .tuple(fc.constantFrom('DE', 'GB', 'NL', 'FR'), fc.constantFrom('', 'WEST', 'ABNA'), digits(12, 18))
  .map(([country, bank, account]) => {
    for (let check = 2; ; check++) {
      const iban = country + String(check).padStart(2, '0') + bank + account;
      if (validIban(iban)) return iban;
    }
  });

describe('keep the shape and are no true value', () => {
  test('card numbers: as long, the same separators, and never chargeable', () => {
    fc.assert(
      fc.property(cards, (card) => {
        const made = tokenOf(card)!;
        expect(made).toMatch(new RegExp(`^[0-9]{${card.length}}$`));
        expect([luhn(card), luhn(made), isToken(made, key), isToken(card, key)]).toEqual([true, false, true, false]);
        expect(tokenOf(card)).toBe(made);
        expect(tokenOf(card, 25, other)).not.toBe(made);
      }),
    );
    expect(tokenOf('4111 1111-1111 1111')).toMatch(/^\d{4} \d{4}-\d{4} \d{4}$/);
    expect(tokenOf('4111 1111 1111 1111')!.replaceAll(' ', '')).toBe(tokenOf('4111111111111111'));
  });

  test('IBANs: country, length and places of letters', () => {
    fc.assert(
      fc.property(ibans, (iban) => {
        const made = tokenOf(iban)!;
        const shape = (text: string) => text.slice(0, 2) + text.slice(4).replace(/\d/g, '9').replace(/[A-Z]/g, 'A');
        expect([made.length, shape(made)]).toEqual([iban.length, shape(iban)]);
        expect([validIban(iban), validIban(made), isToken(made, key), isToken(iban, key)]).toEqual([
          true,
          false,
          true,
          false,
        ]);
      }),
    );
    expect(tokenOf('DE89 3704 0044 0532 0130 00')).toMatch(/^DE\d\d( \d{4}){4} \d\d$/);
    expect(tokenOf('DE89 3704 0044 0532 0130 00')!.replaceAll(' ', '')).toBe(tokenOf('DE89370400440532013000'));
  });

  test.each([
    ['ada.okafor@mail.example', /^tok_[a-z2-7]{20}@masked\.invalid$/, 25],
    ['Zephyrgasse 12', /^tok_[a-z2-7]{20}$/, 25],
    ['4111111111111112', /^tok_[a-z2-7]{20}$/, 25],
    ['', /^tok_[a-z2-7]{20}$/, 25],
    [
      '6f1d2a3b-1111-4222-8333-444455556666',
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      2950,
    ],
    ['{"a": 1}', /^"tok_[a-z2-7]{20}"$/, 3802],
    ['\\x0102', /^\\x[0-9a-f]{32}$/, 17],
  ] as const)('%s becomes %s', (value, shape, type) => {
    const made = tokenOf(value, type)!;
    expect(made).toMatch(shape);
    expect([isToken(made, key), isToken(value, key), isToken(made, other)]).toEqual([true, false, false]);
  });

  test('a uuid has one token, as text and as uuid', () => {
    const uuid = '6f1d2a3b-1111-4222-8333-444455556666';
    expect(tokenOf(uuid, 25)).toBe(tokenOf(uuid, 2950));
  });

  test('char(n) has the token of its value, however wide it is', () => {
    expect(tokenOf('Zephyr    ', 1042)).toBe(tokenOf('Zephyr'));
  });

  test('whole numbers become negative ones of their type, the same in both forms', () => {
    for (const [type, bits] of [
      [21, 15n],
      [23, 31n],
      [20, 63n],
    ] as const)
      fc.assert(
        fc.property(fc.bigInt({ min: 0n, max: (1n << bits) - 1n }), (value) => {
          const made = BigInt(tokenOf(String(value), type)!);
          expect(made < 0n && made >= -(1n << bits)).toBe(true);
          expect(tokenOf(String(made), type)).toBeNull();
        }),
      );
    expect(tokenOf('12.50', 1700)).toBeNull();
    expect(tokenOf('12.00', 1700)).toBe(tokenOf('12', 1700));
    expect(tokenOf(`1${'0'.repeat(18)}`, 1700)).toBeNull();
    for (const type of [700, 701, 16, 1082, 1114, 869]) expect(tokenOf('1', type)).toBeNull();
  });
});

test('distinct values have distinct tokens: every int2, and 20,000 cards, accounts and words', () => {
  const seen = new Set<string>();
  for (let number = 0; number < 32_768; number++) seen.add(tokenOf(String(number), 21)!);
  expect(seen.size).toBe(32_768);
  for (const values of [cards, ibans, fc.emailAddress(), fc.uuid()]) {
    const drawn = new Set(fc.sample(values as fc.Arbitrary<string>, { numRuns: 5_000, seed: 5 }));
    expect(new Set([...drawn].map((value) => tokenOf(value))).size).toBe(drawn.size);
  }
});

test('how often a value that is no token is taken for one', () => {
  const rate = (values: readonly string[]) => values.filter((value) => isToken(value, key)).length / values.length;
  const draw = (values: fc.Arbitrary<string>, numRuns = 20_000) => fc.sample(values, { numRuns, seed: 3 });
  // Of all digits one in ten has the right check digit and is never taken, nine in ten are with one in nine.
  const wrong = draw(digits(16, 16)).filter((text) => !luhn(text));
  expect(rate(wrong)).toBeGreaterThan(0.09);
  expect(rate(wrong)).toBeLessThan(0.13);
  expect(rate(draw(cards))).toBe(0);
  expect(rate(draw(ibans, 5_000))).toBe(0);
  const wrongIbans = draw(ibans).map((iban) => `${iban.slice(0, -1)}${(Number(iban.at(-1)) + 1) % 10}`);
  expect(rate(wrongIbans)).toBeLessThan(0.02);
  const word = fc.string({
    unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz234567'),
    minLength: 20,
    maxLength: 20,
  });
  expect(rate(draw(word).map((text) => `tok_${text}`))).toBeLessThan(0.001);
  expect(rate(draw(fc.uuid({ version: 8 })))).toBeLessThan(0.001);
  expect(rate(draw(fc.uuid({ version: [4, 7] })))).toBe(0);
});

describe('sent back', () => {
  const back = openWrittenBack({
    key,
    methods: [{ method: 'token' }, { method: 'partial', keep: 6 }],
    methodFor: (label) => ({ method: label === 'pci.pan' ? 'token' : 'full' }),
  });
  const pan = { labels: new Set(['pci.pan']), meets: true };
  const near = { labels: new Set(['pci.pan']), meets: false };
  const mail = { labels: new Set(['pii.email']), meets: true };
  const text = (value: string, type: number, place = pan) => back.text(tokenOf(value, type)!, place);

  test(verifies('masked-or-withheld', 'tokens are known in both forms, alone and in arrays'), () => {
    const kinds = [
      [25, '4111111111111111'],
      [25, 'DE89370400440532013000'],
      [25, 'ada@mail.example'],
      [1043, 'plain'],
      [3802, '{"a": 1}'],
      [17, '\\x00'],
      [2950, '6f1d2a3b-1111-4222-8333-444455556666'],
      [20, '42'],
      [23, '42'],
      [21, '42'],
      [1700, '42'],
    ] as const;
    for (const [type, value] of kinds) {
      expect([value, text(value, type)]).toEqual([value, 'pseudonym']);
      expect(back.value(Buffer.from(tokenOf(value, type)!), 0, 0, pan)).toBe('pseudonym');
    }
    const arrays = [
      [1009, '{a,"b c",NULL}'],
      [1007, '{1,2}'],
      [2951, '{6f1d2a3b-1111-4222-8333-444455556666}'],
    ] as const;
    for (const [type, value] of arrays) expect([value, text(value, type)]).toEqual([value, 'pseudonym']);
    const binaries = [
      [20, Buffer.from('000000000000002a', 'hex')],
      [23, Buffer.from('0000002a', 'hex')],
      [21, Buffer.from('002a', 'hex')],
      [1700, Buffer.from('0001000000000000002a', 'hex')],
      [2950, Buffer.alloc(16, 7)],
      [17, Buffer.from('abc')],
      [25, Buffer.from('4111111111111111')],
      [3802, Buffer.from('\u0001{"a": 1}')],
      [1007, Buffer.from('0000000100000000000000170000000100000001000000040000002a', 'hex')],
    ] as const;
    for (const [type, value] of binaries) {
      const made = compileMask(mask, type, 1, key)(value)!;
      expect([type, back.value(made, 1, type, pan)]).toEqual([type, 'pseudonym']);
      expect([type, back.value(value, 1, type, pan)]).toEqual([type, undefined]);
      // A client may leave the type to the server, which then knows it and we do not.
      if (type !== 1007) expect([type, back.value(made, 1, 0, pan)]).toEqual([type, 'pseudonym']);
    }
  });

  test('only where tokens are in use, and negative numbers only where they meet the column', () => {
    expect(text('4111111111111111', 25, mail)).toBeUndefined();
    expect(back.text(tokenOf('ada')!, { meets: false })).toBe('pseudonym');
    expect([back.text('-5', pan), back.text('-5', near), back.text('-5', mail)]).toEqual([
      'pseudonym',
      undefined,
      undefined,
    ]);
    const unused = openWrittenBack({ key, methods: [], methodFor: () => ({ method: 'full' }) });
    expect(unused.text(tokenOf('ada')!, { meets: true })).toBeUndefined();
  });

  test('stars and hashes are known by every gateway, and as many last characters as are kept', () => {
    const hash = compileMask({ ...mask, method: 'hash' }, 25, 0, key)(Buffer.from('x'))!.toString();
    expect(
      ['****', '****6467', '****456467', '{a,****}', hash, `{"${hash}",****}`].map((one) => back.text(one, mail)),
    ).toEqual(['mask', 'mask', 'mask', 'mask', 'pseudonym', 'pseudonym']);
    for (const value of ['****12345', '{}', '{a', 'x****', 'tok_', 'masked:0', ''])
      expect([value, back.text(value, pan)]).toEqual([value, undefined]);
  });
});
