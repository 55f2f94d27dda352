// A binary cell as the text that the server would have sent, for people to read; times in UTC (PostgreSQL's *send functions).

const day = 86_400_000;
/** 2000-01-01, from which dates and times are counted. */
const epoch = Date.UTC(2000, 0, 1);
const lastDate = 8.64e15;

/** Text of a value in binary format; what is not known, or does not have its type's shape, is shown as `\x` and hex. */
export function binaryText(type: number, value: Buffer): string {
  try {
    return known(type, value) ?? hex(value);
  } catch {
    // A length inside the value pointed outside of it.
    return hex(value);
  }
}

function hex(value: Buffer): string {
  return `\\x${value.toString('hex')}`;
}

/** Sizes of the types whose binary form has one, to tell it from text. */
export const binarySizes: Readonly<Record<number, number>> = {
  16: 1,
  20: 8,
  21: 2,
  23: 4,
  26: 4,
  700: 4,
  701: 8,
  1082: 4,
  1083: 8,
  1114: 8,
  1184: 8,
  1186: 16,
  2950: 16,
};

function known(type: number, value: Buffer): string | undefined {
  const size = binarySizes[type];
  if (size !== undefined && value.length !== size) return undefined;
  switch (type) {
    case 16:
      return value[0] === 0 ? 'f' : 't';
    case 20:
      return String(value.readBigInt64BE());
    case 21:
      return String(value.readInt16BE());
    case 23:
      return String(value.readInt32BE());
    case 26:
      return String(value.readUInt32BE());
    case 700:
      return float(Number(value.readFloatBE().toPrecision(6)), value.readFloatBE());
    case 701:
      return float(value.readDoubleBE(), value.readDoubleBE());
    case 18:
    case 19:
    case 25:
    case 114:
    case 142:
    case 1042:
    case 1043:
      return value.toString('utf8');
    case 1082:
      return date(value.readInt32BE());
    case 1083:
      return clock(value.readBigInt64BE());
    case 1114:
      return timestamp(value.readBigInt64BE(), '');
    case 1184:
      return timestamp(value.readBigInt64BE(), '+00');
    case 1186:
      return interval(value);
    case 1700:
      return numeric(value);
    case 2950:
      return value.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    case 3802:
      return value[0] === 1 ? value.toString('utf8', 1) : undefined;
  }
  return arrays[type] === undefined ? undefined : array(arrays[type], value);
}

function float(rounded: number, exact: number): string {
  // A float4 has at least six digits; where they do not say it all, the server sends up to nine.
  const shown = Math.fround(rounded) === exact || rounded === exact ? rounded : Number(exact.toPrecision(9));
  return String(shown).replace(/e([+-])(\d)$/, 'e$10$2');
}

function date(days: number): string | undefined {
  if (days === 0x7fff_ffff) return 'infinity';
  if (days === -0x8000_0000) return '-infinity';
  return calendar(epoch + days * day, '');
}

/** A day, and what follows it before the era. */
function calendar(milliseconds: number, behind: string): string | undefined {
  if (Math.abs(milliseconds) > lastDate) return undefined;
  const at = new Date(milliseconds);
  const year = at.getUTCFullYear();
  const two = (number: number): string => String(number).padStart(2, '0');
  const shown = String(year > 0 ? year : 1 - year).padStart(4, '0');
  return `${shown}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}${behind}${year > 0 ? '' : ' BC'}`;
}

function clock(microseconds: bigint): string {
  const seconds = Number(microseconds / 1_000_000n);
  const fraction = String(microseconds % 1_000_000n)
    .padStart(6, '0')
    .replace(/0+$/, '');
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, '0')).join(':') + (fraction === '' ? '' : `.${fraction}`);
}

function timestamp(microseconds: bigint, zone: string): string | undefined {
  if (microseconds === 0x7fff_ffff_ffff_ffffn) return 'infinity';
  if (microseconds === -0x8000_0000_0000_0000n) return '-infinity';
  const perDay = 86_400_000_000n;
  const inDay = ((microseconds % perDay) + perDay) % perDay;
  return calendar(epoch + Number((microseconds - inDay) / perDay) * day, ` ${clock(inDay)}${zone}`);
}

function interval(value: Buffer): string {
  const time = value.readBigInt64BE();
  const days = value.readInt32BE(8);
  const months = value.readInt32BE(12);
  const years = Math.trunc(months / 12);
  const parts: string[] = [];
  const named: [number, string][] = [
    [years, 'year'],
    [months - years * 12, 'mon'],
    [days, 'day'],
  ];
  let negative = false;
  for (const [count, name] of named) {
    if (count === 0) continue;
    // The server writes a plus only behind something negative.
    parts.push(`${negative && count > 0 ? '+' : ''}${count} ${name}${count === 1 ? '' : 's'}`);
    negative = count < 0;
  }
  if (time !== 0n || parts.length === 0) {
    const sign = time < 0n ? '-' : negative ? '+' : '';
    parts.push(sign + clock(time < 0n ? -time : time));
  }
  return parts.join(' ');
}

function numeric(value: Buffer): string | undefined {
  const digits = value.readUInt16BE();
  const weight = value.readInt16BE(2);
  const sign = value.readUInt16BE(4);
  const scale = value.readUInt16BE(6);
  if (sign === 0xc000) return 'NaN';
  if (sign === 0xd000) return 'Infinity';
  if (sign === 0xf000) return '-Infinity';
  if (value.length !== 8 + digits * 2 || (sign !== 0 && sign !== 0x4000)) return undefined;
  const group = (index: number): string =>
    String(index >= 0 && index < digits ? value.readUInt16BE(8 + index * 2) : 0).padStart(4, '0');
  let whole = '';
  for (let index = 0; index <= weight; index++) whole += group(index);
  let fraction = '';
  for (let index = weight + 1; fraction.length < scale; index++) fraction += group(index);
  whole = whole.replace(/^0+(?=\d)/, '') || '0';
  return `${sign === 0 ? '' : '-'}${whole}${scale === 0 ? '' : `.${fraction.slice(0, scale)}`}`;
}

/** Array types and their elements. */
const arrays: Readonly<Record<number, number>> = {
  1000: 16,
  1005: 21,
  1007: 23,
  1009: 25,
  1014: 1042,
  1015: 1043,
  1016: 20,
  1021: 700,
  1022: 701,
  1115: 1114,
  1182: 1082,
  1185: 1184,
  1231: 1700,
  2951: 2950,
  3807: 3802,
};

/** One dimension that starts at 1, or an empty array; others are left in hex. */
function array(element: number, value: Buffer): string | undefined {
  const dimensions = value.readInt32BE();
  if (dimensions === 0) return '{}';
  if (dimensions !== 1 || value.readInt32BE(8) !== element || value.readInt32BE(16) !== 1) return undefined;
  const items: string[] = [];
  let at = 20;
  for (let left = value.readInt32BE(12); left > 0; left--) {
    const length = value.readInt32BE(at);
    at += 4;
    if (length < 0) items.push('NULL');
    else {
      if (at + length > value.length) return undefined;
      const text = binaryText(element, value.subarray(at, at + length));
      items.push(/^$|[\s"\\{},]|^null$/i.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : text);
      at += length;
    }
  }
  return at === value.length ? `{${items.join(',')}}` : undefined;
}
