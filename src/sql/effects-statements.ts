// Every statement kind of PostgreSQL 18 and what it does. A kind that is absent here is refused, so that a new server
// version cannot bring a statement that passes unread (test: every statement node of the grammar is in this table).
// Long because it is one table.
import type { AlterTableStmt, CreateStmt, DropStmt, GrantStmt, RangeVar } from 'libpg-query';
import type { Action, Resource } from '../domain/effect.ts';
import { callStatement, doBlock } from './effects-calls.ts';
import { copy } from './effects-copy.ts';
import { fireEvents } from './effects-firing.ts';
import { insert, merge, remove, select, touch, update, walk } from './effects.ts';
import * as session from './effects-session.ts';
import { relationNamed, resourceOf, routinesNamed, strings } from './names.ts';
import { type Kind, notUnderstood, type Tree } from './parse.ts';
import { add, type Attributes, changesCatalogue, type Names, type Reading } from './reading.ts';
import { creationSchema } from './resolve.ts';
import { checkSetting, settingChange } from './settings.ts';

type Read<K extends Kind> = (stmt: NonNullable<Tree[K]>, reading: Reading, names: Names) => void;
type Table = { [K in Kind as K extends `${string}Stmt` ? K : never]?: Read<K> };

/** DDL on something that has no relation of its own. */
function ddl(
  action: Action,
  object: string,
  more: (stmt: never) => Resource & { attributes?: Attributes } = () => ({}),
) {
  return (stmt: object, reading: Reading, names: Names) => {
    const { attributes, ...resource } = more(stmt as never);
    add(reading, action, resource, { object, ...attributes });
    changesCatalogue(reading);
    walkBody(stmt, reading, names);
  };
}

/** Expressions anywhere in a DDL statement may call functions; relations named in it are not read unless a query does so. */
function walkBody(stmt: object, reading: Reading, names: Names): void {
  for (const value of Object.values(stmt)) walk(withoutRanges(value), reading, names);
}

/** Drops RangeVars: the statement's own row in the table has told what happens to them. */
function withoutRanges(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutRanges);
  if (value === null || typeof value !== 'object') return value;
  if ('RangeVar' in value) return null;
  // Queries keep theirs: those are read.
  if (
    'SelectStmt' in value ||
    'InsertStmt' in value ||
    'UpdateStmt' in value ||
    'DeleteStmt' in value ||
    'MergeStmt' in value
  )
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutRanges(inner)]));
}

/** DDL on a named relation. */
function ddlOn<S extends object>(
  action: Action,
  object: string,
  of: (stmt: S) => RangeVar | undefined,
  more: (stmt: S) => Attributes = () => ({}),
) {
  return (stmt: S, reading: Reading, names: Names) => {
    const range = of(stmt);
    add(reading, action, range ? created(range, reading, action) : {}, { object, ...more(stmt), ...temporary(range) });
    changesCatalogue(reading);
    walkBody(stmt, reading, names);
  };
}

/** A relation to be made lies in the schema written, or in the first of the search path that exists. */
function created(range: RangeVar, reading: Reading, action: Action): Resource {
  if (action !== 'sql:create') return resourceOf(relationNamed(range, reading.scope));
  if (range.schemaname) return { schema: range.schemaname, relation: range.relname ?? '' };
  if (range.relpersistence === 't') return { schema: 'pg_temp', relation: range.relname ?? '' };
  return { ...schemaOfNew(reading), relation: range.relname ?? '' };
}

function schemaOfNew(reading: Reading): Resource {
  const schema = creationSchema(reading.scope);
  return schema ? { schema } : {};
}

function temporary(range: RangeVar | undefined): Attributes {
  return range?.relpersistence === 't' || range?.schemaname === 'pg_temp' ? { temporary: true } : {};
}

const named = (names: readonly unknown[] | undefined): Resource => {
  const parts = strings(names);
  return { ...(parts.length > 1 ? { schema: parts.at(-2)! } : {}), relation: parts.at(-1) ?? '' };
};
const routine = (names: readonly unknown[] | undefined): Resource => {
  const { schema, relation } = named(names);
  return { ...(schema === undefined ? {} : { schema }), routine: relation ?? '' };
};

