// What would be shredded now, and why; and what is due and held. From the store, which has followed the ledger to its end.
import { keepsSession, keepsTime } from '../ledger/hold-scope.ts';
import type { Reads } from '../store/reads.ts';
import type { KeptSession, ProcessKey, StoredHold } from '../store/reads-retention.ts';
import { day, dueAt, type RetentionRule, ruleFor } from './rules.ts';

export interface Due {
  readonly rule: RetentionRule;
  readonly sessions: readonly KeptSession[];
}

export interface HeldDue {
  readonly session: string;
  readonly rule: string;
  readonly holds: readonly string[];
}

export interface Plan {
  /** By rule, in the order of the configuration; only rules with something due. */
  readonly due: readonly Due[];
  /** Days of what was recorded outside sessions. */
  readonly process: readonly ProcessKey[];
  /** Due, and kept by a hold. Sessions are listed up to a bound. */
  readonly held: readonly HeldDue[];
  readonly heldSessions: number;
  readonly heldDays: number;
}

export interface PlanOptions {
  readonly store: Pick<Reads, 'expiring' | 'processKeys' | 'holds' | 'session'>;
  readonly rules: readonly RetentionRule[];
  readonly gatewayDays?: number;
  readonly now: number;
  /** Keys that still seal something. */
  readonly inUse: readonly string[];
}

const pageSize = 1_000;
const mostListed = 1_000;
/** What the API calls the rule of what was recorded outside sessions. */
export const gatewayRule = 'gateway';

export async function planShredding({ store, rules, gatewayDays, now, inUse }: PlanOptions): Promise<Plan> {
  const holds = (await store.holds()).filter((hold) => hold.released === undefined);
  const due = new Map<string, { rule: RetentionRule; sessions: KeptSession[] }>();
  const held: HeldDue[] = [];
  let heldSessions = 0;
  if (rules.length > 0) {
    const closedBefore = now - Math.min(...rules.map((rule) => rule.days)) * day + 1;
    let after: { at: number; id: string } | undefined;
    for (;;) {
      const page = await store.expiring({ closedBefore, after, limit: pageSize });
      for (const session of page) {
        const rule = ruleFor(rules, session);
        if (!rule || dueAt(rule, session.closed) > now) continue;
        const kept = holdsOf(holds, session);
        if (kept.length > 0) {
          heldSessions++;
          if (held.length < mostListed) held.push({ session: session.id, rule: rule.id, holds: kept });
          continue;
        }
        const of = due.get(rule.id) ?? { rule, sessions: [] };
        due.set(rule.id, of);
        of.sessions.push(session);
      }
      const last = page.at(-1);
      if (page.length < pageSize || !last) break;
      after = { at: last.closed, id: last.id };
    }
  }
  const days = gatewayDays === undefined ? [] : await store.processKeys(now - gatewayDays * day);
  const free = days.filter(({ key }) => !inUse.includes(key));
  const named = await namedSessions(store, holds);
  const process = free.filter(({ first, last }) => !holds.some((hold) => keepsTime(hold, first, last, named(hold))));
  return {
    due: rules.flatMap(({ id }) => due.get(id) ?? []),
    process,
    held,
    heldSessions,
    heldDays: free.length - process.length,
  };
}

/** Ids of the holds in force that keep a session. */
export function holdsOf(holds: readonly StoredHold[], session: Omit<KeptSession, 'key' | 'labels'>): string[] {
  const erased = session.principal.startsWith('(erased)');
  return holds
    .filter(
      (hold) =>
        hold.released === undefined &&
        keepsSession(hold.lost ? { ...hold, principal: undefined } : hold, {
          ...session,
          principal: erased ? undefined : session.principal,
        }),
    )
    .map(({ id }) => id);
}

async function namedSessions(store: PlanOptions['store'], holds: readonly StoredHold[]) {
  const found = new Map<string, { id: string; target: string; opened: number; closed: number }>();
  for (const { session: id } of holds) {
    if (id === undefined || found.has(id)) continue;
    const session = await store.session(id);
    if (!session) continue;
    const { target, opened, closed = Number.POSITIVE_INFINITY } = session;
    found.set(id, { id, target, opened, closed });
  }
  return (hold: StoredHold) => (hold.session === undefined ? undefined : found.get(hold.session));
}
