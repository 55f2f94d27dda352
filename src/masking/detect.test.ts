import { describe, expect, test } from 'vitest';
import { findIn } from './detect.ts';
import { type IdentifierKind, identifiers } from './identifiers.ts';

const fits = (kind: IdentifierKind, text: string) => identifiers.find((one) => one.kind === kind)!.fits(text);

/** Numbers that their issuers publish as examples, or that are made by the published rule. */
const valid: readonly (readonly [IdentifierKind, string])[] = [
  ['card', '4111111111111111'],
  ['card', '5555555555554444'],
  ['card', '2223003122003222'],
  ['card', '378282246310005'],
  ['card', '6011111111111117'],
  ['card', '3530111333300000'],
  ['card', '30569309025904'],
  ['iban', 'DE89370400440532013000'],
  ['iban', 'GB29NWBK60161331926819'],
  ['iban', 'FR1420041010050500013M02606'],
  ['iban', 'NO9386011117947'],
  ['us-ssn', '536909148'],
  ['uk-nhs', '9434765919'],
  ['uk-ni', 'AB123456C'],
  ['fr-nir', '255081416802538'],
  ['de-tax', '86095742719'],
  ['de-tax', '47036892816'],
  ['es-dni', '12345678Z'],
  ['es-dni', 'X1234567L'],
  ['it-cf', 'RSSMRA85T10A562S'],
  ['nl-bsn', '111222333'],
  ['pl-pesel', '44051401359'],
  ['br-cpf', '52998224725'],
  ['in-aadhaar', '234123412346'],
];

describe('identifiers', () => {
  test.each(valid)('%s %s, and no neighbour of it with one other digit', (kind, text) => {
    expect(fits(kind, text)).toBe(true);
    if (kind === 'us-ssn' || kind === 'uk-ni') return;
    // A check digit finds every single wrong digit; with check letters a few wrong letters remain.
    const wrong = [...text].flatMap((digit, at) =>
      /\d/.test(digit)
        ? [...'0123456789']
            .filter((other) => other !== digit)
            .map((other) => text.slice(0, at) + other + text.slice(at + 1))
        : [],
    );
    expect(wrong.filter((one) => fits(kind, one)).length).toBeLessThanOrEqual(kind === 'es-dni' ? 1 : 0);
  });

  test('random values of the same shape pass as seldom as is said', () => {
    let seed = 7;
    const random = () => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
    for (const { kind, chance, fits: passes } of identifiers) {
      // It has no check digit: only its letters say what it is.
      if (kind === 'uk-ni') continue;
      const [, shape] = valid.find(([of]) => of === kind)!;
      let count = 0;
      for (let run = 0; run < 4_000; run++)
        if (passes([...shape].map((one) => (/\d/.test(one) ? String(Math.floor(random() * 10)) : one)).join('')))
          count++;
      expect([kind, count / 4_000 <= chance + 0.02]).toEqual([kind, true]);
    }
  });

  test.each([
    ['us-ssn', ['000123456', '666123456', '900123456', '123004567', '123450000']],
    ['uk-ni', ['QQ123456C', 'GB123456A', 'AB123456E', 'AO123456A']],
    ['card', ['4111111111111112', '9999999999999995', '4222222222222', '0000000000000000', '1234567812345670']],
    ['nl-bsn', ['000000000', '111222334']],
    ['br-cpf', ['11111111111']],
    ['iban', ['XX89370400440532013000', 'DE8937040044053201300']],
  ] as const)('%s does not fit %s', (kind, texts) => {
    for (const text of texts) expect([text, fits(kind, text)]).toEqual([text, false]);
  });
});

const marked = (text: string) => {
  let made = '';
  let at = 0;
  for (const { kind, start, end } of findIn(text)) {
    made += `${text.slice(at, start)}[${kind}]`;
    at = end;
  }
  return made + text.slice(at);
};

