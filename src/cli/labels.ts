// countersign labels suggest | list: which columns of a target are sensitive, and which rule says so.
import type { Command } from 'commander';
import type { LabelScan, ScannedColumn } from '../protocols/postgres/label-scan.ts';
import type { Catalogue } from '../sql/catalogue.ts';
import type { LabelRule } from '../sql/label-rule.ts';
import { type ConfigOption, openConfig, takesConfig } from './open-config.ts';
import { type Cell, Exit, examples, type Io, printError, printJson, printLine, printTable } from './output.ts';
import { visible } from '../domain/safe-text.ts';
import { connectTo, targetNamed } from './read-catalogue.ts';
import { wholeNumber } from './arguments.ts';

interface Place extends ConfigOption {
  readonly target?: string;
  readonly database?: string;
  readonly json?: boolean;
}
interface SuggestOptions extends Place {
  readonly sample: number;
  readonly timeout: number;
  readonly min: number;
  readonly all?: boolean;
  readonly yaml?: boolean;
  readonly check?: boolean;
}

export function register(program: Command, io: Io): void {
  const labels = program.command('labels').description('which columns are sensitive');

  const suggest = takesPlace(labels.command('suggest'))
    .description('look at the columns of a target – names, types, comments, a sample of values – and propose labels')
    .option('--sample <rows>', 'rows of each table to look at, up to 10000', wholeNumber, 1_000)
    .option('--timeout <seconds>', 'time for each query', wholeNumber, 10)
    .option('--min <percent>', 'least confidence to show', wholeNumber, 50)
    .option('--all', 'columns that have the label already, too')
    .option('--check', 'exit 1 when a column is not labelled as proposed')
    .option('--yaml', 'print rules to paste into the configuration')
    .action((options: SuggestOptions) => suggestLabels(options, io));
  examples(suggest, [
    ['What looks sensitive and is not labelled', 'countersign labels suggest --target shop'],
    ['Rules to paste', 'countersign labels suggest --target shop --yaml'],
    ['Fail a build when a new column needs a label', 'countersign labels suggest --check --min 80'],
  ]);

  const list = takesPlace(labels.command('list'))
    .description('the labelled columns of a target, with the rule that labels each; rules that label nothing')
    .action((options: Place) => listLabels(options, io));
  examples(list, [['What is labelled now', 'countersign labels list --target shop']]);
}

function takesPlace(command: Command): Command {
  return takesConfig(command)
    .option('-t, --target <target>', 'name of the target (default: the first of the configuration)')
    .option('-d, --database <database>', 'database of the target (default: its own)')
    .option('--json', 'print the result as JSON');
}

async function suggestLabels(options: SuggestOptions, io: Io): Promise<void> {
  if (options.sample < 1 || options.sample > 10_000) throw new Exit(2, 'write a --sample from 1 to 10000');
  if (options.timeout < 1 || options.timeout > 600) throw new Exit(2, 'write a --timeout from 1 to 600');
  const scan = await atTarget(options, io, async ({ connection, catalogue }) => {
    const { scanLabels } = await import('../protocols/postgres/label-scan.ts');
    return scanLabels({
      connection,
      catalogue,
      sample: options.sample,
      timeoutMs: options.timeout * 1_000,
      progress(done, all, name) {
        if (io.stderr.isTTY)
          io.stderr.write(
            done === all ? '\r\u001b[K' : `\r\u001b[K${done + 1} of ${all}: ${visible(name).slice(0, 60)}`,
          );
      },
    });
  });
  const proposed = scan.columns.filter(
    (column) =>
      column.suggestion && column.suggestion.confidence * 100 >= options.min && (options.all || !hasLabel(column)),
  );
  const missing = proposed.filter((column) => !hasLabel(column)).length;
  if (options.json) printJson(io, { columns: proposed.map(plain), scanned: scan.columns.length, unread: scan.unread });
  else if (options.yaml) printRules(io, proposed);
  else await printProposals(io, proposed, scan);
  for (const { schema, relation, code } of options.json ? [] : scan.unread)
    printError(
      io,
      `${schema}.${relation} could not be read (SQLSTATE ${code}): only its names and types were looked at`,
    );
  if (options.check && missing > 0) throw new Exit(1);
}

/** The label itself, or one that is broader or narrower. */
function hasLabel({ labels, suggestion }: ScannedColumn): boolean {
  const wanted = suggestion?.label ?? '';
  return labels.some((label) => label === wanted || label.startsWith(`${wanted}.`) || wanted.startsWith(`${label}.`));
}

const plain = ({ suggestion, ...column }: ScannedColumn) => ({ ...column, ...suggestion });
const nameOf = ({ schema, relation, column }: ScannedColumn) => `${schema}.${relation}.${column}`;

