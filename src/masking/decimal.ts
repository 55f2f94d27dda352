// Exact decimal numbers, and PostgreSQL's two forms of numeric (src/backend/utils/adt/numeric.c, numeric_send).

/** `units` over ten to the power of `scale`. */
export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

/** What is no number but an ordinary value of numeric: it is its own bucket. */
export type Special = 'NaN' | 'Infinity' | '-Infinity';

/** Longer numbers are not read: their arithmetic would cost more than a cell may. */
const mostDigits = 1_000;

export function decimalOfText(text: string): Decimal | Special | undefined {
  if (text === 'NaN' || text === 'Infinity' || text === '-Infinity') return text;
  if (text.length > mostDigits || !/^-?[0-9]+(?:\.[0-9]+)?$/.test(text)) return undefined;
  const point = text.indexOf('.');
  if (point < 0) return { units: BigInt(text), scale: 0 };
  return { units: BigInt(text.slice(0, point) + text.slice(point + 1)), scale: text.length - point - 1 };
}

export function textOfDecimal({ units, scale }: Decimal): string {
  if (scale === 0) return units.toString();
  const negative = units < 0n;
  const digits = (negative ? -units : units).toString().padStart(scale + 1, '0');
  return `${negative ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

const signs = { positive: 0x0000, negative: 0x4000, NaN: 0xc000, Infinity: 0xd000, '-Infinity': 0xf000 } as const;

export function decimalOfBinary(bytes: Buffer): Decimal | Special | undefined {
  if (bytes.length < 8) return undefined;
  const count = bytes.readUInt16BE(0);
  const weight = bytes.readInt16BE(2);
  const sign = bytes.readUInt16BE(4);
  if (sign === signs.NaN) return 'NaN';
  if (sign === signs.Infinity) return 'Infinity';
  if (sign === signs['-Infinity']) return '-Infinity';
  if (sign !== signs.positive && sign !== signs.negative) return undefined;
  if (bytes.length !== 8 + 2 * count || writtenLength(bytes, weight, sign) > mostDigits) return undefined;
  let units = 0n;
  for (let at = 8; at < bytes.length; at += 2) units = units * 10_000n + BigInt(bytes.readUInt16BE(at));
  if (sign === signs.negative) units = -units;
  const places = count - 1 - weight;
  return places > 0 ? { units, scale: 4 * places } : { units: units * 10n ** BigInt(-4 * places), scale: 0 };
}

/** Characters of its text form, so that both forms have the same limit. */
function writtenLength(bytes: Buffer, weight: number, sign: number): number {
  const first = bytes.length > 8 && weight >= 0 ? String(bytes.readUInt16BE(8)).length + 4 * weight : 1;
  const places = Math.max(bytes.readUInt16BE(6), weight < -1 ? 4 * (-1 - weight) : 0);
  return first + (places === 0 ? 0 : places + 1) + (sign === signs.negative ? 1 : 0);
}

export function binaryOfDecimal({ units, scale }: Decimal): Buffer {
  const negative = units < 0n;
  const places = Math.ceil(scale / 4);
  let rest = (negative ? -units : units) * 10n ** BigInt(places * 4 - scale);
  const digits: number[] = [];
  for (; rest > 0n; rest /= 10_000n) digits.push(Number(rest % 10_000n));
  const weight = digits.length - 1 - places;
  let least = 0;
  while (least < digits.length && digits[least] === 0) least++;
  const count = digits.length - least;
  const bytes = Buffer.alloc(8 + 2 * count);
  bytes.writeUInt16BE(count, 0);
  bytes.writeInt16BE(count === 0 ? 0 : weight, 2);
  bytes.writeUInt16BE(negative ? signs.negative : signs.positive, 4);
  bytes.writeUInt16BE(scale, 6);
  for (let at = 0; at < count; at++) bytes.writeUInt16BE(digits[digits.length - 1 - at]!, 8 + 2 * at);
  return bytes;
}
