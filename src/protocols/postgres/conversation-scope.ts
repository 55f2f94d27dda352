// What statements are read under: catalogue, search path, role, and the names that SQL itself can use.
import type { Analysis, Changes, Part } from '../../sql/analysis.ts';
import type { Catalogue } from '../../sql/catalogue.ts';
import type { Effect } from '../../domain/effect.ts';
import { Fault } from '../../domain/fault.ts';
import type { Meaning } from '../../domain/statement.ts';
import type { Prepared } from './conversation-queue.ts';
import { closePortal, type Talk } from './conversation-state.ts';
import { noteUnread } from './conversation-unread.ts';

const sameList = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((item, index) => item === b[index]);

/** Puts a new catalogue, path or role in force. Statements prepared before are read anew when they are used next. */
export function setScope(talk: Talk, catalogue: Catalogue, searchPath: readonly string[], role: string): void {
  const { scope } = talk;
  talk.catalogue = catalogue;
  if (scope.catalogue === catalogue && scope.role === role && sameList(scope.searchPath, searchPath)) return;
  talk.revealing = undefined;
  talk.scope = {
    catalogue,
    searchPath: sameList(scope.searchPath, searchPath) ? scope.searchPath : searchPath,
    role,
    prepared: talk.preparedView,
    cursors: talk.cursorView,
    openCursors: scope.openCursors ?? false,
  };
  talk.scopeNumber++;
  for (const [name, prepared] of talk.statements.confirmed()) {
    if (name === '') continue;
    // EXECUTE of what cannot be read any more is refused as an unknown name.
    if (tryCurrent(talk, prepared)) talk.preparedView.set(name, prepared.analysis);
    else talk.preparedView.delete(name);
  }
}

/** The statement's analysis under what is in force now. Throws Fault statement.not-understood. */
export function currentAnalysis(talk: Talk, prepared: Prepared): Analysis {
  if (prepared.scope === talk.scopeNumber) return prepared.analysis;
  let analysis = talk.options.analyse(prepared.text, talk.scope);
  if (prepared.part !== undefined) {
    const inner = analysis.parts[prepared.part]?.changes.prepared;
    if (inner === undefined)
      throw new Fault('statement.not-understood', 'This prepared statement cannot be read any more. Prepare it again.');
    analysis = inner.analysis;
  }
  prepared.analysis = analysis;
  prepared.scope = talk.scopeNumber;
  return analysis;
}

