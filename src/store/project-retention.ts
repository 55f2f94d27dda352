// What entries say of retention: labels that a session met, keys outside sessions, holds, shreddings. Pure, beside project.ts.
import type { Json } from '../domain/entry.ts';
import { lastingTypes } from '../domain/entry.ts';
import type { JournalItem } from '../ledger/read-journal.ts';

export type Fields = { readonly [key: string]: Json | undefined };

export type RetentionOperation =
  | { readonly do: 'use-key'; readonly key: string; readonly at: number; readonly lasting: boolean }
  | { readonly do: 'hold'; readonly hold: HoldPlaced }
  | { readonly do: 'release'; readonly id: string; readonly at: number; readonly entry: number }
  | { readonly do: 'shred'; readonly shredding: Shredded };

export interface HoldPlaced {
  readonly id: string;
  readonly at: number;
  readonly entry: number;
  readonly session?: string;
  readonly principal?: string;
  /** Names somebody, and nobody can tell any more whom: it keeps everything else that fits. */
  readonly lost: boolean;
  readonly target?: string;
  readonly from?: number;
  readonly to?: number;
  readonly reason: string;
  readonly by: string;
}

export interface Shredded {
  readonly keys: readonly string[];
  readonly at: number;
  readonly entry: number;
  readonly rule: string;
  readonly deleted: boolean;
}

export function projectRetention({ entry, index, payload }: JournalItem, admin: Fields): readonly RetentionOperation[] {
  const found: RetentionOperation[] = [];
  const { k, sid, t, ts, x } = entry;
  // What a request for approval says is sealed with its session's key, and names the session in its facts.
  if (k !== undefined && sid === undefined && !t.startsWith('approval.'))
    found.push({ do: 'use-key', key: k, at: ts, lasting: lastingTypes.has(t) });
  if (t === 'retention.hold' && typeof x.id === 'string')
    found.push({
      do: 'hold',
      hold: {
        id: x.id,
        at: ts,
        entry: index,
        session: text(x.session),
        principal: text(admin.principal),
        lost: x.principal === true && text(admin.principal) === undefined,
        target: text(x.target),
        from: time(x.from),
        to: time(x.to),
        reason: text(admin.reason) ?? (payload === 'shredded' ? '(erased)' : ''),
        by: text(admin.byName) ?? text(admin.by) ?? '',
      },
    });
  if (t === 'retention.release' && typeof x.id === 'string')
    found.push({ do: 'release', id: x.id, at: ts, entry: index });
  if (t === 'retention.shred' && Array.isArray(x.keys))
    found.push({
      do: 'shred',
      shredding: {
        keys: (x.keys as readonly Json[]).filter((key): key is string => typeof key === 'string'),
        at: ts,
        entry: index,
        rule: text(x.rule) ?? '',
        deleted: x.recordings === 'deleted',
      },
    });
  return found;
}

const known = new WeakMap<object, readonly string[]>();

/** Labels of the columns that a statement named or that its results come from; the same list for the same effects. */
export function labelsMet(what: Fields): readonly string[] | undefined {
  const { effects, results } = what;
  if (!Array.isArray(effects)) return undefined;
  let labels = results === undefined ? known.get(effects) : undefined;
  if (labels === undefined) {
    const met = new Set<string>();
    collect(effects, met);
    if (Array.isArray(results)) collect(results, met);
    labels = [...met].sort();
    if (results === undefined) known.set(effects, labels);
  }
  return labels.length === 0 ? undefined : labels;
}

/** Every `labels` of rows and of what stands in them. Deep by the shape of the record, which is not. */
function collect(value: Json | undefined, met: Set<string>): void {
  if (Array.isArray(value)) for (const one of value as readonly Json[]) collect(one, met);
  else if (typeof value === 'object' && value !== null) {
    for (const [name, part] of Object.entries(value)) {
      if (name === 'labels' && Array.isArray(part)) for (const label of part) met.add(String(label));
      else if (name === 'traced' || name === 'sources') collect(part, met);
    }
  }
}

const text = (value: Json | undefined) => (typeof value === 'string' ? value : undefined);
const time = (value: Json | undefined) => (typeof value === 'number' ? value : undefined);
