// The thread that writes recordings, as recorders see it: one for the process, started by the first chunk.
import { Worker } from 'node:worker_threads';
import type { RecordingSeal } from '../ledger/verify-recordings.ts';
import type { ChunkFileOptions, Keeper } from './chunks.ts';
import type { FromKeeper, ToKeeper } from './keeper-worker.ts';

/** Size of the buffers that go to the thread and come back. */
export const slabBytes = 256 * 1024;
/** Buffers kept for the next use. */
const mostSlabs = 16;
const slabs: ArrayBuffer[] = [];

/** A buffer of `slabBytes` to fill and give to `keep`, which takes it away. Its content is of no meaning. */
export function takeSlab(): Buffer<ArrayBuffer> {
  return Buffer.from(slabs.pop() ?? new ArrayBuffer(slabBytes));
}

interface Waiting {
  done(seal?: RecordingSeal): void;
  fail(cause: unknown): void;
}

interface Thread {
  readonly worker: Worker;
  /** By recording: those that wait for an answer, in order. */
  readonly waiting: Map<number, Waiting[]>;
  dead: unknown;
}

let thread: Thread | undefined;
let opened = 0;

function start(): Thread {
  const file = new URL(`./keeper-worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);
  const worker = new Worker(file, { name: 'recordings' });
  // What waits for an answer keeps the process alive; an idle thread does not.
  worker.unref();
  const started: Thread = { worker, waiting: new Map(), dead: undefined };
  worker.on('message', (message: FromKeeper) => answered(started, message));
  worker.on('error', (cause) => lost(started, cause));
  worker.on('exit', () => lost(started, new Error('the thread that writes recordings ended')));
  return started;
}

function answered({ worker, waiting }: Thread, message: FromKeeper): void {
  const ofOne = waiting.get(message.id);
  const one = ofOne?.shift();
  if (ofOne?.length === 0) {
    waiting.delete(message.id);
    if (waiting.size === 0) worker.unref();
  }
  if (message.is === 'failed') one?.fail(Object.assign(new Error(message.message), { code: message.code }));
  else if (message.is === 'finished') one?.done(message.seal);
  else {
    if (message.memory && slabs.length < mostSlabs) slabs.push(message.memory);
    one?.done();
  }
}

/** Recordings that were being written end with it; the next one gets a new thread. */
function lost(of: Thread, cause: unknown): void {
  of.dead ??= cause;
  if (thread === of) thread = undefined;
  for (const ofOne of of.waiting.values()) for (const one of ofOne) one.fail(of.dead);
  of.waiting.clear();
}

/** A recording written by the thread; see `openChunkFile`. */
export function openKeeper(options: Omit<ChunkFileOptions, 'openFile'>): Keeper {
  const id = ++opened;
  let mine: Thread | undefined;

  function ask(message: ToKeeper, transfer: ArrayBuffer[]): Promise<RecordingSeal | undefined> {
    if (mine === undefined) {
      mine = thread ??= start();
      mine.worker.postMessage({ do: 'open', id, options } satisfies ToKeeper);
    }
    const { worker, waiting, dead } = mine;
    if (dead !== undefined) return Promise.reject(dead);
    const { promise, resolve: done, reject: fail } = Promise.withResolvers<RecordingSeal | undefined>();
    const ofOne = waiting.get(id);
    if (ofOne) ofOne.push({ done, fail });
    else waiting.set(id, [{ done, fail }]);
    worker.ref();
    worker.postMessage(message, transfer);
    return promise;
  }

  return {
    async keep(chunk) {
      const memory = chunk.buffer as ArrayBuffer;
      const back = memory.byteLength === slabBytes;
      // A slab changes hands; anything else is copied, so that the caller may go on with it.
      await ask({ do: 'keep', id, chunk: chunk as Uint8Array<ArrayBuffer>, back }, back ? [memory] : []);
    },
    async finish() {
      return (await ask({ do: 'finish', id }, []))!;
    },
  };
}
