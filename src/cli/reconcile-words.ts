// A reconciliation in words: what it covers, out of how many, what is missing on which side, and what the log cannot show.
import type { ActiveSession } from '../reconcile/activity.ts';
import type { ForeignSession, ForeignStatement, Reconciliation } from '../reconcile/reconcile.ts';
import type { Reconciled } from '../reconcile/result.ts';
import { type Io, printLine } from './output.ts';
import { moment, printFacts, printText } from './record-words.ts';

const reasons: Readonly<Record<string, string>> = {
  'log-incomplete': 'lines of their session are missing, or its end',
  'not-logged': 'the log does not show such statements',
  failed: 'failed before they ran',
  'unknown-outcome': 'the link broke: whether they ran is not known',
  'prepared-only': 'only prepared, which the log does not show',
};

export function printReconciled(io: Io, { target, ok, log, live, calls }: Reconciled): void {
  printLine(
    io,
    ok ? `${target}: nothing is only in the target` : `${target}: ONLY IN THE TARGET`,
    ok ? 'green' : 'red',
  );
  if (log) printLog(io, log);
  if (live) {
    printLine(io);
    printFacts(io, [
      [
        'Connected now',
        `${live.atTarget}: ${live.matched} ours, ${live.expected} expected, ${live.elsewhere} elsewhere`,
      ],
      ['Not ours', String(live.foreign.length)],
    ]);
    for (const one of live.foreign) printLine(io, `  ${activeWords(one)}`, 'red');
  }
  if (calls) {
    printLine(io);
    const since = `${calls.kinds} kinds of statement, ${calls.calls} calls since ${moment(calls.since)}`;
    printFacts(io, [
      ['Calls', since],
      ['Not compared', calls.leftOut === 0 ? undefined : `${calls.leftOut} kinds`],
      [
        'More than sent',
        `${calls.more.length}${calls.judged ? '' : ' (the server counted before the ledger began: no proof)'}`,
      ],
    ]);
    for (const { database, query, calls: ran, sent } of calls.more) {
      printLine(io, `  ${database}: ${ran} calls, ${sent} sent`, calls.judged ? 'red' : 'yellow');
      printText(io, query);
    }
  }
}

function printLog(
  io: Io,
  { period, clock, log, sessions, statements, onlyInTarget, onlyInLedger }: Reconciliation,
): void {
  printLine(io);
  const elsewhere = Object.values(sessions.elsewhere).reduce((sum, count) => sum + count, 0);
  printFacts(io, [
    ['Period', `${moment(period.from)} to ${moment(period.to)}, by the target's clock`],
    ['Log', `${log.files.length} files, ${log.lines} lines, ${log.complete ? 'complete' : 'NOT complete, see below'}`],
    ['Clock', clock && `the target's is ${clockWords(clock)}`],
    ['Sessions at the target', String(sessions.atTarget)],
    ['  ours', `${sessions.matched} of clients, ${sessions.own} of the gateway itself`],
    ['  only in the target', String(sessions.onlyInTarget)],
    ['  expected', String(sessions.expected)],
    ['  no session', `${sessions.refused} logins refused, ${sessions.withoutLogin} links without a login`],
    ['  other databases', String(elsewhere)],
    ['Only in the ledger', `${sessions.onlyInLedger} of ${sessions.inLedger} sessions`],
    ['Statements at the target', String(statements.atTarget)],
    ['  ours', `${statements.matched} of clients, ${statements.own} of the gateway itself`],
    ['  by their place alone', statements.byOrder === 0 ? undefined : String(statements.byOrder)],
    ['  only in the target', String(statements.onlyInTarget)],
    ['Sent', `${statements.sent}; ${statements.notSent} were refused here and never sent`],
  ]);
  for (const [reason, count] of Object.entries(statements.onlyInLedger))
    if (count > 0) printLine(io, `  ${count} only in the ledger: ${reasons[reason]}`);
  if (log.findings.length > 0) {
    printLine(io);
    printLine(io, 'What this log cannot show');
    for (const { what } of log.findings) printLine(io, `  ${what}`, 'yellow');
  }
  for (const session of onlyInTarget.sessions) printForeign(io, session);
  for (const { ours, session, ...statement } of onlyInTarget.statements) {
    printLine(io);
    printLine(io, `In session ${ours ?? `of the gateway itself (${session})`}, and not sent by it:`, 'red');
    printStatement(io, statement);
  }
  for (const { session, entry, reached } of onlyInLedger.sessions)
    printLine(
      io,
      `only in the ledger: session ${session ?? 'of the gateway itself'}, entry ${entry}, ${moment(reached)}`,
    );
}

function printForeign(io: Io, session: ForeignSession): void {
  printLine(io);
  const what = session.why === 'our-role' ? 'with the credential of the gateway' : 'with another role';
  printLine(io, `Only in the target: ${session.role}@${session.database} from ${session.from}, ${what}`, 'red');
  printFacts(io, [
    ['  when', `${moment(session.started)} to ${session.ended ? moment(session.last) : 'after the log'}`],
    ['  process', String(session.pid)],
    ['  signed in as', session.authentication],
    ['  calls itself', session.application],
    ['  statements', String(session.statementCount)],
  ]);
  for (const statement of session.statements) printStatement(io, statement);
  const more = session.statementCount - session.statements.length;
  if (more > 0) printLine(io, `    and ${more} more`);
}

function printStatement(io: Io, { at, text, parameters, failed }: ForeignStatement): void {
  printLine(io, `  ${moment(at)}${failed === undefined ? '' : `, failed with ${failed}`}`);
  printText(io, text);
  if (parameters !== undefined) printText(io, `parameters: ${parameters}`);
}

function activeWords({ pid, role, database, application, host, port, started }: ActiveSession): string {
  const from = host === undefined ? 'an address that this role may not see' : `${host}:${port}`;
  const since = started === undefined ? '' : ` since ${moment(started)}`;
  return `${role}@${database} from ${from}${since}, process ${pid}${application === '' ? '' : `, calls itself ${application}`}`;
}

function clockWords({ least, most }: { readonly least: number; readonly most: number }): string {
  if (least > most) return `not steady: statements put it between ${most} and ${least} ms`;
  if (least <= 0 && most >= 0) return `as ours, within ${Math.max(-least, most)} ms`;
  return `${Math.abs(least > 0 ? least : most)} to ${Math.abs(least > 0 ? most : least)} ms ${least > 0 ? 'ahead' : 'behind'}`;
}
