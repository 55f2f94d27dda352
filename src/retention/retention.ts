// Retention as the gateway does it: plan, hold, release, shred. One act at a time, each an entry before it takes effect; a hold that
// was recorded keeps everything that is shredded after it (test: retention.test.ts, "held").
import { randomBytes } from 'node:crypto';
import { Fault } from '../domain/fault.ts';
import { type Principal, principalId } from '../domain/principal.ts';
import type { HoldScope } from '../ledger/hold-scope.ts';
import { mostKeys, shredKeys, type Shredding } from '../ledger/shred.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Reads, StoredSession } from '../store/reads.ts';
import type { KeptSession, StoredHold } from '../store/reads-retention.ts';
import { gatewayRule, holdsOf, type Plan, planShredding } from './plan.ts';
import { dueAt, type RetentionRule, ruleFor } from './rules.ts';

export interface RetentionSettings {
  readonly rules: readonly RetentionRule[];
  readonly gatewayDays?: number;
}

export interface RetentionOptions extends RetentionSettings {
  readonly ledger: Pick<Ledger, 'append' | 'status' | 'processKeys'>;
  readonly state: string;
  readonly store: Pick<Reads, 'expiring' | 'processKeys' | 'holds' | 'session' | 'shredded' | 'deletedRecordings'> & {
    reached(entries: number, ms?: number): Promise<void>;
  };
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Drops what this process remembers of keys and sessions that are gone. */
  readonly forget: (keys: readonly string[], sessions: readonly string[]) => void;
  /** Removes the file of a session's recording; there may be none. */
  readonly removeRecording: (session: string) => Promise<void>;
}

export interface ShredReport {
  readonly sessions: number;
  /** Days of what was recorded outside sessions. */
  readonly days: number;
  readonly keys: number;
  readonly rules: readonly { readonly rule: string; readonly sessions: number }[];
  readonly held: number;
  readonly entries: readonly number[];
}

export interface Retention {
  plan(): Promise<Plan>;
  /** Shreds what is due: all of it, or nothing more after the first failure. */
  shred(by?: Principal): Promise<ShredReport>;
  hold(scope: HoldScope, reason: string, by: Principal): Promise<StoredHold>;
  /** False when there is no such hold in force. */
  release(id: string, reason: string, by: Principal): Promise<boolean>;
  holds(): Promise<readonly StoredHold[]>;
  /** What the rules and holds say of one session. */
  of(session: StoredSession): Promise<{ retention?: { rule: string; until: number }; holds?: string[] }>;
  summary(): Promise<{ rules: number; holds: number; shredded: { sessions: number; last?: number } }>;
}

/** Unlinked again at each run: a process that died in the middle may have left some. */
const recheckedRecordings = 1_000;

