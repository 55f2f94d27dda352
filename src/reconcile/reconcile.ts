// The entry of this folder: a target's own log against the ledger. What is in one and not in the other, out of how many.
import { type Finding, isComplete, judgeLog, type LogSettings } from './findings.ts';
import { type LogFile, type LogSource, readLog } from './log-files.ts';
import { matchSessions, type MatchedSession, type Matches } from './match.ts';
import type { RecordedTarget, SentStatement } from './recorded-sessions.ts';
import { readTargetSessions, type TargetSession, type TargetStatement } from './target-sessions.ts';

export interface ReconcileOptions {
  readonly target: string;
  /** Databases of the target that the gateway serves, and the role that it signs in with. */
  readonly databases: readonly string[];
  readonly role: string;
  readonly log: readonly LogSource[];
  /** The whole ledger, as `readRecordedSessions` read it. */
  readonly ledger: RecordedTarget;
  /** Roles that may sign in beside the gateway, `role` or `role@database`. */
  readonly expected?: readonly string[];
  /** Milliseconds since the epoch, by the target's clock. Default: all of the log, from the beginning of the ledger. */
  readonly from?: number;
  readonly to?: number;
  readonly skewMs?: number;
  readonly ignorePort?: boolean;
  readonly settings?: LogSettings;
}

export interface ForeignSession {
  readonly session: string;
  readonly pid: number;
  readonly role: string;
  readonly database: string;
  readonly from: string;
  readonly application?: string;
  readonly authentication?: string;
  readonly started: number;
  readonly last: number;
  readonly ended: boolean;
  /** `our-role`: with the gateway's own credential. `other-role`: another login into a database behind the gateway. */
  readonly why: 'our-role' | 'other-role';
  readonly statementCount: number;
  /** The first of them. */
  readonly statements: readonly ForeignStatement[];
}

export interface ForeignStatement {
  readonly at: number;
  readonly text: string;
  readonly parameters?: string;
  readonly failed?: string;
}

export type UnseenReason = 'log-incomplete' | 'not-logged' | 'failed' | 'unknown-outcome' | 'prepared-only';

export interface Reconciliation {
  readonly target: string;
  /** Milliseconds since the epoch, by the target's clock. */
  readonly period: { readonly from: number; readonly to: number };
  /** The target's clock minus the gateway's, in milliseconds. */
  readonly clock?: { readonly least: number; readonly most: number };
  readonly log: {
    readonly files: readonly LogFile[];
    readonly lines: number;
    readonly complete: boolean;
    readonly findings: readonly Finding[];
    readonly settings?: LogSettings;
  };
  readonly ledger: { readonly entries: number; readonly from?: number; readonly to?: number };
  readonly sessions: {
    /** All that the target's log shows in the period, of whatever database; the parts below add up to it. */
    readonly atTarget: number;
    readonly matched: number;
    readonly own: number;
    readonly onlyInTarget: number;
    readonly expected: number;
    /** Logins that the target refused, and links that never came to one (cancels, probes). */
    readonly refused: number;
    readonly withoutLogin: number;
    /** Of other databases, by database. */
    readonly elsewhere: Readonly<Record<string, number>>;
    readonly inLedger: number;
    readonly onlyInLedger: number;
    /** Let in by the gateway and never served by the target. */
    readonly unserved: number;
  };
  readonly statements: {
    /** In sessions that are matched, own or only in the target. */
    readonly atTarget: number;
    readonly matched: number;
    readonly own: number;
    readonly onlyInTarget: number;
    /** Matched by their place alone: the recorded text was erased. */
    readonly byOrder: number;
    readonly sent: number;
    readonly notSent: number;
    readonly onlyInLedger: Readonly<Record<UnseenReason, number>>;
  };
  readonly onlyInTarget: {
    readonly sessions: readonly ForeignSession[];
    /** In sessions of ours, and not sent by us. */
    readonly statements: readonly (ForeignStatement & {
      readonly session: string;
      readonly ours: string | undefined;
    })[];
  };
  readonly onlyInLedger: {
    readonly sessions: readonly {
      readonly session: string | undefined;
      readonly entry: number;
      readonly reached: number;
    }[];
  };
  /** Nothing is only in the target. */
  readonly ok: boolean;
}

const mostListed = 1_000;
const mostStatements = 50;

