// Effects of queries: SELECT, INSERT, UPDATE, DELETE, MERGE and every expression in them. A generic walk visits each node of
// the tree, so that a nested place cannot be forgotten; a node the grammar may have that is not listed here is refused.
import type {
  DeleteStmt,
  InsertStmt,
  MergeStmt,
  RangeVar,
  ReturningClause,
  SelectStmt,
  TypeName,
  UpdateStmt,
  WithClause,
} from 'libpg-query';
import type { Action } from '../domain/effect.ts';
import { call, castCall, notationCall, operatorCall } from './effects-calls.ts';
import { fire } from './effects-firing.ts';
import { fileViews } from './functions-reading.ts';
import { columnsOf, kinOf, knownRelation, type NamedRelation, relationNamed, resourceOf, viewTree } from './names.ts';
import { notUnderstood, type Tree } from './parse.ts';
import { add, type Attributes, type Names, noNames, type Reading, under } from './reading.ts';
import { dumpSetting } from './settings.ts';
import { nameOf, restricts } from './where.ts';

/** Walks any value of the tree: arrays, wrapped nodes, and bodies whose fields hold nodes. */
export function walk(value: unknown, reading: Reading, names: Names): void {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, reading, names);
    return;
  }
  if (value === null || typeof value !== 'object') return;
  for (const key in value) {
    const inner = (value as Record<string, unknown>)[key];
    if (inner === null || typeof inner !== 'object') continue;
    const first = key.charCodeAt(0);
    // A type wherever one is named: of a cast, of a column that a function returns, of JSON output.
    if (key === 'typeName') castCall(inner as TypeName, reading);
    // Node kinds start with a capital, fields do not.
    if (first < 65 || first > 90) walk(inner, reading, names);
    else walkNode(key, inner, reading, names);
  }
}

function walkNode(kind: string, body: object, reading: Reading, names: Names): void {
  const tree = { [kind]: body } as Tree;
  if (tree.RangeVar) return readFrom(tree.RangeVar, reading, names);
  if (tree.FuncCall) call(tree.FuncCall, reading, names);
  else if (tree.ColumnRef) notationCall((tree.ColumnRef.fields ?? []) as Tree[], undefined, reading, names);
  else if (tree.A_Indirection)
    notationCall((tree.A_Indirection.indirection ?? []) as Tree[], tree.A_Indirection.arg as Tree, reading, names);
  else if (tree.A_Expr) operatorCall(tree.A_Expr.name as Tree[], reading);
  else if (tree.SubLink) operatorCall(tree.SubLink.operName as Tree[] | undefined, reading);
  else if (tree.SortBy) operatorCall(tree.SortBy.useOp as Tree[] | undefined, reading);
  else if (tree.RangeTableSample) {
    const method = (tree.RangeTableSample.method ?? []) as Tree[];
    if (!['bernoulli', 'system'].includes(nameOf(method))) call({ funcname: method as never }, reading, names);
  } else if (isStatement(kind) && !inside.has(kind)) return reading.walker.statement(tree, reading, names);
  else if (!inside.has(kind))
    throw notUnderstood(`The statement uses ${kind}, which is not understood. Write it in another form.`);
  walk(body, reading, names);
}

export function isStatement(kind: string): boolean {
  return kind.endsWith('Stmt');
}

