// Which labelled base columns may reach each result column, and where a statement tests or copies them (DESIGN §5). The
// readers of its parts meet here.
import type { LabelledColumn } from '../domain/label.ts';
import type { Output } from '../domain/statement.ts';
import type { Met, Analysis, Scope, Witness } from './analysis.ts';
import { readCall } from './lineage-call.ts';
import { carryNew, commented, loosened, movedToSchema, renamed } from './lineage-carry.ts';
import { readCondition } from './lineage-condition.ts';
import { readRelation, readRoutine } from './lineage-expand.ts';
import { carried, list, readExpression, tableValues } from './lineage-expression.ts';
import { matchOf } from './lineage-match.ts';
import { rangeVar, readFrom } from './lineage-from.ts';
import { readQuery } from './lineage-query.ts';
import { anything, type Column, derived, nothing, type Table, type Value } from './lineage-value.ts';
import { emptyFound, type Match, noNames, place, probe, type Surroundings, type Walk } from './lineage-walk.ts';
import { assign, copyOut, readWrite } from './lineage-write.ts';
import { kindOf, type Tree } from './parse.ts';
import { findRoutines, nameFrom } from './resolve.ts';

export interface Lineage {
  /** One for each column of the result; absent when the statement returns no rows. A `*` that cannot be expanded is one opaque column. */
  readonly outputs?: readonly Output[];
  /** Beside `outputs`. */
  readonly witnesses: readonly Witness[];
  /** Labelled columns that a condition, an order, or an operation that can fail tells something about: `sql:probe`. */
  readonly probes: readonly LabelledColumn[];
  /** Labelled columns whose value goes where its label does not follow: `sql:derive`. */
  readonly derives: readonly LabelledColumn[];
  /** Columns that such values are put into, where they can be named, with the labels that are to follow. */
  readonly carries: readonly LabelledColumn[];
  /** What meets labelled columns by equality or is written into them. */
  readonly matches: ReadonlyMap<LabelledColumn, Match>;
  /** A function that is not read here was given any number of values. */
  readonly openCall: boolean;
  /** Every labelled column that the statement names or reaches: server texts could quote it. */
  readonly touches: readonly LabelledColumn[];
  /** Something could not be resolved or read: anything may be reached. */
  readonly opaque: boolean;
  readonly literals: Literals;
  /** COPY … FROM: the labels of each column of the data; undefined without any. */
  readonly copyLabelled?: readonly (Met | undefined)[];
}

/** Constants (UTF-8 byte offsets in the text that was parsed) and parameters (numbers). What is in neither set could not be placed. */
export interface Literals {
  /** Compared with, assigned to or combined with labelled columns. */
  readonly sensitive: { readonly locations: ReadonlySet<number>; readonly parameters: ReadonlySet<number> };
  /** Of these, the labels that each meets. */
  readonly meets: { readonly locations: ReadonlyMap<number, Met>; readonly parameters: ReadonlyMap<number, Met> };
  /** Meets unlabelled columns only. */
  readonly placed: { readonly locations: ReadonlySet<number>; readonly parameters: ReadonlySet<number> };
}

/** Reads one statement. Total: what it does not understand is opaque. A tree too deep to read gives one opaque column. */
export function lineage(tree: Tree, scope: Scope): Lineage {
  const found = emptyFound();
  let result: Result;
  try {
    const walk = openWalk({ scope, found, inside: [], foreign: false });
    result = statement(walk, tree);
    for (const value of result.table ? tableValues(result.table) : []) {
      place(walk, value);
      touch(walk, value);
    }
  } catch {
    // A RangeError of a deep tree, or a tree of an unknown form: nothing in it is believed.
    found.opaque = true;
    result = { table: { columns: [], rest: anything } };
  }
  const { table } = result;
  const columns = table && [...table.columns, ...(table.rest ? [{ name: '*', value: table.rest }] : [])];
  // Whatever an operation tests, copies or tells was reached.
  for (const source of [...found.probes, ...found.derives]) found.touches.add(source);
  return {
    ...(columns ? { outputs: columns.map(output) } : {}),
    witnesses: (columns ?? []).map(witness),
    probes: [...found.probes],
    derives: [...found.derives],
    matches: found.matches,
    openCall: found.openCall,
    carries: [...found.carries.values()],
    touches: [...found.touches],
    opaque: found.opaque,
    literals: { sensitive: found.sensitive, placed: found.placed, meets: found.meets },
    ...(result.copyLabelled ? { copyLabelled: result.copyLabelled } : {}),
  };
}

interface Result {
  readonly table?: Table;
  readonly copyLabelled?: readonly (Met | undefined)[];
}

function output({ name, value }: Column): Output {
  return { name, sources: value.sources, direct: value.direct && !value.opaque, opaque: value.opaque };
}

function witness({ value }: Column): Witness {
  return {
    ...(value.origin ? { origin: value.origin } : {}),
    ...(value.type === undefined ? {} : { type: value.type }),
  };
}

