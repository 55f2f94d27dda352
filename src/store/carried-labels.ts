// Labels that followed copied values to other columns. Kept in the state folder, one JSON object a line, written before the
// statement that copies is sent: a label that was kept for nothing hides a column too many, one that was lost shows one.
import { closeSync, existsSync, fdatasync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Fault } from '../domain/fault.ts';
import type { Label, LabelledColumn } from '../domain/label.ts';
import { exactColumns, type LabelRule } from '../sql/label-rule.ts';

/** The statement that copied. */
export interface CarriedBy {
  readonly session: string;
  /** Leaf index of its decision. */
  readonly entry: number;
}

export interface CarriedLabel extends LabelledColumn, CarriedBy {
  readonly target: string;
  readonly database: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface CarriedLabels {
  /** As rules beside those of the configuration. The same list until something is added. */
  rules(target: string, database: string): readonly LabelRule[];
  /**
   * Resolves once durable: whether anything was new. Throws Fault('client.limit') when there are too many columns already,
   * 'ledger.unavailable' when they cannot be kept; then nothing may be copied.
   */
  carry(target: string, database: string, columns: readonly LabelledColumn[], by: CarriedBy): Promise<boolean>;
  close(): void;
}

/** Columns remembered for all targets together: a client must not be able to fill the memory. */
const mostColumns = 20_000;

const sync = promisify(fdatasync);
const fileOf = (state: string) => join(state, 'carried-labels.jsonl');

/** What is kept, oldest first. Throws Fault('ledger.unavailable') when the file is damaged; a torn last line is none. */
export function readCarriedLabels(state: string): readonly CarriedLabel[] {
  return read(fileOf(state)).labels;
}

function read(path: string): { labels: CarriedLabel[]; end: number } {
  if (!existsSync(path)) return { labels: [], end: 0 };
  const text = readFileSync(path, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const labels = whole
    .split('\n')
    .slice(0, -1)
    .map((line, index) => {
      try {
        const one = JSON.parse(line) as CarriedLabel;
        if ([one.target, one.database, one.schema, one.relation, one.column, ...one.labels].every(isText)) return one;
      } catch {
        // Told below.
      }
      throw new Fault(
        'ledger.unavailable',
        `Line ${index + 1} of ${path} is damaged: labels of copied columns would be lost. Restore it from a copy.`,
      );
    });
  return { labels, end: Buffer.byteLength(whole) };
}

const isText = (value: unknown) => typeof value === 'string' && value !== '';

/** One process writes it: the holder of the ledger's lock. */
export function openCarriedLabels(state: string, now: () => number = Date.now): CarriedLabels {
  const path = fileOf(state);
  const found = read(path);
  const file = openSync(path, 'a', 0o600);
  ftruncateSync(file, found.end);
  /** Target and database → column → its labels. */
  const known = new Map<string, Map<string, { column: LabelledColumn; labels: Set<Label> }>>();
  const rules = new Map<string, readonly LabelRule[]>();
  let count = 0;
  let broken: Fault | undefined;
  let last: Promise<void> = Promise.resolve();

  function keep(place: string, column: LabelledColumn): readonly Label[] {
    let columns = known.get(place);
    if (!columns) known.set(place, (columns = new Map()));
    const key = JSON.stringify([column.schema, column.relation, column.column]);
    let one = columns.get(key);
    if (!one) {
      columns.set(key, (one = { column, labels: new Set() }));
      count++;
    }
    const fresh = column.labels.filter((label) => !one.labels.has(label));
    for (const label of fresh) one.labels.add(label);
    if (fresh.length > 0) rules.delete(place);
    return fresh;
  }
  for (const one of found.labels) keep(placeOf(one.target, one.database), one);

  return {
    rules(target, database) {
      const place = placeOf(target, database);
      let list = rules.get(place);
      if (!list) {
        const columns = [...(known.get(place)?.values() ?? [])];
        list = columns.flatMap((one) => [...one.labels].map((label) => ruleOf(one.column, label)));
        rules.set(place, list);
      }
      return list;
    },
    async carry(target, database, columns, { session, entry }) {
      if (broken) throw broken;
      if (count + columns.length > mostColumns)
        throw new Fault(
          'client.limit',
          'Labels followed copies to too many columns already. Ask an operator to write rules for them.',
        );
      const fresh = columns
        .map((column) => ({ ...column, labels: keep(placeOf(target, database), column) }))
        .filter((column) => column.labels.length > 0);
      try {
        if (fresh.length > 0) {
          const lines = fresh.map(({ schema, relation, column, labels }) =>
            JSON.stringify({ at: now(), target, database, schema, relation, column, labels, session, entry }),
          );
          writeAll(file, Buffer.from(`${lines.join('\n')}\n`));
          last = sync(file);
        }
        // What another statement wrote a moment ago counts only once it lasts, too.
        await last;
      } catch (cause) {
        throw (broken = new Fault('ledger.unavailable', 'The labels of what is copied cannot be kept.', cause));
      }
      return fresh.length > 0;
    },
    close: () => closeSync(file),
  };
}

const placeOf = (target: string, database: string) => JSON.stringify([target, database]);

function writeAll(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}

/** Temporary relations lie in another schema in each session, and `*` is every column. */
export function ruleOf({ schema, relation, column }: LabelledColumn, label: Label): LabelRule {
  const exact = exactColumns(schema, relation, column);
  if (schema !== 'pg_temp' && column !== '*') return { columns: exact, label };
  const [first, second, third] = [schema, relation, column].map((name) => `"${name.replaceAll('"', '""')}"`);
  return {
    columns: [schema === 'pg_temp' ? 'pg_temp*' : first, second, column === '*' ? '*' : third].join('.'),
    label,
  };
}
