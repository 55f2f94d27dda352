// Expressions: what a value carries. A node that is not known here is opaque and carries whatever its parts carry.
import type { Type } from './catalogue.ts';
import { pureRoutine, totalOperators } from './lineage-builtin.ts';
import { readColumnRef } from './lineage-names.ts';
import { anything, derived, either, nothing, sensitive, type Table, type Value } from './lineage-value.ts';
import { type Names, place, probe, type Walk } from './lineage-walk.ts';
import { type Kind, kindOf, type Tree } from './parse.ts';
import { findType, nameFrom } from './resolve.ts';

/** Nodes that only build a value from their parts. */
const builders: ReadonlySet<Kind> = new Set<Kind>([
  'A_ArrayExpr',
  'XmlExpr',
  'XmlSerialize',
  'JsonObjectConstructor',
  'JsonArrayConstructor',
  'JsonKeyValue',
  'JsonValueExpr',
  'JsonScalarExpr',
  'JsonSerializeExpr',
  'JsonParseExpr',
  'JsonIsPredicate',
  'JsonArgument',
  'JsonBehavior',
  'JsonOutput',
  'MinMaxExpr',
  'BooleanTest',
  'List',
  'NamedArgExpr',
  'ResTarget',
]);

export function readExpression(walk: Walk, tree: Tree, names: Names): Value {
  const kind = kindOf(tree);
  switch (kind) {
    case 'ColumnRef':
      return readColumnRef(walk, tree.ColumnRef!, names);
    case 'A_Const': {
      const constant = tree.A_Const!;
      const type = constant.ival ? 23 : constant.boolval ? 16 : undefined;
      return literal(walk, { location: constant.location ?? 0 }, type);
    }
    case 'ParamRef': {
      const number = tree.ParamRef!.number ?? 0;
      if (!walk.argumentsOf) return literal(walk, { parameter: number });
      return walk.argumentsOf.numbered[number - 1] ?? nothing;
    }
    case 'TypeCast':
      return cast(walk, tree.TypeCast!, names);
    case 'A_Expr':
      return operation(walk, tree.A_Expr!, names);
    case 'BoolExpr':
    case 'NullTest':
      return { ...derived([walk.condition(tree, names)], 16) };
    case 'FuncCall':
      return walk.call(tree.FuncCall!, names);
    case 'CaseExpr':
      return caseOf(walk, tree.CaseExpr!, names);
    case 'CoalesceExpr':
      return either(list(tree.CoalesceExpr!.args).map((arg) => walk.expression(arg, names)));
    case 'SubLink':
      return subLink(walk, tree.SubLink!, names);
    case 'RowExpr':
      return row(walk, list(tree.RowExpr!.args), names);
    case 'A_Indirection':
      return indirection(walk, tree.A_Indirection!, names);
    case 'CollateClause':
      return derived([walk.expression(tree.CollateClause!.arg as Tree, names)], undefined);
    case 'MultiAssignRef': {
      const { source, colno } = tree.MultiAssignRef!;
      const value = walk.expression(source as Tree, names);
      return value.row?.columns[(colno ?? 1) - 1]?.value ?? derived([value]);
    }
    case 'JsonArrayQueryConstructor': {
      const table = walk.query(tree.JsonArrayQueryConstructor!.query as Tree, names);
      return derived(tableValues(table));
    }
    case 'JsonObjectAgg':
    case 'JsonArrayAgg': {
      const { constructor: own, arg } = (tree.JsonObjectAgg ?? tree.JsonArrayAgg) as unknown as JsonAggregate;
      const parts = own?.agg_filter ? [walk.condition(own.agg_filter, names)] : [];
      for (const sort of list(own?.agg_order)) order(walk, sort, names);
      if (own?.over) parts.push(...windowValues(walk, own.over, names));
      return derived([...parts, ...carried(walk, arg, names)]);
    }
    case 'JsonFuncExpr':
      // A path can raise and EXISTS or a filter in it can test: a labelled document is probed by it.
      return partial(walk, derived(carried(walk, tree.JsonFuncExpr, names)));
    case 'SQLValueFunction':
    case 'SetToDefault':
    case 'CurrentOfExpr':
    case 'MergeSupportFunc':
    case 'GroupingFunc':
      return nothing;
    default: {
      if (builders.has(kind)) return derived(carried(walk, tree[kind], names));
      walk.found.opaque = true;
      return derived([anything, ...carried(walk, tree[kind], names)]);
    }
  }
}

