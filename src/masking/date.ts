// A date or time stamp becomes the beginning of its year, quarter, month, day or hour. Time stamps with time zone are cut in
// UTC, so that text and binary are the same. Text is read in the ISO style alone: anything else is NULL. Infinity stays.
import type { DateUnit } from '../domain/mask.ts';
import type { TypeKind } from './type.ts';

type Hide = (value: Buffer) => Buffer | null;

/** Undefined where the type has no such part; a date cut to its day would hide nothing. */
export function dateCut(kind: TypeKind, format: 0 | 1, to: DateUnit | undefined): Hide | undefined {
  if (to === undefined) return undefined;
  if (kind === 'date') {
    if (to === 'day' || to === 'hour') return undefined;
    return format === 1 ? (value) => dateBinary(value, to) : (value) => dateText(value, to);
  }
  if (kind !== 'timestamp' && kind !== 'timestamptz') return undefined;
  const zoned = kind === 'timestamptz';
  return format === 1 ? (value) => stampBinary(value, to) : (value) => stampText(value, to, zoned);
}

/** Days from 1970-01-01 to 2000-01-01, where PostgreSQL counts from; and its first day, 4714-11-24 BC. */
const epoch = 10_957;
const firstDay = -2_451_545 + epoch;
const daySeconds = 86_400;

/** Day number of a proleptic Gregorian date, by cycles of 400 years that begin in March. The year 1 BC is 0. */
function dayOf(year: number, month: number, day: number): number {
  const from = month <= 2 ? year - 1 : year;
  const cycle = Math.floor(from / 400);
  const inCycle = from - cycle * 400;
  const inYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return cycle * 146_097 + inCycle * 365 + Math.floor(inCycle / 4) - Math.floor(inCycle / 100) + inYear - 719_468;
}

/** Year and month of a day number; the inverse. */
function monthOf(days: number): { year: number; month: number } {
  const shifted = days + 719_468;
  const cycle = Math.floor(shifted / 146_097);
  const day = shifted - cycle * 146_097;
  const inCycle = Math.floor(
    (day - Math.floor(day / 1_460) + Math.floor(day / 36_524) - Math.floor(day / 146_096)) / 365,
  );
  const inYear = day - (365 * inCycle + Math.floor(inCycle / 4) - Math.floor(inCycle / 100));
  const shiftedMonth = Math.floor((5 * inYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return { year: inCycle + cycle * 400 + (month <= 2 ? 1 : 0), month };
}

function firstMonth(month: number, to: DateUnit): number {
  return to === 'year' ? 1 : to === 'quarter' ? month - ((month - 1) % 3) : month;
}

function cutDays(days: number, to: DateUnit): number {
  const { year, month } = monthOf(days);
  return dayOf(year, firstMonth(month, to), 1);
}

/** Seconds since 1970-01-01. */
function cutSeconds(seconds: number, to: DateUnit): number {
  if (to === 'hour') return Math.floor(seconds / 3_600) * 3_600;
  const days = Math.floor(seconds / daySeconds);
  return (to === 'day' ? days : cutDays(days, to)) * daySeconds;
}

function dateBinary(value: Buffer, to: DateUnit): Buffer | null {
  if (value.length !== 4) return null;
  const days = value.readInt32BE();
  if (days === 0x7fff_ffff || days === -0x8000_0000) return value;
  const cut = cutDays(days + epoch, to);
  if (cut < firstDay) return null;
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(cut - epoch);
  return bytes;
}

function stampBinary(value: Buffer, to: DateUnit): Buffer | null {
  if (value.length !== 8) return null;
  const micros = value.readBigInt64BE();
  if (micros === 0x7fff_ffff_ffff_ffffn || micros === -0x8000_0000_0000_0000n) return value;
  let seconds = Number(micros / 1_000_000n);
  if (micros < 0n && micros % 1_000_000n !== 0n) seconds--;
  const cut = cutSeconds(seconds + epoch * daySeconds, to);
  if (cut < firstDay * daySeconds) return null;
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigInt64BE(BigInt(cut - epoch * daySeconds) * 1_000_000n);
  return bytes;
}

const iso =
  /^([0-9]{4,7})-([0-9]{2})-([0-9]{2})(?: ([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]{1,6})?(?:([+-])([0-9]{2})(?::([0-9]{2}))?(?::([0-9]{2}))?)?)?( BC)?$/;

function isoParts(value: Buffer): RegExpExecArray | null {
  return value.length > 50 ? null : iso.exec(value.toString('latin1'));
}

const isInfinite = (value: Buffer) => {
  const text = value.length < 10 ? value.toString('latin1') : '';
  return text === 'infinity' || text === '-infinity';
};

function daysOfParts(parts: RegExpExecArray): number {
  const year = Number(parts[1]);
  return dayOf(parts[11] ? 1 - year : year, Number(parts[2]), Number(parts[3]));
}

function dateText(value: Buffer, to: DateUnit): Buffer | null {
  const parts = isoParts(value);
  if (parts === null) return isInfinite(value) ? value : null;
  if (parts[4] !== undefined) return null;
  const cut = cutDays(daysOfParts(parts), to);
  return cut < firstDay ? null : Buffer.from(`${dayText(cut)}${eraText(cut)}`, 'latin1');
}

function stampText(value: Buffer, to: DateUnit, zoned: boolean): Buffer | null {
  const parts = isoParts(value);
  if (parts === null) return isInfinite(value) ? value : null;
  if (parts[4] === undefined || zoned !== (parts[7] !== undefined)) return null;
  const part = (index: number) => Number(parts[index] ?? 0);
  let seconds = daysOfParts(parts) * daySeconds + part(4) * 3_600 + part(5) * 60 + part(6);
  if (zoned) {
    const offset = part(8) * 3_600 + part(9) * 60 + part(10);
    seconds += parts[7] === '-' ? offset : -offset;
  }
  const cut = cutSeconds(seconds, to);
  const days = Math.floor(cut / daySeconds);
  if (days < firstDay) return null;
  const hour = String((cut - days * daySeconds) / 3_600).padStart(2, '0');
  return Buffer.from(`${dayText(days)} ${hour}:00:00${zoned ? '+00' : ''}${eraText(days)}`, 'latin1');
}

function dayText(days: number): string {
  const { year, month } = monthOf(days);
  const day = days - dayOf(year, month, 1) + 1;
  const shown = String(year > 0 ? year : 1 - year).padStart(4, '0');
  return `${shown}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

const eraText = (days: number): string => (monthOf(days).year > 0 ? '' : ' BC');
