// Which columns carry which labels: the operator's rules, the server's own secrets, and what spreads from a column to the
// others that hold the same values (inheritance, partitions, row types).
import type { Label } from '../domain/label.ts';
import { compileRule, type LabelRule, type LabelSubject, type LabelType } from './label-rule.ts';

const secret = (columns: string): LabelRule => ({ columns, label: 'secret' });

/** What the server itself keeps of passwords, of other sessions' statements, and samples of every column's values. */
export const builtInLabels: readonly LabelRule[] = [
  'pg_catalog.pg_authid.rolpassword',
  'pg_catalog.pg_shadow.passwd',
  'pg_catalog.pg_statistic.stavalues*',
  // Among them how the values' order follows the rows'.
  'pg_catalog.pg_statistic.stanumbers*',
  'pg_catalog.pg_statistic_ext_data.stxdmcv',
  'pg_catalog.pg_statistic_ext_data.stxdexpr',
  'pg_catalog.pg_stats.most_common_vals',
  'pg_catalog.pg_stats.histogram_bounds',
  'pg_catalog.pg_stats.most_common_elems',
  'pg_catalog.pg_stats.range_bounds_histogram',
  'pg_catalog.pg_stats.correlation',
  'pg_catalog.pg_stats_ext.most_common_vals',
  'pg_catalog.pg_stats_ext_exprs.most_common_vals',
  'pg_catalog.pg_stats_ext_exprs.histogram_bounds',
  'pg_catalog.pg_stats_ext_exprs.most_common_elems',
  'pg_catalog.pg_stats_ext_exprs.range_bounds_histogram',
  'pg_catalog.pg_attribute.attmissingval',
  'pg_catalog.pg_stat_activity.query',
  'pg_catalog.pg_prepared_statements.statement',
  'pg_catalog.pg_cursors.statement',
  'pg_catalog.pg_largeobject.data',
  'pg_catalog.pg_user_mapping.umoptions',
  'pg_catalog.pg_user_mappings.umoptions',
  'pg_catalog.pg_foreign_server.srvoptions',
  'pg_catalog.pg_subscription.subconninfo',
  'information_schema._pg_user_mappings.umoptions',
  'information_schema.user_mapping_options.option_value',
  'information_schema.foreign_server_options.option_value',
  'information_schema._pg_foreign_servers.srvoptions',
  '*.pg_stat_statements.query',
].map(secret);

/** What labels need to know of a relation and of a type; the catalogue's own records fit. */
interface Relation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly system: boolean;
  readonly parents: readonly number[];
  readonly children: readonly number[];
  readonly columns: readonly (Pick<LabelSubject, 'name' | 'type' | 'comment'> & { readonly attribute: number })[];
}
interface Type extends LabelType {
  readonly relation: number;
}

type Found = Map<number, Map<number, Set<Label>>>;

/** A rule, and the columns that it labels by itself. */
export interface Matched {
  readonly rule: LabelRule;
  readonly columns: readonly { readonly relation: number; readonly attribute: number }[];
}

/** Every rule with what it means, in the order of the rules. Throws an Error on a pattern that is none. */
export function matchRules(
  relations: ReadonlyMap<number, Relation>,
  types: ReadonlyMap<number, Type>,
  rules: readonly LabelRule[],
): readonly Matched[] {
  const compiled = rules.map((rule) => ({ ...compileRule(rule), columns: [] as Matched['columns'][number][] }));
  for (const { oid, schema, name, system, columns } of relations.values()) {
    for (const rule of compiled) {
      if (!rule.relation(schema, name, system)) continue;
      for (const column of columns) {
        const subject = { ...column, schema, relation: name, system };
        if (rule.column(subject, types)) rule.columns.push({ relation: oid, attribute: column.attribute });
      }
    }
  }
  return compiled;
}

/** Relation OID → attribute number → labels. */
export function labelsOf(matched: readonly Matched[]): Found {
  const found: Found = new Map();
  for (const { rule, columns } of matched)
    for (const { relation, attribute } of columns) add(found, relation, attribute, rule.label);
  return found;
}

/**
 * A parent's query returns its children's rows, so both carry both's labels, by column name. A column whose type is a
 * row type (or an array or domain of one) holds what the row type's columns hold.
 */
export function spreadLabels(
  found: Found,
  relations: ReadonlyMap<number, Relation>,
  types: ReadonlyMap<number, Type>,
): Found {
  const rowRelation = (oid: number, depth = 0): number => {
    const type = types.get(oid);
    if (!type || depth > 32) return 0;
    if (type.relation !== 0) return type.relation;
    return rowRelation(type.element || type.base, depth + 1);
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const relation of relations.values()) {
      for (const other of [...relation.parents, ...relation.children]) {
        for (const [attribute, labels] of found.get(other) ?? []) {
          const name = relations.get(other)?.columns.find((column) => column.attribute === attribute)?.name;
          const column = relation.columns.find((own) => own.name === name);
          if (column)
            for (const label of labels) changed = add(found, relation.oid, column.attribute, label) || changed;
        }
      }
      if (relation.system) continue;
      for (const column of relation.columns) {
        const inner = rowRelation(column.type);
        if (inner === 0 || inner === relation.oid) continue;
        for (const labels of found.get(inner)?.values() ?? [])
          for (const label of labels) changed = add(found, relation.oid, column.attribute, label) || changed;
      }
    }
  }
  return found;
}

function add(found: Found, relation: number, attribute: number, label: Label): boolean {
  let columns = found.get(relation);
  if (!columns) found.set(relation, (columns = new Map()));
  let labels = columns.get(attribute);
  if (!labels) columns.set(attribute, (labels = new Set()));
  if (labels.has(label)) return false;
  labels.add(label);
  return true;
}
