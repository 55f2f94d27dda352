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
  const from = await segmentBefore(ledger, since - options.sessionMs);
  const history = openHistory();
  const backtest = openBacktest(options.draft);
  let entries = 0;
  let statements = 0;
  let cut = false;
  reading: for await (const items of openJournalTail(ledger, keys).blocks(from)) {
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

/** First entry of the newest segment that begins before a time. */
async function segmentBefore(folder: string, time: number): Promise<number> {
  for (const first of (await segments(onDisk(folder))).toReversed()) {
    for await (const { entry } of readJournal(folder, first)) {
      if (entry.ts < time) return first;
      break;
    }
  }
  return 0;
}
