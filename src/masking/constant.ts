// The operator's own constant, in the type of the column; where it does not fit the type, NULL takes its place.
import { binaryOfDecimal, decimalOfText, textOfDecimal } from './decimal.ts';
import type { Neutral, TypeKind } from './type.ts';

/** Undefined where the constant does not fit. */
export function constantOf(kind: TypeKind, value: string | undefined): Neutral | undefined {
  if (value === undefined || value.includes('\0')) return undefined;
  const both = (text: string, binary: Buffer): Neutral => ({ text: Buffer.from(text), binary });
  switch (kind) {
    case 'text':
      return both(value, Buffer.from(value));
    case 'json':
    case 'jsonb': {
      const json = JSON.stringify(value);
      return both(json, Buffer.from(kind === 'jsonb' ? `\u0001${json}` : json));
    }
    case 'xml': {
      const escaped = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
      // Characters that XML cannot hold at all.
      return /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd]*$/.test(value) ? both(escaped, Buffer.from(escaped)) : undefined;
    }
    case 'int2':
    case 'int4':
    case 'int8':
      return integer(value, kind === 'int2' ? 2 : kind === 'int4' ? 4 : 8);
    case 'float4':
    case 'float8':
      return float(value, kind === 'float4' ? 4 : 8);
    case 'numeric': {
      const decimal = decimalOfText(value);
      if (decimal === undefined || typeof decimal === 'string') return undefined;
      return both(textOfDecimal(decimal), binaryOfDecimal(decimal));
    }
    case 'bool': {
      const truth = value === 't' || value === 'true';
      if (!truth && value !== 'f' && value !== 'false') return undefined;
      return both(truth ? 't' : 'f', Buffer.from([truth ? 1 : 0]));
    }
    case 'date':
    case 'timestamp':
    case 'timestamptz':
      return moment(kind, value);
    case 'uuid':
      if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)) return undefined;
      return both(value, Buffer.from(value.replaceAll('-', ''), 'hex'));
    default:
      return undefined;
  }
}

function integer(value: string, width: 2 | 4 | 8): Neutral | undefined {
  if (!/^-?[0-9]{1,19}$/.test(value)) return undefined;
  const number = BigInt(value);
  const bits = width * 8;
  if (BigInt.asIntN(bits, number) !== number) return undefined;
  const wide = Buffer.alloc(8);
  wide.writeBigInt64BE(number);
  return { text: Buffer.from(number.toString()), binary: wide.subarray(8 - width) };
}

function float(value: string, width: 4 | 8): Neutral | undefined {
  if (!/^-?[0-9]{1,30}(?:\.[0-9]{1,30})?$/.test(value)) return undefined;
  const binary = Buffer.alloc(width);
  if (width === 4) binary.writeFloatBE(Number(value));
  else binary.writeDoubleBE(Number(value));
  return { text: Buffer.from(value), binary };
}

const second = 1_000;
const epoch = Date.UTC(2000, 0, 1);

/** `1990-01-01`, with `12:00:00` behind it where the type has a time; time stamps with time zone are in UTC. */
function moment(kind: 'date' | 'timestamp' | 'timestamptz', value: string): Neutral | undefined {
  const found = /^([0-9]{4}-[0-9]{2}-[0-9]{2})(?: ([0-9]{2}:[0-9]{2}:[0-9]{2}))?$/.exec(value);
  if (!found) return undefined;
  const [, day, time = '00:00:00'] = found;
  const at = new Date(`${day}T${time}Z`);
  // A day that the calendar does not have would become another one.
  if (Number.isNaN(at.getTime()) || at.toISOString().slice(0, 19) !== `${day}T${time}` || day === undefined)
    return undefined;
  if (day.startsWith('0000')) return undefined;
  const seconds = (at.getTime() - epoch) / second;
  if (kind === 'date') {
    if (found[2] !== undefined) return undefined;
    const binary = Buffer.alloc(4);
    binary.writeInt32BE(seconds / 86_400);
    return { text: Buffer.from(day), binary };
  }
  const binary = Buffer.alloc(8);
  binary.writeBigInt64BE(BigInt(seconds) * 1_000_000n);
  return { text: Buffer.from(`${day} ${time}${kind === 'timestamptz' ? '+00' : ''}`), binary };
}
