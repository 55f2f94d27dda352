// Something that is to be done when it is due, and again after a while when it failed. Nothing waits for it.

export interface RoundsOptions {
  /** When it is due, in milliseconds since the epoch; asked again after each round. */
  due(): number | Promise<number>;
  run(): Promise<void>;
  /** Waits after failures in a row; the last one stands for all further ones. */
  readonly retryMs: readonly number[];
  now(): number;
  failed(cause: Error): void;
}

export interface Rounds {
  close(): Promise<void>;
}

/** Longest time without a look at the clock: a timer knows nothing of a machine that slept. */
const longestMs = 600_000;

export function openRounds({ due, run, retryMs, now, failed }: RoundsOptions): Rounds {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let failures = 0;
  let notBefore = 0;
  let closed = false;

  async function look(): Promise<void> {
    try {
      const at = Math.max(await due(), notBefore);
      if (closed) return;
      const wait = at - now();
      if (wait > 0) return wake(Math.min(wait, longestMs));
      await run();
      failures = 0;
      notBefore = 0;
      wake(0);
    } catch (cause) {
      notBefore = now() + retryMs[Math.min(failures, retryMs.length - 1)]!;
      failures++;
      failed(cause as Error);
      wake(0);
    }
  }

  function wake(ms: number): void {
    if (closed) return;
    timer = setTimeout(() => {
      running = look();
    }, ms);
    timer.unref();
  }

  wake(0);
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await running;
    },
  };
}
