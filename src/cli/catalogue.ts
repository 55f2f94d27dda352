// countersign catalogue dump: what a target holds, in a file, for `policy explain` and `policy test` where it is out of reach.
import type { Command } from 'commander';
import { type ConfigOption, openConfig, takesConfig } from './open-config.ts';
import { Exit, examples, type Io, printLine } from './output.ts';
import { readTarget, targetNamed } from './read-catalogue.ts';

interface Options extends ConfigOption {
  readonly target?: string;
  readonly database?: string;
  readonly output?: string;
}

export function register(program: Command, io: Io): void {
  const catalogue = program.command('catalogue').description('what a target holds: relations, columns, functions');
  const dump = takesConfig(catalogue.command('dump'))
    .description('read a target by its own credential and write its catalogue; no row of a table is in it')
    .option('-t, --target <target>', 'name of the target (default: the first of the configuration)')
    .option('-d, --database <database>', 'database (default: that of the target)')
    .option('-o, --output <file>', 'where to write; *.gz is compressed (default: standard output)')
    .action(async (options: Options) => {
      const config = await openConfig(options, io);
      const text = `${JSON.stringify(await readTarget(targetNamed(config, options.target), options.database))}\n`;
      if (options.output === undefined) return void io.stdout.write(text);
      const [{ writeFile }, { gzipSync }] = await Promise.all([import('node:fs/promises'), import('node:zlib')]);
      const bytes = options.output.endsWith('.gz') ? gzipSync(text) : Buffer.from(text);
      await writeFile(options.output, bytes).catch((error: NodeJS.ErrnoException) => {
        throw new Exit(2, `${options.output} cannot be written (${error.code}): choose another place`);
      });
      printLine(io, `wrote ${options.output}: ${bytes.length} bytes`);
    });
  examples(dump, [
    [
      'Keep a target’s catalogue beside the policies, for CI',
      'countersign catalogue dump --target shop -o policies/shop.json.gz',
    ],
  ]);
}
