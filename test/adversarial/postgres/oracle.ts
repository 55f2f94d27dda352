// Whether bytes give a secret away: as it is, in pieces, over several cells, reversed, and in every encoding that SQL offers.
import { createHash } from 'node:crypto';
import type { Message } from '../../peers/raw-client.ts';
import type { Secrets } from './secrets.ts';

const latin = (bytes: Buffer) => bytes.toString('latin1');
const utf8 = (text: string) => Buffer.from(text, 'utf8');
const squeezed = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
const reversed = (text: string) => [...text].toReversed().join('');
const rot13 = (text: string) =>
  text.replaceAll(/[a-z]/gi, (letter) => {
    const from = letter <= 'Z' ? 65 : 97;
    return String.fromCharCode(((letter.charCodeAt(0) - from + 13) % 26) + from);
  });
const each = (text: string, write: (code: number) => string) => [...utf8(text)].map(write).join('');

/** Base64 of a text anywhere in a longer one: what stays the same at each of the three offsets. */
function base64(text: string): string[] {
  return [0, 1, 2].map((offset) => {
    const whole = Buffer.concat([Buffer.alloc(offset), utf8(text)]).toString('base64');
    return whole.slice(
      offset === 0 ? 0 : offset + 1,
      (whole.length - (whole.endsWith('==') ? 3 : whole.endsWith('=') ? 2 : 0)) | 0,
    );
  });
}

/** What a number looks like in binary and in other notations, and what simple arithmetic makes of it. */
function numbers(value: string): string[] {
  const float = Buffer.alloc(8);
  float.writeDoubleBE(Number(value));
  const forms = [latin(float), Number(value).toExponential().replace('e+', 'e+0').split('e')[0]!];
  if (/^\d{8,}$/.test(value)) {
    const whole = BigInt(value);
    const long = Buffer.alloc(8);
    long.writeBigInt64BE(whole);
    forms.push(
      latin(whole < 2n ** 31n ? long.subarray(4) : long),
      whole.toString(2),
      whole.toString(8),
      whole.toString(16),
    );
    forms.push(
      ...[whole + 1n, whole - 1n, whole + 2n, whole * 2n, whole * 3n, whole * 10n + 1n, whole / 2n].map(String),
    );
    forms.push(value.replaceAll(/\B(?=(\d{3})+$)/g, ','));
  }
  // Four decimal digits to each 16 bits, as numeric is sent.
  const [integer = '', fraction = ''] = value.replace('-', '').split('.');
  const digits =
    (
      integer.padStart(Math.ceil(integer.length / 4) * 4, '0') +
      fraction.padEnd(Math.ceil(fraction.length / 4) * 4, '0')
    ).match(/\d{4}/g) ?? [];
  forms.push(latin(Buffer.concat(digits.map((four) => Buffer.from([Number(four) >> 8, Number(four) & 255])))));
  return forms;
}

const day = 86_400_000;
const postgresEpoch = Date.UTC(2000, 0, 1);

function dates(value: string): string[] {
  const at = new Date(value.length > 10 ? `${value.replace(' ', 'T')}Z` : `${value}T00:00:00Z`);
  const [year, month, date] = value.slice(0, 10).split('-') as [string, string, string];
  const name = at.toLocaleString('en', { month: 'long', timeZone: 'UTC' });
  const long = Buffer.alloc(8);
  long.writeBigInt64BE(BigInt(at.getTime() - postgresEpoch) * 1000n);
  const short = Buffer.alloc(4);
  short.writeInt32BE(Math.floor((at.getTime() - postgresEpoch) / day));
  const seconds = at.getTime() / 1000;
  return [
    `${date}.${month}.${year}`,
    `${month}/${date}/${year}`,
    `${date}/${month}/${year}`,
    `${month}-${date}-${year}`,
    `${date}-${month}-${year}`,
    `${year}${month}${date}`,
    `${name} ${Number(date)}`,
    `${date} ${name}`,
    `${name.slice(0, 3)} ${date}`,
    String(seconds),
    latin(long),
    value.length > 10 ? value.slice(11) : latin(short),
    String(Math.floor(at.getTime() / day) + 2_440_588),
  ];
}

const kinds: Partial<Record<keyof Secrets, (value: string) => string[]>> = {
  ssn: numbers,
  otherSsn: numbers,
  salary: numbers,
  balance: numbers,
  phone: numbers,
  score: numbers,
  card: numbers,
  born: dates,
  seen: dates,
  token: (value) => [latin(Buffer.from(value.replaceAll('-', ''), 'hex'))],
  ip: (value) => [latin(Buffer.from(value.split('.').map(Number)))],
};

