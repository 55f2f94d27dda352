// Several statements in one text: all are read before the first runs, so each is read with what the earlier ones will have
// changed. Where that cannot be known the text is refused, and can be sent as separate statements.
import type { Changes, Scope } from './analysis.ts';
import { notUnderstood } from './parse.ts';
import type { Reading } from './reading.ts';
import { searchPathOf } from './settings.ts';

/**
 * What the earlier statements did. path: set the search path, which the end of a transaction may undo. catalogue: names may
 * mean something new. names: an existing name may mean another thing. settings: the search path is not known.
 */
export type Stale = 'no' | 'path' | 'catalogue' | 'names' | 'settings';

/** Kinds after which an existing name can stand for something else, or a harmless write can do more. */
const renaming: ReadonlySet<string> = new Set([
  'RenameStmt',
  'AlterObjectSchemaStmt',
  'ViewStmt',
  'RuleStmt',
  'CreateFunctionStmt',
  'CreateTrigStmt',
  'CreateCastStmt',
  'DefineStmt',
  'DoStmt',
  'CallStmt',
  'CreateExtensionStmt',
]);

export function staleAfter(before: Stale, kind: string, reading: Reading): Stale {
  const { changes } = reading;
  if (before === 'settings' || losesPath(changes)) return 'settings';
  if (before !== 'no' && ends.has(changes.transaction)) return 'settings';
  if (before === 'names' || (changes.catalogue && (renaming.has(kind) || reading.flags.unreadable))) return 'names';
  if (before === 'catalogue' || changes.catalogue) return 'catalogue';
  return before === 'path' || setsPath(changes) ? 'path' : 'no';
}

function setsPath(changes: Changes): boolean {
  return changes.settings !== undefined && changes.settings !== 'unknown' && 'search_path' in changes.settings;
}

/** After this the search path is one that we do not know: its default, another role's, or the one before a transaction. */
function losesPath(changes: Changes): boolean {
  if (changes.settings === 'unknown' || changes.discard) return true;
  if (changes.settings === undefined) return false;
  const { settings } = changes;
  return (
    'role' in settings ||
    'session_authorization' in settings ||
    ('search_path' in settings && settings['search_path'] === undefined)
  );
}

const ends: ReadonlySet<string | undefined> = new Set(['commit', 'rollback', 'rollback-to', 'prepare']);

const usesNames: ReadonlySet<string> = new Set([
  'sql:read',
  'sql:insert',
  'sql:update',
  'sql:delete',
  'sql:truncate',
  'sql:call',
]);

/** What follows a change in the same text was read with the catalogue of before. */
export function refuseStale(stale: Stale, reading: Reading, returnsRows: boolean): void {
  if (stale === 'no' || stale === 'path') return;
  const uses = [...reading.effects.values()].some((effect) => usesNames.has(effect.action));
  if (!uses) return;
  if (stale === 'catalogue' && !returnsRows) return;
  throw notUnderstood(
    'A later statement of this text depends on what an earlier one changes (the catalogue or a setting). Send them as separate statements.',
    { sqlstate: '0A000', message: 'statements that depend on an earlier change must be sent separately' },
  );
}

/** What later statements of the same text see. */
export function scopeAfter(scope: Scope, changes: Changes): Scope {
  let next = scope;
  if (changes.prepared)
    next = { ...next, prepared: new Map([...next.prepared, [changes.prepared.name, changes.prepared.analysis]]) };
  if (changes.cursor)
    next = { ...next, cursors: new Map([...next.cursors, [changes.cursor.name, changes.cursor.analysis]]) };
  if (changes.deallocated) {
    const { name } = changes.deallocated;
    next = { ...next, prepared: new Map([...next.prepared].filter(([key]) => name !== undefined && key !== name)) };
  }
  if (changes.doubtedCursors || changes.settings === 'unknown') {
    const stays = changes.doubtedCursors?.except;
    next = { ...next, cursors: new Map([...next.cursors].filter(([name]) => name === stays)) };
  }
  // A body that was not read may have prepared another statement under a known name (test: prepared-names, "in one text").
  if (changes.settings === 'unknown') next = { ...next, prepared: new Map() };
  if (changes.discard) next = { ...next, prepared: new Map(), cursors: new Map() };
  const path = changes.settings !== undefined && changes.settings !== 'unknown' ? changes.settings : undefined;
  if (path && 'search_path' in path && path['search_path'] !== undefined) {
    const temporary = next.searchPath.filter((schema) => schema.startsWith('pg_temp_'));
    next = { ...next, searchPath: searchPathWithin(path['search_path'], temporary) };
  }
  return next;
}

/** The order in which the server looks under a search_path value: temporary schema and pg_catalog first unless listed. */
export function searchPathWithin(value: string, temporary: readonly string[]): readonly string[] {
  const schemas = searchPathOf(value).flatMap((schema) => (schema === 'pg_temp' ? temporary : [schema]));
  const system = schemas.includes('pg_catalog') ? [] : ['pg_catalog'];
  const own = schemas.some((schema) => temporary.includes(schema)) ? [] : temporary;
  return [...own, ...system, ...schemas];
}