interface JsonAggregate {
  readonly constructor?: { readonly agg_filter?: Tree; readonly agg_order?: Tree[]; readonly over?: WindowBody };
  readonly arg?: unknown;
}

type WindowBody = NonNullable<Tree['WindowDef']>;

function literal(walk: Walk, at: { location: number } | { parameter: number }, type?: number): Value {
  if (walk.foreign) return type === undefined ? nothing : { ...nothing, type };
  return { ...nothing, literals: [at], ...(type === undefined ? {} : { type }) };
}

/** The expressions anywhere below a node's body. */
export function carried(walk: Walk, body: unknown, names: Names): Value[] {
  if (Array.isArray(body)) return body.flatMap((part) => carried(walk, part, names));
  if (body === null || typeof body !== 'object') return [];
  const keys = Object.keys(body);
  const [only] = keys;
  if (keys.length === 1 && only !== undefined && /^[A-Z]/.test(only)) {
    if (only === 'TypeName' || only === 'String' || only === 'Alias') return [];
    if (only === 'ResTarget') return carried(walk, (body as Tree).ResTarget!.val, names);
    return [walk.expression(body as Tree, names)];
  }
  return keys.flatMap((key) =>
    key === 'typeName' ? [] : carried(walk, (body as Record<string, unknown>)[key], names),
  );
}

/** The operation can fail or stop for some values, so that success tells something: a probe. */
export function partial(walk: Walk, value: Value): Value {
  if (value.sources.length > 0) probe(walk, value);
  return value;
}

function cast(walk: Walk, node: NonNullable<Tree['TypeCast']>, names: Names): Value {
  const value = walk.expression(node.arg as Tree, names);
  const names_ = nameFrom(node.typeName?.names as Tree[] | undefined);
  const found = names_ && findType(walk.scope, names_);
  const type = found && (node.typeName?.arrayBounds ? walk.scope.catalogue.types.get(found.array) : found);
  if (type === undefined) {
    walk.found.opaque = true;
    return derived([anything, value]);
  }
  const modified = (node.typeName?.typmods ?? []).length > 0 || type.name === 'char';
  if (userCast(walk, value.type, type)) {
    walk.found.opaque = true;
    return derived([anything, value]);
  }
  const base = baseType(walk, type);
  // Nothing happens: the server keeps the very same column reference.
  const declared = value.domain ?? value.type;
  if (declared === type.oid && !modified && !hasModifier(type)) return value;
  const text = (base === 25 || base === 1043) && !modified && type.kind !== 'd';
  if (!text && (!value.direct || modified || type.kind === 'd' || type.kind === 'c')) partial(walk, value);
  const result = derived([value], base);
  const row = type.relation !== 0 ? rowOf(walk, type.relation, result) : undefined;
  // One text type to another keeps the value as it is.
  const same = text && value.direct && value.type !== undefined && [25, 1043].includes(value.type);
  return { ...result, direct: same, ...(row ? { row } : {}) };
}

/** Types whose declared length or precision is not in the catalogue's type: a cast without one may still drop it. */
function hasModifier(type: Type): boolean {
  return [1042, 1043, 1560, 1562, 1700, 1083, 1114, 1184, 1186, 1266].includes(type.element || type.oid);
}

export function baseType(walk: Walk, type: Type): number {
  let current = type;
  for (let depth = 0; depth < 32 && current.kind === 'd'; depth++) {
    const next = walk.scope.catalogue.types.get(current.base);
    if (!next) break;
    current = next;
  }
  return current.oid;
}

