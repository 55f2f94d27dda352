// countersign config check | show
import type { Command } from 'commander';
import { configPath, type ConfigOption, openConfig, takesConfig } from './open-config.ts';
import { Exit, examples, type Io, printJson, printLine } from './output.ts';

export function register(program: Command, io: Io): void {
  const config = program.command('config').description('check and show the configuration');

  const check = takesConfig(config.command('check'))
    .description('say what is wrong in the configuration, with file, line and what to write instead')
    .option('--json', 'print the result as JSON')
    .action(async (options: ConfigOption & { json?: boolean }) => {
      if (options.json) {
        const { problems } = await problemsOf(configPath(options, io), options, io);
        printJson(io, { ok: problems.length === 0, problems });
        if (problems.length > 0) throw new Exit(1);
        return;
      }
      const { file, listeners, issuers, targets } = await openConfig(options, io, 1);
      const counts = [count(listeners, 'listener'), count(issuers, 'issuer'), count(targets, 'target')].join(', ');
      printLine(io, `${file} is right: ${counts}`);
    });
  examples(check, [
    ['Check the file in this folder', 'countersign config check'],
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

async function problemsOf(path: string, options: ConfigOption, io: Io) {
  const [{ loadConfig }, { ConfigErrors }] = await Promise.all([
    import('../config/config.ts'),
    import('../config/problem.ts'),
  ]);
  try {
    loadConfig(path);
    return { problems: [] };
  } catch (error) {
    if (error instanceof ConfigErrors) return error;
    // Not readable: the same words as without --json.
    await openConfig(options, io);
    throw error;
  }
}

const count = (list: readonly unknown[], word: string): string =>
  `${list.length} ${word}${list.length === 1 ? '' : 's'}`;
