// Bound values as they are recorded: text as sent, binary of the common types as text, the rest in hex; labelled ones never.
import { type Bind, formatAt } from './codec-extended.ts';

/** Longer values are cut in the record, and the record says so: `… (N bytes)`. */
const longestRecorded = 16_384;

/** In order; `sensitive` holds numbers from 1. `types` are OIDs where known. */
export function recordedParameters(
  bind: Bind,
  types: readonly number[],
  sensitive: ReadonlySet<number>,
): readonly (string | null)[] {
  return bind.parameters.map((value, index) => {
    if (value === null) return null;
    if (sensitive.has(index + 1)) return '***';
    const text =
      formatAt(bind.formats, index) === 0
        ? value.toString('utf8', 0, longestRecorded)
        : binaryText(value, types[index] ?? 0);
    return value.length > longestRecorded ? `${text}… (${value.length} bytes)` : text;
  });
}

const epoch = Date.UTC(2000, 0, 1);

/** Type OIDs are those of pg_type.dat; a value that does not have its type's size is shown in hex. */
function binaryText(value: Buffer, type: number): string {
  const size = value.length;
  switch (type) {
    case 16:
      if (size === 1) return value[0] === 0 ? 'f' : 't';
      break;
    case 20:
      if (size === 8) return value.readBigInt64BE().toString();
      break;
    case 21:
      if (size === 2) return String(value.readInt16BE());
      break;
    case 23:
      if (size === 4) return String(value.readInt32BE());
      break;
    case 26:
      if (size === 4) return String(value.readUInt32BE());
      break;
    case 700:
      if (size === 4) return String(value.readFloatBE());
      break;
    case 701:
      if (size === 8) return String(value.readDoubleBE());
      break;
    case 18:
    case 19:
    case 25:
    case 114:
    case 142:
    case 1042:
    case 1043:
      return value.toString('utf8', 0, longestRecorded);
    case 3802:
      if (value[0] === 1) return value.toString('utf8', 1, longestRecorded);
      break;
    case 1082:
      if (size === 4) return dateText(epoch + value.readInt32BE() * 86_400_000, 10);
      break;
    case 1114:
    case 1184:
      // Microseconds since 2000-01-01; the record shows milliseconds.
      if (size === 8) return dateText(epoch + Number(value.readBigInt64BE() / 1000n), 23) + (type === 1184 ? 'Z' : '');
      break;
    case 2950:
      if (size === 16) return value.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
      break;
  }
  return `\\x${value.toString('hex', 0, longestRecorded)}`;
}

function dateText(milliseconds: number, length: number): string {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? 'infinity' : date.toISOString().slice(0, length).replace('T', ' ');
}