const objectWord = (type: string | undefined) =>
  (type ?? 'OBJECT_').slice('OBJECT_'.length).toLowerCase().replaceAll('_', ' ');
const relations: ReadonlySet<string> = new Set(['table', 'view', 'matview', 'sequence', 'foreign table', 'index']);
const onRelation: ReadonlySet<string> = new Set(['trigger', 'rule', 'policy', 'column', 'tabconstraint']);

/** The resource of an object address: a list of names, a bare name, or a routine with arguments. */
function address(
  object: string,
  tree: Tree | undefined,
  reading: Reading,
): { resource: Resource; name?: string; temporary?: boolean } {
  const list = tree?.List
    ? strings(tree.List.items)
    : tree?.String
      ? [tree.String.sval ?? '']
      : tree?.TypeName
        ? strings(tree.TypeName.names)
        : [];
  if (object === 'schema') return { resource: { schema: list.at(-1) ?? '' } };
  if (tree?.ObjectWithArgs) {
    const found = routinesNamed(strings(tree.ObjectWithArgs.objname), reading.scope)[0];
    if (found) return { resource: { schema: found.schema, routine: found.name } };
    return { resource: routine(tree.ObjectWithArgs.objname) };
  }
  if (relations.has(object) || onRelation.has(object)) {
    // A trigger, rule, policy or column comes after the name of its relation.
    const path = onRelation.has(object) ? list.slice(0, -1) : list;
    const range = { relname: path.at(-1) ?? '', ...(path.length > 1 ? { schemaname: path.at(-2)! } : {}) };
    const found = relationNamed(range, reading.scope);
    return {
      resource: resourceOf(found),
      temporary: found.entry?.temporary ?? false,
      ...(onRelation.has(object) ? { name: list.at(-1) ?? '' } : {}),
    };
  }
  return { resource: list.length > 1 ? { schema: list.at(-2)! } : {}, name: list.at(-1) ?? '' };
}

function on(
  action: Action,
  objectType: string | undefined,
  relation: RangeVar | undefined,
  tree: Tree | undefined,
  reading: Reading,
  more: Attributes = {},
): void {
  const object = objectWord(objectType);
  if (relation) add(reading, action, resourceOf(relationNamed(relation, reading.scope)), { object, ...more });
  else {
    const { resource, name, temporary: own } = address(object, tree, reading);
    const attributes = { object, ...(name === undefined ? {} : { name }), ...(own ? { temporary: true } : {}) };
    add(reading, action, resource, { ...attributes, ...more });
  }
  changesCatalogue(reading);
}

function drop(stmt: DropStmt, reading: Reading): void {
  const cascade: Attributes = stmt.behavior === 'DROP_CASCADE' ? { cascade: true } : {};
  for (const tree of (stmt.objects ?? []) as Tree[]) on('sql:drop', stmt.removeType, undefined, tree, reading, cascade);
}

function grant(stmt: GrantStmt, reading: Reading): void {
  const object = stmt.targtype === 'ACL_TARGET_DEFAULTS' ? 'default privileges' : objectWord(stmt.objtype);
  const attributes: Attributes = { object, ...(stmt.is_grant ? {} : { revoke: true }) };
  const targets = (stmt.objects ?? []) as Tree[];
  if (targets.length === 0) add(reading, 'sql:grant', {}, attributes);
  for (const tree of targets) {
    if (tree.RangeVar) add(reading, 'sql:grant', resourceOf(relationNamed(tree.RangeVar, reading.scope)), attributes);
    else if (stmt.targtype === 'ACL_TARGET_ALL_IN_SCHEMA')
      add(reading, 'sql:grant', { schema: tree.String?.sval ?? '' }, { ...attributes, all: true });
    else add(reading, 'sql:grant', address(object, tree, reading).resource, attributes);
  }
  changesCatalogue(reading);
}

