// The projector on a thread of its own, so that following the ledger costs the data path nothing.
import { parentPort, workerData } from 'node:worker_threads';
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
        tell({ is: 'changed', sessions: [...sessions], statements: [...statements], approvals: [...approvals], next });
      });
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