function userCast(walk: Walk, source: number | undefined, target: Type): boolean {
  return walk.scope.catalogue.casts.some((entry) => {
    if (entry.target !== target.oid || (source !== undefined && entry.source !== source)) return false;
    const routine = walk.scope.catalogue.functions.get(entry.routine);
    return entry.routine !== 0 && !(routine && pureRoutine(routine));
  });
}

/** A row of that relation's columns, each carrying the whole value. */
export function rowOf(walk: Walk, relation: number, value: Value): Table | undefined {
  const entry = walk.scope.catalogue.relations.get(relation);
  if (!entry) return undefined;
  return { columns: entry.columns.map((column) => ({ name: column.name, value: derived([value], column.baseType) })) };
}

function operation(walk: Walk, node: NonNullable<Tree['A_Expr']>, names: Names): Value {
  const values = [node.lexpr, node.rexpr].flatMap((side) => (side ? [walk.expression(side as Tree, names)] : []));
  if (node.kind === 'AEXPR_NULLIF')
    return userOperator(walk, '=') ? opaque(walk, values) : derived(values, values[0]?.type);
  const operator = nameFrom(node.name as Tree[])?.name ?? '';
  if (userOperator(walk, operator)) return opaque(walk, values);
  const value = derived(values, isComparison(node, operator) ? 16 : undefined);
  return node.kind === 'AEXPR_OP' && canFail(operator, node.lexpr ? values : []) ? partial(walk, value) : value;
}

/** Division by a value that is not hidden fails for it alone; a sign alone does not fail. */
function canFail(operator: string, [left, right]: readonly Value[]): boolean {
  if (totalOperators.has(operator)) return false;
  if (operator === '/' || operator === '%') return right !== undefined && right.sources.length > 0;
  return left !== undefined || (operator !== '-' && operator !== '+');
}

function isComparison(node: NonNullable<Tree['A_Expr']>, operator: string): boolean {
  return node.kind !== 'AEXPR_OP' || ['=', '<>', '<', '>', '<=', '>='].includes(operator);
}

/** Somebody made an operator of that name, and what it does cannot be told from the text. */
export function userOperator(walk: Walk, operator: string): boolean {
  return (walk.scope.catalogue.operators.get(operator) ?? []).some((oid) => {
    const routine = walk.scope.catalogue.functions.get(oid);
    return !routine || (!pureRoutine(routine) && routine.schema !== 'pg_catalog');
  });
}

function opaque(walk: Walk, values: readonly Value[]): Value {
  walk.found.opaque = true;
  for (const value of values) for (const source of value.sources) walk.found.derives.add(source);
  return derived([anything, ...values]);
}

function caseOf(walk: Walk, node: NonNullable<Tree['CaseExpr']>, names: Names): Value {
  const results: Value[] = [];
  const tests: Value[] = [];
  for (const branch of list(node.args)) {
    const { expr, result } = branch.CaseWhen!;
    // CASE x WHEN y is x = y.
    const test = node.arg
      ? ({ A_Expr: { kind: 'AEXPR_OP', name: [{ String: { sval: '=' } }], lexpr: node.arg, rexpr: expr } } as Tree)
      : (expr as Tree);
    tests.push(walk.condition(test, names));
    results.push(walk.expression(result as Tree, names));
  }
  if (node.defresult) results.push(walk.expression(node.defresult as Tree, names));
  const value = either(results);
  const told = tests.filter(sensitive);
  // Which branch was taken tells what was tested.
  return told.length === 0 ? unclaimed(value) : derived([value, ...told], value.type);
}

const unclaimed = ({ origin: _origin, ...value }: Value): Value => value;

