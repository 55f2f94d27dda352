// Effects of calls: functions by name, `row.function` notation, operators and casts that stand for functions, CALL and DO.
// Bodies in SQL and PL/pgSQL are read; whatever cannot be read is `sql:call` with `unreadable`.
import type { CallStmt, DoStmt, FuncCall, TypeName } from 'libpg-query';
import type { Effect } from '../domain/effect.ts';
import type { Routine } from './catalogue.ts';
import { builtIn, extensionHarmless, reviewedHarmless } from './functions.ts';
import { readsOf } from './functions-reading.ts';
import { routinesNamed, strings, typeByNames, typeNamed, relationNamed, resourceOf } from './names.ts';
import { bodyStatements, dollarQuoted } from './plpgsql.ts';
import { notUnderstood, parse, type Tree } from './parse.ts';
import {
  add,
  afterUnreadable,
  type Attributes,
  firing,
  inBody,
  type Names,
  noNames,
  type Reading,
  under,
} from './reading.ts';
import { literal, searchPathOf, setConfigChange } from './settings.ts';
import { applySetting, namesStatements } from './effects-session.ts';

/** Bodies that call bodies: deeper than this counts as unreadable. */
const maxDepth = 16;

/** A call by name. Its arguments are walked by the caller. */
export function call(fn: FuncCall, reading: Reading, _names: Names): void {
  const names = strings(fn.funcname);
  const name = names.at(-1) ?? '';
  const args = (fn.args ?? []) as Tree[];
  const open = fn.func_variadic || fn.agg_within_group || fn.agg_star;
  const candidates = routinesNamed(names, reading.scope).filter((routine) => open || fits(routine, args.length));
  let found = false;
  for (const routine of candidates) {
    if (isSystem(routine)) found = systemCall(routine, args, reading) || found;
    else {
      routineCall(routine, reading);
      found = true;
    }
  }
  if (found) return;
  const schema = names.at(-2);
  // An extension's function that the catalogue does not hold (yet), or an empty catalogue: the name alone decides.
  if ((schema === undefined || schema === 'pg_catalog') && builtIn(name)) return builtInCall(name, args, reading);
  const type = typeByNames(names, reading.scope);
  if (type) return castTo(type.oid, reading);
  add(reading, 'sql:call', { ...(schema ? { schema } : {}), routine: name }, { unreadable: true, unresolved: true });
}

/** `row.name`, `(expression).name`: a function of one argument where no column has that name. */
export function notationCall(fields: readonly Tree[], arg: Tree | undefined, reading: Reading, names: Names): void {
  const argFields = arg?.ColumnRef ? ((arg.ColumnRef.fields ?? []) as Tree[]) : [];
  const path = arg ? [...argFields, ...fields] : fields;
  for (let index = arg ? path.length - fields.length : 1; index < path.length; index++) {
    const name = path[index]?.String?.sval;
    if (name === undefined) continue;
    const alias = path[index - 1]?.String?.sval;
    if (alias !== undefined && index === 1) {
      const level = names.columns.find((columns) => columns.has(alias));
      if (level?.get(alias)?.has(name)) continue;
    }
    if (!arg && index === 1 && path.length === 2 && alias === undefined) continue;
    if (builtIn(name) && reading.scope.catalogue.functionsNamed('pg_catalog', name).some((r) => fits(r, 1))) {
      builtInCall(name, [], reading);
    }
    for (const routine of routinesNamed([name], reading.scope)) {
      if (!isSystem(routine) && fits(routine, 1) && !(arg === undefined && !takesRow(routine, reading)))
        routineCall(routine, reading);
    }
  }
}

/** An operator whose function a user made. */
export function operatorCall(operator: readonly Tree[] | undefined, reading: Reading): void {
  if (!operator || operator.length === 0) return;
  if (operator.length > 1 && operator.at(-2)?.String?.sval === 'pg_catalog') return;
  for (const oid of reading.scope.catalogue.operators.get(operator.at(-1)?.String?.sval ?? '') ?? []) {
    const routine = reading.scope.catalogue.functions.get(oid);
    if (routine && !isSystem(routine)) routineCall(routine, reading);
  }
}

/** A cast whose function a user made. */
export function castCall(type: TypeName | undefined, reading: Reading): void {
  const found = typeNamed(type, reading.scope);
  if (found) castTo(found.oid, reading);
}

/**
 * What a value of the type must pass: the CHECK constraints of a domain, of what it is based on, of an array's elements and a row's
 * fields. The server runs them when it only parses a literal, before anybody was asked to execute it: such as act are refused.
 */