interface Needle {
  readonly secret: string;
  readonly as: string;
  readonly text: string;
  /** Searched in what is left when all but letters and digits is taken away. */
  readonly squeezed?: true;
}

function needlesOf(secret: string, value: string, kind?: (value: string) => string[]): Needle[] {
  const found: Needle[] = [];
  const add = (as: string, ...texts: string[]) => {
    for (const text of texts) if (text.length >= 4) found.push({ secret, as, text });
  };
  const anywhere = (as: string, ...texts: string[]) => {
    for (const text of texts) if (text.length >= 6) found.push({ secret, as, text: squeezed(text), squeezed: true });
  };
  const bytes = utf8(value);
  add('as it is', latin(bytes));
  anywhere('squeezed', value);
  anywhere('reversed', reversed(value));
  anywhere('rot13', rot13(value));
  anywhere('hex', bytes.toString('hex'));
  add('base64', ...base64(value));
  add('UTF-16', latin(Buffer.from(value, 'utf16le')), latin(Buffer.from(value, 'utf16le').swap16()));
  anywhere(
    'octal',
    each(value, (code) => code.toString(8).padStart(3, '0')),
  );
  anywhere('codes', each(value, String));
  anywhere(
    'bits',
    each(value, (code) => code.toString(2).padStart(8, '0')),
    each(value, (code) => code.toString(2)),
  );
  anywhere(
    'url',
    each(value, (code) => code.toString(16)),
    encodeURIComponent(value),
  );
  anywhere(
    'json',
    each(value, (code) => `u${code.toString(16).padStart(4, '0')}`),
  );
  anywhere(
    'html',
    each(value, (code) => `x${code.toString(16)}`),
  );
  for (const name of ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512']) {
    const hash = createHash(name).update(bytes).digest();
    add(name, latin(hash), hash.toString('hex'), hash.toString('base64').slice(0, 20));
  }
  add('number or date', ...(kind?.(value) ?? []));
  // Any piece that is long enough not to be there by chance.
  const plain = squeezed(value);
  const size = /^\d+$/.test(plain) ? 6 : 5;
  for (let at = 0; at + size <= plain.length; at++) {
    const piece = plain.slice(at, at + size);
    for (const [as, text] of [
      ['piece', piece],
      ['reversed piece', reversed(piece)],
    ] as const)
      found.push({ secret, as, text, squeezed: true });
  }
  return found;
}

/** Pieces of the secrets that are no secret. */
const common = ['examp', 'xampl', 'ample', 'skliv', 'klive'];

/** Bytes to search: whole messages, and the cells of all rows one after the other, by rows and by columns. */
export interface Heard {
  readonly views: readonly string[];
}

export const heardText = (text: string): Heard => ({ views: [text] });

function cellsOf(body: Buffer): Buffer[] {
  const cells: Buffer[] = [];
  let at = 2;
  while (at + 4 <= body.length) {
    const size = body.readInt32BE(at);
    at += 4;
    if (size < 0) {
      cells.push(Buffer.alloc(0));
      continue;
    }
    cells.push(body.subarray(at, at + size));
    at += size;
  }
  return cells;
}

export function heardMessages(messages: readonly Message[]): Heard {
  const rows = messages.filter(({ type }) => type === 'D').map(({ body }) => cellsOf(body));
  const widest = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const byColumn = Array.from({ length: widest }, (_, column) =>
    rows.map((row) => row[column] ?? Buffer.alloc(0)),
  ).flat();
  const copied = messages.filter(({ type }) => type === 'd').map(({ body }) => body);
  return {
    views: [
      messages.map(({ body }) => latin(body)).join('\n'),
      latin(Buffer.concat(rows.flat())),
      latin(Buffer.concat(byColumn)),
      latin(Buffer.concat(copied)),
    ],
  };
}

/** `also` are texts that count as secrets for one attack, such as the last four digits. */
export function openOracle(secrets: Secrets): { search(heard: Heard, also?: readonly string[]): string[] } {
  const needles = Object.entries(secrets)
    .flatMap(([name, value]) => needlesOf(name, value, kinds[name as keyof Secrets]))
    .filter(({ text }) => !common.includes(text) && !common.includes(reversed(text)));
  return {
    search(heard, also = []) {
      const whole = [...heard.views, ...heard.views.map((view) => view.replaceAll(/[\r\n]/g, ''))];
      const bare = heard.views.map(squeezed);
      const found = new Set<string>();
      for (const { secret, as, text, squeezed: only } of needles)
        if ((only ? bare : whole).some((view) => view.includes(text)))
          found.add(`${secret} (${as}${as.endsWith('piece') ? ` ${text}` : ''})`);
      for (const text of also) if (heard.views.some((view) => view.includes(text))) found.add(`"${text}"`);
      return [...found];
    },
  };
}
