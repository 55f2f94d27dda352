// When a receipt is due. UTC, so that no clock change sends two or none.
export type Period = 'hourly' | 'daily' | 'weekly' | 'monthly';

const hour = 3_600_000;
const day = 24 * hour;
/** Early in the day, when nobody waits for anything. */
const hourOfDay = 6;

/** The first time after `after` that the period names. */
export function nextTime(period: Period, after: number): number {
  if (period === 'hourly') return (Math.floor(after / hour) + 1) * hour;
  if (period === 'monthly') {
    const date = new Date(after);
    const at = (months: number) => Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1, hourOfDay);
    return at(0) > after ? at(0) : at(1);
  }
  // 1970-01-01 was a Thursday: the Mondays are those of day 4 of the count of weeks.
  const [length, first] = period === 'daily' ? [day, hourOfDay * hour] : [7 * day, 4 * day + hourOfDay * hour];
  return first + (Math.floor((after - first) / length) + 1) * length;
}
