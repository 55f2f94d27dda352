// Backtests for the API: one at a time, each with an end.
import { Worker } from 'node:worker_threads';
import { Fault } from '../domain/fault.ts';
import type { PolicyFile } from '../policy/policy-set.ts';
import type { BacktestWish, LedgerBacktest } from './backtest.ts';
import type { BacktestWork } from './backtest-worker.ts';
import { workerFile } from './follower.ts';

export interface Backtester {
  /** Undefined while another one runs. Rejects with a Fault when the ledger is damaged or the time is over. */
  run(files: readonly PolicyFile[], wish: BacktestWish): Promise<LedgerBacktest> | undefined;
  close(): Promise<void>;
}

export type BacktesterOptions = Omit<BacktestWork, 'wish' | 'files'> & {
  /** Longest time for one, in milliseconds. */
  readonly runMs?: number;
};

export function openBacktester({ runMs = 25_000, ...options }: BacktesterOptions): Backtester {
  let worker: Worker | undefined;

  async function start(work: BacktestWork): Promise<LedgerBacktest> {
    const started = new Worker(workerFile('backtest-worker'), { workerData: work, name: 'backtest' });
    worker = started;
    const { promise, resolve, reject } = Promise.withResolvers<LedgerBacktest>();
    const failed = (message: string, cause?: unknown) => reject(new Fault('ledger.unavailable', message, cause));
    const late = setTimeout(
      () =>
        failed(
          `The backtest took longer than ${runMs / 1_000} seconds. Ask for a shorter time, or use countersign policy backtest.`,
        ),
      runMs,
    );
    started.on('message', resolve);
    started.on('error', (cause) => failed('The history could not be read. Tell an operator.', cause));
    started.on('exit', () => failed('The backtest was stopped.'));
    try {
      return await promise;
    } finally {
      clearTimeout(late);
      await started.terminate();
      worker = undefined;
    }
  }

  return {
    run: (files, wish) => (worker ? undefined : start({ ...options, files, wish })),
    async close() {
      await worker?.terminate();
    },
  };
}
