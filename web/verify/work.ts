// The verification itself, in a worker where there can be one, so that the page stays alive.
import { NoteError } from '../../src/ledger/note.ts';
import { noteOf } from '../../src/ledger/receipt.ts';
import { parseEntry } from '../../src/ledger/entry.ts';
import { readFrames, startOfJournal } from '../../src/ledger/journal-reading.ts';
import { verifyFolder, type VerifyReport } from '../../src/ledger/verify.ts';
import { type ChainReport, type LogFolder, verifyFolders } from '../../src/ledger/verify-chain.ts';
import type { NamedFile } from './dropped.ts';
import { findLedger, type Picked, pickedFile } from './picked.ts';
import { openZip } from './zip.ts';

export interface Task {
  readonly files: readonly NamedFile[];
  readonly key: string;
  readonly kept: readonly string[];
  readonly witnesses: readonly string[];
  readonly quorum?: number;
}

export type News =
  | { readonly kind: 'progress'; readonly entries: number; readonly of: number }
  | {
      readonly kind: 'report';
      readonly report: VerifyReport | ChainReport;
      /** Where each log was found, the oldest first. */
      readonly at: readonly string[];
      readonly recorded: boolean;
    }
  /** It could not be done at all: a wrong key, a folder without a ledger, a file that cannot be read. */
  | { readonly kind: 'wrong'; readonly what: string };

export async function work(task: Task, tell: (news: News) => void | Promise<void>): Promise<void> {
  try {
    const found = findLedger(await open(task.files));
    if (typeof found === 'string') return await tell({ kind: 'wrong', what: found });
    const logs = await oldestFirst(found.ledgers);
    const wish = {
      kept: task.kept.map(noteOf),
      witnesses: task.witnesses,
      ...(task.quorum === undefined ? {} : { quorum: task.quorum }),
      ...(found.recordings ? { recordings: found.recordings } : {}),
      progress: (entries: number, of: number) => tell({ kind: 'progress', entries, of }),
    };
    const report = logs[1]
      ? await verifyFolders(logs, task.key, wish)
      : await verifyFolder(logs[0]!.folder, task.key, wish);
    const at = logs.map(({ name }) => name);
    await tell({ kind: 'report', report, at, recorded: found.recordings !== undefined });
  } catch (cause) {
    const reason = cause instanceof Error || cause instanceof DOMException ? cause.message : String(cause);
    const what = cause instanceof NoteError ? `A key or a kept checkpoint is not right: ${reason}.` : `It could not be read: ${reason}`;
    await tell({ kind: 'wrong', what });
  }
}

/** Logs that continue each other, by the time of their first entries. */
async function oldestFirst(logs: readonly LogFolder[]): Promise<LogFolder[]> {
  const began = async ({ folder }: LogFolder): Promise<number> => {
    try {
      for await (const { records } of readFrames(folder, startOfJournal())) {
        const entry = parseEntry(records[0]!.entry);
        return typeof entry === 'string' ? 0 : entry.ts;
      }
    } catch {
      // What is wrong with it the verification will say.
    }
    return 0;
  };
  const timed = await Promise.all(logs.map(async (log) => ({ log, at: await began(log) })));
  return timed.sort((a, b) => a.at - b.at).map(({ log }) => log);
}

async function open(files: readonly NamedFile[]): Promise<Picked[]> {
  const [first, second] = files;
  if (first && !second && /\.zip$/i.test(first.path)) return openZip(first.file);
  return files.map(({ path, file }) => pickedFile(path, file));
}

/** Does the work in a worker made of this very script, or here in slices where no worker may be made. */
export function startWork(script: string, task: Task, tell: (news: News) => void): { stop(): void } {
  let stopped = false;
  const here = () => {
    let drawn = performance.now();
    void work(task, async (news) => {
      // Nobody waits for the rest.
      if (stopped) await new Promise(() => {});
      tell(news);
      if (performance.now() - drawn < 50) return;
      await new Promise((go) => setTimeout(go));
      drawn = performance.now();
    });
  };
  try {
    const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
    const worker = new Worker(url);
    const end = () => {
      worker.terminate();
      URL.revokeObjectURL(url);
    };
    worker.onmessage = ({ data }: MessageEvent<News>) => {
      tell(data);
      if (data.kind !== 'progress') end();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      end();
      if (!stopped) here();
    };
    worker.postMessage(task);
    return {
      stop() {
        stopped = true;
        end();
      },
    };
  } catch {
    here();
    return {
      stop() {
        stopped = true;
      },
    };
  }
}
