// Effects of what concerns the session: settings, transactions, SQL-level prepared statements and cursors, notifications.
import type {
  ClosePortalStmt,
  DeallocateStmt,
  DeclareCursorStmt,
  DiscardStmt,
  ExecuteStmt,
  ExplainStmt,
  FetchStmt,
  PrepareStmt,
  TransactionStmt,
} from 'libpg-query';
import type { Changes } from './analysis.ts';
import { notUnderstood, type Tree } from './parse.ts';
import { add, aside, type Attributes, type Names, type Reading } from './reading.ts';
import { literal, type SettingChange } from './settings.ts';

export function applySetting(change: SettingChange, reading: Reading): void {
  const attributes: Attributes = {};
  if (change.name !== undefined) attributes['setting'] = change.name;
  else attributes['all'] = true;
  if (change.role) attributes['role'] = true;
  // SET TRANSACTION belongs to the transaction; SET SESSION CHARACTERISTICS outlives it.
  if (change.transaction === 'one') return add(reading, 'sql:transaction', {}, attributes);
  add(reading, 'sql:session', {}, attributes);
  reading.flags.barrier = true;
  if (change.name === undefined) {
    reading.changes.settings = 'unknown';
    return;
  }
  const before = reading.changes.settings;
  if (before === 'unknown') return;
  reading.changes.settings = { ...before, [change.name]: change.value };
  if (change.local) reading.changes.local = true;
}

const transactions: Record<string, NonNullable<Changes['transaction']>> = {
  TRANS_STMT_BEGIN: 'begin',
  TRANS_STMT_START: 'begin',
  TRANS_STMT_COMMIT: 'commit',
  TRANS_STMT_ROLLBACK: 'rollback',
  TRANS_STMT_SAVEPOINT: 'savepoint',
  TRANS_STMT_ROLLBACK_TO: 'rollback-to',
  TRANS_STMT_RELEASE: 'release',
  TRANS_STMT_PREPARE: 'prepare',
};

export function transaction(stmt: TransactionStmt, reading: Reading): void {
  const kind = stmt.kind ?? 'TRANS_STMT_BEGIN';
  if (kind === 'TRANS_STMT_COMMIT_PREPARED' || kind === 'TRANS_STMT_ROLLBACK_PREPARED') {
    // What was prepared may hold DDL of any session.
    add(reading, 'sql:transaction', {}, { prepared: true });
    reading.changes.catalogue = true;
    reading.flags.barrier = true;
    return;
  }
  const change = transactions[kind];
  if (!change)
    throw notUnderstood('This transaction statement is not understood. Use BEGIN, COMMIT, ROLLBACK or SAVEPOINT.');
  add(reading, 'sql:transaction', {}, change === 'prepare' ? { prepared: true } : {});
  reading.changes.transaction = change;
  if (change === 'prepare') reading.flags.barrier = true;
}

export function discard(stmt: DiscardStmt, reading: Reading): void {
  add(reading, 'sql:session', {}, { discard: true });
  reading.flags.barrier = true;
  if (stmt.target === 'DISCARD_ALL') reading.changes.discard = true;
  if (stmt.target === 'DISCARD_ALL' || stmt.target === 'DISCARD_TEMP') reading.changes.catalogue = true;
}

/** PREPARE runs nothing: the inner statement's effects come with EXECUTE. */
export function prepare(stmt: PrepareStmt, reading: Reading): void {
  const analysis = reading.walker.analyse(stmt.query as Tree, reading.scope);
  add(reading, 'sql:session', {}, { prepare: stmt.name ?? '' });
  reading.changes.prepared = { name: stmt.name ?? '', analysis };
  reading.flags.barrier = true;
  reading.flags.uncacheable = true;
}

/** In which order and how often a body does this cannot be told, so what a name stands for is not known behind it. */
export function namesStatements(tree: Tree): boolean {
  return tree.PrepareStmt !== undefined || tree.DeallocateStmt !== undefined || tree.DiscardStmt !== undefined;
}

export function execute(stmt: ExecuteStmt, reading: Reading, names: Names): void {
  reading.flags.uncacheable = true;
  const kept = reading.scope.prepared.get(stmt.name ?? '');
  if (!kept) {
    throw notUnderstood(`There is no prepared statement of this name in this session. PREPARE it first.`, {
      sqlstate: '26000',
      message: `prepared statement "${stmt.name ?? ''}" does not exist`,
    });
  }
  // The server reads the kept text anew when the catalogue or the search path changed; so do we.
  const analysis = reading.walker.refresh(kept, reading.scope);
  for (const effect of analysis.meaning.effects) add(reading, effect.action, effect.resource, effect.attributes);
  for (const part of analysis.parts) inherit(part.changes, reading);
  reading.flags.barrier ||= analysis.barrier;
  reading.walker.walk(stmt.params, reading, names);
}

