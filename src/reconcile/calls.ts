// pg_stat_statements against the ledger: how often each kind of statement ran for our role, and how often it was sent. A second
// witness that needs no log; it forgets kinds that are rare, and never counts what was not run.
import { fingerprints } from '../sql/fingerprint.ts';
import type { RecordedTarget } from './recorded-sessions.ts';

/** One row: when counting began, in milliseconds since the epoch. */
export const callsSinceQuery = `select pg_catalog.round(extract(epoch from stats_reset) * 1000)::pg_catalog.text, dealloc::pg_catalog.text from pg_stat_statements_info`;

export const callsQuery = (
  role: string,
): string => `select coalesce(d.datname::pg_catalog.text, ''), s.query, s.calls::pg_catalog.text
  from pg_stat_statements s left join pg_catalog.pg_database d on d.oid = s.dbid
  where s.toplevel and s.userid = (select r.oid from pg_catalog.pg_roles r where r.rolname = '${role.replaceAll("'", "''")}')`;

export interface CallsOptions {
  readonly databases: readonly string[];
  /** Texts that the gateway asks by itself. */
  readonly own: readonly string[];
  /** When the server began to count. */
  readonly since: number;
  /** How far the clocks may differ, in milliseconds. */
  readonly skewMs: number;
}

export interface CallsResult {
  readonly since: number;
  /** False when the server counted before the ledger began, or the clock says so: then more calls than records prove nothing. */
  readonly judged: boolean;
  /** Kinds of statement that were compared, and calls of them. */
  readonly kinds: number;
  readonly calls: number;
  /** Kinds that cannot be compared: EXECUTE of a named statement counts under its PREPARE; texts that cannot be read. */
  readonly leftOut: number;
  /** Kinds that ran more often than they were sent. */
  readonly more: readonly {
    readonly database: string;
    readonly query: string;
    readonly calls: number;
    readonly sent: number;
  }[];
}

export function compareCalls(
  rows: readonly (readonly (string | null)[])[],
  ledger: RecordedTarget,
  { databases, own, since, skewMs }: CallsOptions,
): CallsResult {
  const sent = new Map<string, number>();
  let erased = false;
  for (const { database, statements } of ledger.sessions) {
    for (const { text, kind, status, settled = Number.POSITIVE_INFINITY } of statements) {
      if (kind !== 'execute' || status === 'skipped' || settled < since - skewMs) continue;
      if (text === undefined) erased = true;
      for (const print of text === undefined ? [] : (fingerprints(text) ?? [])) {
        const key = `${database} ${print}`;
        sent.set(key, (sent.get(key) ?? 0) + 1);
      }
    }
  }
  const ours = new Set(own.flatMap((text) => fingerprints(text) ?? []));
  const kinds = new Map<string, { database: string; query: string; calls: number }>();
  let leftOut = 0;
  for (const [database, query, calls] of rows) {
    if (!database || !databases.includes(database)) continue;
    const [print, ...more] = fingerprints(query ?? '') ?? [];
    if (print === undefined || more.length > 0 || /^\s*prepare\b/i.test(query!)) {
      leftOut++;
      continue;
    }
    if (ours.has(print)) continue;
    const key = `${database} ${print}`;
    const known = kinds.get(key);
    kinds.set(key, { database, query: query!, calls: Number(calls) + (known?.calls ?? 0) });
  }
  const judged = !erased && ledger.from !== undefined && ledger.from <= since;
  const more = [...kinds].flatMap(([key, of]) => {
    const count = sent.get(key) ?? 0;
    return of.calls > count ? [{ ...of, sent: count }] : [];
  });
  let calls = 0;
  for (const of of kinds.values()) calls += of.calls;
  return { since, judged, kinds: kinds.size, calls, leftOut, more };
}