async function printProposals(io: Io, columns: readonly ScannedColumn[], scan: LabelScan): Promise<void> {
  const rows = columns.map((column): Cell[] => {
    const { label, confidence, reasons } = column.suggestion!;
    const tone = confidence >= 0.9 ? 'green' : confidence >= 0.7 ? 'yellow' : 'dim';
    return [
      nameOf(column),
      column.type,
      label,
      { text: confidence.toFixed(2), tone },
      reasons.join(', '),
      column.values,
      column.labels.join(' ') || '–',
    ];
  });
  if (rows.length > 0)
    await printTable(io, ['column', 'type', 'label', 'confidence', 'because of', 'values', 'labels now'], rows);
  if (io.stdout.isTTY)
    printLine(io, `${columns.length} proposed of ${scan.columns.length} columns. --yaml prints them as rules.`, 'dim');
}

function printRules(io: Io, columns: readonly ScannedColumn[]): void {
  io.stdout.write('labels:\n');
  for (const column of columns) {
    const { label, confidence, reasons } = column.suggestion!;
    const pattern = [column.schema, column.relation, column.column].map(patternPart).join('.');
    const why = `${confidence.toFixed(2)}: ${reasons.join(', ')} (${column.values} values)`;
    // JSON texts are YAML texts.
    io.stdout.write(`  - { columns: ${JSON.stringify(pattern)}, label: ${label} } # ${visible(why)}\n`);
  }
}

const patternPart = (name: string): string => (/^[^".*]+$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`);

async function listLabels(options: Place, io: Io): Promise<void> {
  const { matchRules } = await import('../sql/catalogue-labels.ts');
  const { ruleWords } = await import('../sql/label-rule.ts');
  const found = await atTarget(options, io, async ({ catalogue, configured, carried }) => {
    const by = new Map<string, string[]>();
    for (const [rules, where] of [
      [configured, 'configuration'],
      [carried, 'followed a copy'],
    ] as const)
      for (const { rule, columns } of matchRules(catalogue.relations, catalogue.types, rules))
        for (const { relation, attribute } of columns) {
          const key = `${relation} ${attribute} ${rule.label}`;
          by.set(key, [...(by.get(key) ?? []), `${where}: ${ruleWords(rule)}`]);
        }
    const columns = [...catalogue.relations.values()]
      .filter((relation) => !relation.system)
      .flatMap((relation) =>
        relation.columns.flatMap(({ attribute, name, labels }) =>
          labels.map((label) => ({
            column: `${relation.schema}.${relation.name}.${name}`,
            label,
            by: by.get(`${relation.oid} ${attribute} ${label}`) ?? ['spread from a parent, a partition or a row type'],
          })),
        ),
      );
    const follow = new Set(carried);
    return { columns, unmatched: catalogue.unmatched.filter((rule) => !follow.has(rule)) };
  });
  if (options.json) return printJson(io, found);
  if (found.columns.length > 0)
    await printTable(
      io,
      ['column', 'label', 'by'],
      found.columns.map((one) => [one.column, one.label, one.by.join('; ')]),
    );
  for (const rule of found.unmatched) printError(io, `the rule ${ruleWords(rule)} labels no column as ${rule.label}`);
  if (io.stdout.isTTY)
    printLine(
      io,
      `${found.columns.length} labels. Views are labelled through their queries and are not listed.`,
      'dim',
    );
}

interface At {
  readonly connection: { query(sql: string): Promise<(string | null)[][]> };
  readonly catalogue: Catalogue;
  readonly configured: readonly LabelRule[];
  readonly carried: readonly LabelRule[];
}

/** Signs in as the gateway does, with the target's own credential, and reads the catalogue. */
async function atTarget<T>(options: Place, io: Io, use: (at: At) => Promise<T>): Promise<T> {
  const config = await openConfig(options, io);
  const of = targetNamed(config, options.target);
  const database = options.database ?? of.database;
  if (!of.databases.includes(database))
    throw new Exit(2, `${of.name} has no database ${database}: name one of ${of.databases.join(', ')}`);
  const [{ catalogueQueries, readCatalogue }, carriedLabels, { dataPaths }] = await Promise.all([
    import('../sql/catalogue.ts'),
    import('../store/carried-labels.ts'),
    import('../config/config.ts'),
  ]);
  const carried = carriedLabels
    .readCarriedLabels(dataPaths(config).state)
    .filter((one) => one.target === of.name && one.database === database)
    .flatMap((one) => one.labels.map((label) => carriedLabels.ruleOf(one, label)));
  // No query of a scan may take longer than 600 s.
  const connection = await connectTo(of, database, Math.max(of.loginSeconds * 1_000, 630_000));
  try {
    const results: string[][][] = [];
    await connection.query('begin transaction isolation level repeatable read read only');
    for (const query of catalogueQueries) results.push((await connection.query(query)) as string[][]);
    await connection.query('rollback');
    const configured = of.labels;
    return await use({
      connection,
      catalogue: readCatalogue(results, [...configured, ...carried]),
      configured,
      carried,
    });
  } finally {
    connection.close();
  }
}
