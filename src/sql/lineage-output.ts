// The name that the server gives to a result column without AS: FigureColname of its parse_target.c.
import type { Tree } from './parse.ts';

/** `?column?` when nothing better is known. */
export function outputName(tree: Tree): string {
  return figure(tree)[0] ?? '?column?';
}

type Strength = 0 | 1 | 2;

function figure(tree: Tree | undefined): readonly [string | undefined, Strength] {
  if (!tree) return [undefined, 0];
  const last = (parts: readonly unknown[] | undefined) =>
    ((parts ?? []) as Tree[]).filter((part) => part.String).at(-1)?.String?.sval;
  if (tree.ColumnRef) {
    const name = last(tree.ColumnRef.fields);
    return name === undefined ? [undefined, 0] : [name, 2];
  }
  if (tree.A_Indirection) {
    const name = last(tree.A_Indirection.indirection);
    return name === undefined ? figure(tree.A_Indirection.arg as Tree) : [name, 2];
  }
  if (tree.FuncCall) return [last(tree.FuncCall.funcname), 2];
  if (tree.A_Expr) return tree.A_Expr.kind === 'AEXPR_NULLIF' ? ['nullif', 2] : [undefined, 0];
  if (tree.TypeCast) {
    const [name, strength] = figure(tree.TypeCast.arg as Tree);
    if (strength === 2) return [name, 2];
    return [last(tree.TypeCast.typeName?.names), 1];
  }
  if (tree.CollateClause) return figure(tree.CollateClause.arg as Tree);
  if (tree.CaseExpr) {
    const [name, strength] = figure(tree.CaseExpr.defresult as Tree | undefined);
    return strength === 2 ? [name, 2] : ['case', 1];
  }
  if (tree.SubLink) {
    if (tree.SubLink.subLinkType === 'EXISTS_SUBLINK') return ['exists', 2];
    if (tree.SubLink.subLinkType === 'ARRAY_SUBLINK') return ['array', 2];
    if (tree.SubLink.subLinkType !== 'EXPR_SUBLINK') return [undefined, 0];
    const target = ((tree.SubLink.subselect as Tree).SelectStmt?.targetList?.[0] as Tree | undefined)?.ResTarget;
    return target?.name ? [target.name, 2] : figure(target?.val as Tree | undefined);
  }
  if (tree.SQLValueFunction) {
    const name = (tree.SQLValueFunction.op ?? '')
      .replace(/^SVFOP_/, '')
      .replace(/_N$/, '')
      .toLowerCase();
    return [name, 2];
  }
  for (const [kind, name] of constructors) if (tree[kind]) return [name, 2];
  if (tree.MinMaxExpr) return [tree.MinMaxExpr.op === 'IS_LEAST' ? 'least' : 'greatest', 2];
  if (tree.XmlExpr) {
    const name = (tree.XmlExpr.op ?? '').replace(/^IS_/, '').toLowerCase();
    return name === 'document' ? [undefined, 0] : [name, 2];
  }
  if (tree.JsonFuncExpr) return [(tree.JsonFuncExpr.op ?? '').replace(/_OP$/, '').toLowerCase(), 2];
  return [undefined, 0];
}

const constructors = [
  ['A_ArrayExpr', 'array'],
  ['RowExpr', 'row'],
  ['CoalesceExpr', 'coalesce'],
  ['GroupingFunc', 'grouping'],
  ['MergeSupportFunc', 'merge_action'],
  ['XmlSerialize', 'xmlserialize'],
  ['JsonParseExpr', 'json'],
  ['JsonScalarExpr', 'json_scalar'],
  ['JsonSerializeExpr', 'json_serialize'],
  ['JsonObjectConstructor', 'json_object'],
  ['JsonArrayConstructor', 'json_array'],
  ['JsonArrayQueryConstructor', 'json_array'],
  ['JsonObjectAgg', 'json_objectagg'],
  ['JsonArrayAgg', 'json_arrayagg'],
] as const;
