// What a target holds: schemas, relations, columns with their labels, types, functions. Immutable; read from the results
// of `catalogueQueries` by the gateway's own connection (DESIGN §5).
import { createHash } from 'node:crypto';
import type { Label } from '../domain/label.ts';
import { type Fired, readFiring } from './catalogue-firing.ts';
import { builtInLabels, labelsOf, matchRules, spreadLabels } from './catalogue-labels.ts';
import { firstOwnOid } from './catalogue-queries.ts';
import type { LabelRule } from './label-rule.ts';

export { catalogueQueries, catalogueVersionQuery, ownCatalogueQueries } from './catalogue-queries.ts';
export type { LabelRule } from './label-rule.ts';

export interface Catalogue {
  /** Hex; equal exactly for equal contents and label rules. */
  readonly version: string;
  /** Schema names by OID. */
  readonly schemas: ReadonlyMap<number, string>;
  readonly relations: ReadonlyMap<number, Relation>;
  readonly types: ReadonlyMap<number, Type>;
  readonly functions: ReadonlyMap<number, Routine>;
  /** Names of operators outside pg_catalog, with the OIDs of the functions behind them. */
  readonly operators: ReadonlyMap<string, readonly number[]>;
  /** Casts that somebody created: source type, target type, function (0: binary coercible or by input and output). */
  readonly casts: readonly { readonly source: number; readonly target: number; readonly routine: number }[];
  /** What the target runs by itself when it is read, written or changed. */
  readonly fired: Fired;
  /** Number of labelled columns, built-in ones included. */
  readonly labelledColumns: number;
  /** The operator's rules that label no column. */
  readonly unmatched: readonly LabelRule[];
  /** Whether a rule looks at types, or at comments: then changing one could take a label off. */
  readonly labelledBy: { readonly type: boolean; readonly comment: boolean };
  relationNamed(schema: string, name: string): Relation | undefined;
  /** Every overload of that name in that schema. */
  functionsNamed(schema: string, name: string): readonly Routine[];
  typeNamed(schema: string, name: string): Type | undefined;
}

/** r table, p partitioned table, v view, m materialised view, f foreign table, S sequence, c composite type. */
export type RelationKind = 'r' | 'p' | 'v' | 'm' | 'f' | 'S' | 'c';

export interface Relation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: RelationKind;
  /** In pg_catalog or information_schema: never expanded, its columns carry their own labels. */
  readonly system: boolean;
  readonly temporary: boolean;
  /** OID of its row type. */
  readonly rowType: number;
  /** By attribute number, without dropped ones. */
  readonly columns: readonly CatalogueColumn[];
  /** The query of a view or materialised view, names fully qualified; absent for system views. */
  readonly definition?: string;
  /** Inheritance or partitioning: direct ones only. */
  readonly parents: readonly number[];
  readonly children: readonly number[];
  readonly rowSecurity: boolean;
  /** User triggers, or rules other than a view's own: a write does more than the text says. */
  readonly triggers: boolean;
  readonly rules: boolean;
  readonly owner: string;
}

export interface CatalogueColumn {
  readonly attribute: number;
  readonly name: string;
  /** Type OID as declared; `baseType` is what the server tells clients: of a domain, its base type. */
  readonly type: number;
  readonly baseType: number;
  /** Expression of a generated column, over the other columns of the relation. */
  readonly generated?: string;
  /** Its comment, as far as label rules look. */
  readonly comment?: string;
  readonly labels: readonly Label[];
}

/** b base, c composite, d domain, e enum, p pseudo, r range, m multirange. */
export interface Type {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: 'b' | 'c' | 'd' | 'e' | 'p' | 'r' | 'm';
  /** Element type of an array type, else 0. */
  readonly element: number;
  /** What a domain is based on, else 0. */
  readonly base: number;
  /** Relation OID of a composite type, else 0. */
  readonly relation: number;
  /** The array type of this type, else 0. */
  readonly array: number;
}

export interface Routine {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** f function, p procedure, a aggregate, w window function. */
  readonly kind: 'f' | 'p' | 'a' | 'w';
  /** i immutable, s stable, v volatile: its author's claim. */
  readonly volatility: 'i' | 's' | 'v';
  readonly returnsSet: boolean;
  readonly returnType: number;
  /** Types of the input arguments; the last `defaults` of them may be left out. */
  readonly arguments: readonly number[];
  readonly defaults: number;
  readonly variadic: boolean;
  /** Names of the input arguments, '' where unnamed. */
  readonly argumentNames: readonly string[];
  /** OUT, INOUT and TABLE arguments: the columns of its result. */
  readonly outputs: readonly { readonly name: string; readonly type: number }[];
  readonly language: string;
  /** The extension that it belongs to. */
  readonly extension?: string;
  /** Source text; of a BEGIN ATOMIC or RETURN body when `atomic`, then with names fully qualified. Absent for system functions. */
  readonly body?: string;
  readonly atomic: boolean;
  readonly securityDefiner: boolean;
  /** `name=value` settings of its own. */
  readonly settings: readonly string[];
}