export function domainChecks(oid: number, reading: Reading): void {
  const { types, fired, relations } = reading.scope.catalogue;
  if (fired.domains.size === 0 || reading.open.has(oid)) return;
  const type = types.get(oid);
  if (!type) return;
  reading.open.add(oid);
  try {
    for (const text of fired.domains.get(oid) ?? []) {
      const own: Reading = { ...reading, effects: new Map() };
      firing(own, (checked) => readExpression(text, checked));
      if ([...own.effects.values()].some((effect) => acts(effect, reading))) throw actingType(type.name);
      for (const { action, resource, attributes } of own.effects.values()) add(reading, action, resource, attributes);
    }
    for (const inner of [type.base, type.element]) if (inner !== 0) domainChecks(inner, reading);
    for (const column of relations.get(type.relation)?.columns ?? []) domainChecks(column.type, reading);
  } finally {
    reading.open.delete(oid);
  }
}

/** What cannot be read is taken at its author's word, if he gave it: a validator in C or Python that says immutable. */
function acts({ action, resource, attributes }: Effect, reading: Reading): boolean {
  if (action !== 'sql:call') return true;
  if (!attributes?.['unreadable']) return false;
  const candidates = reading.scope.catalogue.functionsNamed(resource.schema ?? '', resource.routine ?? '');
  return candidates.length === 0 || candidates.some((routine) => routine.volatility === 'v');
}

function actingType(name: string) {
  return notUnderstood(
    `The type ${name} runs statements of its own whenever a value of it is read, even before the statement that holds it is executed. Use its base type.`,
    { sqlstate: '0A000', message: `values of type "${name}" cannot be used through the gateway` },
  );
}

/** An expression as the server prints it, names fully qualified. One that cannot be read may do anything. */
export function readExpression(text: string, reading: Reading): void {
  if (text === '') return;
  const within = under(reading, ['pg_catalog']);
  const trees = treesOf(`select ${text}`);
  if (!trees) return add(reading, 'sql:call', { routine: 'expression' }, { unreadable: true });
  for (const tree of trees) reading.walker.statement(tree, within, noNames);
}

function castTo(target: number, reading: Reading): void {
  domainChecks(target, reading);
  for (const cast of reading.scope.catalogue.casts) {
    const routine = cast.target === target ? reading.scope.catalogue.functions.get(cast.routine) : undefined;
    if (routine && !isSystem(routine)) routineCall(routine, reading);
  }
}

export function callStatement(stmt: CallStmt, reading: Reading, names: Names): void {
  reading.flags.barrier = true;
  reading.changes.settings ??= 'unknown';
  const fn = stmt.funccall ?? {};
  for (const arg of (fn.args ?? []) as Tree[])
    reading.walker.statement({ SelectStmt: { targetList: [{ ResTarget: { val: arg as never } }] } }, reading, names);
  call(fn, reading, names);
}

export function doBlock(stmt: DoStmt, reading: Reading): void {
  reading.flags.barrier = true;
  let body = '';
  let language = 'plpgsql';
  for (const arg of (stmt.args ?? []) as Tree[]) {
    if (arg.DefElem?.defname === 'language') language = literal(arg.DefElem.arg as Tree) ?? '';
    else if (arg.DefElem?.defname === 'as') body = literal(arg.DefElem.arg as Tree) ?? '';
  }
  const unreadable = language !== 'plpgsql' || !readBody(`do language plpgsql ${dollarQuoted(body)}`, reading);
  add(reading, 'sql:call', { routine: 'do' }, { anonymous: true, language, ...(unreadable ? { unreadable } : {}) });
  if (unreadable) afterUnreadable(reading);
}

/** A call of a user's routine: the call itself, and what its body does where that can be read. */
export function routineCall(routine: Routine, reading: Reading): void {
  const resource = { schema: routine.schema, routine: routine.name };
  if (reading.open.has(routine.oid)) return;
  const attributes: Attributes = { language: routine.language };
  if (routine.securityDefiner) attributes['definer'] = true;
  if (routine.extension) attributes['extension'] = routine.extension;
  if (routine.kind === 'p') reading.flags.barrier = true;
  // An extension's author is trusted as its installer trusted him: stable and immutable ones do not write.
  const known = builtIn(routine.name);
  const harmless =
    routine.extension !== undefined && !known && (routine.volatility !== 'v' || extensionHarmless.has(routine.name));
  reading.open.add(routine.oid);
  try {
    for (const type of routine.arguments) domainChecks(type, reading);
    const defaults = reading.scope.catalogue.fired.argumentDefaults.get(routine.oid);
    if (defaults !== undefined && !harmless) readExpression(defaults, reading);
    if (!harmless && !readRoutine(routine, runs(routine, reading))) {
      attributes['unreadable'] = true;
      afterUnreadable(reading);
    }
  } finally {
    reading.open.delete(routine.oid);
  }
  if (known?.family === 'sql-in-text') reading.flags.secret = true;
  add(reading, 'sql:call', resource, attributes);
}