describe('in a text', () => {
  test.each([
    ['write to Ada.Lovelace+x@mail.example.org, please', 'write to [email], please'],
    ['<ada@example.org>;bob@example.org.', '<[email]>;[email].'],
    ['jürgen@bücher.example', '[email]'],
    ['card 4111 1111 1111 1111 exp 12/29', 'card [card] exp 12/29'],
    ['4111-1111-1111-1111', '[card]'],
    ['2 x 4111111111111111', '2 x [card]'],
    ['2 4111 1111 1111 1111', '2 [card]'],
    ['x4111111111111111y', 'x[card]y'],
    ['４１１１１１１１１１１１１１１１', '[card]'],
    ['4111 1111\u00a01111\u20101111', '[card]'],
    ['IBAN DE89 3704 0044 0532 0130 00 and more', 'IBAN [iban] and more'],
    ['de89370400440532013000', '[iban]'],
    ['call +43 (660) 123 45-67 now', 'call [phone] now'],
    ['from 192.168.0.1 to 10.0.0.255:80', 'from [ip] to [ip]:80'],
    ['2001:db8::8a2e:370:7334 and fe80:0:0:0:1:2:3:4', '[ip] and [ip]'],
    ['SSN 536-90-9148.', 'SSN [national-id].'],
    ['NHS 943 476 5919', 'NHS [national-id]'],
    ['CPF 529.982.247-25', 'CPF [national-id]'],
    ['Aadhaar 2341 2341 2346', 'Aadhaar [national-id]'],
    ['NIR 2 55 08 14 168 025 38', 'NIR [national-id]'],
    ['DNI 12345678-Z, NIE x1234567l', 'DNI [national-id], NIE [national-id]'],
    ['CF RSSMRA85T10A562S', 'CF [national-id]'],
    ['NI AB 12 34 56 C', 'NI [national-id]'],
    ['PESEL 44051401359', 'PESEL [national-id]'],
    ['token=eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl ok', 'token=[secret] ok'],
    ['key AKIAIOSFODNN7EXAMPLE used', 'key [secret] used'],
    ['ghp_abcdefghijklmnopqrstuvwxyz0123456789', '[secret]'],
    ['postgres://app:pa55word@db.example.org/x', 'postgres://app:[secret]/x'],
    ['a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb', 'a\n[secret]\nb'],
    ['-----BEGIN PRIVATE KEY-----\nMIIE', '[secret]'],
    ['wJalrXUtnFEMIqK7MDENGbPxRfiCYz9kQ3vL8aT2 is it', '[secret] is it'],
  ])('%s', (text, found) => {
    expect(marked(text)).toBe(found);
  });

  test.each([
    'order 4000000000000001 of 2026-01-31 12:34:56.789',
    'EAN 4006381333931, SKU AB-123456-X, ISBN 978-3-16-148410-0',
    'version 1.2.3, build 1.2.3.4.5, 50.000.000 rows, 3:2',
    'std::vector a::b::C ::1 12:34:56 aa:bb:cc:dd:ee:ff',
    'commit 9b7a2b04f3d6e8c1a5b2d4f6e8a0c2e4f6a8b0d2, id 123e4567-e89b-12d3-a456-426614174000',
    'someone @ somewhere, @handle, a@b, x@1.2.3',
    'https://example.org/a/very/long/path/ThatHasCapitalsAndNumbers2026/index.html',
    'thisIsAVeryLongCamelCaseIdentifierNumber2InAProgram',
    'AB123456X 123456789 1234567890 0049301234567',
    '-----BEGIN CERTIFICATE-----',
    '',
  ])('nothing in %j', (text) => expect(findIn(text)).toEqual([]));

  test('every place in a text, and any neighbour that is no part of a word', () => {
    const planted = [
      'ada@example.org',
      '4111 1111 1111 1111',
      'DE89370400440532013000',
      '536-90-9148',
      '+436601234567',
    ];
    for (const value of planted)
      for (const left of ['', ' ', '\n', '(', '"', 'x: ', '\u0000', 'ü ', '1, '])
        for (const right of ['', ' ', '\n', ')', '"', '. ', ', 1', ';x'])
          expect([left, value, right, marked(left + value + right).includes(value)]).toEqual([
            left,
            value,
            right,
            false,
          ]);
  });

  test('linear: a text made to be slow is read as fast as another of its length', () => {
    const length = 200_000;
    const work = (piece: string) => {
      const text = piece.repeat(Math.ceil(length / piece.length));
      const started = process.cpuUsage();
      findIn(text);
      const { user, system } = process.cpuUsage(started);
      return (user + system) / 1_000;
    };
    work('a plain text, and another. ');
    // No measure of speed: a quadratic search over this length takes minutes, and each of these far below a second.
    for (const piece of [
      '@',
      'a@',
      'a.',
      '1 ',
      '1',
      '4111',
      '-----BEGIN ',
      '-----BEGIN PRIVATE KEY',
      '://',
      '://a:',
      'eyJ',
      'eyJ.',
      'A1 ',
      'DE89 ',
      ':',
      'a:',
      '::',
      'sk-',
      '=',
      'a=',
      'AKIA/',
      '+1 ',
      '\u0661',
    ])
      expect([piece, work(piece) < 5_000]).toEqual([piece, true]);
  });
});