const system = (schema: string | undefined) => schema === 'pg_catalog' || schema === 'information_schema';

/**
 * Builds the catalogue from the results of `catalogueQueries`, in their order. Throws an Error naming the query when a
 * result does not have the shape asked for. Labels: rules and built-in ones, spread over inheritance and row types. With `base`, the
 * results are those of `ownCatalogueQueries`, and the server's initial contents are those of `base`.
 */
export function readCatalogue(
  results: readonly (readonly (readonly string[])[])[],
  rules: readonly LabelRule[],
  base?: Catalogue,
): Catalogue {
  const widths = [1, 2, 11, 8, 2, 9, 20, 2, 3, 5];
  widths.forEach((width, index) => {
    if (!results[index]) throw new Error(`catalogue query ${index} has no result`);
    for (const row of results[index])
      if (row.length !== width) throw new Error(`catalogue query ${index}: ${row.length} columns instead of ${width}`);
  });
  const [
    ,
    schemaRows,
    relationRows,
    columnRows,
    inheritRows,
    typeRows,
    functionRows,
    operatorRows,
    castRows,
    firingRows,
  ] = results as readonly (readonly (readonly string[])[])[] & { readonly length: 10 };

  const schemas = new Map<number, string>();
  for (const [oid, name] of schemaRows!) schemas.set(Number(oid), name!);

  const types = initial(base?.types);
  for (const [oid, schema, name, kind, element, base, relation, array, isArray] of typeRows!) {
    types.set(Number(oid), {
      oid: Number(oid),
      schema: schemas.get(Number(schema)) ?? '',
      name: name!,
      kind: kind as Type['kind'],
      element: truth(isArray!) ? Number(element) : 0,
      base: Number(base),
      relation: Number(relation),
      array: Number(array),
    });
  }
  const baseType = (oid: number): number => {
    let current = oid;
    for (let depth = 0; depth < 32; depth++) {
      const type = types.get(current);
      if (type?.kind !== 'd') return current;
      current = type.base;
    }
    return current;
  };

  const columns = new Map<number, CatalogueColumn[]>();
  for (const [relation, attribute, name, type, dropped, generated, expression, comment] of columnRows!) {
    if (truth(dropped!)) continue;
    const list = columns.get(Number(relation)) ?? [];
    if (list.length === 0) columns.set(Number(relation), list);
    list.push({
      attribute: Number(attribute),
      name: name!,
      type: Number(type),
      baseType: baseType(Number(type)),
      ...(generated === '' ? {} : { generated: expression! }),
      ...(comment === '' ? {} : { comment: comment! }),
      labels: [],
    });
  }

  const parents = new Map<number, number[]>();
  const children = new Map<number, number[]>();
  for (const [child, parent] of inheritRows!) {
    parents.set(Number(child), [...(parents.get(Number(child)) ?? []), Number(parent)]);
    children.set(Number(parent), [...(children.get(Number(parent)) ?? []), Number(child)]);
  }

  const relations = initial(base?.relations);
  for (const row of relationRows!) {
    const [oid, namespace, name, kind, security, triggers, ownRules, owner, rowType, persistence, definition] = row;
    const schema = schemas.get(Number(namespace)) ?? '';
    relations.set(Number(oid), {
      oid: Number(oid),
      schema,
      name: name!,
      kind: kind as RelationKind,
      system: system(schema),
      temporary: persistence === 't',
      rowType: Number(rowType),
      columns: columns.get(Number(oid)) ?? [],
      ...(definition === '' ? {} : { definition: definition! }),
      parents: parents.get(Number(oid)) ?? [],
      children: children.get(Number(oid)) ?? [],
      rowSecurity: truth(security!),
      triggers: truth(triggers!),
      rules: truth(ownRules!),
      owner: owner!,
    });
  }
  const all = [...builtInLabels, ...rules];
  const matched = matchRules(relations, types, all);
  const labelled = spreadLabels(labelsOf(matched), relations, types);
  let labelledColumns = 0;
  for (const relation of relations.values()) {
    const own = labelled.get(relation.oid);
    if (!own) continue;
    const withLabels = relation.columns.map((column) => {
      const labels = own.get(column.attribute);
      if (!labels) return column;
      labelledColumns++;
      return { ...column, labels: [...labels].sort() };
    });
    relations.set(relation.oid, { ...relation, columns: withLabels });
  }

  const functions = initial(base?.functions);
  for (const row of functionRows!) {
    const routine = readRoutine(row, schemas);
    functions.set(routine.oid, routine);
  }
  const operators = new Map<string, number[]>();
  for (const [name, code] of operatorRows!) operators.set(name!, [...(operators.get(name!) ?? []), Number(code)]);

  const byName = new Map<string, Relation>();
  for (const relation of relations.values()) byName.set(key(relation.schema, relation.name), relation);
  const typesByName = new Map<string, Type>();
  for (const type of types.values()) typesByName.set(key(type.schema, type.name), type);
  const functionsByName = new Map<string, Routine[]>();
  for (const routine of functions.values()) {
    const list = functionsByName.get(key(routine.schema, routine.name));
    if (list) list.push(routine);
    else functionsByName.set(key(routine.schema, routine.name), [routine]);
  }
  return {
    version: createHash('sha256')
      .update(JSON.stringify([base?.version ?? '', results.slice(1), all]))
      .digest('hex')
      .slice(0, 32),
    schemas,
    relations,
    types,
    functions,
    operators,
    casts: castRows!.map(([source, target, routine]) => ({
      source: Number(source),
      target: Number(target),
      routine: Number(routine),
    })),
    fired: readFiring(firingRows!),
    labelledColumns,
    // What the server itself keeps differs between its versions: only the operator's rules are told of.
    unmatched: matched.slice(builtInLabels.length).flatMap(({ rule, columns: of }) => (of.length === 0 ? [rule] : [])),
    labelledBy: {
      type: rules.some((rule) => rule.type !== undefined),
      comment: rules.some((rule) => rule.comment !== undefined),
    },
    relationNamed: (schema, name) => byName.get(key(schema, name)),
    functionsNamed: (schema, name) => functionsByName.get(key(schema, name)) ?? [],
    typeNamed: (schema, name) => typesByName.get(key(schema, name)),
  };
}

