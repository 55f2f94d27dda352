// Locks: live sessions end in the turn in which one is set, and new ones are refused until it is lifted or over. Setting and lifting
// are entries; a lock is obeyed even when its entry fails (guarantee 10 of who is cut off: the reason is told).
import { randomBytes } from 'node:crypto';
import { Fault } from '../domain/fault.ts';
import { isLocked, type Lock, type LockKind } from '../domain/lock.ts';
import { type Principal, principalId } from '../domain/principal.ts';
import type { Ledger } from '../ledger/ledger.ts';

/** Where locks are kept between starts. */
export interface KeptLocks {
  all(): readonly Lock[];
  put(lock: Lock): void;
  remove(id: string): void;
}

export interface LocksOptions {
  readonly ledger: Pick<Ledger, 'append'>;
  readonly kept: KeptLocks;
  /** Milliseconds since the epoch. */
  now(): number;
}

export interface LockWish {
  readonly kind: LockKind;
  readonly value: string;
  readonly reason: string;
  /** Milliseconds that it stands; until it is lifted without it. */
  readonly forMs?: number;
}

export interface Locks {
  /** Those that stand, newest first. */
  list(): readonly Lock[];
  /** Why this principal may have no session at this target now; undefined when it may. */
  against(principal: Principal, target: string): Fault | undefined;
  /** Sets a lock and ends what it is against; resolves with how many sessions that were. */
  set(wish: LockWish, by: Principal): Promise<{ readonly lock: Lock; readonly ended: number }>;
  /** Undefined when there is no such lock. */
  lift(id: string, by: Principal, reason: string): Promise<Lock | undefined>;
  /** Who ends live sessions: told in the turn of the setting, returns how many. */
  onSet(end: (match: (principal: Principal, target: string) => boolean, fault: Fault) => number): void;
}

export function openLocks({ ledger, kept, now }: LocksOptions): Locks {
  const locks = new Map(kept.all().map((lock) => [lock.id, lock]));
  let endSessions: Parameters<Locks['onSet']>[0] = () => 0;

  /** Without those whose time is over. */
  function standing(): Lock[] {
    const at = now();
    for (const lock of locks.values()) {
      if (lock.until === undefined || lock.until > at) continue;
      locks.delete(lock.id);
      kept.remove(lock.id);
    }
    return [...locks.values()];
  }

  return {
    list: () => standing().sort((a, b) => b.at - a.at),
    against(principal, target) {
      if (locks.size === 0) return undefined;
      const lock = standing().find((one) => isLocked(one, principal, target));
      return lock && faultOf(lock, 'sign-in.locked');
    },
    async set({ kind, value, reason, forMs }, by) {
      const at = now();
      const base = {
        id: randomBytes(12).toString('hex'),
        kind,
        value: value.trim(),
        reason: reason.slice(0, 500).toWellFormed(),
      };
      const who = { by: principalId(by), byName: by.name, at };
      const until = forMs === undefined ? {} : { until: at + forMs };
      const lock: Lock = { ...base, ...who, ...until, entry: -1 };
      // In this turn, before any disk is asked: who is locked sends nothing more.
      locks.set(lock.id, lock);
      kept.put(lock);
      const ended = endSessions(
        (principal, target) => isLocked(lock, principal, target),
        faultOf(lock, 'session.killed'),
      );
      const { index, durable } = ledger.append(
        {
          type: 'lock.set',
          facts: { lock: lock.id, kind, ended, ...until },
          payload: { admin: { ...base, by: who.by, byName: who.byName } },
        },
        'synced',
      );
      await durable;
      const recorded = { ...lock, entry: index };
      if (locks.has(lock.id)) {
        locks.set(lock.id, recorded);
        kept.put(recorded);
      }
      return { lock: recorded, ended };
    },
    async lift(id, by, reason) {
      const lock = standing().find((one) => one.id === id);
      if (!lock) return undefined;
      // Recorded first: nobody comes in again without an entry that says who let them.
      const why = reason.slice(0, 500).toWellFormed();
      const payload = {
        admin: { by: principalId(by), byName: by.name, kind: lock.kind, value: lock.value, reason: why },
      };
      await ledger.append({ type: 'lock.lift', facts: { lock: id }, payload }, 'synced').durable;
      locks.delete(id);
      kept.remove(id);
      return lock;
    },
    onSet(end) {
      endSessions = end;
    },
  };
}

function faultOf({ reason, until }: Lock, code: 'sign-in.locked' | 'session.killed'): Fault {
  const end = until === undefined ? '' : ` It ends at ${new Date(until).toISOString()}.`;
  return new Fault(code, `An administrator locked this access: ${reason || 'no reason was given'}.${end}`);
}