/** Planning runs what its author calls stable or immutable, whatever is in it: then EXPLAIN does all that the body says. */
function runs(routine: Routine, reading: Reading): Reading {
  if (!reading.planned || routine.volatility === 'v') return reading;
  const { planned, ...rest } = reading;
  return { ...rest, ...planned };
}

/** False when the body cannot be read. */
function readRoutine(routine: Routine, reading: Reading): boolean {
  if (routine.kind === 'a') return readAggregate(routine, reading);
  if (routine.body === undefined || routine.kind === 'w' || reading.open.size > maxDepth) return false;
  const path = routine.settings.find((setting) => setting.startsWith('search_path='))?.slice('search_path='.length);
  const body = inBody(reading, path === undefined ? undefined : withSystem(searchPathOf(path)));
  const within = routine.atomic ? under(body, ['pg_catalog']) : body;
  if (routine.language === 'plpgsql') return readBody(plpgsqlText(routine, reading), within);
  return routine.language === 'sql' && readSqlBody(routine, within);
}

/** An aggregate does what its functions do. */
function readAggregate(routine: Routine, reading: Reading): boolean {
  const { functions, fired } = reading.scope.catalogue;
  for (const oid of fired.aggregates.get(routine.oid) ?? [0]) {
    const part = functions.get(oid);
    if (!part) return false;
    if (!isSystem(part)) routineCall(part, reading);
  }
  return true;
}

function readSqlBody(routine: Routine, reading: Reading): boolean {
  try {
    const text = routine.atomic ? `create function f() returns void language sql ${routine.body}` : routine.body!;
    const statements = routine.atomic
      ? atomicStatements(parse(text)[0]?.tree.CreateFunctionStmt?.sql_body as Tree | undefined)
      : parse(text).map((part) => part.tree);
    for (const tree of statements) {
      if (namesStatements(tree)) return false;
      const query: Tree = tree.ReturnStmt
        ? { SelectStmt: { targetList: [{ ResTarget: { val: tree.ReturnStmt.returnval as never } }] } }
        : tree;
      reading.inner.push({ tree: query, scope: reading.scope, fired: reading.fired });
      reading.walker.statement(query, reading, noNames);
    }
    return true;
  } catch {
    return false;
  }
}

function atomicStatements(body: Tree | undefined): readonly Tree[] {
  if (!body) return [];
  if (!body.List) return [body];
  return ((body.List.items ?? []) as Tree[]).flatMap(atomicStatements);
}

function readBody(text: string, reading: Reading): boolean {
  try {
    const body = bodyStatements(text);
    let followed = !body.dynamic;
    for (const tree of body.statements) {
      if (namesStatements(tree)) {
        followed = false;
        continue;
      }
      reading.inner.push({ tree, scope: reading.scope, fired: reading.fired });
      reading.walker.statement(tree, reading, noNames);
    }
    if (body.transaction) add(reading, 'sql:transaction', {}, {});
    // It may open another one under the same name afterwards (test: cursors, "a body that closes").
    if (body.closes) {
      reading.changes.doubtedCursors = {};
      reading.flags.barrier = true;
    }
    return followed;
  } catch {
    return false;
  }
}

