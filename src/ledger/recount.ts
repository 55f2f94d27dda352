// Populations counted again from leaf headers alone: no key, no store. What a store shows must come to the same.
import type { Entry } from './entry.ts';

/** Things that a store keeps one row of. */
export interface Population {
  readonly sessionsOpened: number;
  readonly sessionsEnded: number;
  readonly sessionsOrphaned: number;
  readonly statements: number;
  readonly held: number;
  readonly denied: number;
  readonly outcomes: number;
  readonly votes: number;
}

export interface Recount {
  readonly entries: number;
  /** Entries by type. */
  readonly types: Readonly<Record<string, number>>;
  readonly population: Population;
  /** Index of the first and the last entry counted. */
  readonly first?: number;
  readonly last?: number;
}

/** Times in milliseconds since the epoch: from inclusive, to exclusive. Entries are given from the beginning of the log. */
export function openRecount(from: number, to: number) {
  const types: Record<string, number> = {};
  const count = {
    sessionsOpened: 0,
    sessionsEnded: 0,
    sessionsOrphaned: 0,
    statements: 0,
    held: 0,
    denied: 0,
    outcomes: 0,
    votes: 0,
  };
  /** Statements whose next decision is the answer to a hold, and no statement more. */
  const held = new Set<string>();
  let entries = 0;
  let first: number | undefined;
  let last: number | undefined;

  function decision({ sid, sq, x }: Entry, counts: boolean): void {
    const id = `${sid} ${sq}`;
    if (held.delete(id)) return;
    if (x.d === 'hold') held.add(id);
    if (!counts) return;
    count.statements++;
    if (x.d === 'hold') count.held++;
    if (x.d === 'deny') count.denied++;
  }

  return {
    entry(entry: Entry, index: number): void {
      const { t, ts } = entry;
      const counts = ts >= from && ts < to;
      if (t === 'statement.decision') decision(entry, counts);
      if (!counts) return;
      entries++;
      first ??= index;
      last = index;
      types[t] = (types[t] ?? 0) + 1;
      if (t === 'session.open') count.sessionsOpened++;
      else if (t === 'session.seal') count.sessionsEnded++;
      else if (t === 'session.orphaned') count.sessionsOrphaned++;
      else if (t === 'statement.outcome') count.outcomes++;
      else if (t === 'approval.vote') count.votes++;
    },
    end: (): Recount => ({
      entries,
      types: Object.fromEntries(Object.entries(types).sort(([a], [b]) => (a < b ? -1 : 1))),
      population: count,
      ...(first === undefined ? {} : { first, last: last! }),
    }),
  };
}
