// The target's log as sessions and the statements in them. Pure: lines in, sessions out.
import { csvFields } from './csv.ts';
import type { LogLine } from './log-line.ts';

export interface TargetStatement {
  readonly at: number;
  readonly line: number;
  /** As the server logged it; where a prepared statement's name holds a colon, `others` are the other ways to read it. */
  readonly text: string;
  readonly others?: readonly string[];
  readonly how: 'statement' | 'execute' | 'parse' | 'call' | 'error' | 'audit';
  /** Name of the prepared statement or portal. */
  readonly name?: string;
  readonly parameters?: string;
  /** SQLSTATE of its failure. */
  failed?: string;
  audited?: boolean;
}

export interface TargetSession {
  readonly id: string;
  readonly pid: number;
  readonly started: number;
  user?: string;
  database?: string;
  host?: string;
  port?: number;
  application?: string;
  /** `identity by method`, as the server saw it. */
  authentication?: string;
  loggedIn: boolean;
  /** SQLSTATE that ended its login. */
  refused?: string;
  ended: boolean;
  /** Times of its first and last line. */
  first: number;
  last: number;
  /** Its first line that was found, and lines missing between the first and the last. */
  readonly firstLine: number;
  lastLine: number;
  missing: number;
  readonly statements: TargetStatement[];
}

export interface TargetLog {
  readonly sessions: ReadonlyMap<string, TargetSession>;
  readonly lines: number;
  /** Lines that stood in two files. */
  readonly repeated: number;
  readonly from?: number;
  readonly to?: number;
  /** Which kinds of line there were at all. */
  readonly kinds: {
    readonly connections: number;
    readonly ends: number;
    readonly statements: number;
    readonly audits: number;
  };
  /** Settings of the log that were changed while it was written. */
  readonly changes: readonly { readonly at: number; readonly setting: string; readonly value: string }[];
  /** Times at which the server started. */
  readonly starts: readonly number[];
}

interface Kinds {
  connections: number;
  ends: number;
  statements: number;
  audits: number;
}

export interface TargetLogReader {
  line(line: LogLine): void;
  end(): TargetLog;
}

const executed = /^(?:duration: [\d.]+ ms {2})?(statement|parse|execute)(?: ([\s\S]*?))?: ([\s\S]*)$/;
const logging = /^parameter "((?:log|pgaudit)[._][^"]*)" (?:changed to "(.*)"|removed)/s;

export function readTargetSessions(): TargetLogReader {
  const sessions = new Map<string, TargetSession>();
  const changes: { at: number; setting: string; value: string }[] = [];
  const starts: number[] = [];
  const kinds: Kinds = { connections: 0, ends: 0, statements: 0, audits: 0 };
  let lines = 0;
  let repeated = 0;
  let from: number | undefined;
  let to: number | undefined;

  function sessionOf(line: LogLine): TargetSession | undefined {
    const known = sessions.get(line.session);
    if (known) {
      if (line.line <= known.lastLine) {
        repeated++;
        return undefined;
      }
      known.missing += line.line - known.lastLine - 1;
      known.lastLine = line.line;
      known.last = Math.max(known.last, line.at);
      return known;
    }
    const fresh: TargetSession = {
      id: line.session,
      pid: line.pid,
      started: line.started,
      loggedIn: false,
      ended: false,
      first: line.at,
      last: line.at,
      firstLine: line.line,
      lastLine: line.line,
      missing: 0,
      statements: [],
    };
    sessions.set(line.session, fresh);
    return fresh;
  }

  return {
    line(line) {
      lines++;
      from = Math.min(from ?? line.at, line.at);
      to = Math.max(to ?? line.at, line.at);
      if (line.host === undefined) {
        // One of the server's own processes.
        const change = logging.exec(line.message);
        if (change) changes.push({ at: line.at, setting: change[1]!, value: change[2] ?? 'its default' });
        if (line.message.startsWith('database system is ready to accept')) starts.push(line.at);
        return;
      }
      const session = sessionOf(line);
      if (!session) return;
      session.user ??= line.user;
      session.database ??= line.database;
      session.host ??= line.host;
      session.port ??= line.port;
      if (line.application !== undefined) session.application = line.application;
      take(session, line, kinds);
    },
    end: () => ({
      sessions,
      lines,
      repeated,
      kinds,
      changes,
      starts,
      ...(from === undefined ? {} : { from, to: to! }),
    }),
  };
}

