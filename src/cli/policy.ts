// countersign policy check: are the policies right, and what would they say?
import { type Command, InvalidArgumentError } from 'commander';
import type { Effect } from '../domain/effect.ts';
import type { Principal } from '../domain/principal.ts';
import { type ConfigOption, openConfig, takesConfig } from './open-config.ts';
import { Exit, examples, type Io, printJson, printLine } from './output.ts';

interface Options extends ConfigOption {
  readonly folder?: string;
  readonly principal?: string;
  readonly kind: Principal['kind'];
  readonly group: readonly string[];
  readonly target?: string;
  readonly effect: readonly string[];
  readonly json?: boolean;
}

export function register(program: Command, io: Io): void {
  const policy = program.command('policy').description('the policies');
  const check = takesConfig(policy.command('check'))
    .description('validate the policies; with --effect, say what they decide (exit 1 when it is not permitted)')
    .option('-f, --folder <folder>', 'folder of *.cedar files (default: that of the configuration)')
    .option('-e, --effect <effect>', 'what would be done, such as "sql:drop public.orders"; repeatable', collect, [])
    .option('-k, --kind <kind>', 'agent, human or service', kindOf, 'agent')
    .option('-g, --group <group>', 'a group of the principal; repeatable', collect, [])
    .option('-p, --principal <file>', 'JSON file with the principal instead of --kind and --group')
    .option('-t, --target <target>', 'name of the target (default: the first of the configuration)')
    .option('--json', 'print the result as JSON')
    .action((options: Options) => checkPolicies(options, io));
  examples(check, [
    ['Validate the policies of the configuration', 'countersign policy check'],
    ['Validate a folder', 'countersign policy check --folder policies'],
    ['May an agent drop a table', 'countersign policy check --effect "sql:drop public.orders" --kind agent'],
  ]);
}

async function checkPolicies(options: Options, io: Io): Promise<void> {
  const [{ loadPolicies, PolicyErrors }, { readPolicyFolder }] = await Promise.all([
    import('../policy/policy-set.ts'),
    import('../config/policies.ts'),
  ]);
  // A folder can be checked on its own; masks, targets and the default lifetime then have no configuration to come from.
  const config = options.folder === undefined ? await openConfig(options, io) : undefined;
  const folder = options.folder ?? config!.policies;
  let set: ReturnType<typeof loadPolicies>;
  try {
    set = loadPolicies(readPolicyFolder(folder), { ttlSeconds: config?.approvals.ttlSeconds });
  } catch (error) {
    if (error instanceof PolicyErrors) {
      if (options.json) {
        printJson(io, { ok: false, problems: error.problems });
        throw new Exit(1);
      }
      const count = error.problems.length;
      throw new Exit(1, `${count} ${count === 1 ? 'problem' : 'problems'} in ${folder}\n${error.message}`);
    }
    const reason = (error as NodeJS.ErrnoException).code;
    if (reason === undefined) throw error;
    throw new Exit(2, `the policies in ${folder} cannot be read (${reason}): name the folder with --folder`);
  }
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
  const principal =
    options.principal === undefined
      ? { kind: options.kind, groups: options.group }
      : readPrincipal(await readText(options.principal));
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

async function readText(path: string): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Exit(2, `${path} cannot be read (${error.code}): give a JSON file with the principal`);
  });
}

/** The parts that policies look at, and no others. */
function readPrincipal(text: string): Partial<Principal> & Pick<Principal, 'kind'> {
  try {
    const value = JSON.parse(text) as Partial<Principal>;
    const { kind, issuer, subject, owner, email, claims } = value;
    if (kind === 'agent' || kind === 'human' || kind === 'service') {
      const given = { kind, issuer, subject, owner, email, claims, groups: value.groups ?? [] };
      return Object.fromEntries(Object.entries(given).filter(([, part]) => part !== undefined)) as typeof given & {
        kind: Principal['kind'];
      };
    }
  } catch {
    // Told below.
  }
  throw new Exit(2, 'the principal is not right: write {"kind": "agent", "groups": ["…"]} and what else policies read');
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function kindOf(value: string): Principal['kind'] {
  if (value === 'agent' || value === 'human' || value === 'service') return value;
  throw new InvalidArgumentError('write agent, human or service');
}
