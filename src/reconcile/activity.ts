// Who is connected to a target right now, against whom we serve. Cheap enough to be asked every few minutes.
import type { RecordedSession } from './recorded-sessions.ts';

/** Of pg_stat_activity, as far as the asking role may see it; the asking connection itself is left out. */
export const activityQuery = `select a.pid::pg_catalog.text, coalesce(a.usename::pg_catalog.text, ''), coalesce(a.datname::pg_catalog.text, ''),
  coalesce(a.application_name, ''), coalesce(pg_catalog.host(a.client_addr), ''), coalesce(a.client_port::pg_catalog.text, ''),
  coalesce(pg_catalog.round(extract(epoch from a.backend_start) * 1000)::pg_catalog.text, ''), coalesce(a.backend_type, '')
  from pg_catalog.pg_stat_activity a
  where a.pid <> pg_catalog.pg_backend_pid() and (a.backend_type is null or a.backend_type in ('client backend', 'walsender'))
  order by a.pid`;

export interface ActiveSession {
  readonly pid: number;
  readonly role: string;
  readonly database: string;
  readonly application: string;
  readonly host?: string;
  readonly port?: number;
  /** Milliseconds since the epoch, by the target's clock; absent where the asking role may not see it. */
  readonly started?: number;
}

export function readActivity(rows: readonly (readonly (string | null)[])[]): ActiveSession[] {
  return rows.map(([pid, role, database, application, host, port, started]) => ({
    pid: Number(pid),
    role: role ?? '',
    database: database ?? '',
    application: application ?? '',
    ...(host ? { host } : {}),
    // -1 is a Unix socket.
    ...(port && Number(port) > 0 ? { port: Number(port) } : {}),
    ...(started ? { started: Number(started) } : {}),
  }));
}

export interface ActivityOptions {
  readonly role: string;
  readonly databases: readonly string[];
  readonly expected?: readonly string[];
  readonly ignorePort?: boolean;
}

export interface ActivityResult {
  readonly atTarget: number;
  readonly matched: number;
  readonly expected: number;
  readonly elsewhere: number;
  readonly foreign: readonly ActiveSession[];
}

/** `ours`: the processes that serve us now, by id, with the ports of our ends. */
export function compareActivity(
  active: readonly ActiveSession[],
  ours: ReadonlyMap<number, number | undefined>,
  { role, databases, expected = [], ignorePort = false }: ActivityOptions,
): ActivityResult {
  const foreign: ActiveSession[] = [];
  const count = { matched: 0, expected: 0, elsewhere: 0 };
  for (const one of active) {
    const port = ours.get(one.pid);
    // What may not be seen is of another role, and so none of ours.
    if (ours.has(one.pid) && one.role === role && (ignorePort || port === one.port)) count.matched++;
    else if (one.role !== role && !databases.includes(one.database)) count.elsewhere++;
    else if (expected.includes(one.role) || expected.includes(`${one.role}@${one.database}`)) count.expected++;
    else foreign.push(one);
  }
  return { atTarget: active.length, ...count, foreign };
}

/** Processes of sessions that have no end on record. */
export function openProcesses(sessions: readonly RecordedSession[]): Map<number, number | undefined> {
  const open = new Map<number, number | undefined>();
  for (const { pid, port, ended } of sessions) if (pid !== undefined && ended === undefined) open.set(pid, port);
  return open;
}
