// countersign policy check: are the policies right, and what would they say?
import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import type { Effect } from '../domain/effect.ts';
import type { Finding } from '../policy/findings.ts';
import type { PolicySet } from '../policy/policy-set.ts';
import { collect } from './arguments.ts';
import { takesConfig } from './open-config.ts';
import { type FolderOption, openPolicies } from './open-policies.ts';
import { Exit, examples, type Io, printJson, printLine } from './output.ts';
import { registerBacktest } from './policy-backtest.ts';
import { registerExplain } from './policy-explain.ts';
import { registerTest } from './policy-test.ts';
import { type PrincipalOption, principalOf, takesPrincipal } from './principal-option.ts';

interface Options extends FolderOption, PrincipalOption {
  readonly target?: string;
  readonly effect: readonly string[];
  readonly strict?: boolean;
}

export function register(program: Command, io: Io): void {
  const policy = program.command('policy').description('the policies');
  const check = takesPrincipal(takesConfig(policy.command('check')))
    .description(
      'validate the policies and point out rules that make no sense; with --effect, say what is decided (exit 1 when it is not permitted)',
    )
    .option('-f, --folder <folder>', 'folder of *.cedar files (default: that of the configuration)')
    .option('-e, --effect <effect>', 'what would be done, such as "sql:drop public.orders"; repeatable', collect, [])
    .option('-t, --target <target>', 'name of the target (default: the first of the configuration)')
    .option('--strict', 'exit 1 when a rule can never apply, is made pointless by another, or contradicts one')
    .option('--json', 'print the result as JSON')
    .action((options: Options) => checkPolicies(options, io));
  examples(check, [
    ['Validate the policies of the configuration', 'countersign policy check'],
    ['Validate a folder, and fail for rules that make no sense', 'countersign policy check --folder policies --strict'],
    ['May an agent drop a table', 'countersign policy check --effect "sql:drop public.orders" --kind agent'],
  ]);
  registerExplain(policy, io);
  registerTest(policy, io);
  registerBacktest(policy, io);
}

async function warningsOf(set: PolicySet, config: Config | undefined): Promise<readonly Finding[]> {
  const [{ findingsOf }, { builtInLabels }] = await Promise.all([
    import('../policy/findings.ts'),
    import('../sql/catalogue-labels.ts'),
  ]);
  if (!config) return findingsOf(set);
  const rules = [...config.targets.flatMap((target) => target.labels), ...builtInLabels];
  return findingsOf(set, {
    targets: config.targets.map((target) => target.name),
    labels: rules.map((rule) => rule.label),
  });
}

async function checkPolicies(options: Options, io: Io): Promise<void> {
  // A folder can be checked on its own; masks, targets and the default lifetime then have no configuration to come from.
  const { folder, set, config } = await openPolicies(options, io);
  if (options.effect.length === 0) {
    const warnings = await warningsOf(set, config);
    const ok = warnings.length === 0 || options.strict !== true;
    if (options.json) printJson(io, { ok, version: set.version, rules: [...set.rules.keys()], warnings });
    else {
      for (const { file, line, rule, kind, message } of warnings)
        printLine(io, `${file}:${line}: ${rule} is ${kind}: ${message}`, 'yellow');
      printLine(io, `${folder} is right: ${set.rules.size} rules, version ${set.version}`);
    }
    if (!ok) throw new Exit(1);
    return;
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
