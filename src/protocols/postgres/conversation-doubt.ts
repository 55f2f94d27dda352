// A description that disagrees with what was read is either a lie or younger than our catalogue: somebody made a table anew behind
// the gateway's back. So the target is asked, once, before anything of the result leaves (docs/adr/0020-stale-catalogue.md).
import { Fault } from '../../domain/fault.ts';
import type { Analysis, Part, Scope } from '../../sql/analysis.ts';
import { readAgain } from '../../sql/text.ts';
import type { Field } from './codec-rows.ts';
import { answer, type Doubt, type Expected } from './conversation-queue.ts';
import { disagreement } from './conversation-results.ts';
import type { Talk } from './conversation-state.ts';

/** Begins to wait for a catalogue of now. False where none can be had in the middle of this session's own changes. */
export function doubts(talk: Talk, doubt: Doubt): boolean {
  if (talk.temporary || talk.touchedCatalogue) {
    // The next statement is read under what this session's own link sees by then.
    talk.needCatalogue = true;
    return false;
  }
  talk.doubt = doubt;
  talk.sink.pauseTarget();
  if (!talk.awaitingCatalogue) {
    talk.awaitingCatalogue = true;
    talk.sink.checkCatalogue();
  }
  return true;
}

/**
 * Whether the same text, read under the catalogue of now, is what the target describes. What runs was decided as it was read before,
 * so it must mean the same; a statement that is only prepared is decided again when it is bound (test: stale, "made anew").
 */
export function agreesWhenReadAgain(talk: Talk, entry: Expected, before: Analysis, fields: readonly Field[]): boolean {
  const scope = { ...talk.scope, cursors: before.parts.some(fetches) ? cursorsOfNow(talk) : talk.scope.cursors };
  const now = attempt(before, scope);
  if (now === undefined || now === before) return false;
  const part = now.parts[entry.kind === answer.query ? entry.part : 0];
  const outputs = part?.result === undefined ? undefined : now.meaning.results[part.result];
  if (disagreement(fields, outputs, part?.columns ?? [], talk.catalogue) !== undefined) return false;
  if (same(before, now)) return true;
  if (entry.kind !== answer.describeStatement || entry.prepared === undefined) return false;
  // A portal that was bound under the reading of before does not fit this description, and its rows are withheld.
  if (entry.prepared.analysis === before) {
    entry.prepared.analysis = now;
    entry.prepared.scope = talk.scopeNumber;
  }
  entry.prepared.describing = now;
  return true;
}

function same(one: Analysis, other: Analysis): boolean {
  return (
    one.text === other.text &&
    one.quotesLabelled === other.quotesLabelled &&
    JSON.stringify(one.meaning) === JSON.stringify(other.meaning)
  );
}

function attempt(analysis: Analysis, scope: Scope): Analysis | undefined {
  try {
    return readAgain(analysis, scope);
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

const fetches = (part: Part) => part.node === 'FetchStmt';

/** A cursor keeps the reading of its DECLARE, which may be as old. */
function cursorsOfNow(talk: Talk): Scope['cursors'] {
  const cursors = new Map<string, Analysis>();
  for (const [name, analysis] of talk.cursorView) cursors.set(name, attempt(analysis, talk.scope) ?? analysis);
  return cursors;
}