/** What the server came with. */
function initial<T>(entries: ReadonlyMap<number, T> = new Map()): Map<number, T> {
  return new Map([...entries].filter(([oid]) => oid < firstOwnOid));
}

const key = (schema: string, name: string) => `${schema}\0${name}`;

/** `boolean::text` gives `true`; a bare boolean column in text format gives `t`. */
const truth = (value: string) => value === 'true' || value === 't';

function readRoutine(row: readonly string[], schemas: ReadonlyMap<number, string>): Routine {
  const [oid, namespace, name, kind, volatility, returnsSet, returnType, argumentTypes, , defaults, variadic] = row;
  const [allTypes, modes, names, language, extension, body, atomic, definer, settings] = row.slice(11);
  const list = <T>(text: string | undefined): T[] =>
    text === undefined || text === '' ? [] : (JSON.parse(text) as T[]);
  const modeList = list<string>(modes);
  const nameList = list<string>(names);
  const typeList = list<number | string>(allTypes).map(Number);
  const inputs = argumentTypes === '' ? [] : argumentTypes!.split(' ').map(Number);
  const isInput = (mode: string | undefined) => mode === undefined || mode === 'i' || mode === 'b' || mode === 'v';
  const inputNames = modeList.length === 0 ? nameList : nameList.filter((_, index) => isInput(modeList[index]));
  const schema = schemas.get(Number(namespace)) ?? '';
  return {
    oid: Number(oid),
    schema,
    name: name!,
    kind: kind as Routine['kind'],
    volatility: volatility as Routine['volatility'],
    returnsSet: truth(returnsSet!),
    returnType: Number(returnType),
    arguments: inputs,
    defaults: Number(defaults),
    variadic: truth(variadic!),
    argumentNames: inputs.map((_, index) => inputNames[index] ?? ''),
    outputs: modeList.flatMap((mode, index) =>
      mode === 'o' || mode === 'b' || mode === 't' ? [{ name: nameList[index] ?? '', type: typeList[index]! }] : [],
    ),
    language: language!,
    ...(extension === '' ? {} : { extension: extension! }),
    ...(system(schema) ? {} : { body: body! }),
    atomic: truth(atomic!),
    securityDefiner: truth(definer!),
    settings: list<string>(settings),
  };
}