// Who may see which rows, and whose rights count: access, not shape.
const accessCommands: ReadonlySet<string> = new Set([
  'AT_ChangeOwner',
  'AT_EnableRowSecurity',
  'AT_DisableRowSecurity',
  'AT_ForceRowSecurity',
  'AT_NoForceRowSecurity',
]);

function alterTable(stmt: AlterTableStmt, reading: Reading, names: Names): void {
  const object = objectWord(stmt.objtype);
  const resource = stmt.relation ? resourceOf(relationNamed(stmt.relation, reading.scope)) : {};
  for (const tree of (stmt.cmds ?? []) as Tree[]) {
    const command = tree.AlterTableCmd!;
    const what = (command.subtype ?? '').slice(3);
    add(reading, accessCommands.has(command.subtype ?? '') ? 'sql:grant' : 'sql:alter', resource, {
      object,
      command: what,
      ...(command.name ? { name: command.name } : {}),
      ...(command.behavior === 'DROP_CASCADE' ? { cascade: true } : {}),
    });
    // Its data is gone as it is with DELETE of each row.
    if (command.subtype === 'AT_DropColumn')
      add(reading, 'sql:drop', resource, { object: 'column', name: command.name ?? '' });
  }
  changesCatalogue(reading);
  walkBody(stmt, reading, names);
}

function createTable(stmt: CreateStmt, reading: Reading, names: Names): void {
  ddlOn<CreateStmt>('sql:create', 'table', (s) => s.relation)(stmt, reading, names);
}

/** An unqualified relation that CREATE SCHEMA makes belongs to the new schema. */
function inSchema(tree: Tree, schemaname: string): Tree {
  const place = (range: RangeVar | undefined) => (range && !range.schemaname ? { ...range, schemaname } : range);
  if (tree.CreateStmt) return { CreateStmt: { ...tree.CreateStmt, relation: place(tree.CreateStmt.relation)! } };
  if (tree.ViewStmt) return { ViewStmt: { ...tree.ViewStmt, view: place(tree.ViewStmt.view)! } };
  if (tree.CreateSeqStmt)
    return { CreateSeqStmt: { ...tree.CreateSeqStmt, sequence: place(tree.CreateSeqStmt.sequence)! } };
  return tree;
}

const secret = (reading: Reading) => {
  reading.flags.secret = true;
};

/** A setting kept for later sessions must not break the reading of those. */
function keptSetting(stmt: { setstmt?: unknown }): Attributes {
  const change = settingChange(stmt.setstmt as never);
  if (change.name !== undefined && change.value !== undefined) checkSetting(change.name, change.value);
  return change.name ? { setting: change.name } : { all: true };
}

const role = (reading: Reading, attributes: Attributes = {}) => {
  add(reading, 'sql:grant', {}, { object: 'role', ...attributes });
  changesCatalogue(reading);
};

const own = (behavior: string | undefined): Attributes => (behavior === 'DROP_CASCADE' ? { cascade: true } : {});

