// The store's reads on a thread of their own: a search over years of statements must not hold up one that passes now.
import { statSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { readNames } from './read-names.ts';
import { openReads, type Reads } from './reads.ts';
import { openSqlite, type Sqlite } from './sqlite.ts';

export interface Ask {
  readonly id: number;
  readonly name: keyof Reads;
  readonly values: readonly unknown[];
}
export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: string };

const port = parentPort!;
let db: Sqlite | undefined;
let reads: Reads | undefined;
let inode: number | undefined;
const { file } = workerData as { readonly file: string };

async function answer({ id, name, values }: Ask): Promise<Answer> {
  try {
    if (!readNames.includes(name)) throw new TypeError(`no read ${name}`);
    // The projector may have made the file anew.
    const { ino } = statSync(file);
    if (!reads || ino !== inode) {
      db?.close();
      db = openSqlite(file, { readOnly: true });
      reads = openReads(db.kysely);
      inode = ino;
    }
    const read = reads[name] as (...values: readonly unknown[]) => Promise<unknown>;
    return { id, value: await read(...values) };
  } catch (cause) {
    return { id, failure: cause instanceof Error ? cause.message : 'unknown' };
  }
}

port.on('message', (message: Ask | 'close') => {
  if (message === 'close') {
    db?.close();
    port.close();
    return;
  }
  void answer(message).then((answer) => port.postMessage(answer));
});
