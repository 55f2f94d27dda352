// The ledger's history through a draft, from its files and keys: beside a running gateway, which it does not touch.
import type { KeyOpener } from '../ledger/keyring.ts';
import { onDisk } from '../ledger/disk-folder.ts';
import { segments } from '../ledger/journal-reading.ts';
import { openJournalTail, readJournal } from '../ledger/read-journal.ts';
import { type BacktestReport, openBacktest } from '../policy/backtest.ts';
import { openHistory } from '../policy/history.ts';
import type { Policy } from '../policy/policy.ts';

export interface BacktestWish {
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly until?: number;
  readonly target?: string;
  /** Principal id, or the beginning of a name. */
  readonly agent?: string;
  /** Statements at most; the report says that it was cut. */
  readonly most?: number;
}

export interface BacktestOptions extends BacktestWish {
  /** Folder of the ledger. */
  readonly ledger: string;
  /** Folders of the logs that it continues, the first one first. */
  readonly earlier?: readonly string[] | undefined;
  readonly keys: KeyOpener;
  readonly draft: Policy;
  /** Longest life of a session in milliseconds: how far before `since` one may have begun. */
  readonly sessionMs: number;
  readonly progress?: (at: { readonly entries: number; readonly statements: number }) => void;
  readonly signal?: AbortSignal;
}

export interface LedgerBacktest extends BacktestReport {
  /** Entries that were read, and the first of them. */
  readonly entries: number;
  readonly from: number;
  /** There was more than `most`. */
  readonly cut: boolean;
}

/** Rejects with a Fault when the ledger is damaged, with the signal's reason when it is aborted. */
export async function backtestLedger(options: BacktestOptions): Promise<LedgerBacktest> {
  const { ledger, keys, since, until = Number.POSITIVE_INFINITY, most = Number.POSITIVE_INFINITY, signal } = options;
  const logs = [...(options.earlier ?? []), ledger];
  const { at, from } = await placeBefore(logs, since - options.sessionMs);
  const history = openHistory();
  const backtest = openBacktest(options.draft);
  let entries = 0;
  let statements = 0;
  let cut = false;
  reading: for (const [place, log] of logs.slice(at).entries()) {
    for await (const items of openJournalTail(log, keys).blocks(place === 0 ? from : 0)) {
      signal?.throwIfAborted();
      for (const item of items) {
        if (item.entry.ts >= until) break reading;
        entries++;
        const found = history.take(item as Parameters<typeof history.take>[0]);
        if (found === undefined || item.entry.ts < since) continue;
        if (typeof found !== 'string' && !isWanted(found.standpoint, options)) continue;
        if (statements >= most) {
          cut = true;
          break reading;
        }
        statements++;
        backtest.add(found);
      }
      options.progress?.({ entries, statements });
    }
  }
  return { ...backtest.report(), entries, from, cut };
}

function isWanted(
  {
    principal,
    target,
  }: { readonly principal: { issuer: string; subject: string; name: string }; readonly target: string },
  wish: BacktestWish,
): boolean {
  if (wish.target !== undefined && wish.target !== target) return false;
  const { agent } = wish;
  return (
    agent === undefined || `${principal.issuer}|${principal.subject}` === agent || principal.name.startsWith(agent)
  );
}

/** First entry of the newest segment that begins before a time, in the newest log that has one. */
async function placeBefore(logs: readonly string[], time: number): Promise<{ at: number; from: number }> {
  for (const [at, folder] of [...logs.entries()].toReversed()) {
    for (const first of (await segments(onDisk(folder))).toReversed()) {
      for await (const { entry } of readJournal(folder, first)) {
        if (entry.ts < time) return { at, from: first };
        break;
      }
    }
  }
  return { at: 0, from: 0 };
}
