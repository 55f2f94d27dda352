// What one call costs, for parts that need no sockets and no other process.
import { performance } from 'node:perf_hooks';
import { median } from './measure.ts';

/** Microseconds a call, the median of seven runs of so many calls after one to warm up. */
export function cost(times: number, call: (n: number) => unknown): number {
  const runs: number[] = [];
  for (let run = 0; run < 8; run++) {
    const began = performance.now();
    for (let n = 0; n < times; n++) call(n);
    runs.push(((performance.now() - began) * 1_000) / times);
  }
  return median(runs.slice(1));
}