function subLink(walk: Walk, node: NonNullable<Tree['SubLink']>, names: Names): Value {
  if (node.subLinkType === 'EXISTS_SUBLINK') {
    walk.query(node.subselect as Tree, names);
    return { ...nothing, type: 16 };
  }
  if (node.subLinkType === 'ANY_SUBLINK' || node.subLinkType === 'ALL_SUBLINK')
    return derived([walk.condition({ SubLink: node } as Tree, names)], 16);
  const table = walk.query(node.subselect as Tree, names);
  if (node.subLinkType === 'ARRAY_SUBLINK') return derived(tableValues(table));
  const [first] = table.columns;
  if (node.subLinkType === 'EXPR_SUBLINK' && table.columns.length === 1 && !table.rest) return unclaimed(first!.value);
  return { ...derived(tableValues(table)), row: table };
}

export function tableValues(table: Table): Value[] {
  const values = table.columns.map((column) => column.value);
  return table.rest ? [...values, table.rest] : values;
}

function row(walk: Walk, args: readonly Tree[], names: Names): Value {
  const values = args.flatMap((arg) => {
    const value = walk.expression(arg, names);
    return endsInStar(arg) ? (value.row?.columns.map((column) => column.value) ?? [value]) : [value];
  });
  const columns = values.map((value, index) => ({ name: `f${index + 1}`, value }));
  return { ...derived(values, 2249), row: { columns } };
}

export function endsInStar(tree: Tree): boolean {
  const parts = (tree.ColumnRef?.fields ?? tree.A_Indirection?.indirection ?? []) as Tree[];
  return parts.at(-1)?.A_Star !== undefined;
}

function indirection(walk: Walk, node: NonNullable<Tree['A_Indirection']>, names: Names): Value {
  let value = walk.expression(node.arg as Tree, names);
  for (const step of list(node.indirection)) {
    if (step.A_Star) return value;
    if (step.A_Indices) {
      const bounds = carried(walk, step.A_Indices, names);
      // A subscript that depends on a labelled value picks by it.
      value = derived([value, ...bounds]);
      continue;
    }
    const name = step.String?.sval ?? '';
    const shape = value.row ?? typeRow(walk, value);
    const field = shape?.columns.find((column) => column.name === name);
    if (field) value = value.entry ? field.value : unclaimed(field.value);
    else if (shape?.rest) value = shape.rest;
    else {
      // It may be a function of the row.
      walk.found.opaque = true;
      value = derived([anything, value]);
    }
  }
  return value;
}

/** The fields of a composite value, each carrying all of it. */
export function typeRow(walk: Walk, value: Value): Table | undefined {
  const type = value.type === undefined ? undefined : walk.scope.catalogue.types.get(value.type);
  return type && type.relation !== 0 ? rowOf(walk, type.relation, value) : undefined;
}

/** ORDER BY: the order of the rows tells the values. */
export function order(walk: Walk, tree: Tree, names: Names): Value {
  const value = walk.expression((tree.SortBy?.node as Tree | undefined) ?? tree, names);
  if (value.sources.length > 0) probe(walk, value);
  else place(walk, value);
  return value;
}

/** Grouping by a column itself tells no more than a join would; by a computed value it does. */
export function group(walk: Walk, value: Value): void {
  if (value.sources.length > 0 && !value.direct) probe(walk, value);
  else place(walk, value);
}

/** What the place of a row in its window tells. */
export function windowValues(walk: Walk, body: WindowBody, names: Names): Value[] {
  const named = body.refname ?? body.name;
  const inherited = named === undefined ? undefined : names.windows?.get(named);
  for (const part of list(body.partitionClause)) group(walk, walk.expression(part, names));
  const values = list(body.orderClause).map((part) => order(walk, part, names));
  for (const offset of [body.startOffset, body.endOffset])
    if (offset) partial(walk, walk.expression(offset as Tree, names));
  return inherited ? [inherited, ...values] : values;
}

export function list(trees: readonly unknown[] | undefined): readonly Tree[] {
  return (trees ?? []) as readonly Tree[];
}