function openWalk(surroundings: Surroundings): Walk {
  const walk: Walk = {
    ...surroundings,
    fork: (changes) => openWalk({ ...surroundings, ...changes }),
    query: (tree, names) => {
      step(walk);
      return readQuery(walk, tree, names);
    },
    expression: (tree, names) => {
      step(walk);
      const value = readExpression(walk, tree, names);
      touch(walk, value);
      return value;
    },
    condition: (tree, names) => readCondition(walk, tree, names),
    from: (tree, names) => readFrom(walk, tree, names),
    call: (call, names) => readCall(walk, call, names),
    relation: (relation) => readRelation(walk, relation),
    routine: (routine, values, named) => readRoutine(walk, routine, values, named),
    write: (tree, names) => readWrite(walk, tree, names),
  };
  return walk;
}

/** Expressions and queries in one statement: beyond this it is not read. */
const maxSteps = 2_000_000;

function step(walk: Walk): void {
  if (++walk.found.steps > maxSteps) throw new RangeError('the statement is too complex to trace');
}

function touch(walk: Walk, value: Value): void {
  for (const source of value.sources) walk.found.touches.add(source);
}

function statement(walk: Walk, tree: Tree): Result {
  switch (kindOf(tree)) {
    case 'SelectStmt': {
      const table = walk.query(tree, noNames);
      const into = intoOf(tree);
      if (!into) return { table };
      copyOut(walk, table);
      if (into.rel) carryNew(walk, into.rel, [], table);
      return {};
    }
    case 'InsertStmt':
    case 'UpdateStmt':
    case 'DeleteStmt':
    case 'MergeStmt': {
      const table = walk.write(tree, noNames);
      return table ? { table } : {};
    }
    case 'CreateTableAsStmt': {
      const query = tree.CreateTableAsStmt!.query as Tree;
      const table = query.ExecuteStmt ? (statement(walk, query).table ?? { columns: [] }) : walk.query(query, noNames);
      copyOut(walk, table);
      const { into, objtype } = tree.CreateTableAsStmt!;
      const names = list(into?.colNames).map((name) => name.String?.sval ?? '');
      if (into?.rel && objtype !== 'OBJECT_MATVIEW') carryNew(walk, into.rel, names, table);
      return {};
    }
    case 'ViewStmt':
      // Not a copy: the view is expanded whenever it is read.
      touchAll(walk, walk.query(tree.ViewStmt!.query as Tree, noNames));
      return {};
    case 'DeclareCursorStmt':
      touchAll(walk, walk.query(tree.DeclareCursorStmt!.query as Tree, noNames));
      return {};
    case 'PrepareStmt':
      statement(walk, tree.PrepareStmt!.query as Tree);
      return {};
    case 'ExplainStmt':
      return explain(walk, tree.ExplainStmt!);
    case 'ExecuteStmt':
      for (const value of carried(walk, tree.ExecuteStmt!.params, noNames))
        copyOut(walk, { columns: [{ name: '', value }] });
      return remembered(walk, walk.scope.prepared.get(tree.ExecuteStmt!.name ?? ''));
    case 'FetchStmt':
      return tree.FetchStmt!.ismove ? {} : remembered(walk, walk.scope.cursors.get(tree.FetchStmt!.portalname ?? ''));
    case 'VariableShowStmt': {
      const name = tree.VariableShowStmt!.name ?? '';
      const names = name === 'all' ? ['name', 'setting', 'description'] : [name];
      return { table: { columns: names.map((column) => ({ name: column, value: { ...nothing, type: 25 } })) } };
    }
    case 'CopyStmt':
      return copy(walk, tree.CopyStmt!);
    case 'CallStmt':
      return call(walk, tree.CallStmt!.funccall!);
    case 'RenameStmt':
      renamed(walk, tree.RenameStmt!);
      return {};
    case 'AlterObjectSchemaStmt':
      movedToSchema(walk, tree.AlterObjectSchemaStmt!);
      return {};
    case 'CommentStmt':
      commented(walk, tree.CommentStmt!);
      return {};
    case 'AlterTableStmt':
      return alterTable(walk, tree.AlterTableStmt!);
    case 'IndexStmt':
      return tested(walk, tree.IndexStmt!.relation!, [tree.IndexStmt!.whereClause, tree.IndexStmt!.indexParams]);
    case 'CreatePolicyStmt':
      return tested(walk, tree.CreatePolicyStmt!.table!, [
        tree.CreatePolicyStmt!.qual,
        tree.CreatePolicyStmt!.with_check,
      ]);
    default:
      return {};
  }
}

/** SELECT … INTO stands on the leftmost arm of a set operation. */
function intoOf(tree: Tree) {
  let stmt = tree.SelectStmt;
  while (stmt?.larg) stmt = stmt.larg as typeof stmt;
  return stmt?.intoClause;
}

function touchAll(walk: Walk, table: Table): void {
  for (const value of tableValues(table)) {
    touch(walk, value);
    place(walk, value);
  }
}