// Every other node the raw grammar can put inside a statement.
export const inside: ReadonlySet<string> = new Set(
  `Integer Float Boolean String BitString List IntList OidList A_Const A_Star A_Indices A_ArrayExpr Alias ParamRef ColumnRef A_Expr TypeName
   TypeCast CollateClause RoleSpec FuncCall A_Indirection ResTarget MultiAssignRef SortBy WindowDef RangeSubselect RangeFunction
   RangeTableFunc RangeTableFuncCol RangeTableSample ColumnDef TableLikeClause IndexElem StatsElem DefElem LockingClause
   XmlSerialize PartitionElem PartitionSpec PartitionBoundSpec PartitionRangeDatum PartitionCmd GroupingSet WithClause InferClause
   OnConflictClause CTESearchClause CTECycleClause CommonTableExpr MergeWhenClause ReturningOption ReturningClause
   TriggerTransition JsonOutput JsonArgument JsonFuncExpr JsonTablePathSpec JsonTable JsonTableColumn JsonKeyValue
   JsonParseExpr JsonScalarExpr JsonSerializeExpr JsonObjectConstructor JsonArrayConstructor JsonArrayQueryConstructor
   JsonAggConstructor JsonObjectAgg JsonArrayAgg JsonValueExpr JsonFormat JsonReturning JsonBehavior JsonIsPredicate
   BoolExpr SubLink CaseExpr CaseWhen CoalesceExpr MinMaxExpr SQLValueFunction XmlExpr NullTest BooleanTest SetToDefault
   CurrentOfExpr NamedArgExpr GroupingFunc MergeSupportFunc RowExpr JoinExpr IntoClause Constraint AlterTableCmd
   ATAlterConstraint FunctionParameter ObjectWithArgs AccessPriv CreateOpClassItem VacuumRelation PublicationTable
   PublicationObjSpec RangeVar ReplicaIdentityStmt`.split(/\s+/),
);

export function select(stmt: SelectStmt, reading: Reading, outer: Names): void {
  let names = withClause(stmt.withClause, reading, outer);
  if (stmt.intoClause?.rel) {
    // SELECT INTO is CREATE TABLE AS.
    reading.walker.statement(
      {
        CreateTableAsStmt: {
          query: { SelectStmt: { ...stmt, intoClause: undefined } } as never,
          into: stmt.intoClause,
          objtype: 'OBJECT_TABLE',
        },
      },
      reading,
      outer,
    );
    return;
  }
  if (stmt.larg) select(stmt.larg, reading, names);
  if (stmt.rarg) select(stmt.rarg, reading, names);
  names = withAliases(stmt.fromClause as Tree[] | undefined, reading, names);
  const { withClause: _with, larg: _left, rarg: _right, lockingClause, ...rest } = dumpSetting(stmt) ?? stmt;
  walk(rest, reading, names);
  for (const clause of (lockingClause ?? []) as Tree[]) {
    const locked = (clause.LockingClause?.lockedRels ?? []) as Tree[];
    const only = new Set(locked.map((rel) => rel.RangeVar?.relname));
    for (const range of rangesOf(stmt.fromClause as Tree[] | undefined)) {
      if (only.size > 0 && !only.has(range.alias?.aliasname ?? range.relname)) continue;
      if (!range.schemaname && names.ctes.has(range.relname ?? '')) continue;
      touch(range, 'sql:lock', reading, { rows: true });
    }
  }
}

export function insert(stmt: InsertStmt, reading: Reading, outer: Names): void {
  const names = withClause(stmt.withClause, reading, outer);
  const columns = ((stmt.cols ?? []) as Tree[]).map((col) => col.ResTarget?.name ?? '').filter((name) => name !== '');
  touch(stmt.relation!, 'sql:insert', reading, columns.length > 0 ? { columns: columns.join(',') } : {});
  walk(stmt.cols, reading, names);
  walk(stmt.selectStmt, reading, names);
  const own = withAliases([{ RangeVar: stmt.relation! }], reading, names);
  const conflict = stmt.onConflictClause;
  if (conflict) {
    // The conflicting row is the restriction: ON CONFLICT DO UPDATE reaches only rows that the insert names.
    if (conflict.action === 'ONCONFLICT_UPDATE') {
      touch(stmt.relation!, 'sql:update', reading, { hasWhere: true, ...assigned(conflict.targetList as Tree[]) });
    }
    walk(conflict, reading, own);
  }
  returning(stmt.returningClause, stmt.relation!, reading, own);
}

export function update(stmt: UpdateStmt, reading: Reading, outer: Names): void {
  const names = withAliases(
    [{ RangeVar: stmt.relation! }, ...((stmt.fromClause ?? []) as Tree[])],
    reading,
    withClause(stmt.withClause, reading, outer),
  );
  const hasWhere = restricts(stmt.whereClause as Tree | undefined, targetNames(stmt.relation!, reading));
  touch(stmt.relation!, 'sql:update', reading, { hasWhere, ...assigned(stmt.targetList as Tree[]) });
  walk(stmt.fromClause, reading, names);
  walk(stmt.targetList, reading, names);
  walk(stmt.whereClause, reading, names);
  returning(stmt.returningClause, stmt.relation!, reading, names);
}

