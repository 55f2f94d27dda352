// Conditions: equality with a value and between columns tells nothing beyond itself; every other test of a labelled
// column is a probe (DESIGN §5).
import { group, list, tableValues, userOperator } from './lineage-expression.ts';
import { elementsOf, meetAll } from './lineage-match.ts';
import { anything, derived, nothing, sensitive, type Value } from './lineage-value.ts';
import { type Names, place, probe, type Walk } from './lineage-walk.ts';
import type { Tree } from './parse.ts';
import { nameFrom } from './resolve.ts';

/** Returns what the outcome of the condition tells: the value of the same expression in a result column. */
export function readCondition(walk: Walk, tree: Tree | undefined, names: Names): Value {
  if (!tree) return nothing;
  const bool = tree.BoolExpr;
  if (bool) return derived(list(bool.args).map((arg) => walk.condition(arg, names)));
  if (tree.NullTest) {
    const arg = tree.NullTest.arg as Tree;
    const value = walk.expression(arg, names);
    // Of a whole row it says whether all its columns are NULL.
    if (value.sources.length === 0 || value.entry || comparable(walk, arg, value, names)) {
      place(walk, value);
      return value.opaque ? anything : nothing;
    }
    probe(walk, value);
    return value;
  }
  if (tree.SubLink && tree.SubLink.subLinkType !== 'EXPR_SUBLINK') return quantified(walk, tree.SubLink, names);
  const expr = tree.A_Expr;
  if (expr && isEquality(walk, expr)) return compare(walk, expr.lexpr as Tree, expr.rexpr as Tree, names, expr.kind);
  const value = walk.expression(tree, names);
  // A column that is a truth value is compared with true.
  if (value.sources.length > 0 && !value.direct) probe(walk, value);
  else place(walk, value);
  return value;
}

function isEquality(walk: Walk, expr: NonNullable<Tree['A_Expr']>): boolean {
  const operator = nameFrom(expr.name as Tree[])?.name ?? '';
  if (!expr.lexpr || !expr.rexpr || userOperator(walk, operator)) return false;
  switch (expr.kind) {
    case 'AEXPR_OP':
    case 'AEXPR_IN':
    case 'AEXPR_DISTINCT':
    case 'AEXPR_NOT_DISTINCT':
    case 'AEXPR_OP_ANY':
    case 'AEXPR_OP_ALL':
      return operator === '=' || operator === '<>';
    default:
      return false;
  }
}

function compare(walk: Walk, left: Tree, right: Tree, names: Names, kind?: string): Value {
  const rows = [left, right].map((side) => side.RowExpr);
  if (rows[0] && rows[1]) {
    const [mine, theirs] = rows.map((row) => list(row!.args)) as [readonly Tree[], readonly Tree[]];
    return derived(mine.map((side, index) => (theirs[index] ? compare(walk, side, theirs[index], names) : anything)));
  }
  const options = right.List?.items ?? right.A_ArrayExpr?.elements;
  if (options && left.RowExpr && list(options).every((option) => option.RowExpr))
    return derived(list(options).map((option) => compare(walk, left, option, names)));
  if (options) {
    const value = walk.expression(left, names);
    const sides = list(options).map((option) => ({ tree: option, value: walk.expression(option, names) }));
    return judge(walk, [{ tree: left, value }, ...sides], names);
  }
  const sides = [left, right].map((tree) => ({ tree, value: walk.expression(tree, names) }));
  if (kind === 'AEXPR_OP_ANY' || kind === 'AEXPR_OP_ALL')
    sides[1] = { tree: right, value: elementsOf(right, sides[1]!.value) };
  return judge(walk, sides, names);
}

function judge(walk: Walk, sides: readonly { tree?: Tree; value: Value }[], names: Names): Value {
  const value = derived(sides.map((side) => side.value));
  const plain = sides.every(
    (side) =>
      (side.value.sources.length === 0 && !side.tree?.CollateClause) ||
      (side.tree ? comparable(walk, side.tree, side.value, names) : side.value.direct),
  );
  if (plain) {
    place(walk, value);
    meetAll(
      walk,
      sides.map((side) => side.value),
    );
  } else probe(walk, value);
  return value;
}

/** A column itself, or that column with a fixed stand-in for NULL. */
function comparable(walk: Walk, tree: Tree, value: Value, names: Names): boolean {
  if (value.direct) return true;
  if (!tree.CoalesceExpr) return false;
  return list(tree.CoalesceExpr.args).every((arg) => {
    const part = walk.expression(arg, names);
    return part.direct || !sensitive(part);
  });
}

function quantified(walk: Walk, node: NonNullable<Tree['SubLink']>, names: Names): Value {
  if (node.subLinkType === 'EXISTS_SUBLINK') {
    walk.query(node.subselect as Tree, names);
    return nothing;
  }
  const table = walk.query(node.subselect as Tree, names);
  const inner = derived(tableValues(table));
  if (!node.testexpr) return inner;
  const tests = node.testexpr as Tree;
  const operator = nameFrom(node.operName as Tree[] | undefined)?.name ?? '=';
  const sides = (tests.RowExpr ? list(tests.RowExpr.args) : [tests]).map((tree) => ({
    tree,
    value: walk.expression(tree, names),
  }));
  const all = [...sides, ...tableValues(table).map((value) => ({ value }))];
  if ((operator === '=' || operator === '<>') && !userOperator(walk, operator)) {
    if (table.rest || sides.length !== table.columns.length) return judge(walk, all, names);
    return derived(sides.map((side, index) => judge(walk, [side, { value: table.columns[index]!.value }], names)));
  }
  const value = derived(all.map((side) => side.value));
  if (value.sources.length > 0) probe(walk, value);
  return userOperator(walk, operator) ? derived([anything, value]) : value;
}

/** DISTINCT, UNION, INTERSECT, EXCEPT compare whole values: a computed one is tested by the number of rows. */
export function distinct(walk: Walk, values: readonly Value[]): void {
  for (const value of values) group(walk, value);
}
