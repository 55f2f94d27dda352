// A cheap key under which statements that differ only in whole numbers share one analysis. It concedes on anything unusual:
// quotes, dollars, comments, escapes, other number forms; and on numbers that could matter to the analysis.
import type { Tree } from './parse.ts';

/** Longer texts are not worth a second look. */
const maxLength = 4096;
const maxDigits = 9;

export interface Shape {
  readonly key: string;
  /** How many numbers were replaced. */
  readonly numbers: number;
}

/** Undefined when the text must be its own key. Only letters, digits, blanks and plain punctuation qualify. */
export function shapeOf(sql: string): Shape | undefined {
  if (sql.length > maxLength) return undefined;
  let key = '';
  let from = 0;
  let numbers = 0;
  for (let index = 0; index < sql.length; index++) {
    const code = sql.charCodeAt(index);
    if (code >= 48 && code <= 57) {
      const start = index;
      while (isDigit(sql.charCodeAt(index + 1))) index++;
      const next = sql.charCodeAt(index + 1);
      // 1.5, 1e5, 0x1f, 1_000, 5abc: not a plain whole number.
      if (index - start + 1 > maxDigits || next === 46 || isWord(next)) return undefined;
      if (start > 0 && sql.charCodeAt(start - 1) === 46) return undefined;
      key += `${sql.slice(from, start)}?`;
      from = index + 1;
      numbers++;
    } else if (isWord(code)) {
      while (isWord(sql.charCodeAt(index + 1)) || isDigit(sql.charCodeAt(index + 1))) index++;
    } else if (!plain(code, sql.charCodeAt(index + 1))) return undefined;
  }
  if (numbers === 0) return undefined;
  return { key: key + sql.slice(from), numbers };
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isWord(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95;
}

/** Blanks and the punctuation ( ) * + , - . ; < = > [ ]; no quotes, dollars, question marks, backslashes, comments. */
function plain(code: number, next: number): boolean {
  if (code === 32 || code === 9 || code === 10 || code === 13) return true;
  if (code === 45 && next === 45) return false;
  return (
    code === 40 || code === 41 || (code >= 42 && code <= 46) || (code >= 59 && code <= 62) || code === 91 || code === 93
  );
}

const queries: ReadonlySet<string> = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt']);

/**
 * How many constants of the tree are whole numbers that no analysis looks at: compared with a column, inserted, or
 * assigned. Undefined when any constant stands elsewhere: positions in ORDER BY and GROUP BY, LIMIT, arguments, casts,
 * subscripts, and comparisons between constants, which decide whether a WHERE restricts anything.
 */
export function immaterialNumbers(tree: Tree): number | undefined {
  for (const kind in tree) if (!queries.has(kind)) return undefined;
  const found = { count: 0, ok: true };
  visit(tree, false, found);
  return found.ok ? found.count : undefined;
}

function visit(value: unknown, immaterial: boolean, found: { count: number; ok: boolean }): void {
  if (!found.ok || value === null || typeof value !== 'object') return;
  if (Array.isArray(value)) {
    for (const item of value) visit(item, immaterial, found);
    return;
  }
  for (const key in value) {
    const body = (value as Record<string, unknown>)[key];
    if (body === null || typeof body !== 'object') continue;
    visitKey(key, body as Record<string, unknown>, immaterial, found);
  }
}

function visitKey(
  key: string,
  body: Record<string, unknown>,
  immaterial: boolean,
  found: { count: number; ok: boolean },
): void {
  const tree = { [key]: body } as Tree;
  if (tree.A_Const) {
    if (!immaterial || !tree.A_Const.ival) found.ok = false;
    else found.count++;
  } else if (key === 'typeName' || key === 'TypeName') {
    // Type modifiers are constants of the type, and `-1` where there are none.
    visit(tree.TypeName?.typmods ?? (body['typmods'] as unknown), false, found);
  } else if (tree.InsertStmt) {
    const { selectStmt, ...rest } = tree.InsertStmt;
    for (const row of ((selectStmt as Tree | undefined)?.SelectStmt?.valuesLists ?? []) as Tree[]) {
      for (const item of (row.List?.items ?? []) as Tree[]) visit(item, item.A_Const !== undefined, found);
    }
    visit(withoutValues(selectStmt as Tree | undefined), false, found);
    visit(rest, false, found);
  } else if (tree.UpdateStmt) {
    const { targetList, ...rest } = tree.UpdateStmt;
    for (const target of (targetList ?? []) as Tree[]) {
      const assigned = target.ResTarget?.val as Tree | undefined;
      visit(assigned, assigned?.A_Const !== undefined || isArithmetic(assigned), found);
      visit(target.ResTarget?.indirection, false, found);
    }
    visit(rest, false, found);
  } else if (tree.A_Expr) {
    const { lexpr, rexpr } = tree.A_Expr as { lexpr?: Tree; rexpr?: Tree };
    const comparison = comparesColumn(tree.A_Expr.kind, operatorOf(tree.A_Expr.name as Tree[]), lexpr, rexpr);
    const arithmetic = immaterial && isArithmetic(tree);
    visit(lexpr, lexpr?.A_Const !== undefined && (comparison || arithmetic), found);
    if (comparison && rexpr?.List)
      for (const item of (rexpr.List.items ?? []) as Tree[]) visit(item, item.A_Const !== undefined, found);
    else visit(rexpr, rexpr?.A_Const !== undefined && (comparison || arithmetic), found);
  } else visit(body, false, found);
}

/** A column on one side and constants on the other. */
function comparesColumn(
  kind: string | undefined,
  operator: string,
  left: Tree | undefined,
  right: Tree | undefined,
): boolean {
  if (kind === 'AEXPR_OP') {
    if (!['=', '<>', '<', '>', '<=', '>='].includes(operator)) return false;
    return (
      (left?.ColumnRef !== undefined && right?.A_Const !== undefined) ||
      (left?.A_Const !== undefined && right?.ColumnRef !== undefined)
    );
  }
  return (
    (kind === 'AEXPR_IN' || kind === 'AEXPR_BETWEEN' || kind === 'AEXPR_NOT_BETWEEN') &&
    left?.ColumnRef !== undefined &&
    right?.List !== undefined
  );
}

/** `balance + 5`, as an UPDATE assigns it. */
function isArithmetic(tree: Tree | undefined): boolean {
  const expr = tree?.A_Expr;
  if (!expr || expr.kind !== 'AEXPR_OP' || !['+', '-', '*'].includes(operatorOf(expr.name as Tree[]))) return false;
  const { lexpr, rexpr } = expr as { lexpr?: Tree; rexpr?: Tree };
  return (
    (lexpr?.ColumnRef !== undefined && rexpr?.A_Const !== undefined) ||
    (lexpr?.A_Const !== undefined && rexpr?.ColumnRef !== undefined)
  );
}

function operatorOf(names: readonly Tree[] | undefined): string {
  return names?.length === 1 ? (names[0]?.String?.sval ?? '') : '';
}

function withoutValues(tree: Tree | undefined): unknown {
  if (!tree?.SelectStmt) return tree;
  const { valuesLists: _lists, ...rest } = tree.SelectStmt;
  return rest;
}
