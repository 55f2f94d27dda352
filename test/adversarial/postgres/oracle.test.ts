// The judge itself: it finds what it should in every disguise, and nothing in what is harmless.
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { heardMessages, heardText, openOracle } from './oracle.ts';
import { worlds } from './secrets.ts';

const oracle = openOracle(worlds.a);
const { ssn, email, salary, born } = worlds.a;
const disguises: Record<string, string> = {
  'as it is': `x${ssn}y`,
  hex: Buffer.from(email).toString('hex'),
  'upper hex': Buffer.from(email).toString('hex').toUpperCase(),
  base64: Buffer.from(email).toString('base64'),
  'base64 behind one byte': Buffer.from(`1${email}`).toString('base64'),
  'base64 behind two bytes': Buffer.from(`12${email}22`).toString('base64'),
  'base64 in lines': Buffer.from(`${'-'.repeat(54)}${email}`)
    .toString('base64')
    .replaceAll(/(.{76})/g, '$1\n'),
  reversed: [...ssn].toReversed().join(''),
  split: [...ssn].join(' | '),
  'upper case': email.toUpperCase(),
  'UTF-16': Buffer.from(email, 'utf16le').toString('latin1'),
  octal: [...Buffer.from(email)].map((code) => `\\${code.toString(8).padStart(3, '0')}`).join(''),
  codes: [...Buffer.from(ssn)].join(','),
  url: [...Buffer.from(email)].map((code) => `%${code.toString(16)}`).join(''),
  json: [...email].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
  html: [...email].map((letter) => `&#x${letter.charCodeAt(0).toString(16)};`).join(''),
  md5: createHash('md5').update(ssn).digest('hex'),
  'one more': String(Number(salary) + 1),
  negative: `-${salary}`,
  'hex number': Number(salary).toString(16),
  'four bytes': '\u0005\u0079\u002c\u00a4',
  'German date': '17.03.1971',
  'American date': '03/17/1971',
  'date of days': Buffer.from(Int32Array.of(Math.floor((Date.parse(born) - Date.UTC(2000, 0, 1)) / 86_400_000)).buffer)
    .reverse()
    .toString('latin1'),
  'a piece': 'abc 36909148',
};

test.for(Object.entries(disguises))('finds %s', ([, text]) => {
  expect(oracle.search(heardText(text))).not.toEqual([]);
});

test('finds a value that is spread over cells, by rows and by columns', () => {
  const row = (...cells: string[]) =>
    Buffer.concat([
      Buffer.from([0, cells.length]),
      ...cells.flatMap((cell) => [Buffer.from([0, 0, 0, cell.length]), Buffer.from(cell)]),
    ]);
  const send = (...rows: Buffer[]) => heardMessages(rows.map((body) => ({ type: 'D', body })));
  expect(oracle.search(send(row(...ssn)))).not.toEqual([]);
  expect(oracle.search(send(...[...ssn].map((digit, at) => row(String(at), digit))))).not.toEqual([]);
  expect(oracle.search(send(...[...ssn].map((digit) => row(digit))))).not.toEqual([]);
});

test('finds nothing in masks and ordinary text', () => {
  const harmless =
    'Ada 1 **** 2026-01-02 1970-01-01 00:00:00+00 paid 10.50 mail.example sk_live_ <masked/> The result was withheld';
  expect(oracle.search(heardText(harmless))).toEqual([]);
  expect(oracle.search(heardText(Object.values(worlds.b).join(' ')))).toEqual([]);
});