export const statements: Table = {
  // Queries.
  SelectStmt: select,
  InsertStmt: insert,
  UpdateStmt: update,
  DeleteStmt: remove,
  MergeStmt: merge,
  CopyStmt: copy,
  TruncateStmt(stmt, reading) {
    const attributes: Attributes = { ...own(stmt.behavior), ...(stmt.restart_seqs ? { restart: true } : {}) };
    for (const tree of (stmt.relations ?? []) as Tree[]) touch(tree.RangeVar!, 'sql:truncate', reading, attributes);
  },
  ExplainStmt: session.explain,
  PrepareStmt: session.prepare,
  ExecuteStmt: session.execute,
  DeallocateStmt: session.deallocate,
  DeclareCursorStmt: session.declareCursor,
  FetchStmt: session.fetchCursor,
  ClosePortalStmt: session.closeCursor,
  CallStmt: callStatement,
  DoStmt: doBlock,
  CreateTableAsStmt(stmt, reading, names) {
    const object = objectWord(stmt.objtype);
    const range = stmt.into?.rel;
    add(reading, 'sql:create', range ? created(range, reading, 'sql:create') : {}, {
      object,
      ...temporary(range),
      copies: true,
    });
    changesCatalogue(reading);
    walk(stmt.query, reading, names);
  },
  RefreshMatViewStmt(stmt, reading) {
    const relation = touch(stmt.relation!, 'sql:maintain', reading, { object: 'matview' });
    void relation;
    touch(stmt.relation!, 'sql:read', reading);
  },
  // The session.
  VariableSetStmt: (stmt, reading) => session.applySetting(settingChange(stmt), reading),
  VariableShowStmt() {},
  TransactionStmt: session.transaction,
  DiscardStmt: session.discard,
  ConstraintsSetStmt: (_stmt, reading) => add(reading, 'sql:transaction', {}, { constraints: true }),
  ListenStmt: (stmt, reading) => add(reading, 'sql:listen', {}, { channel: stmt.conditionname ?? '' }),
  UnlistenStmt: (stmt, reading) => add(reading, 'sql:listen', {}, { channel: stmt.conditionname ?? '*', stop: true }),
  NotifyStmt: (stmt, reading) => add(reading, 'sql:notify', {}, { channel: stmt.conditionname ?? '' }),
  LockStmt(stmt, reading) {
    for (const tree of (stmt.relations ?? []) as Tree[])
      touch(tree.RangeVar!, 'sql:lock', reading, { mode: stmt.mode ?? 0 });
  },
  LoadStmt(stmt, reading) {
    add(reading, 'sql:call', {}, { library: stmt.filename ?? '', unreadable: true });
    reading.changes.settings = 'unknown';
  },
  // Upkeep.
  VacuumStmt(stmt, reading) {
    const object = stmt.is_vacuumcmd ? 'vacuum' : 'analyze';
    const targets = (stmt.rels ?? []) as Tree[];
    if (targets.length === 0) add(reading, 'sql:maintain', {}, { object });
    for (const tree of targets) touch(tree.VacuumRelation!.relation!, 'sql:maintain', reading, { object });
  },
  ClusterStmt(stmt, reading) {
    if (stmt.relation) touch(stmt.relation, 'sql:maintain', reading, { object: 'cluster' });
    else add(reading, 'sql:maintain', {}, { object: 'cluster' });
  },
  ReindexStmt(stmt, reading) {
    if (stmt.relation)
      add(reading, 'sql:maintain', resourceOf(relationNamed(stmt.relation, reading.scope)), { object: 'reindex' });
    else
      add(reading, 'sql:maintain', stmt.kind === 'REINDEX_OBJECT_SCHEMA' ? { schema: stmt.name ?? '' } : {}, {
        object: 'reindex',
      });
  },
  CheckPointStmt: (_stmt, reading) => add(reading, 'sql:maintain', {}, { object: 'checkpoint' }),
  // Access.
  GrantStmt: grant,
  GrantRoleStmt: (stmt, reading) => role(reading, { object: 'membership', ...(stmt.is_grant ? {} : { revoke: true }) }),
  AlterDefaultPrivilegesStmt(stmt, reading) {
    if (stmt.action) grant({ ...stmt.action, targtype: 'ACL_TARGET_DEFAULTS', objects: [] }, reading);
    else role(reading, { object: 'default privileges' });
  },
  CreateRoleStmt(stmt, reading) {
    secret(reading);
    role(reading, { command: 'create', name: stmt.role ?? '' });
  },
  AlterRoleStmt(stmt, reading) {
    secret(reading);
    role(reading, { command: 'alter', name: stmt.role?.rolename ?? '' });
  },
  AlterRoleSetStmt: (stmt, reading) =>
    role(reading, { command: 'set', name: stmt.role?.rolename ?? '', ...keptSetting(stmt) }),
  DropRoleStmt: (_stmt, reading) => role(reading, { command: 'drop' }),
  ReassignOwnedStmt: (_stmt, reading) => role(reading, { object: 'owner' }),
  DropOwnedStmt(stmt, reading) {
    add(reading, 'sql:drop', {}, { object: 'owned', ...own(stmt.behavior) });
    role(reading, { object: 'owned' });
  },
  SecLabelStmt: (stmt, reading) =>
    on('sql:grant', stmt.objtype, undefined, stmt.object as Tree, reading, { label: true }),
  AlterOwnerStmt: (stmt, reading) =>
    on('sql:grant', stmt.objectType, stmt.relation, stmt.object as Tree, reading, { owner: true }),
  CreatePolicyStmt: ddlOn('sql:grant', 'policy', (stmt: { table?: RangeVar }) => stmt.table),
  AlterPolicyStmt: ddlOn('sql:grant', 'policy', (stmt: { table?: RangeVar }) => stmt.table),
  CreateUserMappingStmt(stmt, reading) {
    secret(reading);
    add(reading, 'sql:grant', {}, { object: 'user mapping', server: stmt.servername ?? '' });
  },
  AlterUserMappingStmt(stmt, reading) {
    secret(reading);
    add(reading, 'sql:grant', {}, { object: 'user mapping', server: stmt.servername ?? '' });
  },
  DropUserMappingStmt: (stmt, reading) =>
    add(reading, 'sql:grant', {}, { object: 'user mapping', server: stmt.servername ?? '', revoke: true }),
  // Making things.
  CreateStmt: createTable,
  CreateSchemaStmt(stmt, reading, names) {
    const schema = stmt.schemaname ?? stmt.authrole?.rolename ?? '';
    add(reading, 'sql:create', { schema }, { object: 'schema' });
    changesCatalogue(reading);
    for (const tree of (stmt.schemaElts ?? []) as Tree[]) {
      reading.walker.statement(inSchema(tree, schema), reading, names);
    }
  },
  ViewStmt: ddlOn(
    'sql:create',
    'view',
    (stmt) => stmt.view,
    (stmt): Attributes => (stmt.replace ? { replace: true } : {}),
  ),
  CreateSeqStmt: ddlOn('sql:create', 'sequence', (stmt) => stmt.sequence),
  CreateForeignTableStmt(stmt, reading, names) {
    const base =
      (stmt as { base?: CreateStmt; baseStmt?: CreateStmt }).base ?? (stmt as { baseStmt?: CreateStmt }).baseStmt ?? {};
    secret(reading);
    ddlOn<CreateStmt>(
      'sql:create',
      'foreign table',
      (s) => s.relation,
      () => ({ server: stmt.servername ?? '' }),
    )(base, reading, names);
  },
  IndexStmt: ddlOn(
    'sql:create',
    'index',
    (stmt) => stmt.relation,
    (stmt): Attributes => (stmt.idxname ? { name: stmt.idxname } : {}),
  ),
  RuleStmt(stmt, reading, names) {
    add(reading, 'sql:create', resourceOf(relationNamed(stmt.relation!, reading.scope)), {
      object: 'rule',
      name: stmt.rulename ?? '',
    });
    changesCatalogue(reading);
    // OLD and NEW stand for rows of the relation; what the rule will do is told now, as nobody will be asked later.
    for (const tree of (stmt.actions ?? []) as Tree[])
      reading.walker.statement(tree, reading, { ...names, ctes: new Set([...names.ctes, 'old', 'new']) });
  },
  CreateTrigStmt: ddlOn(
    'sql:create',
    'trigger',
    (stmt) => stmt.relation,
    (stmt) => ({ name: stmt.trigname ?? '', routine: strings(stmt.funcname).join('.') }),
  ),
  CreateStatsStmt: ddl('sql:create', 'statistics'),
  CreateFunctionStmt(stmt, reading) {
    const options = (stmt.options ?? []) as Tree[];
    const language = options.find((option) => option.DefElem?.defname === 'language')?.DefElem?.arg as Tree | undefined;
    const definer = options.some(
      (option) => option.DefElem?.defname === 'security' && (option.DefElem.arg as Tree | undefined)?.Boolean?.boolval,
    );
    for (const option of options) {
      const set = (option.DefElem?.arg as Tree | undefined)?.VariableSetStmt;
      if (option.DefElem?.defname === 'set' && set?.kind === 'VAR_SET_VALUE') settingChange(set);
    }
    add(
      reading,
      'sql:create',
      { ...schemaOfNew(reading), ...routine(stmt.funcname) },
      {
        object: stmt.is_procedure ? 'procedure' : 'function',
        language: language?.String?.sval ?? 'sql',
        ...(stmt.replace ? { replace: true } : {}),
        ...(definer ? { definer: true } : {}),
      },
    );
    changesCatalogue(reading);
  },
  CreateEventTrigStmt: ddl('sql:create', 'event trigger'),
  CreateExtensionStmt: ddl('sql:create', 'extension', (stmt: { extname?: string }) => ({
    attributes: { name: stmt.extname ?? '' },
  })),
  CreatePLangStmt: ddl('sql:create', 'language'),
  CreateFdwStmt: ddl('sql:create', 'fdw'),
  CreateForeignServerStmt(stmt, reading) {
    secret(reading);
    add(reading, 'sql:create', {}, { object: 'server', name: stmt.servername ?? '' });
    changesCatalogue(reading);
  },
  ImportForeignSchemaStmt: ddl(
    'sql:create',
    'foreign schema',
    (stmt: { local_schema?: string; server_name?: string }) => ({
      schema: stmt.local_schema ?? '',
      attributes: { server: stmt.server_name ?? '' },
    }),
  ),
  CreatePublicationStmt: ddl('sql:create', 'publication', (stmt: { pubname?: string }) => ({
    attributes: { name: stmt.pubname ?? '' },
  })),
  CreateSubscriptionStmt(stmt, reading) {
    secret(reading);
    add(reading, 'sql:create', {}, { object: 'subscription', name: stmt.subname ?? '' });
    changesCatalogue(reading);
  },
  CreatedbStmt: ddl('sql:create', 'database', (stmt: { dbname?: string }) => ({
    attributes: { name: stmt.dbname ?? '' },
  })),
  CreateTableSpaceStmt: ddl('sql:create', 'tablespace'),
  CreateAmStmt: ddl('sql:create', 'access method'),
  CreateCastStmt: ddl('sql:create', 'cast'),
  CreateConversionStmt: ddl('sql:create', 'conversion'),
  CreateTransformStmt: ddl('sql:create', 'transform'),
  CreateDomainStmt: ddl('sql:create', 'domain', (stmt: { domainname?: unknown[] }) => ({
    attributes: { name: strings(stmt.domainname).join('.') },
  })),
  CreateEnumStmt: ddl('sql:create', 'type'),
  CreateRangeStmt: ddl('sql:create', 'type'),
  CompositeTypeStmt: ddl('sql:create', 'type'),
  DefineStmt: ddl('sql:create', 'definition', (stmt: { kind?: string }) => ({
    attributes: { object: objectWord(stmt.kind) },
  })),
  CreateOpClassStmt: ddl('sql:create', 'opclass'),
  CreateOpFamilyStmt: ddl('sql:create', 'opfamily'),
  // Changing things.
  AlterTableStmt: alterTable,
  AlterSeqStmt: ddlOn('sql:alter', 'sequence', (stmt) => stmt.sequence),
  RenameStmt: (stmt, reading) =>
    on('sql:alter', stmt.renameType, stmt.relation, stmt.object as Tree, reading, {
      command: 'Rename',
      ...(stmt.newname ? { to: stmt.newname } : {}),
    }),
  AlterObjectSchemaStmt: (stmt, reading) =>
    on('sql:alter', stmt.objectType, stmt.relation, stmt.object as Tree, reading, {
      command: 'SetSchema',
      to: stmt.newschema ?? '',
    }),
  AlterObjectDependsStmt: (stmt, reading) =>
    on('sql:alter', stmt.objectType, stmt.relation, stmt.object as Tree, reading, { command: 'Depends' }),
  CommentStmt: (stmt, reading) =>
    on('sql:alter', stmt.objtype, undefined, stmt.object as Tree, reading, { command: 'Comment' }),
  AlterFunctionStmt: ddl('sql:alter', 'function', (stmt: { func?: { objname?: unknown[] } }) =>
    routine(stmt.func?.objname),
  ),
  AlterDomainStmt: ddl('sql:alter', 'domain'),
  AlterTypeStmt: ddl('sql:alter', 'type'),
  AlterEnumStmt: ddl('sql:alter', 'type'),
  AlterOperatorStmt: ddl('sql:alter', 'operator'),
  AlterOpFamilyStmt: ddl('sql:alter', 'opfamily'),
  AlterCollationStmt: ddl('sql:alter', 'collation'),
  AlterStatsStmt: ddl('sql:alter', 'statistics'),
  AlterTSDictionaryStmt: ddl('sql:alter', 'text search dictionary'),
  AlterTSConfigurationStmt: ddl('sql:alter', 'text search configuration'),
  AlterEventTrigStmt: ddl('sql:alter', 'event trigger'),
  AlterExtensionStmt: ddl('sql:alter', 'extension', (stmt: { extname?: string }) => ({
    attributes: { name: stmt.extname ?? '' },
  })),
  AlterExtensionContentsStmt: ddl('sql:alter', 'extension', (stmt: { extname?: string }) => ({
    attributes: { name: stmt.extname ?? '' },
  })),
  AlterFdwStmt: ddl('sql:alter', 'fdw'),
  AlterForeignServerStmt(stmt, reading) {
    secret(reading);
    add(reading, 'sql:alter', {}, { object: 'server', name: stmt.servername ?? '' });
    changesCatalogue(reading);
  },
  AlterPublicationStmt: ddl('sql:alter', 'publication', (stmt: { pubname?: string }) => ({
    attributes: { name: stmt.pubname ?? '' },
  })),
  AlterSubscriptionStmt(stmt, reading) {
    secret(reading);
    add(reading, 'sql:alter', {}, { object: 'subscription', name: stmt.subname ?? '' });
    changesCatalogue(reading);
  },
  AlterDatabaseStmt: ddl('sql:alter', 'database', (stmt: { dbname?: string }) => ({
    attributes: { name: stmt.dbname ?? '' },
  })),
  AlterDatabaseRefreshCollStmt: ddl('sql:alter', 'database', (stmt: { dbname?: string }) => ({
    attributes: { name: stmt.dbname ?? '' },
  })),
  AlterDatabaseSetStmt: (stmt, reading) =>
    add(reading, 'sql:alter', {}, { object: 'database', name: stmt.dbname ?? '', ...keptSetting(stmt) }),
  AlterSystemStmt: (stmt, reading) => add(reading, 'sql:alter', {}, { system: true, ...keptSetting(stmt) }),
  AlterTableSpaceOptionsStmt: ddl('sql:alter', 'tablespace'),
  AlterTableMoveAllStmt: ddl('sql:alter', 'tablespace', () => ({ attributes: { command: 'MoveAll' } })),
  // Removing things.
  DropStmt: drop,
  DropdbStmt: ddl('sql:drop', 'database', (stmt: { dbname?: string }) => ({ attributes: { name: stmt.dbname ?? '' } })),
  DropTableSpaceStmt: ddl('sql:drop', 'tablespace'),
  DropSubscriptionStmt: ddl('sql:drop', 'subscription', (stmt: { subname?: string }) => ({
    attributes: { name: stmt.subname ?? '' },
  })),
};

/** Adds the effects of one statement to the reading. Throws Fault('statement.not-understood') for a kind that is not in the table. */
export function readStatement(tree: Tree, reading: Reading, names: Names): void {
  for (const kind in tree) {
    const read = Object.hasOwn(statements, kind) ? (statements as Record<string, Read<never>>)[kind] : undefined;
    if (!read) throw notUnderstood(`The statement kind ${kind} is not understood here. Use another statement.`);
    const before = reading.changes.catalogue;
    reading.changes.catalogue = false;
    read((tree as Record<string, unknown>)[kind] as never, reading, names);
    if (reading.changes.catalogue) fireEvents(reading);
    reading.changes.catalogue ||= before ?? false;
    if (!reading.changes.catalogue) delete reading.changes.catalogue;
  }
}