function take(session: TargetSession, line: LogLine, kinds: Kinds): void {
  const { message } = line;
  if (line.severity === 'ERROR' || line.severity === 'FATAL' || line.severity === 'PANIC') return failed(session, line);
  if (message.startsWith('connection ') || message.startsWith('replication connection ')) {
    if (message.startsWith('connection received')) kinds.connections++;
    const identity = /^connection authenticated: identity="([\s\S]*)" method=(\S+)/.exec(message);
    if (identity) session.authentication = `${identity[1]} by ${identity[2]}`;
    if (/^(?:replication )?connection authorized: /.test(message)) session.loggedIn = true;
    return;
  }
  if (message.startsWith('disconnection: ')) {
    kinds.ends++;
    // Only who was let in has an end.
    session.ended = session.loggedIn = true;
    return;
  }
  const add = (statement: TargetStatement) => {
    kinds.statements++;
    session.loggedIn = true;
    session.statements.push(statement);
  };
  const call = /^(?:duration: [\d.]+ ms {2})?fastpath function call: "([\s\S]*)" \(OID \d+\)$/.exec(message);
  if (call) return add({ at: line.at, line: line.line, how: 'call', text: call[1]! });
  const found = executed.exec(message);
  if (found) {
    const [, how, name, text] = found;
    // The rows of a portal that was left open: the same statement goes on.
    if (how === 'execute' && name?.startsWith('fetch from ')) return;
    const others = name === undefined ? [] : otherReadings(text!);
    const parameters = /^parameters: ([\s\S]*)$/i.exec(line.detail ?? '')?.[1];
    return add({
      at: line.at,
      line: line.line,
      how: how as 'statement' | 'execute' | 'parse',
      text: text!,
      ...(name === undefined ? {} : { name }),
      ...(others.length > 0 ? { others } : {}),
      ...(parameters === undefined ? {} : { parameters }),
    });
  }
  if (message.startsWith('AUDIT: ')) audit(session, line, kinds);
  else if (/^(?:duration|temporary file|process \d)/.test(message)) session.loggedIn = true;
}

/** What the first colon belongs to is not said: a name may have colons too. */
function otherReadings(text: string): string[] {
  const found: string[] = [];
  for (let at = text.slice(0, 128).indexOf(': '); at >= 0; at = text.slice(0, 128).indexOf(': ', at + 1))
    found.push(text.slice(at + 2));
  return found;
}

/** What a login fails with; a session without a logged login may also be ended by its administrator. */
const loginStates = /^(?:28|3D|53|08|42501|57P03|0A000)/;

/** A failure names its statement: one that was logged before it began, or one that never began. */
function failed(session: TargetSession, line: LogLine): void {
  const state = line.state ?? 'XX000';
  if (line.severity === 'FATAL' && !session.loggedIn && loginStates.test(state)) session.refused = state;
  if (line.query === undefined) return;
  const last = session.statements.at(-1);
  if (last && last.failed === undefined && last.text === line.query) {
    last.failed = state;
    return;
  }
  session.statements.push({ at: line.at, line: line.line, how: 'error', text: line.query, failed: state });
}

/** One text with several statements has a line for each; EXECUTE is told by the text of its PREPARE. */
function isOf(last: TargetStatement, text: string): boolean {
  const same = last.text === text || last.others?.includes(text) === true;
  if (last.audited) return same && text.trimEnd().slice(0, -1).includes(';');
  return same || (/^\s*prepare\b/i.test(text) && /^\s*execute\b/i.test(last.text));
}

/** pgAudit: one line for each statement and each statement inside it. What log_statement has shown already is the same one. */
function audit(session: TargetSession, line: LogLine, kinds: Kinds): void {
  kinds.audits++;
  session.loggedIn = true;
  const fields = csvFields(line.message.slice('AUDIT: '.length));
  const text = fields[7];
  if (text === undefined || text === '<not logged>' || text === '<previously logged>') return;
  // Statements inside functions are not what the client sent.
  if (Number(fields[2]) > 1) return;
  const last = session.statements.at(-1);
  if (last && isOf(last, text)) {
    last.audited = true;
    return;
  }
  session.statements.push({ at: line.at, line: line.line, how: 'audit', text, audited: true });
}