/** A text the PL/pgSQL parser accepts: it wants the names of the arguments, as assignments to unknown variables are errors. */
function plpgsqlText(routine: Routine, reading: Reading): string {
  const types = reading.scope.catalogue.types;
  const nameOfType = (oid: number) => {
    const type = types.get(oid);
    if (!type) return 'text';
    return `${quoted(type.schema)}.${quoted(type.name)}`;
  };
  const inputs = routine.arguments.map(
    (type, index) =>
      `${routine.argumentNames[index] ? `${quoted(routine.argumentNames[index]!)} ` : ''}${nameOfType(type)}`,
  );
  const named = new Set(routine.argumentNames);
  const outputs = routine.outputs
    .filter((output) => output.name !== '' && !named.has(output.name))
    .map((output) => `out ${quoted(output.name)} ${nameOfType(output.type)}`);
  const returns = types.get(routine.returnType)?.name;
  const result =
    returns === 'trigger' || returns === 'event_trigger'
      ? `returns ${returns}`
      : outputs.length > 0
        ? ''
        : `returns ${routine.returnsSet ? 'setof ' : ''}${nameOfType(routine.returnType)}`;
  const kind = routine.kind === 'p' ? 'procedure' : 'function';
  return `create ${kind} f(${[...inputs, ...outputs].join(', ')}) ${kind === 'procedure' ? '' : result} language plpgsql as ${dollarQuoted(routine.body!)}`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A value is tried as a type whose name is a text: a domain's CHECK runs. */
function inputOf(arg: Tree | undefined, reading: Reading): void {
  if (reading.scope.catalogue.fired.domains.size === 0) return;
  const name = arg && literal(arg);
  const trees = name === undefined ? undefined : treesOf(`select null::${name}`);
  if (trees) for (const tree of trees) reading.walker.statement(tree, reading, noNames);
  else add(reading, 'sql:call', { schema: 'pg_catalog', routine: 'pg_input_is_valid' }, { unreadable: true });
}

/** Undefined for a text that cannot be read. */
function treesOf(text: string): readonly Tree[] | undefined {
  try {
    return parse(text).map((part) => part.tree);
  } catch {
    return undefined;
  }
}

/** True when the name is one whose effects are settled here. */
function systemCall(routine: Routine, args: readonly Tree[], reading: Reading): boolean {
  if (builtIn(routine.name)) builtInCall(routine.name, args, reading);
  else if (routine.name === 'pg_input_is_valid' || routine.name === 'pg_input_error_info') inputOf(args[1], reading);
  else if (routine.volatility === 'v' && routine.schema === 'pg_catalog' && !reviewedHarmless.has(routine.name)) {
    // A server newer than our review, or something installed into pg_catalog.
    add(reading, 'sql:call', { schema: routine.schema, routine: routine.name }, { unreadable: true, unreviewed: true });
  } else {
    const family = readsOf(routine.name);
    // Names, rights and properties are in every client's first question; texts and counters are effects of their own.
    if (family === 'text' || family === 'statistics')
      add(reading, 'sql:read', { schema: routine.schema, routine: routine.name }, { family });
  }
  return true;
}

function builtInCall(name: string, args: readonly Tree[], reading: Reading): void {
  const known = builtIn(name)!;
  const routine = { schema: 'pg_catalog', routine: name };
  const attributes: Attributes = { family: known.family, ...(known.unreadable ? { unreadable: true } : {}) };
  if (known.unreadable && !silentFamilies.has(known.family)) afterUnreadable(reading);
  if (known.family === 'sql-in-text' && name.startsWith('dblink')) reading.flags.secret = true;
  if (name === 'set_config') return applySetting(setConfigChange(args), reading);
  if (known.family === 'sequence') return sequence(args[0], reading);
  if (known.action === 'sql:notify') {
    const channel = args[0] && literal(args[0]);
    add(reading, known.action, {}, channel === undefined ? {} : { channel });
    return;
  }
  if (known.action === 'sql:file_read' || known.action === 'sql:file_write') {
    const path = args[0] && literal(args[0]);
    if (path !== undefined) attributes['path'] = path;
  }
  add(reading, known.action, routine, attributes);
}

/** What they do is not known, but they run no SQL: catalogue, settings and cursors stay as they are. */
const silentFamilies: ReadonlySet<string> = new Set(['large-object-read', 'large-object-write']);

function sequence(arg: Tree | undefined, reading: Reading): void {
  const text = arg && literal(arg);
  if (text === undefined)
    return add(reading, 'sql:update', {}, { object: 'sequence', unresolved: true, hasWhere: true });
  const parts = searchPathOf(text.replaceAll('.', ','));
  const relation = relationNamed(
    { relname: parts.at(-1) ?? text, ...(parts.length > 1 ? { schemaname: parts.at(-2)! } : {}) },
    reading.scope,
  );
  add(reading, 'sql:update', resourceOf(relation), {
    object: 'sequence',
    hasWhere: true,
    ...(relation.unresolved ? { unresolved: true } : {}),
  });
}

export function isSystem(routine: Routine): boolean {
  return (
    (routine.schema === 'pg_catalog' || routine.schema === 'information_schema') && routine.extension === undefined
  );
}

function fits(routine: Routine, count: number): boolean {
  const most = routine.arguments.length;
  if (routine.kind === 'p') return true;
  return count <= most ? count >= most - routine.defaults - (routine.variadic ? 1 : 0) : routine.variadic;
}

function takesRow(routine: Routine, reading: Reading): boolean {
  const type = reading.scope.catalogue.types.get(routine.arguments[0] ?? 0);
  return type === undefined || type.kind === 'c' || type.kind === 'p' || type.kind === 'd';
}

function withSystem(path: readonly string[]): readonly string[] {
  return path.includes('pg_catalog') ? path : ['pg_catalog', ...path];
}
