// Does a WHERE clause restrict the rows of its target? `WHERE true`, `1 = 1`, `id = id` and conditions on other tables do not.
import type { ColumnRef, SelectStmt } from 'libpg-query';
import type { Tree } from './parse.ts';

/** Whether an expression can name a column of the target: by qualifier, and by column name where the columns are known. */
export interface TargetNames {
  readonly qualifiers: ReadonlySet<string>;
  readonly columns?: ReadonlySet<string>;
  /** Of these, the ones that cannot be null. */
  readonly notNull?: ReadonlySet<string>;
  /** The name of the relation itself: a subquery over the same one is told by it. */
  readonly relation?: string;
}

/** True when the condition can tell one row of the target from another. Errs towards false, which policies treat as "all rows". */
export function restricts(where: Tree | undefined, target: TargetNames): boolean {
  if (!where) return false;
  if (where.CurrentOfExpr) return true;
  const verdict = judge(where, target);
  return verdict === 'some' || verdict === 'never';
}

/** always: true for each row (or the same for each row and not surely false); never: surely false; some: depends on the row. */
type Verdict = 'always' | 'never' | 'some';

function judge(tree: Tree, target: TargetNames): Verdict {
  const bool = tree.BoolExpr;
  if (bool) {
    const parts = (bool.args ?? []).map((arg) => judge(arg as Tree, target));
    if (bool.boolop === 'AND_EXPR') {
      if (parts.includes('never')) return 'never';
      return parts.includes('some') ? 'some' : 'always';
    }
    if (bool.boolop === 'OR_EXPR') {
      if (parts.includes('always') || complementary(bool.args as Tree[])) return 'always';
      return parts.includes('some') ? 'some' : 'never';
    }
    // NOT of a row-independent condition is row-independent; only NOT FALSE is surely true, which `always` covers.
    if (parts[0] === 'some') return notNull(bool.args?.[0] as Tree) ? 'always' : 'some';
    return isConstant(bool.args?.[0] as Tree, true) ? 'never' : 'always';
  }
  if (isConstant(tree, false)) return 'never';
  if (!namesTarget(tree, target)) return 'always';
  const expr = tree.A_Expr;
  if (expr) {
    const left = expr.lexpr as Tree | undefined;
    const right = expr.rexpr as Tree | undefined;
    const operator = nameOf(expr.name as Tree[]);
    if (expr.kind === 'AEXPR_OP' && ['=', '>=', '<='].includes(operator) && same(left, right)) return 'always';
    if (expr.kind === 'AEXPR_NOT_DISTINCT' && same(left, right)) return 'always';
    if (expr.kind === 'AEXPR_IN' && operator === '=' && items(right).some((item) => same(left, item))) return 'always';
    if (expr.kind === 'AEXPR_OP_ANY' && operator === '=' && selectsOwn(right?.SubLink?.subselect as Tree, left, target))
      return 'always';
    if (expr.kind === 'AEXPR_OP_ANY' && operator === '=' && items(right).some((item) => same(left, item)))
      return 'always';
    if (expr.kind === 'AEXPR_BETWEEN' && items(right).every((item) => same(left, item))) return 'always';
    if (expr.kind === 'AEXPR_OP' && /^~\*?$/.test(operator) && isAnything(right)) return 'always';
    if ((expr.kind === 'AEXPR_LIKE' || expr.kind === 'AEXPR_ILIKE') && operator.startsWith('~~') && isPercent(right))
      return 'always';
  }
  if (tree.TypeCast) return judge(tree.TypeCast.arg as Tree, target);
  if (tree.CaseExpr) return judgeCase(tree, target);
  if (tree.NullTest && cannotBeNull(tree.NullTest.arg as Tree, target))
    return tree.NullTest.nulltesttype === 'IS_NOT_NULL' ? 'always' : 'never';
  if (tree.SubLink && isOwnKeys(tree, target)) return 'always';
  return 'some';
}