/** Changes that the statement inside makes when it runs. */
function inherit(changes: Changes, reading: Reading): void {
  if (changes.catalogue) reading.changes.catalogue = true;
  if (changes.settings !== undefined) {
    reading.changes.settings =
      changes.settings === 'unknown' || reading.changes.settings === 'unknown'
        ? 'unknown'
        : { ...reading.changes.settings, ...changes.settings };
  }
  if (changes.local) reading.changes.local = true;
  if (changes.doubtedCursors) reading.changes.doubtedCursors = changes.doubtedCursors;
}

export function deallocate(stmt: DeallocateStmt, reading: Reading): void {
  add(reading, 'sql:session', {}, { deallocate: true });
  reading.changes.deallocated = stmt.isall || stmt.name === undefined ? {} : { name: stmt.name };
  reading.flags.barrier = true;
}

/** DECLARE plans its query and FETCH runs it; the effects are told at both, so that either can be refused. */
export function declareCursor(stmt: DeclareCursorStmt, reading: Reading, names: Names): void {
  const query = stmt.query as Tree;
  reading.walker.statement(query, reading, names);
  // CURSOR_OPT_HOLD of parsenodes.h.
  const hold = ((stmt.options ?? 0) & 0x20) !== 0;
  reading.changes.cursor = {
    name: stmt.portalname ?? '',
    analysis: reading.walker.analyse(query, reading.scope),
    hold,
  };
  reading.flags.barrier = true;
  reading.flags.uncacheable = true;
}

export function fetchCursor(stmt: FetchStmt, reading: Reading): void {
  reading.flags.uncacheable = true;
  const cursor = reading.scope.cursors.get(stmt.portalname ?? '');
  if (!cursor && reading.scope.openCursors) {
    // A function opened it, or nobody did: then the server says so. What it returns may be anything (DESIGN §5).
    add(reading, 'sql:read', {}, { cursor: stmt.portalname ?? '' });
    return;
  }
  if (!cursor) {
    throw notUnderstood('There is no cursor of this name in this session. DECLARE it first.', {
      sqlstate: '34000',
      message: `cursor "${stmt.portalname ?? ''}" does not exist`,
    });
  }
  for (const effect of cursor.meaning.effects) add(reading, effect.action, effect.resource, effect.attributes);
  for (const part of cursor.parts) inherit(part.changes, reading);
  reading.flags.barrier ||= cursor.barrier;
  // What it calls may close every other cursor, and not the one that it runs in.
  if (reading.changes.doubtedCursors || reading.changes.settings === 'unknown')
    reading.changes.doubtedCursors = { except: stmt.portalname ?? '' };
}

export function closeCursor(stmt: ClosePortalStmt, reading: Reading): void {
  add(reading, 'sql:session', {}, { close: true });
  reading.changes.closedCursor = stmt.portalname === undefined ? {} : { name: stmt.portalname };
  reading.flags.barrier = true;
}

/** True when EXPLAIN runs the statement. The last of several ANALYZE options counts, as at the server. */
export function explainRuns(stmt: ExplainStmt): boolean {
  let runs = false;
  for (const option of (stmt.options ?? []) as Tree[]) {
    if (option.DefElem?.defname !== 'analyze') continue;
    const value = option.DefElem.arg === undefined ? 'true' : literal(option.DefElem.arg as Tree);
    runs = value === undefined || !['false', 'off', '0'].includes(value.toLowerCase());
  }
  return runs;
}

/** Plain EXPLAIN plans only: it reads the catalogue and may fold functions, so calls keep their effects and writes become reads. */
export function explain(stmt: ExplainStmt, reading: Reading, names: Names): void {
  const query = stmt.query as Tree;
  if (explainRuns(stmt)) {
    reading.walker.statement(query, reading, names);
    return;
  }
  const planned = aside(reading);
  reading.walker.statement(query, planned, names);
  for (const effect of planned.effects.values()) {
    if (effect.resource.routine !== undefined || effect.action === 'sql:read')
      add(reading, effect.action, effect.resource, effect.attributes);
    else if (effect.resource.relation !== undefined) add(reading, 'sql:read', effect.resource);
    else if (effect.action !== 'sql:session' && effect.action !== 'sql:transaction')
      add(reading, effect.action, effect.resource, effect.attributes);
  }
}
