// A number becomes the lower end of the bucket that it lies in. Whole numbers and numeric are exact; float is as float is.
// NaN and infinity are their own buckets. What would hide nothing, such as a width of 1 for whole numbers, hides everything.
import { binaryOfDecimal, decimalOfBinary, decimalOfText, textOfDecimal } from './decimal.ts';
import type { TypeKind } from './type.ts';

type Hide = (value: Buffer) => Buffer | null;

/** Undefined where the type has no buckets of this width. */
export function bucket(kind: TypeKind, format: 0 | 1, size: number | undefined): Hide | undefined {
  if (size === undefined || !(size > 0)) return undefined;
  switch (kind) {
    case 'int2':
    case 'int4':
      return smallInteger(kind === 'int2' ? 2 : 4, format, size);
    case 'int8':
      return bigInteger(format, size);
    case 'float4':
    case 'float8':
      return float(kind === 'float4', format, size);
    case 'numeric':
      return numeric(format, size);
    default:
      return undefined;
  }
}

const hides = (size: number) => Number.isSafeInteger(size) && size >= 2;
const integer = /^-?[0-9]{1,19}$/;

function smallInteger(width: 2 | 4, format: 0 | 1, size: number): Hide | undefined {
  if (!hides(size)) return undefined;
  const least = width === 2 ? -0x8000 : -0x8000_0000;
  return (value) => {
    let number: number;
    if (format === 1) {
      if (value.length !== width) return null;
      number = value.readIntBE(0, width);
    } else {
      const text = value.toString('latin1');
      if (!integer.test(text)) return null;
      number = Number(text);
    }
    const rest = number % size;
    const floor = number - (rest < 0 ? rest + size : rest);
    if (floor < least) return null;
    if (format === 0) return Buffer.from(String(floor), 'latin1');
    const bytes = Buffer.allocUnsafe(width);
    bytes.writeIntBE(floor, 0, width);
    return bytes;
  };
}

function bigInteger(format: 0 | 1, width: number): Hide | undefined {
  if (!hides(width)) return undefined;
  const size = BigInt(width);
  return (value) => {
    let number: bigint;
    if (format === 1) {
      if (value.length !== 8) return null;
      number = value.readBigInt64BE();
    } else {
      const text = value.toString('latin1');
      if (!integer.test(text)) return null;
      number = BigInt(text);
    }
    const rest = number % size;
    const floor = number - (rest < 0n ? rest + size : rest);
    if (floor < -0x8000_0000_0000_0000n) return null;
    if (format === 0) return Buffer.from(floor.toString(), 'latin1');
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigInt64BE(floor);
    return bytes;
  };
}

function float(single: boolean, format: 0 | 1, size: number): Hide {
  const round = single ? Math.fround : (number: number) => number;
  const width = single ? 4 : 8;
  return (value) => {
    let number: number;
    if (format === 1) {
      if (value.length !== width) return null;
      number = single ? value.readFloatBE() : value.readDoubleBE();
    } else {
      const text = value.toString('latin1');
      if (!/^(?:NaN|-?Infinity|-?[0-9]+(?:\.[0-9]+)?(?:e[+-][0-9]{1,3})?)$/.test(text)) return null;
      number = round(Number(text));
    }
    if (!Number.isFinite(number)) return value;
    // Never -0, which text and binary write differently.
    const floor = round(Math.floor(number / size) * size) + 0;
    if (!Number.isFinite(floor)) return null;
    if (format === 0) return Buffer.from(String(floor), 'latin1');
    const bytes = Buffer.allocUnsafe(width);
    if (single) bytes.writeFloatBE(floor);
    else bytes.writeDoubleBE(floor);
    return bytes;
  };
}

function numeric(format: 0 | 1, width: number): Hide | undefined {
  // Numbers of this size are written without an exponent.
  const size = width >= 1e-6 && width <= 1e15 ? decimalOfText(String(width)) : undefined;
  if (size === undefined || typeof size === 'string') return undefined;
  return (value) => {
    const number = format === 1 ? decimalOfBinary(value) : decimalOfText(value.toString('latin1'));
    if (number === undefined) return null;
    if (typeof number === 'string') return value;
    const scale = Math.max(number.scale, size.scale);
    const units = number.units * 10n ** BigInt(scale - number.scale);
    const step = size.units * 10n ** BigInt(scale - size.scale);
    const count = units / step - (units < 0n && units % step !== 0n ? 1n : 0n);
    const floor = { units: count * size.units, scale: size.scale };
    return format === 1 ? binaryOfDecimal(floor) : Buffer.from(textOfDecimal(floor), 'latin1');
  };
}