export async function reconcile(options: ReconcileOptions): Promise<Reconciliation> {
  const { ledger, skewMs = 300_000 } = options;
  const files: LogFile[] = [];
  const reader = readTargetSessions();
  for await (const line of readLog(options.log, files)) reader.line(line);
  const log = reader.end();
  const from = options.from ?? Math.max(log.from ?? 0, (ledger.from ?? 0) - skewMs);
  const to = options.to ?? log.to ?? 0;

  const all = [...log.sessions.values()].filter(({ first, last }) => last >= from && first <= to);
  const split = sortOut(all, options);
  const ours = ledger.sessions.filter(
    ({ reached, ended }) => (ended ?? reached) >= from - skewMs && reached <= to + skewMs,
  );
  const matches = matchSessions(split.candidates, ours, ledger.asks, {
    skewMs,
    ignorePort: options.ignorePort ?? false,
  });
  const expected = new Set(options.expected);
  const isExpected = ({ user = '', database = '' }: TargetSession) =>
    expected.has(user) || expected.has(`${user}@${database}`);
  const foreign = matches.onlyInTarget.filter((session) => !isExpected(session));
  // What ended just outside of the log's times is no part of what it could show.
  const unseen = matches.onlyInLedger.filter(
    ({ reached, ended }) => reached >= from && reached <= to && (ended ?? reached) >= from,
  );
  const findings = judgeLog(log, files, split.candidates, options.settings);
  if (ledger.to !== undefined && log.to !== undefined && ledger.to + skewMs < log.to && options.to === undefined) {
    findings.push({
      code: 'ledger.older',
      what: `The ledger ends at ${new Date(ledger.to).toISOString()}, before the log: if this is an older copy, take a newer one or add --to.`,
    });
  }
  const statements = countStatements(matches, foreign, log.kinds.statements > 0);
  const strange = strangeStatements(matches.matched);
  const served = matches.matched.filter(({ ours: of }) => of.id !== undefined);
  return {
    target: options.target,
    period: { from, to },
    ...(matches.clock ? { clock: { least: matches.clock.least, most: matches.clock.most } } : {}),
    log: {
      files,
      lines: log.lines,
      complete: isComplete(findings),
      findings,
      ...(options.settings ? { settings: options.settings } : {}),
    },
    ledger: {
      entries: ledger.entries,
      ...(ledger.from === undefined ? {} : { from: ledger.from, to: ledger.to! }),
    },
    sessions: {
      atTarget: all.length,
      matched: served.length,
      own: matches.matched.length - served.length,
      onlyInTarget: foreign.length,
      expected: matches.onlyInTarget.length - foreign.length,
      refused: split.refused,
      withoutLogin: split.withoutLogin,
      elsewhere: split.elsewhere,
      inLedger: ours.length,
      onlyInLedger: unseen.length,
      unserved: ledger.unserved,
    },
    statements: { ...statements, onlyInTarget: statements.onlyInTarget, notSent: ledger.notSent },
    onlyInTarget: {
      sessions: foreign.slice(0, mostListed).map((session) => foreignSession(session, options.role)),
      statements: strange.slice(0, mostListed),
    },
    onlyInLedger: {
      sessions: unseen.slice(0, mostListed).map(({ id, index, reached }) => ({ session: id, entry: index, reached })),
    },
    ok: foreign.length === 0 && strange.length === 0,
  };
}

/** What is looked for in the ledger, and what only counts. */
function sortOut(all: readonly TargetSession[], { databases, role }: ReconcileOptions) {
  const candidates: TargetSession[] = [];
  const elsewhere: Record<string, number> = {};
  let refused = 0;
  let withoutLogin = 0;
  const served = new Set(databases);
  for (const session of all) {
    const { user, database } = session;
    if (user !== role && database !== undefined && !served.has(database))
      elsewhere[database] = (elsewhere[database] ?? 0) + 1;
    else if (session.refused !== undefined && !session.loggedIn && session.statements.length === 0) refused++;
    // Its beginning may stand in a file that is not here: then a name is enough to look for it.
    else if (user === undefined || (!session.loggedIn && session.firstLine === 1 && session.statements.length === 0))
      withoutLogin++;
    else candidates.push(session);
  }
  return { candidates, elsewhere, refused, withoutLogin };
}

function countStatements({ matched }: Matches, foreign: readonly TargetSession[], logged: boolean) {
  const count = { atTarget: 0, matched: 0, own: 0, onlyInTarget: 0, byOrder: 0, sent: 0 };
  const unseen: Record<UnseenReason, number> = {
    'log-incomplete': 0,
    'not-logged': 0,
    failed: 0,
    'unknown-outcome': 0,
    'prepared-only': 0,
  };
  for (const one of matched) {
    count.atTarget += one.theirs.statements.length;
    count.matched += one.matched;
    count.own += one.own;
    count.byOrder += one.byOrder;
    count.onlyInTarget += one.onlyInTarget.length;
    for (const sent of one.ours.statements) if (sent.status !== 'skipped') count.sent++;
    for (const sent of one.onlyInLedger) {
      const why = reasonOf(sent, one, logged);
      if (why !== undefined) unseen[why]++;
    }
  }
  for (const { statements } of foreign) {
    count.atTarget += statements.length;
    count.onlyInTarget += statements.length;
  }
  return { ...count, onlyInLedger: unseen };
}

/** Why the target's log does not show a statement that was sent; undefined when nothing was. */
function reasonOf(sent: SentStatement, { theirs }: MatchedSession, logged: boolean): UnseenReason | undefined {
  if (sent.status === 'skipped') return undefined;
  if (sent.kind === 'prepare') return 'prepared-only';
  if (theirs.missing > 0 || theirs.firstLine > 1 || !theirs.ended) return logged ? 'log-incomplete' : 'not-logged';
  if (sent.status === 'failed') return 'failed';
  if (sent.status === undefined || sent.status === 'lost') return 'unknown-outcome';
  return 'not-logged';
}

function strangeStatements(matched: readonly MatchedSession[]) {
  return matched.flatMap(({ ours, theirs, onlyInTarget }) =>
    onlyInTarget.map((statement) => ({ ...foreignStatement(statement), session: theirs.id, ours: ours.id })),
  );
}

function foreignSession(session: TargetSession, role: string): ForeignSession {
  const { host, port, application, authentication } = session;
  return {
    session: session.id,
    pid: session.pid,
    role: session.user ?? '',
    database: session.database ?? '',
    from: port === undefined ? (host ?? '') : `${host}:${port}`,
    ...(application === undefined ? {} : { application }),
    ...(authentication === undefined ? {} : { authentication }),
    started: session.started,
    last: session.last,
    ended: session.ended,
    why: session.user === role ? 'our-role' : 'other-role',
    statementCount: session.statements.length,
    statements: session.statements.slice(0, mostStatements).map(foreignStatement),
  };
}

function foreignStatement({ at, text, parameters, failed }: TargetStatement): ForeignStatement {
  return {
    at,
    text,
    ...(parameters === undefined ? {} : { parameters }),
    ...(failed === undefined ? {} : { failed }),
  };
}
