// What hiding one cell costs, by method and type, in text and in binary form. No sockets and no other process:
// `node bench/masking.ts`. Values differ from cell to cell, so that nothing can be kept.
import type { Method } from '../src/domain/mask.ts';
import { compileMask } from '../src/masking/method.ts';
import { keyless, openWrittenBack, type WrittenBack } from '../src/masking/written-back.ts';
import { cost } from './cost.ts';

const key = Buffer.alloc(32, 7);
const many = 512;
const values = (make: (n: number) => string | Buffer) =>
  Array.from({ length: many }, (_, n) => {
    const made = make(n);
    return typeof made === 'string' ? Buffer.from(made) : made;
  });
const bytes = (length: number, write: (buffer: Buffer, n: number) => void) =>
  values((n) => {
    const buffer = Buffer.alloc(length);
    write(buffer, n);
    return buffer;
  });

/** Luhn digit of sixteen. */
function card(n: number): string {
  const body = `400000${String(n).padStart(9, '0')}`;
  for (let digit = 0; ; digit++) {
    const sum = [...body].reduceRight((total, one, at) => {
      const twice = Number(one) * (at % 2 === 0 ? 2 : 1);
      return total + (twice > 9 ? twice - 9 : twice);
    }, 0);
    if ((sum + digit) % 10 === 0) return body + digit;
  }
}

const text = values((n) => `Zephyrgasse ${n} im Hof`);
const mail = values((n) => `ada.okafor.${n}@mail.example`);
const cards = values(card);
const note = values(
  (n) =>
    `The parcel ${n} was left at the door on 2026-01-31, please ring twice. ${n % 4 === 0 ? `Or write to ada.${n}@mail.example. ` : ''}Nothing else was said about it by anybody, and the neighbours were not at home.`,
);
const int4 = [values((n) => String(n * 977)), bytes(4, (buffer, n) => buffer.writeInt32BE(n * 977))] as const;
const int8 = [
  values((n) => String(n * 977)),
  bytes(8, (buffer, n) => buffer.writeBigInt64BE(BigInt(n * 977))),
] as const;
const date = [
  values((n) => new Date(n * 86_400_000 * 31).toISOString().slice(0, 10)),
  bytes(4, (buffer, n) => buffer.writeInt32BE(n * 31 - 10_957)),
] as const;
const stamp = [
  values((n) => `${new Date(n * 86_400_000 * 31).toISOString().slice(0, 19).replace('T', ' ')}.123456+00`),
  bytes(8, (buffer, n) => buffer.writeBigInt64BE(BigInt(n * 31) * 86_400_000_000n)),
] as const;
const float = [values((n) => String(n * 1.5)), bytes(8, (buffer, n) => buffer.writeDoubleBE(n * 1.5))] as const;
const numeric = [
  values((n) => `${n}45.67`),
  values((n) => Buffer.from(`00030001000000020001${(n % 9_999).toString(16).padStart(4, '0')}1a2c`, 'hex')),
] as const;
const uuid = [
  values((n) => `6f1d2a3b-1111-4222-8333-4444${n.toString(16).padStart(8, '0')}`),
  bytes(16, (buffer, n) => buffer.writeUInt32BE(n)),
] as const;
const array = values((n) => `{"Zephyrgasse ${n}",b,c,d}`);

const rows: readonly (readonly [name: string, method: Method, type: number, text: Buffer[], binary: Buffer[]])[] = [
  ['full, text', { method: 'full' }, 25, text, text],
  ['null, text', { method: 'null' }, 25, text, text],
  ['constant, text', { method: 'constant', value: '(hidden)' }, 25, text, text],
  ['partial, text', { method: 'partial' }, 25, text, text],
  ['partial, mail', { method: 'partial' }, 25, mail, mail],
  ['hash, text', { method: 'hash' }, 25, text, text],
  ['hash, uuid', { method: 'hash' }, 2950, ...uuid],
  ['token, text', { method: 'token' }, 25, text, text],
  ['token, mail', { method: 'token' }, 25, mail, mail],
  ['token, card number', { method: 'token' }, 25, cards, cards],
  ['token, uuid', { method: 'token' }, 2950, ...uuid],
  ['token, int4', { method: 'token' }, 23, ...int4],
  ['token, int8', { method: 'token' }, 20, ...int8],
  ['bucket, int4', { method: 'bucket', size: 1_000 }, 23, ...int4],
  ['bucket, int8', { method: 'bucket', size: 1_000 }, 20, ...int8],
  ['bucket, float8', { method: 'bucket', size: 1_000 }, 701, ...float],
  ['bucket, numeric', { method: 'bucket', size: 1_000 }, 1700, ...numeric],
  ['detect, text of 150', { method: 'detect' }, 25, note, note],
  ['date, date', { method: 'date', to: 'month' }, 1082, ...date],
  ['date, timestamptz', { method: 'date', to: 'month' }, 1184, ...stamp],
  ['hash, text[] of four', { method: 'hash' }, 1009, array, []],
];

console.log(`Node ${process.version}; microseconds a cell\n`);
console.log(`${'method, type'.padEnd(24)}${'text'.padStart(8)}${'binary'.padStart(8)}`);
for (const [name, method, type, ...forms] of rows) {
  const cells = forms.map((sample, format) => {
    if (sample.length === 0) return '–'.padStart(8);
    const hide = compileMask({ label: 'x', whole: false, ...method }, type, format as 0 | 1, key);
    // A sample that is not of its type would be hidden for nothing.
    if (method.method !== 'null' && hide(sample[3]!) === null) throw new Error(`${name}: the sample is not read`);
    return cost(20_000, (n) => hide(sample[n % many]!))
      .toFixed(2)
      .padStart(8);
  });
  console.log(`${name.padEnd(24)}${cells.join('')}`);
}

const inUse = openWrittenBack({ key, methods: [{ method: 'token' }], methodFor: () => ({ method: 'token' }) });
const place = { meets: true };
const looked = (back: WrittenBack, sample: Buffer[]) => {
  const texts = sample.map((value) => value.toString());
  return cost(20_000, (n) => back.text(texts[n % many]!, place))
    .toFixed(2)
    .padStart(8);
};
console.log(`\n${'a literal looked at'.padEnd(24)}${'plain'.padStart(8)}${'tokens'.padStart(8)}`);
for (const [name, sample] of [
  ['text', text],
  ['card number', cards],
  ['number', int4[0]],
] as const)
  console.log(`${name.padEnd(24)}${looked(keyless, sample)}${looked(inUse, sample)}`);
