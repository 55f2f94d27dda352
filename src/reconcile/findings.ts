// What a target's log cannot show, in words: without this, "nothing found" would be worth nothing.
import type { LogFile } from './log-files.ts';
import type { TargetLog, TargetSession } from './target-sessions.ts';

export interface Finding {
  readonly code: string;
  readonly what: string;
}

/** Settings of the server, where they were read. */
export type LogSettings = Readonly<Record<string, string>>;

export function judgeLog(
  log: TargetLog,
  files: readonly LogFile[],
  sessions: readonly TargetSession[],
  settings: LogSettings | undefined,
): Finding[] {
  const found: Finding[] = [];
  const add = (code: string, what: string) => found.push({ code, what });
  for (const file of files)
    if (file.broken) add('file.broken', `${file.name} was not read to its end: ${file.broken}.`);
  if (log.kinds.connections === 0) {
    add(
      'connections.hidden',
      'There is no line of a connection (log_connections): a session that logged nothing else cannot be seen here.',
    );
  }
  if (log.kinds.ends === 0)
    add('ends.hidden', 'There is no end of a session (log_disconnections): a log that was cut short looks the same.');
  judgeStatements(log, sessions, settings, add);
  const gaps = sessions.filter((session) => session.missing > 0);
  if (gaps.length > 0) {
    const lines = gaps.reduce((sum, session) => sum + session.missing, 0);
    add('lines.missing', `${lines} lines of ${gaps.length} sessions are missing, by their numbers (session_line_num).`);
  }
  const cut = sessions.filter((session) => session.firstLine > 1);
  if (cut.length > 0)
    add('start.missing', `${cut.length} sessions begin before these files: their first lines are not here.`);
  for (const { at, setting, value } of log.changes.slice(0, 20))
    add('setting.changed', `${setting} was changed to ${value} at ${new Date(at).toISOString()}.`);
  if (log.repeated > 0) add('lines.repeated', `${log.repeated} lines stand in two files; each was counted once.`);
  return found;
}

function judgeStatements(
  { kinds }: TargetLog,
  sessions: readonly TargetSession[],
  settings: LogSettings | undefined,
  add: (code: string, what: string) => void,
): void {
  const all = settings?.['log_statement'] === 'all' || settings?.['log_min_duration_statement'] === '0';
  if (kinds.statements + kinds.audits === 0 && sessions.length > 0) {
    add(
      'statements.hidden',
      'There is no statement in it (log_statement, log_min_duration_statement, pgaudit.log, or lc_messages in another language than English): statements cannot be compared, sessions can.',
    );
  } else if (settings && !all) {
    const level = settings['log_statement'] ?? 'none';
    add(
      'statements.partly',
      `log_statement is ${level}${settings['pgaudit.log'] ? `, pgaudit.log is ${settings['pgaudit.log']}` : ''}: statements that it leaves out cannot be seen here.`,
    );
  } else if (!settings) {
    add(
      'settings.unknown',
      'The settings of the server were not read (--from-server): whether it logs every statement is judged by the lines alone.',
    );
  }
  if (settings?.['log_transaction_sample_rate'] && settings['log_transaction_sample_rate'] !== '0' && !all)
    add(
      'statements.sampled',
      'Transactions are sampled (log_transaction_sample_rate): what is left out was not drawn.',
    );
}

/** A log on which "nothing else happened" can rest, as far as a log can carry it. */
export function isComplete(findings: readonly Finding[]): boolean {
  return !findings.some(({ code }) => weakens.has(code));
}

const weakens: ReadonlySet<string> = new Set([
  'file.broken',
  'connections.hidden',
  'ends.hidden',
  'statements.hidden',
  'statements.partly',
  'statements.sampled',
  'lines.missing',
  'start.missing',
  'setting.changed',
]);