/** Always, where every branch is. */
function judgeCase(tree: Tree, target: TargetNames): Verdict {
  const branches = ((tree.CaseExpr!.args ?? []) as Tree[]).map((one) => judge(one.CaseWhen!.result as Tree, target));
  const otherwise = tree.CaseExpr!.defresult as Tree | undefined;
  const all = [...branches, otherwise ? judge(otherwise, target) : 'never'];
  if (all.every((verdict) => verdict === 'always')) return 'always';
  return all.every((verdict) => verdict === 'never') ? 'never' : 'some';
}

function cannotBeNull(tree: Tree, target: TargetNames): boolean {
  const fields = (tree.ColumnRef?.fields ?? []) as Tree[];
  return tree.ColumnRef !== undefined && target.notNull?.has(fields.at(-1)?.String?.sval ?? '') === true;
}

/** `key IN (SELECT key FROM the same table)`, as a list or as an array. */
function isOwnKeys(tree: Tree, target: TargetNames): boolean {
  const { subLinkType, testexpr, operName, subselect } = tree.SubLink!;
  if (subLinkType !== 'ANY_SUBLINK' || (operName && nameOf(operName as Tree[]) !== '=')) return false;
  return selectsOwn(subselect as Tree | undefined, testexpr as Tree | undefined, target);
}

function selectsOwn(subselect: Tree | undefined, key: Tree | undefined, target: TargetNames): boolean {
  const query = subselect?.SelectStmt;
  if (!query || query.whereClause || query.limitCount || query.limitOffset || query.havingClause || query.withClause)
    return false;
  const [from, ...more] = (query.fromClause ?? []) as Tree[];
  const [column, ...columns] = (query.targetList ?? []) as Tree[];
  if (!from?.RangeVar || more.length + columns.length > 0 || from.RangeVar.relname !== target.relation) return false;
  const name = (tree: Tree | undefined) => ((tree?.ColumnRef?.fields ?? []) as Tree[]).at(-1)?.String?.sval;
  return name(key) !== undefined && name(column?.ResTarget?.val as Tree | undefined) === name(key);
}

/** `x OR NOT x`, `x IS NULL OR x IS NOT NULL`, and `a = 1 OR a <> 1`. */
function complementary(parts: readonly Tree[]): boolean {
  const shapes = new Set(parts.map(canonical));
  return parts.some((part) => {
    if (part.BoolExpr?.boolop === 'NOT_EXPR') return shapes.has(canonical(part.BoolExpr.args?.[0] as Tree));
    if (part.NullTest) {
      const other = part.NullTest.nulltesttype === 'IS_NULL' ? 'IS_NOT_NULL' : 'IS_NULL';
      return shapes.has(canonical({ NullTest: { ...part.NullTest, nulltesttype: other } } as Tree));
    }
    const opposite: Record<string, string> = { '=': '<>', '<>': '=', '<': '>=', '>=': '<', '>': '<=', '<=': '>' };
    const flipped = part.A_Expr?.kind === 'AEXPR_OP' && opposite[nameOf(part.A_Expr.name as Tree[])];
    if (!flipped) return false;
    return shapes.has(canonical({ A_Expr: { ...part.A_Expr, name: [{ String: { sval: flipped } }] } } as Tree));
  });
}

/** NOT (x = NULL-able…) cannot be judged; NOT (x <> x) is true for each row. */
function notNull(tree: Tree): boolean {
  const expr = tree.A_Expr;
  if (!expr || expr.kind !== 'AEXPR_OP') return false;
  return ['<>', '<', '>'].includes(nameOf(expr.name as Tree[])) && same(expr.lexpr as Tree, expr.rexpr as Tree);
}

function isConstant(tree: Tree | undefined, value: boolean): boolean {
  if (tree?.TypeCast) {
    const inner = (tree.TypeCast.arg as Tree).A_Const;
    if (inner?.sval) return /^(f|fa|fal|fals|false|n|no|off|of|0)$/i.test(inner.sval.sval ?? '') === !value;
    return isConstant(tree.TypeCast.arg as Tree, value);
  }
  const constant = tree?.A_Const;
  // NULL as a condition selects nothing.
  if (constant?.isnull) return !value;
  return constant?.boolval !== undefined && (constant.boolval.boolval ?? false) === value;
}

