// The daily run: at one time of the day, UTC, and again at the next day's whatever became of it.
import type { Retention, ShredReport } from './retention.ts';

export interface DailyOptions {
  readonly retention: Pick<Retention, 'shred'>;
  /** HH:MM. */
  readonly at: string;
  readonly now: () => number;
  readonly timers: { set(call: () => void, ms: number): unknown; clear(timer: unknown): void };
  done(report: ShredReport): void;
  failed(error: unknown): void;
}

const day = 86_400_000;

/** Milliseconds from `now` to the next such time of the day. */
export function untilNext(at: string, now: number): number {
  const [hours, minutes] = at.split(':').map(Number) as [number, number];
  const today = now - (now % day) + (hours * 60 + minutes) * 60_000;
  return (today > now ? today : today + day) - now;
}

export function startDaily({ retention, at, now, timers, done, failed }: DailyOptions): { close(): void } {
  let timer: unknown;
  const wait = () => {
    timer = timers.set(run, untilNext(at, now()));
  };
  const run = () => {
    wait();
    retention.shred().then(done, failed);
  };
  wait();
  return { close: () => timers.clear(timer) };
}