export function remove(stmt: DeleteStmt, reading: Reading, outer: Names): void {
  const names = withAliases(
    [{ RangeVar: stmt.relation! }, ...((stmt.usingClause ?? []) as Tree[])],
    reading,
    withClause(stmt.withClause, reading, outer),
  );
  const hasWhere = restricts(stmt.whereClause as Tree | undefined, targetNames(stmt.relation!, reading));
  touch(stmt.relation!, 'sql:delete', reading, { hasWhere });
  walk(stmt.usingClause, reading, names);
  walk(stmt.whereClause, reading, names);
  returning(stmt.returningClause, stmt.relation!, reading, names);
}

export function merge(stmt: MergeStmt, reading: Reading, outer: Names): void {
  const ranges: Tree[] = [{ RangeVar: stmt.relation! }, ...(stmt.sourceRelation ? [stmt.sourceRelation as Tree] : [])];
  const names = withAliases(ranges, reading, withClause(stmt.withClause, reading, outer));
  const target = targetNames(stmt.relation!, reading);
  walk(stmt.sourceRelation, reading, names);
  walk(stmt.joinCondition, reading, names);
  for (const wrapped of (stmt.mergeWhenClauses ?? []) as Tree[]) {
    const clause = wrapped.MergeWhenClause!;
    const condition = clause.condition as Tree | undefined;
    // Rows without a partner in the source are all other rows: the join does not restrict them, only the clause's own condition.
    const bySource = clause.matchKind === 'MERGE_WHEN_NOT_MATCHED_BY_SOURCE';
    const hasWhere =
      restricts(condition, target) || (!bySource && restricts(stmt.joinCondition as Tree | undefined, target));
    const columns = assigned(clause.targetList as Tree[] | undefined);
    if (clause.commandType === 'CMD_INSERT') touch(stmt.relation!, 'sql:insert', reading, columns);
    else if (clause.commandType === 'CMD_UPDATE')
      touch(stmt.relation!, 'sql:update', reading, { hasWhere, ...columns });
    else if (clause.commandType === 'CMD_DELETE') touch(stmt.relation!, 'sql:delete', reading, { hasWhere });
    else if (clause.commandType !== 'CMD_NOTHING')
      throw notUnderstood('This MERGE action is not understood. Use INSERT, UPDATE or DELETE.');
    walk(clause, reading, names);
  }
  returning(stmt.returningClause, stmt.relation!, reading, names);
}

/** A relation named in FROM: a common table expression has no effect of its own, anything else is read. */
function readFrom(range: RangeVar, reading: Reading, names: Names): void {
  if (!range.schemaname && names.ctes.has(range.relname ?? '')) return;
  touch(range, 'sql:read', reading);
}

/** An effect on a relation, on what it is a view of, and on its parents and partitions. */
export function touch(range: RangeVar, action: Action, reading: Reading, attributes: Attributes = {}): NamedRelation {
  const relation = relationNamed(range, reading.scope);
  touchNamed(relation, action, reading, attributes);
  if (range.inh !== false)
    for (const kin of kinOf(relation, reading.scope, 'down')) touchNamed(kin, action, reading, attributes);
  for (const kin of kinOf(relation, reading.scope, 'up'))
    touchNamed(kin, action, reading, { ...attributes, partial: true });
  return relation;
}

const writes: ReadonlySet<Action> = new Set<Action>(['sql:insert', 'sql:update', 'sql:delete', 'sql:truncate']);