/** A plan quotes constants, estimates from samples of the data, and, with ANALYZE, counts: clean only if nothing labelled is touched. */
function explain(walk: Walk, node: NonNullable<Tree['ExplainStmt']>): Result {
  const query = node.query as Tree;
  const inner = statement(walk, query);
  if (inner.table) touchAll(walk, inner.table);
  if (
    query.ExecuteStmt &&
    inner.table?.columns.some((column) => column.value.sources.length > 0 || column.value.opaque)
  )
    walk.found.opaque = true;
  const format = list(node.options)
    .map((option) => option.DefElem)
    .find((option) => option?.defname === 'format');
  const word = (format?.arg as Tree | undefined)?.String?.sval ?? 'text';
  const type = word === 'json' ? 114 : word === 'xml' ? 142 : 25;
  const opaque = walk.found.opaque || walk.found.touches.size > 0;
  const value: Value = { ...nothing, opaque, type };
  return { table: { columns: [{ name: 'QUERY PLAN', value }] } };
}

/** EXECUTE and FETCH return what the remembered statement returns. */
function remembered(walk: Walk, analysis: Analysis | undefined): Result {
  const part = analysis?.parts[0];
  if (!analysis || !part) {
    walk.found.opaque = true;
    return { table: { columns: [], rest: anything } };
  }
  if (part.result === undefined) return {};
  const columns = (analysis.meaning.results[part.result] ?? []).map(
    (entry, index): Column => ({ name: entry.name, value: { ...entry, ...part.columns[index], literals: [] } }),
  );
  return { table: { columns } };
}

function copy(walk: Walk, node: NonNullable<Tree['CopyStmt']>): Result {
  if (node.query) {
    const table = walk.query(node.query as Tree, noNames);
    return node.filename === undefined ? { table: unclaimed(table) } : (copyOut(walk, table), {});
  }
  const item = rangeVar(walk, node.relation!, noNames);
  const generated = new Set(
    item.relation?.columns.filter((column) => column.generated !== undefined).map((column) => column.name),
  );
  const given = list(node.attlist).map((name) => name.String?.sval ?? '');
  const columns: Column[] =
    given.length > 0
      ? given.map((name) => ({ name, value: item.columns.find((column) => column.name === name)?.value ?? anything }))
      : item.columns
          .filter((column) => !generated.has(column.name))
          .concat(item.rest ? [{ name: '*', value: item.rest }] : []);
  if (node.is_from) {
    walk.condition(node.whereClause as Tree | undefined, { ...noNames, items: [item] });
    const labelled = columns.map(({ value }): Met | undefined => {
      if (value.opaque) return 'any';
      return value.sources.length === 0 ? undefined : new Set(value.sources.flatMap((source) => source.labels));
    });
    for (const { value } of columns) {
      touch(walk, value);
      for (const source of value.sources) matchOf(walk, source).rows = true;
    }
    return { copyLabelled: labelled };
  }
  const table = { columns };
  if (node.filename !== undefined || node.is_program) {
    copyOut(walk, table);
    return {};
  }
  return { table: unclaimed(table) };
}

/** COPY has no RowDescription, so there is nothing to compare an origin with. */
function unclaimed(table: Table): Table {
  return {
    ...table,
    columns: table.columns.map(({ name, value: { origin: _origin, ...value } }) => ({ name, value })),
  };
}

function call(walk: Walk, node: NonNullable<Tree['FuncCall']>): Result {
  const name = nameFrom(node.funcname as Tree[]);
  const routines = name ? findRoutines(walk.scope, name).filter((routine) => routine.kind === 'p') : [];
  const value = walk.call(node, noNames);
  touch(walk, value);
  if (routines.length > 0 && routines.every((routine) => routine.outputs.length === 0)) return {};
  const names = routines[0]?.outputs.map((entry) => entry.name) ?? ['*'];
  return { table: { columns: names.map((column) => ({ name: column, value: derived([value]) })) } };
}

/** A definition over a relation's rows: whether it can be made, and what it does then, tells of each row. */
function tested(walk: Walk, range: Parameters<typeof rangeVar>[1], parts: readonly unknown[]): Result {
  const item = rangeVar(walk, range, noNames);
  for (const value of carried(walk, parts, { ...noNames, items: [item] })) probe(walk, value);
  return {};
}

/** ALTER COLUMN … TYPE … USING writes a value into every row. */
function alterTable(walk: Walk, node: NonNullable<Tree['AlterTableStmt']>): Result {
  if (!node.relation?.relname || node.objtype !== 'OBJECT_TABLE') return {};
  const item = rangeVar(walk, node.relation, noNames);
  for (const command of list(node.cmds)) {
    const { name, def } = command.AlterTableCmd!;
    if (item.relation) loosened(walk, item.relation, command.AlterTableCmd!);
    const check = (def as Tree | undefined)?.Constraint?.raw_expr;
    if (check) tested(walk, node.relation, [check]);
    const using = (def as Tree | undefined)?.ColumnDef?.raw_default as Tree | undefined;
    if (!using) continue;
    assign(walk, item, name ?? '*', walk.expression(using, { ...noNames, items: [item] }), new Map());
  }
  return {};
}
