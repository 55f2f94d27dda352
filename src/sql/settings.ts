// SET, RESET and set_config(): what a setting change means to us. Some settings would make our reading of SQL a lie; they are refused.
import type { A_Const, SelectStmt, VariableSetStmt } from 'libpg-query';
import { notUnderstood, type Tree } from './parse.ts';

/** Settings that our reading depends on, with the only values under which it stays true (spelt as `normalise` leaves them). */
const pinned: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['standard_conforming_strings', new Set(['on', 'true', 'tru', 'tr', 't', 'yes', 'ye', 'y', '1'])],
  ['client_encoding', new Set(['utf8', 'unicode'])],
  ['session_replication_role', new Set(['origin'])],
  ['backslash_quote', new Set(['safeencoding'])],
]);

const roles: ReadonlySet<string> = new Set(['role', 'session_authorization']);

export interface SettingChange {
  /** Lower case; absent for RESET ALL. */
  readonly name?: string;
  /** The new value; absent when the setting goes back to its default. */
  readonly value?: string;
  /** Ends with the transaction. */
  readonly local: boolean;
  /** Changes whose rights count: SET ROLE, SET SESSION AUTHORIZATION. */
  readonly role: boolean;
  /** SET TRANSACTION … and SET SESSION CHARACTERISTICS …, which are several settings in one. */
  readonly transaction?: 'one' | 'session';
}

/** Reads SET and RESET. Throws a Fault for a change that would break the reading of later statements. */
export function settingChange(stmt: VariableSetStmt): SettingChange {
  const local = stmt.is_local === true;
  if (stmt.kind === 'VAR_RESET_ALL') return { local: false, role: false };
  const name = (stmt.name ?? '').toLowerCase();
  if (stmt.kind === 'VAR_SET_MULTI') {
    return {
      name: name.toLowerCase(),
      local,
      role: false,
      transaction: name.startsWith('session') ? 'session' : 'one',
    };
  }
  const role = roles.has(name);
  if (stmt.kind === 'VAR_SET_DEFAULT' || stmt.kind === 'VAR_RESET') return { name, local, role };
  if (stmt.kind === 'VAR_SET_CURRENT') {
    throw notUnderstood(`SET ${name} FROM CURRENT is not understood here. Write the value as a literal.`);
  }
  const values = (stmt.args ?? []).map((arg) => literal(arg as Tree));
  if (values.some((value) => value === undefined)) {
    if (pinned.has(name) || role || name === 'search_path') throw needsLiteral(name);
    return { name, value: '', local, role };
  }
  // A list keeps its items apart: the server quotes each of them as an identifier.
  const value = name === 'search_path' ? values.map((v) => quoteItem(v!)).join(', ') : values.join(', ');
  checkSetting(name, value);
  return { name, value, local, role };
}

/** set_config(name, value, is_local) with its arguments as written. Throws a Fault when a needed one is not a literal. */
export function setConfigChange(args: readonly Tree[]): SettingChange {
  const name = args[0] && literal(args[0])?.toLowerCase();
  if (name === undefined) throw needsLiteral('set_config', 'the name of the setting');
  const value = args[1] && literal(args[1]);
  const role = roles.has(name);
  // Anything but a plain `true` may outlive the transaction, and is treated as if it did.
  const local = isTrue(args[2]);
  if (value === undefined) {
    if (pinned.has(name) || role || name === 'search_path') throw needsLiteral(name);
    return { name, value: '', local, role };
  }
  checkSetting(name, value);
  return { name, value, local, role };
}

/**
 * pg_dump sets what an older server may not know by a query over pg_settings: the name of the setting stands in its condition.
 * The statement as if the name were written in the call; undefined when it is not that statement, to the letter of name and value.
 */
