// Finding and reading the configuration, as every command does it.
import { type Command, Option } from 'commander';
import type { Config } from '../config/config.ts';
import { Exit, type Io } from './output.ts';

export interface ConfigOption {
  readonly config?: string;
}

/** Adds `--config` to a command. */
export function takesConfig(command: Command): Command {
  return command.addOption(
    new Option('-c, --config <file>', 'configuration (default: COUNTERSIGN_CONFIG, else ./countersign.yaml)'),
  );
}

/** The file that is meant. The environment only locates it. */
function configPath(option: ConfigOption, io: Io): string {
  return option.config ?? io.env['COUNTERSIGN_CONFIG'] ?? 'countersign.yaml';
}

/** Reads the configuration. Throws ConfigErrors when it is not right; ends the command when it cannot be read. */
export async function readConfig(option: ConfigOption, io: Io): Promise<Config> {
  const { loadConfig } = await import('../config/config.ts');
  const path = configPath(option, io);
  try {
    return loadConfig(path);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code;
    if (reason === undefined) throw error;
    if (reason === 'ENOENT')
      throw new Exit(2, `there is no ${path}: name the file with --config, or write one as docs/config.md shows`);
    throw new Exit(2, `${path} cannot be read (${reason}): check that it is a file that you may read`);
  }
}

/** Reads the configuration; ends the command with every problem when it is not right. */
export async function openConfig(option: ConfigOption, io: Io): Promise<Config> {
  const { ConfigErrors } = await import('../config/problem.ts');
  return readConfig(option, io).catch((error: unknown) => {
    if (!(error instanceof ConfigErrors)) throw error;
    const count = error.problems.length;
    throw new Exit(2, `${count} ${count === 1 ? 'problem' : 'problems'} in the configuration\n${error.message}`);
  });
}
