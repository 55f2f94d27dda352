// A disk that takes too long. What waits on it waits on; nothing new is let through meanwhile, and it is said (ADR 0037). Looked at
// from a timer: what asks for each statement reads one variable.
import type { Disk } from './disk.ts';
import { LevelFault } from './replica.ts';
import type { AckLevel } from '../domain/target.ts';

/** The refusal itself is told to the kernel only: it must not wait on the disk that it is about. */
export class SlowFault extends LevelFault {
  override readonly refusedAt: AckLevel = 'written';
  constructor(seconds: number) {
    super(
      undefined,
      `The disk of the gateway is slow: it has not answered for ${seconds} s. So nothing new is executed until it does.`,
    );
  }
}

export interface WatchedDisk {
  /** The same disk; its operations are timed. */
  readonly disk: Disk;
  /** Set while an operation has taken longer than `slowMs`. */
  slow(): SlowFault | undefined;
  close(): void;
}

export interface SlowOptions {
  readonly slowMs: number;
  /** Milliseconds of a clock that only goes on. */
  readonly now?: () => number;
  /** The disk became slow, or answers again after so many milliseconds. */
  told(slow: SlowFault | undefined, ms: number): void;
}

type Waiting = 'writeAll' | 'sync' | 'syncFolder' | 'makeFolder' | 'rename' | 'remove';
const waiting: readonly Waiting[] = ['writeAll', 'sync', 'syncFolder', 'makeFolder', 'rename', 'remove'];

/** What the kernel does at once (`write`) cannot be watched: the process stands still with it. */
export function watchDisk(on: Disk, { slowMs, now = () => performance.now(), told }: SlowOptions): WatchedDisk {
  /** Since when each operation runs; the first is the oldest. */
  const running = new Set<{ readonly since: number }>();
  let slow: SlowFault | undefined;
  let since = 0;

  function look(): void {
    const oldest = running.values().next().value;
    const age = oldest ? now() - oldest.since : 0;
    if (oldest && age >= slowMs) {
      if (slow) return;
      since = oldest.since;
      slow = new SlowFault(Math.round(age / 100) / 10);
      told(slow, age);
    } else if (slow) {
      slow = undefined;
      told(undefined, now() - since);
    }
  }

  async function timed(run: () => Promise<void>): Promise<void> {
    const one = { since: now() };
    running.add(one);
    try {
      await run();
    } finally {
      running.delete(one);
      if (slow) look();
    }
  }

  const timedOnes = Object.fromEntries(
    waiting.map((name) => [
      name,
      (...args: unknown[]) => timed(() => (on[name] as (...all: unknown[]) => Promise<void>)(...args)),
    ]),
  ) as Pick<Disk, Waiting>;
  const timer = setInterval(look, Math.max(10, Math.min(slowMs / 4, 1_000)));
  timer.unref();
  return {
    disk: { ...on, ...timedOnes },
    slow: () => slow,
    close: () => clearInterval(timer),
  };
}
