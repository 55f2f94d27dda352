// Samples the columns of a target over a connection of the gateway's own and counts what their values look like. Read-only
// transactions with short timeouts, a few columns at a time, and no value is kept.
import { openTally, type Suggestion, suggestLabel, type Tally } from '../../masking/label-suggestion.ts';
import type { Catalogue, CatalogueColumn, Relation } from '../../sql/catalogue.ts';
import type { OwnConnection } from './own-connection.ts';

export interface ScannedColumn {
  readonly schema: string;
  readonly relation: string;
  readonly column: string;
  readonly type: string;
  /** Labels that it has already. */
  readonly labels: readonly string[];
  /** Values looked at: neither NULL nor empty. */
  readonly values: number;
  readonly suggestion?: Suggestion;
}

export interface LabelScan {
  readonly columns: readonly ScannedColumn[];
  /** Relations whose values could not be read, with the SQLSTATE; their names and types were looked at. */
  readonly unread: readonly { readonly schema: string; readonly relation: string; readonly code: string }[];
}

export interface LabelScanOptions {
  readonly connection: Pick<OwnConnection, 'query'>;
  readonly catalogue: Catalogue;
  /** Rows of each relation. */
  readonly sample: number;
  /** Milliseconds for each query. */
  readonly timeoutMs: number;
  progress?(done: number, all: number, name: string): void;
}

/** Characters of a value, and columns asked for at once: with 10,000 rows no answer is above 160 MB. */
const longestValue = 1_000;
const columnsAtOnce = 16;

/** OID of inet, whose text has a prefix length behind it. */
const inet = 869;

const looked: ReadonlySet<string> = new Set(
  'text varchar bpchar citext name json jsonb xml int4 int8 numeric inet _text _varchar'.split(' '),
);

export async function scanLabels(options: LabelScanOptions): Promise<LabelScan> {
  const { connection, catalogue, sample } = options;
  // A partition's rows are its parent's, and a view's columns are labelled through its query.
  const relations = [...catalogue.relations.values()].filter(
    (relation) =>
      'rpmf'.includes(relation.kind) &&
      !relation.system &&
      !relation.temporary &&
      !relation.parents.some((oid) => catalogue.relations.get(oid)?.kind === 'p'),
  );
  const rows = await connection.query(
    `select c.oid::text, greatest(c.reltuples, 0)::text from pg_catalog.pg_class c where c.relkind in ('r', 'm')`,
  );
  const sizes = new Map(rows.map(([oid, size]) => [Number(oid), Number(size)]));
  const columns: ScannedColumn[] = [];
  const unread: { schema: string; relation: string; code: string }[] = [];
  for (const [index, relation] of relations.entries()) {
    options.progress?.(index, relations.length, `${relation.schema}.${relation.name}`);
    const tallies = new Map<CatalogueColumn, Tally>();
    const wanted = relation.columns.filter((column) => looked.has(typeName(catalogue, column)));
    try {
      for (let from = 0; from < wanted.length; from += columnsAtOnce) {
        const some = wanted.slice(from, from + columnsAtOnce);
        const values = await read(options, relation, some, sizes.get(relation.oid) ?? 0, sample);
        for (const [at, column] of some.entries()) {
          const tally = openTally();
          for (const row of values) if (typeof row[at] === 'string') tally.add(row[at]);
          tallies.set(column, tally);
        }
      }
    } catch (error) {
      const code = (error as { cause?: { sqlstate?: string } }).cause?.sqlstate;
      // What is no answer of the server ends the scan.
      if (code === undefined) throw error;
      unread.push({ schema: relation.schema, relation: relation.name, code });
    }
    for (const column of relation.columns) {
      const tally = tallies.get(column) ?? openTally();
      const type = typeName(catalogue, column);
      const suggestion = suggestLabel({ name: column.name, type, ...commentOf(column) }, tally);
      columns.push({
        schema: relation.schema,
        relation: relation.name,
        column: column.name,
        type,
        labels: column.labels,
        values: tally.values,
        ...(suggestion ? { suggestion } : {}),
      });
    }
  }
  options.progress?.(relations.length, relations.length, '');
  return { columns, unread };
}

const commentOf = ({ comment }: CatalogueColumn) => (comment === undefined ? {} : { comment });

function typeName(catalogue: Catalogue, column: CatalogueColumn): string {
  return catalogue.types.get(column.baseType)?.name ?? '?';
}

async function read(
  { connection, timeoutMs }: LabelScanOptions,
  relation: Relation,
  columns: readonly CatalogueColumn[],
  size: number,
  sample: number,
): Promise<readonly (readonly (string | null)[])[]> {
  const list = columns.map((column) => {
    const name = quoted(column.name);
    const text = column.baseType === inet ? `pg_catalog.host(${name})` : `${name}::pg_catalog.text`;
    return `pg_catalog.left(${text}, ${longestValue})`;
  });
  const from = `${quoted(relation.schema)}.${quoted(relation.name)}`;
  await connection.query('begin transaction read only');
  try {
    await connection.query(`set local statement_timeout = ${timeoutMs}`);
    await connection.query(`set local lock_timeout = ${Math.min(timeoutMs, 1_000)}`);
    // Blocks from all over a large table, rather than its oldest rows.
    if (size > sample * 20) {
      const share = Math.max(0.0001, Math.min(100, (sample * 400) / size));
      const spread = await connection.query(
        `select ${list.join(', ')} from ${from} tablesample system (${share.toFixed(6)}) limit ${sample}`,
      );
      if (spread.length >= sample / 10) return spread;
    }
    return await connection.query(`select ${list.join(', ')} from ${from} limit ${sample}`);
  } finally {
    await connection.query('rollback');
  }
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