function touchNamed(relation: NamedRelation, action: Action, reading: Reading, attributes: Attributes): void {
  const extra: Attributes = { ...attributes };
  if (relation.unresolved) extra['unresolved'] = true;
  if (relation.fires && (writes.has(action) || relation.rules)) extra['fires'] = true;
  add(reading, action, resourceOf(relation), extra);
  const file = relation.entry?.system && fileViews.has(relation.relation);
  if (file) add(reading, 'sql:file_read', resourceOf(relation), { family: 'file' });
  if (relation.entry && !relation.entry.system)
    fire(relation.entry, action, reading, attributes, (entry, next, within, more) =>
      touchNamed(knownRelation(entry), next, within, more),
    );
  const view = viewTree(relation);
  if (!view || relation.oid === undefined || reading.open.has(relation.oid)) return;
  reading.open.add(relation.oid);
  try {
    // A view's own text was resolved when it was made and is printed with full names.
    const within = under(reading, ['pg_catalog']);
    if (action === 'sql:read' || action === 'sql:lock') reading.walker.statement(view, within, noNames);
    else if (writes.has(action)) {
      for (const range of rangesOf(view.SelectStmt?.fromClause as Tree[] | undefined)) {
        touchNamed(relationNamed(range, within.scope), action, within, attributes);
      }
    }
  } finally {
    reading.open.delete(relation.oid);
  }
}

function returning(clause: ReturningClause | undefined, target: RangeVar, reading: Reading, names: Names): void {
  if (!clause) return;
  touch(target, 'sql:read', reading);
  walk(clause.exprs, reading, names);
}

function withClause(clause: WithClause | undefined, reading: Reading, names: Names): Names {
  if (!clause) return names;
  const ctes = new Set(names.ctes);
  const within: Names = { ctes, columns: names.columns };
  const list = (clause.ctes ?? []) as Tree[];
  if (clause.recursive) for (const cte of list) ctes.add(cte.CommonTableExpr?.ctename ?? '');
  for (const cte of list) {
    const body = cte.CommonTableExpr!;
    // Walked with the names seen so far: WITH without RECURSIVE cannot see itself, so `WITH t AS (SELECT * FROM t)` reads table t.
    walk(body.ctequery, reading, { ctes: new Set(ctes), columns: names.columns });
    walk(body.search_clause, reading, within);
    walk(body.cycle_clause, reading, within);
    ctes.add(body.ctename ?? '');
  }
  return within;
}

/** Adds the column names of the base relations in FROM under their aliases. */
function withAliases(from: readonly Tree[] | undefined, reading: Reading, names: Names): Names {
  const ranges = rangesOf(from);
  if (ranges.length === 0) return names;
  const level = new Map<string, ReadonlySet<string>>();
  for (const range of ranges) {
    if (!range.schemaname && names.ctes.has(range.relname ?? '')) continue;
    const columns = columnsOf(relationNamed(range, reading.scope));
    // A column alias list renames; what is left of the old names is not worth telling apart.
    if (columns && !range.alias?.colnames) level.set(range.alias?.aliasname ?? range.relname ?? '', columns);
  }
  return { ctes: names.ctes, columns: [level, ...names.columns] };
}

/** Base relations of a FROM list, through joins, not into subqueries. */
function rangesOf(from: readonly Tree[] | undefined): RangeVar[] {
  const found: RangeVar[] = [];
  for (const tree of from ?? []) {
    if (tree.RangeVar) found.push(tree.RangeVar);
    else if (tree.JoinExpr) found.push(...rangesOf([tree.JoinExpr.larg as Tree, tree.JoinExpr.rarg as Tree]));
    else if (tree.RangeTableSample) found.push(...rangesOf([tree.RangeTableSample.relation as Tree]));
  }
  return found;
}

function targetNames(range: RangeVar, reading: Reading) {
  const alias = range.alias?.aliasname;
  const found = relationNamed(range, reading.scope);
  const columns = columnsOf(found);
  const notNull = reading.scope.catalogue.fired.relations.get(found.oid ?? 0)?.notNull;
  return {
    qualifiers: new Set([alias ?? range.relname ?? '']),
    relation: range.relname ?? '',
    ...(columns ? { columns } : {}),
    ...(notNull ? { notNull } : {}),
  };
}

function assigned(targets: readonly Tree[] | undefined): Attributes {
  const columns = (targets ?? []).map((target) => target.ResTarget?.name ?? '').filter((name) => name !== '');
  return columns.length > 0 ? { columns: columns.join(',') } : {};
}
