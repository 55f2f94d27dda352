// COPY: what it reads or writes, and the form of its data, which masking and recording need.
import type { CopyStmt } from 'libpg-query';
import type { Copy } from './analysis.ts';
import { touch } from './effects.ts';
import { columnsInOrder, relationNamed } from './names.ts';
import { notUnderstood, type Tree } from './parse.ts';
import { add, type Names, type Reading } from './reading.ts';
import { literal } from './settings.ts';

export function copy(stmt: CopyStmt, reading: Reading, names: Names): void {
  const columns = ((stmt.attlist ?? []) as Tree[]).map((name) => name.String?.sval ?? '').join(',');
  if (stmt.relation) {
    touch(
      stmt.relation,
      stmt.is_from ? 'sql:insert' : 'sql:read',
      reading,
      columns ? { columns, copy: true } : { copy: true },
    );
  }
  reading.walker.walk(stmt.query, reading, names);
  reading.walker.walk(stmt.whereClause, reading, names);
  if (stmt.is_program) {
    add(reading, 'sql:copy_program', {}, { program: stmt.filename ?? '' });
    reading.flags.unreadable = true;
  } else if (stmt.filename !== undefined) {
    add(reading, stmt.is_from ? 'sql:file_read' : 'sql:file_write', {}, { path: stmt.filename });
  }
}

/** True when the data goes over the wire, as COPY … TO STDOUT and FROM STDIN do. */
export function copiesOverWire(stmt: CopyStmt): boolean {
  return stmt.filename === undefined && !stmt.is_program;
}

/** The options that shape the data, with the server's defaults (ProcessCopyOptions). Throws a Fault for what is not understood. */
export function copyForm(stmt: CopyStmt, reading: Reading): Copy {
  const options = new Map<string, string>();
  for (const option of (stmt.options ?? []) as Tree[]) {
    const name = option.DefElem?.defname ?? '';
    const arg = option.DefElem?.arg as Tree | undefined;
    options.set(name, arg === undefined ? 'true' : (literal(arg) ?? ''));
  }
  const encoding = options
    .get('encoding')
    ?.toLowerCase()
    .replace(/[^a-z0-9]/g, '');
  if (encoding !== undefined && encoding !== 'utf8' && encoding !== 'unicode') {
    throw notUnderstood('COPY in another encoding than UTF8 cannot be read here. Leave the ENCODING option out.');
  }
  const format = options.get('format') ?? 'text';
  if (format !== 'text' && format !== 'csv' && format !== 'binary') {
    throw notUnderstood('This COPY format is not understood. Use text, csv or binary.');
  }
  const csv = format === 'csv';
  const quote = options.get('quote') ?? '"';
  const header = (options.get('header') ?? 'false').toLowerCase();
  return {
    direction: stmt.is_from ? 'in' : 'out',
    format,
    delimiter: options.get('delimiter') ?? (csv ? ',' : '\t'),
    nullText: options.get('null') ?? (csv ? '' : '\\N'),
    quote,
    escape: options.get('escape') ?? (csv ? quote : '\\'),
    header: !['false', 'off', '0'].includes(header),
    labelled: stmt.is_from ? labelledColumns(stmt, reading) : [],
  };
}

function labelledColumns(stmt: CopyStmt, reading: Reading): readonly boolean[] {
  const relation = stmt.relation && relationNamed(stmt.relation, reading.scope);
  const columns = relation?.entry ? columnsInOrder(relation.entry) : undefined;
  const named = (stmt.attlist ?? []) as Tree[];
  // Columns that are not known are treated as labelled; an unknown table has an unknown number of them.
  if (!columns) return named.map(() => true);
  if (named.length === 0)
    return columns.filter((column) => column.generated === undefined).map((column) => column.labels.length > 0);
  return named.map((name) => columns.find((column) => column.name === name.String?.sval)?.labels.length !== 0);
}
