// countersign policy check: are the policies right, and what would they say?
import type { Command } from 'commander';
import type { Effect } from '../domain/effect.ts';
import { takesConfig } from './open-config.ts';
import { type FolderOption, openPolicies } from './open-policies.ts';
import { Exit, examples, type Io, printJson, printLine } from './output.ts';
import { registerBacktest } from './policy-backtest.ts';
import { registerExplain } from './policy-explain.ts';
import { registerTest } from './policy-test.ts';
import { collect, type PrincipalOption, principalOf, takesPrincipal } from './principal-option.ts';

interface Options extends FolderOption, PrincipalOption {
  readonly target?: string;
  readonly effect: readonly string[];
}

export function register(program: Command, io: Io): void {
  const policy = program.command('policy').description('the policies');
  const check = takesPrincipal(takesConfig(policy.command('check')))
    .description('validate the policies; with --effect, say what they decide (exit 1 when it is not permitted)')
    .option('-f, --folder <folder>', 'folder of *.cedar files (default: that of the configuration)')
    .option('-e, --effect <effect>', 'what would be done, such as "sql:drop public.orders"; repeatable', collect, [])
    .option('-t, --target <target>', 'name of the target (default: the first of the configuration)')
    .option('--json', 'print the result as JSON')
    .action((options: Options) => checkPolicies(options, io));
  examples(check, [
    ['Validate the policies of the configuration', 'countersign policy check'],
    ['Validate a folder', 'countersign policy check --folder policies'],
    ['May an agent drop a table', 'countersign policy check --effect "sql:drop public.orders" --kind agent'],
  ]);
  registerExplain(policy, io);
  registerTest(policy, io);
  registerBacktest(policy, io);
}

async function checkPolicies(options: Options, io: Io): Promise<void> {
  // A folder can be checked on its own; masks, targets and the default lifetime then have no configuration to come from.
  const { folder, set, config } = await openPolicies(options, io);
  if (options.effect.length === 0) {
    if (options.json) return printJson(io, { ok: true, version: set.version, rules: [...set.rules.keys()] });
    return printLine(io, `${folder} is right: ${set.rules.size} rules, version ${set.version}`);
  }
  const [{ checkStatement, parseEffect }, { explain }, { methodFor }] = await Promise.all([
    import('../policy/check.ts'),
    import('../policy/explain.ts'),
    import('../config/masks.ts'),
  ]);
  const effects = options.effect.map((text): Effect => {
    const effect = parseEffect(text);
    if (!effect)
      throw new Exit(2, `"${text}" is not an effect: write an action and a name, such as "sql:read public.orders"`);
    return effect;
  });
  const target = options.target ?? config?.targets[0]?.name ?? 'target';
  const labels = config?.targets.find((one) => one.name === target)?.labels.map(({ label }) => label);
  const principal = await principalOf(options);
  const question = {
    principal,
    target,
    ...(labels ? { labels: [...new Set(labels)] } : {}),
    meaning: { effects, results: [] },
    time: io.now(),
  };
  const decision = checkStatement(set, question, (label) => methodFor(config?.masks ?? {}, label));
  if (options.json) printJson(io, decision);
  else for (const line of explain(decision).split('\n')) printLine(io, line);
  if (decision.ruling !== 'permit') throw new Exit(1);
}
