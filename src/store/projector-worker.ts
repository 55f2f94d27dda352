// The projector on a thread of its own, so that following the ledger costs the data path nothing.
import { parentPort, workerData } from 'node:worker_threads';
import { type Gain, openTally } from '../metrics/tally.ts';
import type { JournalItem } from '../ledger/read-journal.ts';
import { openProjector, type Projector, type ProjectorOptions } from './projector.ts';

/** To the worker: the ledger has grown, or close. From it: what changed, where it stands, or that it could not go on. */
export type ToProjector = { readonly do: 'follow' } | { readonly do: 'close' };
export type FromProjector =
  | {
      readonly is: 'changed';
      readonly sessions: readonly string[];
      readonly statements: readonly (readonly [session: string, latest: number])[];
      readonly approvals: readonly string[];
      readonly next: number;
      /** What the entries add up to, where they are counted. */
      readonly gains: readonly Gain[];
    }
  | { readonly is: 'idle'; readonly next: number }
  | { readonly is: 'failed'; readonly message: string }
  | { readonly is: 'closed' };

const port = parentPort!;
const tell = (message: FromProjector) => port.postMessage(message);
let projector: Projector | undefined;
let again = false;
let running = false;
let closing = false;
const tally = openTally();
/** Index of the next entry to count: after a failed batch, or a store that is made anew, entries come a second time. */
let uncounted = (workerData as ProjectorOptions).countFrom ?? Number.POSITIVE_INFINITY;

function seen({ entry, index }: JournalItem): void {
  if (index < uncounted) return;
  uncounted = index + 1;
  tally.add(entry);
}

async function run(): Promise<void> {
  if (running) {
    again = true;
    return;
  }
  running = true;
  do {
    again = false;
    try {
      projector ??= await openProjector(workerData as ProjectorOptions);
      await projector.follow(({ sessions, statements, approvals }, next) => {
        const changes = { sessions: [...sessions], statements: [...statements], approvals: [...approvals] };
        tell({ is: 'changed', ...changes, next, gains: tally.take() });
      }, seen);
      tell({ is: 'idle', next: projector.next() });
    } catch (cause) {
      // Opened again at the next attempt: what failed may be gone by then, and the rows are as they were before the batch.
      projector?.close();
      projector = undefined;
      tell({ is: 'failed', message: cause instanceof Error ? cause.message : 'unknown' });
    }
  } while (again && !closing);
  running = false;
  if (closing) close();
}

function close(): void {
  projector?.close();
  tell({ is: 'closed' });
  port.close();
}

port.on('message', (message: ToProjector) => {
  if (message.do === 'follow') return void run();
  closing = true;
  if (!running) close();
});
