// A body that nobody read may have put another statement behind a name that was prepared (DEALLOCATE, then PREPARE), and what it did stays
// although its own statement fails. So from the first such body on the server is asked what stands behind each name (ADR 0010).
import { hash } from 'node:crypto';
import type { Analysis } from '../../sql/analysis.ts';
import type { Prepared } from './conversation-queue.ts';
import type { Talk } from './conversation-state.ts';

/** Digests: the texts themselves may be as long as messages are. */
export const namesQuery = `select p.name::pg_catalog.text, p.from_sql::pg_catalog.text,
  pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(p.statement, 'UTF8')), 'hex') from pg_catalog.pg_prepared_statements p`;

/** Everything unread is a barrier, so that ordinary statements cost no look at their effects. */
function runsUnread({ barrier, meaning, parts }: Analysis): boolean {
  if (!barrier) return false;
  return (
    parts.some(({ changes }) => changes.settings === 'unknown') ||
    meaning.effects.some(({ attributes }) => attributes?.unreadable === true)
  );
}

/** It ran, at least in part: the next reading asks for the names too, and so does each one after it. */
export function noteUnread(talk: Talk, analysis: Analysis | undefined): void {
  if (analysis === undefined || !runsUnread(analysis)) return;
  // Deferred triggers run once more when the transaction ends.
  talk.unread = talk.needPath = talk.touchedPath = true;
}

/** Whether a reading has to ask: there must be a name to ask about. */
export function doubtsNames(talk: Talk): boolean {
  if (!talk.unread) return false;
  for (const [name] of talk.statements.confirmed()) if (name !== '') return true;
  return false;
}

/** Forgets every name behind which the server does not have what was judged (test: prepared-names). */
export function forgetReplaced(talk: Talk, rows: readonly (readonly string[])[]): void {
  const standing = new Map(rows.map(([name, fromSql, digest]) => [name as string, `${fromSql} ${digest}`]));
  for (const [name, prepared] of talk.statements.confirmed()) {
    // SQL does not reach the unnamed one.
    if (name === '' || standing.get(name) === judged(prepared)) continue;
    talk.statements.delete(name);
    talk.preparedView.delete(name);
  }
}

/** Of a text of several statements the server keeps the whole for each: which one stands behind the name cannot be told. */
function judged({ text, part, alone }: Prepared): string | undefined {
  if (part !== undefined && !alone) return undefined;
  return `${part !== undefined} ${hash('sha256', text)}`;
}