export function openRetention(options: RetentionOptions): Retention {
  const { ledger, state, store, rules, now } = options;
  let last: Promise<unknown> = Promise.resolve();

  /** One act after another: what a hold keeps must be known to the shredding that follows it. */
  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = last.then(act);
    last = done.catch(() => undefined);
    return done;
  }

  async function upToDate(): Promise<void> {
    try {
      await store.reached(ledger.status().entries, 60_000);
    } catch (cause) {
      throw new Fault('ledger.unavailable', 'The store has not followed the ledger yet. Try again in a moment.', cause);
    }
  }

  async function plan(): Promise<Plan> {
    await upToDate();
    return planShredding({
      store,
      rules,
      ...(options.gatewayDays === undefined ? {} : { gatewayDays: options.gatewayDays }),
      now: now(),
      inUse: ledger.processKeys(),
    });
  }

  async function shred(by?: Principal): Promise<ShredReport> {
    for (const session of await store.deletedRecordings(recheckedRecordings)) await options.removeRecording(session);
    const found = await plan();
    const entries: number[] = [];
    const acting: Pick<Shredding, 'by' | 'who'> = by
      ? { by: 'person', who: { by: principalId(by), byName: by.name } }
      : { by: 'schedule' };
    let keys = 0;
    const one = async (of: Omit<Shredding, 'by' | 'who'>, sessions: readonly string[]) => {
      entries.push(await shredKeys(ledger, state, { ...of, ...acting }));
      keys += of.keys.length;
      options.forget(of.keys, sessions);
      if (of.recordings === 'deleted') for (const session of sessions) await options.removeRecording(session);
    };
    for (const { rule, sessions } of found.due) {
      for (const some of portions(sessions)) {
        await one(
          {
            rule: rule.id,
            keys: some.map(({ key }) => key),
            sessions: some.length,
            from: Math.min(...some.map(({ opened }) => opened)),
            to: Math.max(...some.map(({ closed }) => closed)),
            recordings: rule.recordings === 'delete' ? 'deleted' : 'kept',
          },
          some.map(({ id }) => id),
        );
      }
    }
    for (const some of portions(found.process)) {
      const from = Math.min(...some.map(({ first }) => first));
      const to = Math.max(...some.map((of) => of.last));
      await one({ rule: gatewayRule, keys: some.map(({ key }) => key), sessions: 0, from, to, recordings: 'kept' }, []);
    }
    return {
      sessions: found.due.reduce((sum, { sessions }) => sum + sessions.length, 0),
      days: found.process.length,
      keys,
      rules: found.due.map(({ rule, sessions }) => ({ rule: rule.id, sessions: sessions.length })),
      held: found.heldSessions,
      entries,
    };
  }

  async function hold(scope: HoldScope, reason: string, by: Principal): Promise<StoredHold> {
    // Hex, because it is typed on command lines, where what begins with a dash is an option.
    const id = randomBytes(9).toString('hex');
    const { principal, ...clear } = scope;
    const who = { by: principalId(by), byName: by.name, reason };
    const { index, durable } = ledger.append(
      {
        type: 'retention.hold',
        facts: { id, ...clear, ...(principal === undefined ? {} : { principal: true }) },
        payload: { admin: principal === undefined ? who : { ...who, principal } },
      },
      'synced',
    );
    await durable;
    return { id, at: now(), entry: index, ...scope, lost: false, reason, by: by.name };
  }

  async function release(id: string, reason: string, by: Principal): Promise<boolean> {
    await upToDate();
    const found = (await store.holds()).find((one) => one.id === id);
    if (!found || found.released !== undefined) return false;
    await ledger.append(
      {
        type: 'retention.release',
        facts: { id },
        payload: { admin: { by: principalId(by), byName: by.name, reason } },
      },
      'synced',
    ).durable;
    return true;
  }

  return {
    plan: () => inTurn(plan),
    shred: (by) => inTurn(() => shred(by)),
    hold: (scope, reason, by) => inTurn(() => hold(scope, reason, by)),
    release: (id, reason, by) => inTurn(() => release(id, reason, by)),
    async holds() {
      await upToDate();
      return store.holds();
    },
    async of(session) {
      if (session.shredded) return {};
      const { id, principal, target, opened, closed = Number.POSITIVE_INFINITY, labels } = session;
      const kept: Omit<KeptSession, 'key' | 'labels'> = { id, principal, target, opened, closed };
      const holds = holdsOf(await store.holds(), kept);
      const rule = session.closed === undefined ? undefined : ruleFor(rules, { target, labels });
      return {
        ...(rule ? { retention: { rule: rule.id, until: dueAt(rule, closed) } } : {}),
        ...(holds.length > 0 ? { holds } : {}),
      };
    },
    async summary() {
      const inForce = (await store.holds()).filter((one) => one.released === undefined).length;
      return { rules: rules.length, holds: inForce, shredded: await store.shredded() };
    },
  };
}

function* portions<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += mostKeys) yield all.slice(at, at + mostKeys);
}
