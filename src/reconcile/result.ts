// What a reconciliation comes to, and the form in which it goes into the ledger: counts in the clear, content sealed.
import type { Draft, Json } from '../domain/entry.ts';
import type { ActivityResult } from './activity.ts';
import type { CallsResult } from './calls.ts';
import type { Reconciliation } from './reconcile.ts';

export interface Reconciled {
  readonly target: string;
  /** Milliseconds since the epoch, by the gateway's clock. */
  readonly at: number;
  /** Nothing is only in the target. */
  readonly ok: boolean;
  readonly log?: Reconciliation;
  readonly live?: ActivityResult;
  readonly calls?: CallsResult;
}

/** Counts without personal data, and what they are of. */
export interface ReconcileFacts {
  readonly ok: boolean;
  readonly sources: readonly ('log' | 'activity' | 'calls')[];
  readonly from?: number;
  readonly to?: number;
  readonly complete?: boolean;
  /** Codes of what the log cannot show. */
  readonly findings?: readonly string[];
  /** SHA-256 of each file that was read. */
  readonly inputs?: readonly string[];
  readonly sessions?: Readonly<Record<string, number>>;
  readonly statements?: Readonly<Record<string, number>>;
  readonly live?: Readonly<Record<string, number>>;
  readonly calls?: Readonly<Record<string, number>>;
  /** Why the target could not be asked: then nothing was found and nothing was seen. */
  readonly failed?: string;
}

export interface ReconcileRecord {
  readonly facts: ReconcileFacts;
  /** Who was where; sealed. */
  readonly details: string;
}

/** An entry holds no more. */
const mostInputs = 32;
const longestDetails = 40 * 1024;

export function forRecord({ ok, log, live, calls }: Reconciled): ReconcileRecord {
  const facts: ReconcileFacts = {
    ok,
    sources: [
      ...(log ? ['log' as const] : []),
      ...(live ? ['activity' as const] : []),
      ...(calls ? ['calls' as const] : []),
    ],
    ...(log
      ? {
          ...log.period,
          complete: log.log.complete,
          findings: [...new Set(log.log.findings.map(({ code }) => code))],
          inputs: log.log.files.slice(0, mostInputs).map(({ sha256 }) => sha256),
          sessions: numbers({ ...log.sessions, elsewhere: total(log.sessions.elsewhere) }),
          statements: numbers({ ...log.statements, onlyInLedger: total(log.statements.onlyInLedger) }),
        }
      : {}),
    ...(live ? { live: numbers({ ...live, onlyInTarget: live.foreign.length }) } : {}),
    ...(calls ? { calls: numbers({ kinds: calls.kinds, calls: calls.calls, more: calls.more.length }) } : {}),
  };
  const full = { onlyInTarget: log?.onlyInTarget, files: log?.log.files, live: live?.foreign, calls: calls?.more };
  const text = JSON.stringify(full);
  // Text of the target's own log can be long without end.
  const details =
    text.length <= longestDetails
      ? text
      : JSON.stringify({
          shortened: true,
          onlyInTarget: {
            sessions: log?.onlyInTarget.sessions.slice(0, 100).map((session) => ({ ...session, statements: [] })),
          },
          live: live?.foreign.slice(0, 100),
        });
  return { facts, details };
}

function numbers(of: object): Record<string, number> {
  return Object.fromEntries(Object.entries(of).filter((pair): pair is [string, number] => typeof pair[1] === 'number'));
}

function total(of: Readonly<Record<string, number>>): number {
  return Object.values(of).reduce((sum, count) => sum + count, 0);
}

/** The entry: who says so, counts in the clear, who was where sealed. */
export function resultDraft(target: string, { facts, details }: ReconcileRecord, by?: Json): Draft {
  return {
    type: 'reconcile.result',
    facts: { target, ...(facts as unknown as Draft['facts']) },
    payload: { admin: { ...(by === undefined ? {} : { by }), details } },
  };
}