function namesTarget(value: unknown, target: TargetNames): boolean {
  if (Array.isArray(value)) return value.some((item) => namesTarget(item, target));
  if (value === null || typeof value !== 'object') return false;
  for (const key in value) {
    const inner = (value as Record<string, unknown>)[key];
    if (key === 'SelectStmt') {
      if (namesTarget({ ...(inner as object) }, within(inner as SelectStmt, target))) return true;
    } else if (key === 'ColumnRef' ? refersTo(inner as ColumnRef, target) : namesTarget(inner, target)) return true;
  }
  return false;
}

/** What names still mean the target inside a subquery: its own relations come first. */
function within(query: SelectStmt, target: TargetNames): TargetNames {
  const ranges = ((query.fromClause ?? []) as Tree[]).flatMap((from) => (from.RangeVar ? [from.RangeVar] : []));
  const hidden = new Set(ranges.map((range) => range.alias?.aliasname ?? range.relname ?? ''));
  const qualifiers = new Set([...target.qualifiers].filter((name) => !hidden.has(name)));
  // The same relation has the same columns, and the inner one is meant.
  const own = ranges.some((range) => range.relname === target.relation && !range.alias?.colnames);
  return { ...target, qualifiers, ...(own ? { columns: new Set() } : {}) };
}

function refersTo(ref: ColumnRef, target: TargetNames): boolean {
  const fields = (ref.fields ?? []) as Tree[];
  if (fields.length >= 2) {
    // schema.table.column: the table is the last but one.
    return (
      target.qualifiers.has(fields[fields.length - 2]?.String?.sval ?? '') ||
      target.qualifiers.has(fields[0]?.String?.sval ?? '')
    );
  }
  const name = fields[0]?.String?.sval;
  if (name === undefined || target.columns === undefined) return true;
  return target.columns.has(name) || target.qualifiers.has(name);
}

function items(tree: Tree | undefined): readonly Tree[] {
  return (tree?.List?.items ?? tree?.A_ArrayExpr?.elements ?? []) as Tree[];
}

/** A regular expression that every text matches. */
function isAnything(tree: Tree | undefined): boolean {
  return /^\^?(\(?\.\*\??\)?)*\$?$/.test(tree?.A_Const?.sval?.sval ?? '-');
}

function isPercent(tree: Tree | undefined): boolean {
  return /^%+$/.test(tree?.A_Const?.sval?.sval ?? '');
}

export function nameOf(names: readonly Tree[] | undefined): string {
  return names?.at(-1)?.String?.sval ?? '';
}

function same(left: Tree | undefined, right: Tree | undefined): boolean {
  return left !== undefined && right !== undefined && canonical(plain(left)) === canonical(plain(right));
}

/** Without what changes nothing: casts, collations, adding nothing, a value in place of itself. */
function plain(tree: Tree): Tree {
  if (tree.TypeCast) return plain(tree.TypeCast.arg as Tree);
  if (tree.CollateClause) return plain(tree.CollateClause.arg as Tree);
  const [first, ...more] = (tree.CoalesceExpr?.args ?? tree.MinMaxExpr?.args ?? []) as Tree[];
  if (first && more.every((one) => same(first, one) || one.A_Const)) return plain(first);
  const expr = tree.A_Expr;
  if (expr?.kind !== 'AEXPR_OP' || !expr.lexpr || !expr.rexpr) return tree;
  const neutral: Record<string, string> = { '+': '0', '-': '0', '*': '1', '/': '1', '||': '' };
  const wanted = neutral[nameOf(expr.name as Tree[])];
  if (wanted === undefined) return tree;
  if (constantText(expr.rexpr as Tree) === wanted) return plain(expr.lexpr as Tree);
  const commutes = ['+', '*', '||'].includes(nameOf(expr.name as Tree[]));
  return commutes && constantText(expr.lexpr as Tree) === wanted ? plain(expr.rexpr as Tree) : tree;
}

function constantText(tree: Tree): string | undefined {
  const constant = tree.A_Const;
  if (!constant || constant.isnull) return undefined;
  return constant.sval
    ? (constant.sval.sval ?? '')
    : constant.ival
      ? String(constant.ival.ival ?? 0)
      : constant.fval?.fval;
}

function canonical(tree: Tree): string {
  return JSON.stringify(tree, (key, value: unknown) => (key === 'location' ? undefined : value));
}
