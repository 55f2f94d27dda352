// Ledger entries → recorded statements that can be decided again: who stood where, what the statement meant, what was decided.
// Equal standpoints and meanings become one object, so that decisions about them are made once.
import type { Json } from '../domain/entry.ts';
import type { Label } from '../domain/label.ts';
import { type Principal, principalId } from '../domain/principal.ts';
import type { Meaning, StatementKind } from '../domain/statement.ts';
import { isUnattended } from './check.ts';
import type { MaskRow } from './mask-summary.ts';
import type { Standpoint } from './policy.ts';
import { readMeaning } from './recorded.ts';

type Fields = { readonly [key: string]: Json | undefined };

/** What is needed of an entry of the ledger. */
export interface HistoryItem {
  readonly index: number;
  readonly entry: {
    readonly t: string;
    readonly ts: number;
    readonly sid?: string;
    readonly sq?: number;
    readonly x: Fields;
  };
  readonly payload?: 'shredded' | { readonly [group: string]: Json | undefined };
}

export interface RecordedStatement {
  readonly entry: number;
  readonly session: string;
  readonly sequence: number;
  readonly at: number;
  readonly kind: StatementKind;
  readonly text: string;
  /** What the policy said: also where a hold was answered at once, or a prepared statement's hold was put off. */
  readonly ruling: 'permit' | 'hold' | 'deny';
  readonly rules: readonly string[];
  readonly masks: readonly MaskRow[];
  readonly hold?: { readonly group: string; readonly quorum: number; readonly grade?: string };
  readonly standpoint: Standpoint;
  readonly meaning: Meaning;
}

/** Why a decision cannot be made again: its key was destroyed, its session began before the reading, or it is not as we write it. */
export type Lost = 'erased' | 'unknown' | 'unreadable';

export interface History {
  /** Takes entries in their order; answers for those that are the first decision of a statement. */
  take(item: HistoryItem): RecordedStatement | Lost | undefined;
}

const mostKept = 20_000;

export function openHistory(): History {
  const sessions = new Map<string, Standpoint | Lost>();
  const principals = new Map<string, Principal>();
  const standpoints = new Map<string, Standpoint>();
  const meanings = new Map<string, Meaning>();
  /** The last statement of each session: the ruling that ends a hold has its number again. */
  const latest = new Map<string, number>();

  function opened({ entry, payload }: HistoryItem): Standpoint | Lost {
    if (payload === 'shredded') return 'erased';
    const who = fields(fields(payload?.['who'])['principal']);
    const { kind, issuer, subject } = who;
    const { target, database } = entry.x;
    const labels = fields(payload?.['target'])['labels'];
    if (kind !== 'agent' && kind !== 'human' && kind !== 'service') return 'unreadable';
    if (typeof issuer !== 'string' || typeof subject !== 'string' || !Array.isArray(labels)) return 'unreadable';
    if (typeof target !== 'string' || typeof database !== 'string') return 'unreadable';
    const given: Omit<Principal, 'credential'> = {
      kind,
      issuer,
      subject,
      name: text(who['name']) ?? subject,
      groups: (who['groups'] ?? []) as readonly string[],
      ...(who['owner'] === undefined ? {} : { owner: String(who['owner']) }),
      ...(who['email'] === undefined ? {} : { email: String(who['email']) }),
      claims: (who['claims'] ?? {}) as Principal['claims'],
      delegation: (who['delegation'] ?? []) as unknown as Principal['delegation'],
    };
    const principal = once<Principal>(principals, JSON.stringify(given), () => ({
      ...given,
      credential: { type: 'jwt', sha256: '' },
    }));
    const key = JSON.stringify([principalId(principal), target, database, labels, given]);
    return once(standpoints, key, () => ({
      principal,
      target,
      database,
      unattended: isUnattended(principal),
      labels: labels as readonly Label[],
    }));
  }

  function decided({ index, entry, payload }: HistoryItem, session: string, sequence: number) {
    const standpoint = sessions.get(session) ?? 'unknown';
    if (typeof standpoint === 'string') return standpoint;
    if (payload === 'shredded') return 'erased';
    const what = fields(payload?.['what']);
    const key = JSON.stringify([standpoint.target, what['effects'], what['results']]);
    let meaning = meanings.get(key);
    if (!meaning) {
      meaning = readMeaning(what, standpoint.target);
      if (!meaning) return 'unreadable';
      if (meanings.size >= mostKept) meanings.clear();
      meanings.set(key, meaning);
    }
    const { d, cause, deferred, k, r } = entry.x;
    const rules = Array.isArray(what['rules']) ? what['rules'] : r;
    const hold = what['hold'] === undefined ? undefined : fields(what['hold']);
    const held = deferred === true || cause === 'refused';
    return {
      entry: index,
      session,
      sequence,
      at: entry.ts,
      kind: (text(k) ?? 'execute') as StatementKind,
      text: text(what['text']) ?? '',
      // What only its record's place refused, the policy had permitted.
      ruling: held
        ? 'hold'
        : ((cause === 'unavailable' ? 'permit' : (text(d) ?? 'deny')) as RecordedStatement['ruling']),
      rules: Array.isArray(rules) ? rules.map(String) : [],
      masks: Array.isArray(what['masks']) ? (what['masks'] as unknown as MaskRow[]) : [],
      ...(hold
        ? {
            hold: {
              group: text(hold['group']) ?? '',
              quorum: Number(hold['quorum']),
              ...(text(hold['grade']) === undefined ? {} : { grade: text(hold['grade'])! }),
            },
          }
        : {}),
      standpoint,
      meaning,
    };
  }

  return {
    take(item) {
      const { t, sid, sq } = item.entry;
      if (sid === undefined) return undefined;
      if (t === 'session.open') sessions.set(sid, opened(item));
      else if (t === 'session.seal' || t === 'session.orphaned') {
        sessions.delete(sid);
        latest.delete(sid);
      } else if (t === 'statement.decision' && sq !== undefined && sq > (latest.get(sid) ?? 0)) {
        latest.set(sid, sq);
        return decided(item, sid, sq);
      }
      return undefined;
    },
  };
}

function once<T>(known: Map<string, T>, key: string, make: () => T): T {
  let value = known.get(key);
  if (value === undefined) {
    if (known.size >= mostKept) known.clear();
    known.set(key, (value = make()));
  }
  return value;
}

function fields(value: Json | undefined): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
