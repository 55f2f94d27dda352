// countersign policy explain: one statement and one principal in; decision, effects, lineage, masks and rules out.
import type { Command } from 'commander';
import type { ExplainedColumn, Explanation } from '../policy/explain-statement.ts';
import { takesConfig } from './open-config.ts';
import { type FolderOption, openPolicies } from './open-policies.ts';
import { type Cell, Exit, examples, type Io, printJson, printLine, printTable } from './output.ts';
import { type PrincipalOption, principalOf, takesPrincipal } from './principal-option.ts';
import { effectWords } from './record-words.ts';

interface Options extends FolderOption, PrincipalOption {
  readonly target?: string;
  readonly database?: string;
  readonly catalogue?: string;
  readonly searchPath?: string;
}

export function registerExplain(policy: Command, io: Io): void {
  const command = takesPrincipal(takesConfig(policy.command('explain <statement>')))
    .description(
      'read a statement as the gateway would and say what is decided and why (exit 1 when it is not permitted)',
    )
    .option('-f, --folder <folder>', 'folder of *.cedar files (default: that of the configuration)')
    .option('-t, --target <target>', 'name of the target (default: the first of the configuration)')
    .option('-d, --database <database>', 'database (default: that of the target)')
    .option('--catalogue <file>', 'read names from this file instead of the target: a catalogue dump, or *.sql')
    .option('--search-path <schemas>', 'schemas that are searched, separated by commas (default: those of the role)')
    .option('--json', 'print the result as JSON')
    .action((statement: string, options: Options) => run(statement, options, io));
  examples(command, [
    ['Why would this wait', 'countersign policy explain "drop table orders" --target shop'],
    [
      'What does a person of this group see',
      'countersign policy explain "select * from customers" --kind human --group pii-readers',
    ],
    [
      'Without the target, for a program',
      'countersign policy explain "delete from orders" --catalogue shop.json.gz --claim repository=acme/shop --json',
    ],
  ]);
}

async function run(statement: string, options: Options, io: Io): Promise<void> {
  const { openConfig } = await import('./open-config.ts');
  const { set, config = options.catalogue === undefined ? await openConfig(options, io) : undefined } =
    await openPolicies(options, io);
  const [
    { readCatalogueFile, readTarget, targetNamed },
    { catalogueOf },
    { explainStatement },
    { loadParser },
    { methodFor },
  ] = await Promise.all([
    import('./read-catalogue.ts'),
    import('../sql/catalogue-dump.ts'),
    import('../policy/explain-statement.ts'),
    import('../sql/parse.ts'),
    import('../config/masks.ts'),
  ]);
  const target = config && targetNamed(config, options.target);
  const dump =
    options.catalogue === undefined
      ? await readTarget(target!, options.database)
      : await readCatalogueFile(options.catalogue);
  const labels = [...(target?.labels ?? [])];
  await loadParser();
  const explanation = explainStatement(
    set,
    statement,
    {
      catalogue: catalogueOf(dump, labels),
      searchPath: options.searchPath?.split(',').map((name) => name.trim()) ?? dump.searchPath,
      role: dump.role,
    },
    {
      principal: await principalOf(options),
      target: target?.name ?? options.target ?? 'target',
      ...(options.database === undefined ? {} : { database: options.database }),
      labels: labels.map(({ label }) => label),
      time: io.now(),
    },
    (label) => methodFor(config?.masks ?? {}, label),
  );
  if (options.json) printJson(io, explanation);
  else await print(io, explanation);
  if (explanation.decision.ruling !== 'permit') throw new Exit(1);
}

async function print(io: Io, { decision, effects, results, text }: Explanation): Promise<void> {
  const { explain } = await import('../policy/explain.ts');
  // Masks stand with their columns, below.
  const shown = decision.ruling === 'deny' ? decision : { ...decision, masks: [] };
  for (const line of explain(shown).split('\n')) printLine(io, line);
  if (decision.shadow) printLine(io, `Shadow policies would make it: ${explain(decision.shadow).split('\n')[0]}`);
  if (effects.length > 0) printLine(io);
  for (const effect of effects) printLine(io, `  ${effectWords(effect)}`);
  for (const [index, columns] of results.entries()) {
    printLine(io);
    printLine(io, results.length === 1 ? 'Columns of its result:' : `Columns of result ${index + 1}:`);
    await printTable(io, ['column', 'seen', 'comes from'], columns.map(row));
  }
  if (text !== undefined && text !== '') {
    printLine(io);
    printLine(io, 'Recorded as:');
    for (const line of text.split('\n')) printLine(io, `    ${line}`);
  }
}

function row({ name, mask, sources, direct, opaque }: ExplainedColumn): Cell[] {
  const seen: Cell = mask
    ? { text: `masked: ${mask.method}${mask.whole ? ', whole' : ''} (${mask.label})`, tone: 'yellow' }
    : 'in clear';
  const from = sources.map(({ column, labels }) => `${column} [${labels.join(', ')}]`);
  const how = opaque ? ['cannot be traced'] : from.length > 0 && !direct ? ['derived from'] : [];
  return [name, seen, [...how, ...from].join(' ') || 'no labelled column'];
}
