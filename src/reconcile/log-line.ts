// One line of a server's log, from csvlog or jsonlog (manual, "Using CSV-Format Log Output", "Using JSON-Format Log Output").

export interface LogLine {
  /** Milliseconds since the epoch, by the server's clock. */
  readonly at: number;
  readonly pid: number;
  /** The server's own id of the session: its start and its process. */
  readonly session: string;
  /** Position in the session, from 1. */
  readonly line: number;
  /** Milliseconds since the epoch, to the second. */
  readonly started: number;
  readonly severity: string;
  readonly message: string;
  readonly user?: string;
  readonly database?: string;
  /** Address of the client, or `[local]`; absent for the server's own processes. */
  readonly host?: string;
  readonly port?: number;
  readonly state?: string;
  readonly detail?: string;
  /** The statement that failed. */
  readonly query?: string;
  readonly application?: string;
  readonly backend?: string;
}

/** Offsets of time zone abbreviations, learned: each line has its session's start twice, and one of them is without a zone. */
export type Zones = Map<string, number>;

const stamp = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)? (\S+)$/;

/** Undefined for a record that is no line of a csvlog. */
export function csvLine(fields: readonly string[], zones: Zones): LogLine | undefined {
  // 23 columns before version 13, then the backend's type, then the leader and the query's id.
  if (fields.length < 23 || fields.length > 40) return undefined;
  const [at, user, database, pid, from, session, line, , started, , , severity, state, message, detail] = fields;
  const colon = from!.lastIndexOf(':');
  const port = colon > 0 ? Number(from!.slice(colon + 1)) : undefined;
  return build(zones, {
    at: at!,
    user,
    database,
    pid: Number(pid),
    host: port === undefined ? from : from!.slice(0, colon),
    port,
    session: session!,
    line: Number(line),
    started: started!,
    severity: severity!,
    state,
    message: message!,
    detail,
    query: fields[19],
    application: fields[22],
    backend: fields[23],
  });
}

/** Undefined for a value that is no line of a jsonlog. */
export function jsonLine(value: unknown, zones: Zones): LogLine | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const of = value as Record<string, unknown>;
  const text = (name: string) => (typeof of[name] === 'string' ? (of[name] as string) : undefined);
  return build(zones, {
    at: text('timestamp') ?? '',
    user: text('user'),
    database: text('dbname'),
    pid: Number(of['pid']),
    host: text('remote_host'),
    port: typeof of['remote_port'] === 'number' ? of['remote_port'] : undefined,
    session: text('session_id') ?? '',
    line: Number(of['line_num']),
    started: text('session_start') ?? '',
    severity: text('error_severity') ?? '',
    state: text('state_code'),
    message: text('message') ?? '',
    detail: text('detail'),
    query: text('statement'),
    application: text('application_name'),
    backend: text('backend_type'),
  });
}

interface Raw extends Omit<LogLine, 'at' | 'started' | 'port' | 'user' | 'database' | 'host'> {
  readonly at: string;
  readonly started: string;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly database?: string | undefined;
  readonly host?: string | undefined;
  readonly state?: string | undefined;
  readonly detail?: string | undefined;
  readonly query?: string | undefined;
  readonly application?: string | undefined;
  readonly backend?: string | undefined;
}

function build(zones: Zones, raw: Raw): LogLine | undefined {
  const id = /^([0-9a-f]{1,12})\.([0-9a-f]{1,8})$/.exec(raw.session);
  const started = stamp.exec(raw.started);
  const at = stamp.exec(raw.at);
  if (!id || !started || !at || !Number.isSafeInteger(raw.line) || raw.line < 1) return undefined;
  if (Number.parseInt(id[2]!, 16) !== raw.pid || raw.severity === '') return undefined;
  const epoch = Number.parseInt(id[1]!, 16) * 1_000;
  const offset = Date.parse(`${started[1]}T${started[2]}Z`) - epoch;
  zones.set(started[4]!, offset);
  const local = Date.parse(`${at[1]}T${at[2]}${(at[3] ?? '').slice(0, 4)}Z`);
  const time = local - (zones.get(at[4]!) ?? offset);
  if (!Number.isSafeInteger(time)) return undefined;
  const { port } = raw;
  return {
    at: time,
    pid: raw.pid,
    session: raw.session,
    line: raw.line,
    started: epoch,
    severity: raw.severity,
    message: raw.message,
    ...kept('user', raw.user),
    ...kept('database', raw.database),
    ...kept('host', raw.host),
    ...(Number.isSafeInteger(port) ? { port } : {}),
    ...kept('state', raw.state),
    ...kept('detail', raw.detail),
    ...kept('query', raw.query),
    ...kept('application', raw.application),
    ...kept('backend', raw.backend),
  } as LogLine;
}

/** Empty is how the server writes NULL. */
function kept<K extends string>(name: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined || value === '' ? {} : ({ [name]: value } as Record<K, string>);
}
