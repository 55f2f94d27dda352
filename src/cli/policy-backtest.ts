// countersign policy backtest: what a draft would have changed, from the ledger's files and keys; a gateway may run beside it.
import { type Command, InvalidArgumentError } from 'commander';
import type { BacktestChange } from '../policy/backtest.ts';
import type { LedgerBacktest } from '../store/backtest.ts';
import { timeOf, when } from './arguments.ts';
import { type ConfigOption, openConfig, takesConfig } from './open-config.ts';
import { readPolicies } from './open-policies.ts';
import { type Cell, Exit, examples, type Io, printJson, printLine, printTable } from './output.ts';
import { visible } from '../domain/safe-text.ts';
import { moment, ruled } from './record-words.ts';

interface Options extends ConfigOption {
  readonly since: number | Date;
  readonly until?: number | Date;
  readonly policies?: string;
  readonly target?: string;
  readonly agent?: string;
  readonly limit?: number;
  readonly json?: boolean;
}

export function registerBacktest(policy: Command, io: Io): void {
  const backtest = takesConfig(policy.command('backtest'))
    .description('replay recorded statements through a draft and list what would change (exit 1 when something would)')
    .option(
      '--since <when>',
      'from then on: 90m, 12h, 30d before now, or a time such as 2026-01-31T00:00Z',
      when,
      30 * day,
    )
    .option('--until <when>', 'up to then', when)
    .option('--policies <folder>', 'folder with the draft (default: that of the configuration)')
    .option('-t, --target <target>', 'only statements on this target')
    .option('--agent <name>', 'only statements of this principal: its id, or the beginning of its name')
    .option('--limit <n>', 'at most so many statements', wholeNumber)
    .option('--json', 'print JSON')
    .action((options: Options) => run(options, io));
  examples(backtest, [
    ['What would change since last month', 'countersign policy backtest --since 30d --policies draft'],
    [
      'For one agent, for a program',
      'countersign policy backtest --since 7d --policies draft --agent reporting --json',
    ],
    ['Did configuration or code change what was decided', 'countersign policy backtest --since 1d'],
  ]);
}

async function run(options: Options, io: Io): Promise<void> {
  const config = await openConfig(options, io);
  const { folder, set } = await readPolicies(options.policies ?? config.policies, config, options, io);
  const [{ backtestLedger }, { openKeyring }, { openKeyProvider }, { openPolicy }, { dataPaths }, { methodFor }] =
    await Promise.all([
      import('../store/backtest.ts'),
      import('../ledger/keyring.ts'),
      import('../keys/open-provider.ts'),
      import('../policy/policy.ts'),
      import('../config/config.ts'),
      import('../config/masks.ts'),
    ]);
  const { existsSync } = await import('node:fs');
  const paths = dataPaths(config);
  if (!existsSync(paths.ledger))
    throw new Exit(2, `there is no ledger in ${paths.ledger}: run this where the gateway's data folder is`);
  const { origin } = config.gateway;
  const keys = openKeyring(paths.state, openKeyProvider({ state: paths.state, origin, keys: config.ledger.keys }));
  const now = io.now();
  const started = performance.now();
  let told = started;
  try {
    const report = await backtestLedger({
      ledger: paths.ledger,
      earlier: paths.earlier,
      keys,
      draft: openPolicy(set, { methodFor: (label) => methodFor(config.masks, label) }),
      sessionMs: config.limits.sessionSeconds * 1_000,
      since: timeOf(options.since, now),
      ...(options.until === undefined ? {} : { until: timeOf(options.until, now) }),
      ...(options.target === undefined ? {} : { target: options.target }),
      ...(options.agent === undefined ? {} : { agent: options.agent }),
      ...(options.limit === undefined ? {} : { most: options.limit }),
      progress({ entries, statements }) {
        if (!io.stderr.isTTY || performance.now() - told < 500) return;
        told = performance.now();
        io.stderr.write(`\r${entries} entries, ${statements} statements `);
      },
    });
    if (told > started) io.stderr.write('\r\u001b[K');
    if (options.json) printJson(io, report);
    else await print(io, report, folder, config.console.url);
    if (report.changed > 0) throw new Exit(1);
  } finally {
    keys.close();
  }
}

async function print(io: Io, report: LedgerBacktest, folder: string, url: string): Promise<void> {
  const { statements, changed, otherRules, lost, cut, unlisted } = report;
  printLine(io, `${statements} statements through ${folder} (${report.version}): ${changed} would change`);
  if (otherRules > 0) printLine(io, `${otherRules} more have the same outcome by other rules`);
  if (lost.erased > 0) printLine(io, `${lost.erased} were erased and cannot be decided again`);
  if (lost.unknown + lost.unreadable > 0)
    printLine(io, `${lost.unknown + lost.unreadable} cannot be decided again: what they were decided by is not there`);
  if (cut) printLine(io, 'there are more statements: raise --limit, or leave it out');
  if (changed === 0) return;
  printLine(io);
  const heads = ['count', 'from', 'to', 'rules then', 'rules in the draft', 'masks', 'example'];
  await printTable(
    io,
    heads,
    report.changes.map((change): Cell[] => [
      change.count,
      ruled(change.from),
      ruled(change.to),
      change.before.join(' ') || '–',
      change.after.join(' ') || (change.reason ?? '–'),
      maskWords(change.masks) || '–',
      exampleWords(change, url),
    ]),
  );
  if (unlisted > 0) printLine(io, `${unlisted} changes of further kinds are not listed`);
  printLine(io);
  await printTable(
    io,
    ['agent', 'statements', 'would change'],
    report.agents
      .filter((agent) => agent.changed > 0)
      .map((agent): Cell[] => [agent.name, agent.statements, agent.changed]),
  );
  printLine(io);
  await printTable(
    io,
    ['rule', 'decided then', 'would decide'],
    report.rules
      .filter((rule) => rule.before + rule.after > 0)
      .map(({ rule, before, after }): Cell[] => [rule, before, after]),
  );
}

function maskWords({ added, removed, changed }: BacktestChange['masks']): string {
  return [
    ...added.map((label) => `+${label}`),
    ...removed.map((label) => `-${label}`),
    ...changed.map((label) => `~${label}`),
  ].join(' ');
}

function exampleWords({ examples: [first] }: BacktestChange, url: string): string {
  if (!first) return '';
  const text = visible(first.text.replace(/\s+/g, ' ')).slice(0, 60);
  return `entry ${first.entry}, ${moment(first.at)}, ${first.agent}: ${text} ${url}/sessions/${first.session}#${first.sequence}`;
}

const day = 86_400_000;

/** A length of time in milliseconds, or a moment. */
function wholeNumber(value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError('write a whole number');
  return number;
}
