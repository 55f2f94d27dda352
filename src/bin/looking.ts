// Looks at targets every few minutes for sessions that did not come through this gateway, and records each look (docs/reconcile.md).
import { Fault } from '../domain/fault.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { OwnConnection } from '../protocols/postgres/own-connection.ts';
import { type ActiveSession, activityQuery, compareActivity, readActivity } from '../reconcile/activity.ts';
import { forRecord, resultDraft } from '../reconcile/result.ts';

export interface LookedAt {
  readonly name: string;
  readonly role: string;
  readonly databases: readonly string[];
  readonly expected: readonly string[];
  readonly everyMs: number;
}

export interface LookingOptions {
  readonly ledger: Pick<Ledger, 'append'>;
  readonly targets: readonly LookedAt[];
  /** A connection of the gateway's own, on record before it asks. */
  connect(target: string): Promise<Pick<OwnConnection, 'query' | 'close'>>;
  /** Processes that serve us at a target now, by id, with the ports of our ends. */
  ours(target: string): ReadonlyMap<number, number | undefined>;
  /** Somebody went around the gateway. */
  found(target: string, foreign: readonly ActiveSession[]): void;
  /** The target could not be asked. */
  failed(target: string, cause: unknown): void;
  readonly now: () => number;
  /** Milliseconds that a session has between its login and its record. */
  readonly graceMs?: number;
}

export interface Looking {
  /** The last look at a target that came to an end. */
  last(target: string): { readonly at: number; readonly ok: boolean; readonly onlyInTarget: number } | undefined;
  look(target: string): Promise<void>;
  close(): void;
}

export function openLooking(options: LookingOptions): Looking {
  const { ledger, graceMs = 2_000, now } = options;
  const last = new Map<string, { at: number; ok: boolean; onlyInTarget: number }>();
  const timers = options.targets.map((target) => setInterval(() => void look(target.name), target.everyMs).unref());

  async function look(name: string): Promise<void> {
    const target = options.targets.find((one) => one.name === name)!;
    try {
      const at = now();
      const live = await compare(target);
      const ok = live.foreign.length === 0;
      ledger
        .append(resultDraft(name, forRecord({ target: name, at, ok, live })), 'written')
        .durable.catch(() => undefined);
      last.set(name, { at, ok, onlyInTarget: live.foreign.length });
      if (!ok) options.found(name, live.foreign);
    } catch (cause) {
      options.failed(name, cause);
      const failed = cause instanceof Fault ? cause.code : 'gateway.internal';
      try {
        const record = { facts: { ok: false, sources: ['activity'] as const, failed }, details: '' };
        ledger.append(resultDraft(name, record), 'written').durable.catch(() => undefined);
      } catch {
        // A ledger that is down has told everybody.
      }
    }
  }

  /** What is there twice and not ours either time: sessions begin and end while one looks. */
  async function compare(target: LookedAt) {
    const connection = await options.connect(target.name);
    try {
      const once = async () => {
        const active = readActivity(await connection.query(activityQuery));
        return compareActivity(active, options.ours(target.name), target);
      };
      const first = await once();
      if (first.foreign.length === 0) return first;
      await new Promise((resolve) => setTimeout(resolve, graceMs));
      const second = await once();
      const before = new Set(first.foreign.map(({ pid, started }) => `${pid} ${started}`));
      return { ...second, foreign: second.foreign.filter(({ pid, started }) => before.has(`${pid} ${started}`)) };
    } finally {
      connection.close();
    }
  }

  return {
    last: (target) => last.get(target),
    look,
    close() {
      for (const timer of timers) clearInterval(timer);
    },
  };
}
