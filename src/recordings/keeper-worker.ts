// Writes the recordings of the whole process on a thread of its own. Compression is most of the cost of a large result, and
// its buffers, on the main thread, would have the whole heap collected again and again (docs/performance.md).
import { parentPort } from 'node:worker_threads';
import type { RecordingSeal } from '../ledger/verify-recordings.ts';
import { openChunkFile, type ChunkFileOptions, type Keeper } from './chunks.ts';

/** To the worker. Each is answered, those of one recording in order. */
export type ToKeeper =
  | { readonly do: 'open'; readonly id: number; readonly options: Omit<ChunkFileOptions, 'openFile'> }
  | { readonly do: 'keep'; readonly id: number; readonly chunk: Uint8Array<ArrayBuffer>; readonly back: boolean }
  | { readonly do: 'finish'; readonly id: number };

/** From it. `memory` is a chunk's buffer, given back to be filled again. */
export type FromKeeper =
  | { readonly is: 'kept'; readonly id: number; readonly memory?: ArrayBuffer }
  | { readonly is: 'finished'; readonly id: number; readonly seal: RecordingSeal }
  | { readonly is: 'failed'; readonly id: number; readonly message: string; readonly code?: string };

const port = parentPort!;
const files = new Map<number, Keeper>();

port.on('message', (message: ToKeeper) => {
  const { id } = message;
  if (message.do === 'open') {
    files.set(id, openChunkFile(message.options));
    return;
  }
  const file = files.get(id);
  const failed = (cause: { message?: string; code?: string }) =>
    port.postMessage({ is: 'failed', id, message: String(cause?.message), code: cause?.code } satisfies FromKeeper);
  if (!file) return failed(new Error('the recording has ended'));
  if (message.do === 'finish') {
    files.delete(id);
    file.finish().then((seal) => port.postMessage({ is: 'finished', id, seal } satisfies FromKeeper), failed);
    return;
  }
  const { chunk, back } = message;
  file.keep(chunk).then(() => {
    if (back) port.postMessage({ is: 'kept', id, memory: chunk.buffer } satisfies FromKeeper, [chunk.buffer]);
    else port.postMessage({ is: 'kept', id } satisfies FromKeeper);
  }, failed);
});