function tryCurrent(talk: Talk, prepared: Prepared): boolean {
  try {
    currentAnalysis(talk, prepared);
    return true;
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
}

/**
 * Whether the principal may see every labelled column outside the system schemas: then server texts need not be withheld.
 * Asked anew each time, because policies change while sessions live; the session remembers its answer by the meaning.
 */
export function revealsAll(talk: Talk): boolean {
  talk.revealing ??= revealing(talk.catalogue);
  return talk.revealing.effects.length === 0 || talk.options.preview(talk.revealing) === 'permit';
}

function revealing(catalogue: Catalogue): Meaning {
  const effects: Effect[] = [];
  for (const { system, schema, name, columns } of catalogue.relations.values()) {
    if (system) continue;
    for (const { name: column, labels } of columns) {
      if (labels.length > 0)
        effects.push({ action: 'sql:reveal', resource: { schema, relation: name, column, labels } });
    }
  }
  return { effects, results: [] };
}

const systemSchemas: ReadonlySet<string | undefined> = new Set(['pg_catalog', 'information_schema']);

/** Triggers, rules and unread functions can put any value of the target into a text. */
function runsMore(analysis: Analysis): boolean {
  return analysis.meaning.effects.some((effect) => effect.action === 'sql:call' || effect.attributes?.fires === true);
}

/** Whether errors and notices of this statement could quote what the principal may not see. */
export function textsWithheld(talk: Talk, analysis: Analysis | undefined): boolean {
  if (analysis === undefined) return !revealsAll(talk);
  if (!analysis.quotesLabelled && !runsMore(analysis)) return false;
  if (!revealsAll(talk)) return true;
  return analysis.meaning.effects.some(
    ({ action, resource }) => systemSchemas.has(resource.schema) && !(action === 'sql:read' && resource.routine),
  );
}

/** From now on a cursor that nobody declared here may be one that a call opened. Told before it runs: what comes behind it is read earlier. */
export function noteCalls(talk: Talk, analysis: Analysis): void {
  if (talk.scope.openCursors || !analysis.meaning.effects.some(({ action }) => action === 'sql:call')) return;
  talk.scope = { ...talk.scope, openCursors: true };
}

/** Whether a part ends a transaction, so that what was changed inside it may be taken back. */
export function endsTransaction(changes: Changes): boolean {
  const { transaction } = changes;
  return (
    transaction === 'commit' || transaction === 'rollback' || transaction === 'rollback-to' || transaction === 'prepare'
  );
}

const pathSettings = ['search_path', 'role', 'session_authorization'];

/** Takes over what a completed part changed. `text` is the whole statement text, `index` the part's place in it. */
export function applyChanges(talk: Talk, analysis: Analysis, part: Part, text: string, index: number): void {
  const { changes } = part;
  if (changes.catalogue) {
    talk.needCatalogue = talk.touchedCatalogue = true;
    talk.needPath = talk.touchedPath = true;
    if (
      analysis.meaning.effects.some((effect) => effect.attributes?.temporary === true || effect.action === 'sql:call')
    )
      talk.temporary = true;
  }
  if (
    changes.settings === 'unknown' ||
    (changes.settings && pathSettings.some((name) => Object.hasOwn(changes.settings as object, name)))
  ) {
    talk.needPath = talk.touchedPath = true;
  }
  if (changes.doubtedCursors || changes.settings === 'unknown') doubtCursors(talk, changes.doubtedCursors?.except);
  noteUnread(talk, analysis);
  if (changes.discard) {
    forgetStatements(talk, undefined);
    for (const [name] of talk.portals.confirmed()) closePortal(talk, talk.portals.delete(name));
    talk.cursors.clear();
    talk.cursorView.clear();
    talk.needPath = talk.touchedPath = true;
    talk.needCatalogue = true;
  }
  if (changes.prepared) {
    const { name } = changes.prepared;
    talk.statements.confirm(name, {
      text,
      part: index,
      alone: analysis.parts.length === 1,
      types: [],
      analysis: changes.prepared.analysis,
      scope: talk.scopeNumber,
      describing: undefined,
      fields: undefined,
    });
    talk.preparedView.set(name, changes.prepared.analysis);
  }
  if (changes.deallocated) forgetStatements(talk, changes.deallocated.name);
  if (changes.cursor) {
    closePortal(talk, talk.portals.delete(changes.cursor.name));
    talk.cursors.set(changes.cursor.name, { analysis: changes.cursor.analysis, hold: changes.cursor.hold === true });
    talk.cursorView.set(changes.cursor.name, changes.cursor.analysis);
  }
  if (changes.closedCursor) forgetCursors(talk, changes.closedCursor.name);
  if (endsTransaction(changes)) transactionEnded(talk, changes.transaction !== 'rollback-to');
}

/** A transaction or a part of it is over: cursors are gone, and what it had changed may be as before. */
export function transactionEnded(talk: Talk, whole: boolean): void {
  if (talk.touchedPath) talk.needPath = true;
  if (talk.touchedCatalogue) talk.needCatalogue = true;
  for (const [name, cursor] of talk.cursors) {
    if (cursor.hold && whole) continue;
    talk.cursors.delete(name);
    talk.cursorView.delete(name);
  }
  if (!whole) return;
  if (talk.touchedCatalogue) talk.sink.catalogueChanged();
  talk.touchedPath = talk.touchedCatalogue = false;
}

function forgetStatements(talk: Talk, name: string | undefined): void {
  for (const known of name === undefined ? [...talk.statements.confirmed()].map(([each]) => each) : [name]) {
    // The unnamed statement is not one of those that DEALLOCATE and DISCARD know.
    if (known === '') continue;
    talk.statements.delete(known);
    talk.preparedView.delete(known);
  }
}

function forgetCursors(talk: Talk, name: string | undefined): void {
  for (const known of name === undefined
    ? [...talk.cursors.keys(), ...[...talk.portals.confirmed()].map(([each]) => each)]
    : [name]) {
    closePortal(talk, talk.portals.delete(known));
    talk.cursors.delete(known);
    talk.cursorView.delete(known);
  }
}

/**
 * A body may have closed what we know by a name and opened something else: from now on FETCH of it may return anything. A portal of
 * the protocol has its masks already, so it is given up where there is something to hide (test: cursors, "a body that closes").
 */
function doubtCursors(talk: Talk, except: string | undefined): void {
  for (const name of talk.cursorView.keys()) if (name !== except) talk.cursorView.delete(name);
  for (const name of talk.cursors.keys()) if (name !== except) talk.cursors.delete(name);
  if (revealsAll(talk)) return;
  // The unnamed one is out of reach of SQL.
  for (const [name] of talk.portals.confirmed())
    if (name !== '' && name !== except) closePortal(talk, talk.portals.delete(name));
}