export function dumpSetting(stmt: SelectStmt): SelectStmt | undefined {
  const [target, ...targets] = (stmt.targetList ?? []) as Tree[];
  const [from, ...more] = (stmt.fromClause ?? []) as Tree[];
  const call = (target?.ResTarget?.val as Tree | undefined)?.FuncCall;
  const where = (stmt.whereClause as Tree | undefined)?.A_Expr;
  if (!call || !where || targets.length + more.length > 0 || from?.RangeVar?.relname !== 'pg_settings')
    return undefined;
  const [name, value] = (call.args ?? []) as Tree[];
  const condition = where.rexpr && literal(where.rexpr as Tree);
  const isName = (tree: Tree | undefined) =>
    tree?.ColumnRef?.fields?.length === 1 && (tree.ColumnRef.fields[0] as Tree).String?.sval === 'name';
  const equals = (where.name as Tree[] | undefined)?.map((part) => part.String?.sval).join('.') === '=';
  if (where.kind !== 'AEXPR_OP' || !equals || !isName(where.lexpr as Tree | undefined) || !isName(name))
    return undefined;
  if (condition !== 'restrict_nonsystem_relation_kind' || !value || literal(value) !== 'view, foreign-table')
    return undefined;
  const args = [where.rexpr, ...(call.args ?? []).slice(1)];
  return {
    ...stmt,
    targetList: [{ ResTarget: { ...target!.ResTarget, val: { FuncCall: { ...call, args } } } }] as never,
  };
}

/** Throws a Fault when `name` must not be set to `value` through this gateway. */
export function checkSetting(name: string, value: string): void {
  const allowed = pinned.get(name);
  if (allowed && !allowed.has(normalise(value))) {
    throw notUnderstood(
      `The setting ${name} cannot be changed to this value here, because statements would then mean something else than what was read. Leave it at ${[...allowed][0]}.`,
      { sqlstate: '22023', message: `parameter "${name}" cannot be changed to this value through the gateway` },
    );
  }
}

/** Schemas of a search_path value in order: `"$user", public` → ['$user', 'public']. Source: SplitIdentifierString. */
export function searchPathOf(value: string): readonly string[] {
  const schemas: string[] = [];
  const item = /\s*(?:"((?:[^"]|"")*)"|([^\s,"]+))\s*(?:,|$)/gy;
  for (let match = item.exec(value); match; match = item.exec(value)) {
    schemas.push(match[1] !== undefined ? match[1].replaceAll('""', '"') : match[2]!.toLowerCase());
    if (item.lastIndex >= value.length) break;
  }
  return schemas;
}

/** The text of a constant, through casts of it; undefined for anything computed. */
export function literal(tree: Tree): string | undefined {
  if (tree.TypeCast) return tree.TypeCast.arg && literal(tree.TypeCast.arg as Tree);
  if (tree.String) return tree.String.sval ?? '';
  if (tree.Integer) return String(tree.Integer.ival ?? 0);
  if (tree.Float) return tree.Float.fval;
  const constant: A_Const | undefined = tree.A_Const;
  if (!constant || constant.isnull) return undefined;
  if (constant.sval) return constant.sval.sval ?? '';
  if (constant.ival) return String(constant.ival.ival ?? 0);
  if (constant.fval) return constant.fval.fval ?? '0';
  if (constant.boolval) return constant.boolval.boolval ? 'true' : 'false';
  return undefined;
}

function isTrue(tree: Tree | undefined): boolean {
  const text = tree && literal(tree);
  return text !== undefined && ['true', 't', 'on', 'yes', 'y', '1'].includes(text.toLowerCase());
}

function normalise(value: string): string {
  return value.toLowerCase().replace(/[^a-z0-9]/g, '');
}

function quoteItem(value: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(value) ? value : `"${value.replaceAll('"', '""')}"`;
}

function needsLiteral(name: string, what = 'its value') {
  return notUnderstood(`${name}: write ${what} as a literal, so that later statements can be read correctly.`, {
    sqlstate: '22023',
    message: `parameter "${name}" needs a literal value through the gateway`,
  });
}
