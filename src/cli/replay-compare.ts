// A recorded outcome beside one of now: what differs, and what could not be compared. Pure.
import type { Answered, AnsweredResult } from '../protocols/postgres/replay-answer.ts';
import type { RecordedAnswer } from '../protocols/postgres/replay-answers.ts';
import type { PastOutcome } from './replay-record.ts';

export interface Compared {
  readonly differences: readonly string[];
  /** What was left out of the comparison, and what may explain a difference. */
  readonly notes: readonly string[];
}

/** `hidden` counts the masked columns of a result. */
export function compareAnswers(
  outcome: PastOutcome,
  recorded: RecordedAnswer | undefined,
  now: Answered,
  hidden: (result: number) => number,
): Compared {
  const differences: string[] = [];
  const notes: string[] = [];
  const code = outcome.status === 'failed' ? (outcome.code ?? 'an error') : undefined;
  if (code !== now.code) differences.push(`SQLSTATE ${code ?? 'none'} then, ${nowCode(now)} now`);
  const tag = now.tags.at(-1);
  // A portal that was not read to its end has no tag.
  const part = outcome.status === 'done' && outcome.tag === undefined && tag !== undefined;
  if (part) notes.push('the client did not fetch all of it: the rows that it fetched are compared');
  else if (code === undefined && now.code === undefined) {
    // Fetched in pieces, the tag counts the last one.
    if (steady(outcome.tag) !== steady(tag))
      differences.push(`${outcome.tag ?? 'no tag'} then, ${tag ?? 'no tag'} now`);
    else if (outcome.rows !== now.rows) differences.push(`${outcome.rows} rows then, ${now.rows} rows now`);
  }
  // Which answer belongs to which statement is inferred: one that does not fit the statement's own outcome is not used.
  const certain = recorded !== undefined && recorded.code === code && recorded.tags.at(-1) === outcome.tag;
  if (!certain) {
    notes.push('its answer could not be found in the recording: values are not compared');
    return { differences, notes };
  }
  if (now.code === undefined) compareResults(recorded, now, hidden, part, differences, notes);
  return { differences, notes };
}

function compareResults(
  recorded: RecordedAnswer,
  now: Answered,
  hidden: (result: number) => number,
  part: boolean,
  differences: string[],
  notes: string[],
): void {
  if (recorded.results.length !== now.results.length)
    differences.push(`${recorded.results.length} results then, ${now.results.length} now`);
  for (const [index, then] of recorded.results.entries()) {
    const of = now.results[index];
    if (!of) break;
    const name = recorded.results.length > 1 ? `result ${index + 1}: ` : '';
    if (hidden(index) > 0) notes.push(`${name}${hidden(index)} masked columns are not compared`);
    const fetched = part ? { ...of, rows: then.rows } : of;
    compareResult(then, fetched, name, hidden(index) > 0, differences, notes);
  }
  if (recorded.copied && recorded.copied.sha256 !== now.copied?.sha256)
    differences.push(`COPY of ${recorded.copied.bytes} bytes then, other data of ${now.copied?.bytes ?? 0} bytes now`);
}

function compareResult(
  then: AnsweredResult,
  now: AnsweredResult,
  name: string,
  masked: boolean,
  differences: string[],
  notes: string[],
): void {
  if (then.columns.length > 0 && then.columns.join('\0') !== now.columns.join('\0'))
    differences.push(`${name}columns ${then.columns.join(', ')} then, ${now.columns.join(', ')} now`);
  if (then.rows !== now.rows) differences.push(`${name}${then.rows} rows then, ${now.rows} now`);
  if (then.held < then.rows) {
    notes.push(`${name}the recording holds the values of ${then.held} of ${then.rows} rows`);
    if (then.rows === now.rows && then.plain && !masked) {
      if (then.messages !== now.messages) differences.push(`${name}other rows, by the digest of all of them`);
      return;
    }
    if (then.held === 0) {
      if (then.rows > 0) notes.push(`${name}values are not compared`);
      return;
    }
  }
  // Fewer rows were said already; the values of those that both have cannot be told apart by digests.
  if (then.rows !== now.rows || then.ordered === now.ordered) return;
  if (then.unordered === now.unordered) notes.push(`${name}the same rows in another order`);
  else differences.push(`${name}other values: ${first(then)} then, ${first(now)} now`);
}

function first({ sample }: AnsweredResult): string {
  return JSON.stringify(sample[0] ?? []);
}

function nowCode({ code, message }: Answered): string {
  return code === undefined ? 'none' : `${code} (${message ?? ''})`;
}

const steady = (tag: string | undefined): string | undefined => tag?.replace(/^(SELECT|FETCH|MOVE) \d+$/, '$1');

const unsteady =
  /\b(current_(?:date|time|timestamp|user|role|catalog|schema)|localtime(?:stamp)?|session_user|user)\b/gi;
/** Not volatile by the catalogue, and other each time or on each server. */
const others = [
  'now',
  'transaction_timestamp',
  'statement_timestamp',
  'pg_backend_pid',
  'version',
  'current_database',
  'inet_client_addr',
  'inet_server_addr',
];

/** Functions in a text whose result may differ from one run to the next: a hint for whoever reads a difference, not more. */
export function volatileIn(text: string, volatile: ReadonlySet<string>): string[] {
  const called = [...text.matchAll(/([a-z_][a-z0-9_]*)\s*\(/gi)].map((match) => (match[1] as string).toLowerCase());
  const names = called.filter((name) => volatile.has(name) || others.includes(name)).map((name) => `${name}()`);
  const keywords = [...text.matchAll(unsteady)].map((match) => match[0].toLowerCase());
  return [...new Set([...names, ...keywords])];
}
