// What is gathered while one statement is read: its effects, what it changes for later statements, and the queries inside it
// whose columns lineage must trace. One Reading lives for one part of a text; the walkers fill it.
import type { Action, Effect, Resource } from '../domain/effect.ts';
import type { Analysis, Changes, Scope } from './analysis.ts';
import type { Tree } from './parse.ts';

export type Attributes = Record<string, boolean | number | string>;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface Flags {
  barrier: boolean;
  /** Something runs whose effects cannot be read from here. */
  unreadable: boolean;
  /** Depends on more than text, catalogue and search path: must not be cached. */
  uncacheable: boolean;
  /** Passwords or connection strings stand in the text: all its literals are masked when it is recorded. */
  secret: boolean;
}

export interface Reading {
  readonly scope: Scope;
  readonly effects: Map<string, Effect>;
  readonly changes: Mutable<Changes>;
  /** Queries that lineage traces beside the statement itself: bodies of DO blocks and functions. */
  readonly inner: Inner[];
  /** Views and routines being expanded, by oid, so that recursion ends; relations whose own triggers and policies are being read, by minus their oid. */
  readonly open: Set<number>;
  /** The search path that a body runs under: the session's, or the one a routine sets for itself. A view's text has none of its own. */
  readonly path: readonly string[];
  /** What is read now is run by the target itself, not by the text: a trigger, a rule, a constraint, a policy. */
  readonly fired: boolean;
  /** The statement is only planned (plain EXPLAIN): what planning itself runs goes here. */
  readonly planned?: Pick<Reading, 'effects' | 'changes'>;
  readonly flags: Flags;
  readonly walker: Walker;
}

/** A statement of a body. Of what the target runs by itself only copies count: it answers nobody. */
export interface Inner {
  readonly tree: Tree;
  readonly scope: Scope;
  readonly fired: boolean;
}

/** What the walkers need of each other; passed in, so that their files do not import each other in a circle. */
export interface Walker {
  /** Reads a whole statement at this point. */
  statement(tree: Tree, reading: Reading, names: Names): void;
  /** Reads every node below a value. */
  walk(value: unknown, reading: Reading, names: Names): void;
  /** The analysis of a statement inside this one, as PREPARE and DECLARE keep it. */
  analyse(tree: Tree, scope: Scope): Analysis;
  /** The same statement under the catalogue and search path of now. */
  refresh(analysis: Analysis, scope: Scope): Analysis;
}

/** What unqualified names mean at one place of the text. */
export interface Names {
  /** Common table expressions in sight. */
  readonly ctes: ReadonlySet<string>;
  /** Columns of base relations by alias, innermost query first; for `alias.function` notation. */
  readonly columns: readonly ReadonlyMap<string, ReadonlySet<string>>[];
}

export const noNames: Names = { ctes: new Set(), columns: [] };

export function openReading(scope: Scope, walker: Walker): Reading {
  return {
    scope,
    effects: new Map(),
    changes: {},
    inner: [],
    open: new Set(),
    path: scope.searchPath,
    fired: false,
    flags: { barrier: false, unreadable: false, uncacheable: false, secret: false },
    walker,
  };
}

/** Adds an effect once. Of two that differ in an attribute both stay: a policy must see the worse one. */
export function add(reading: Reading, action: Action, resource: Resource, attributes?: Attributes): void {
  const effect: Effect =
    attributes && Object.keys(attributes).length > 0 ? { action, resource, attributes } : { action, resource };
  const key = JSON.stringify(effect);
  if (!reading.effects.has(key)) reading.effects.set(key, effect);
  if (attributes?.['unreadable']) {
    reading.flags.unreadable = true;
    reading.flags.barrier = true;
  }
}

/** DDL: what follows waits until the catalogue was read again. */
export function changesCatalogue(reading: Reading): void {
  reading.changes.catalogue = true;
  reading.flags.barrier = true;
}

/** Nothing that we tracked can be relied on afterwards. */
export function afterUnreadable(reading: Reading): void {
  reading.changes.catalogue = true;
  reading.changes.settings = 'unknown';
  reading.flags.barrier = true;
}

/** The same reading for a text whose names are resolved under another search path: a view's, a rule's. */
export function under(reading: Reading, searchPath: readonly string[]): Reading {
  return { ...reading, scope: { ...reading.scope, searchPath } };
}

/** A routine's body runs under the path of its caller, or under its own. */
export function inBody(reading: Reading, own?: readonly string[]): Reading {
  const path = own ?? reading.path;
  return { ...reading, path, scope: { ...reading.scope, searchPath: path } };
}

/** What the target runs by itself: its effects are gathered apart and marked. */
export function firing(reading: Reading, run: (fired: Reading) => void): void {
  const fired: Reading = { ...inBody(reading), effects: new Map(), fired: true };
  run(fired);
  for (const { action, resource, attributes } of fired.effects.values()) {
    // What is read on the way does not leave the target, and a default's own sequence belongs to its table.
    if (action === 'sql:read' || action === 'sql:lock' || attributes?.['object'] === 'sequence') continue;
    add(reading, action, resource, { ...attributes, fired: true });
  }
}

/** A reading of what does not run now (plain EXPLAIN): its own effects and changes. */
export function aside(reading: Reading): Reading {
  return {
    ...reading,
    effects: new Map(),
    changes: {},
    planned: { effects: reading.effects, changes: reading.changes },
  };
}
