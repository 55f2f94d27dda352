// countersign config check | show
import type { Command } from 'commander';
import { type ConfigOption, openConfig, readConfig, takesConfig } from './open-config.ts';
import { Exit, examples, type Io, printError, printJson, printLine } from './output.ts';

interface CheckOptions extends ConfigOption {
  readonly references?: boolean;
  readonly json?: boolean;
}

export function register(program: Command, io: Io): void {
  const config = program.command('config').description('check and show the configuration');

  const checking = takesConfig(config.command('check'))
    .description('say what is wrong in the configuration, with file, line and what to write instead')
    .option('--references', 'look too whether every file and environment variable that it names is there')
    .option('--json', 'print the result as JSON')
    .action((options: CheckOptions) => check(options, io));
  examples(checking, [
    ['Check the file in this folder', 'countersign config check'],
    ['Check it on the machine where it will run', 'countersign config check --references'],
    ['Check another one, for a program', 'countersign config check --config /etc/countersign/countersign.yaml --json'],
  ]);

  const show = takesConfig(config.command('show'))
    .description('print what is in effect: defaults filled in, paths absolute, secrets as references only')
    .option('--json', 'print it as JSON')
    .action(async (options: ConfigOption & { json?: boolean }) => {
      const found = await openConfig(options, io);
      if (options.json) return printJson(io, found);
      const { stringify } = await import('yaml');
      const { file, digest, ...settings } = found;
      io.stdout.write(`# ${file}\n# sha256 ${digest}\n${stringify(settings, { lineWidth: 120 })}`);
    });
  examples(show, [
    ['Show the effective configuration', 'countersign config show'],
    ['Ask for one value', 'countersign config show --json | jq .console.url'],
  ]);
}

async function check(options: CheckOptions, io: Io): Promise<void> {
  const [{ ConfigErrors, describe }, { missingReferences }] = await Promise.all([
    import('../config/problem.ts'),
    import('../config/references.ts'),
  ]);
  const found = await readConfig(options, io).catch((error: unknown) => {
    if (error instanceof ConfigErrors) return error;
    throw error;
  });
  const config = found instanceof ConfigErrors ? undefined : found;
  const problems =
    found instanceof ConfigErrors ? found.problems : options.references ? missingReferences(found, io.env) : [];
  if (options.json) printJson(io, { ok: problems.length === 0, problems });
  else if (config && problems.length === 0) {
    const parts = [
      count(config.listeners, 'listener'),
      count(config.issuers, 'issuer'),
      count(config.targets, 'target'),
    ];
    printLine(io, `${config.file} is right: ${parts.join(', ')}`);
  } else printError(io, `${count(problems, 'problem')} in the configuration\n${problems.map(describe).join('\n')}`);
  if (problems.length > 0) throw new Exit(1);
}

const count = (list: readonly unknown[], word: string): string =>
  `${list.length} ${word}${list.length === 1 ? '' : 's'}`;
