// countersign serve: the gateway itself.
import type { Command } from 'commander';
import { type ConfigOption, openConfig, takesConfig } from './open-config.ts';
import { Exit, examples, type Io } from './output.ts';

export function register(program: Command, io: Io): void {
  const serve = takesConfig(program.command('serve'))
    .description('run the gateway until it is told to stop')
    .action(async (options: ConfigOption) => {
      const config = await openConfig(options, io);
      // Loaded here, because no other command needs the whole gateway.
      const gateway = await import('../bin/until-stopped.ts');
      await gateway.serveUntilStopped(config).catch((error: unknown) => {
        if (error instanceof Error && error.name === 'PolicyErrors')
          throw new Exit(2, `the policies in ${config.policies} are not right\n${error.message}`);
        throw error;
      });
    });
  examples(serve, [
    ['Run with the configuration of this folder', 'countersign serve'],
    ['Run as a service does', 'countersign serve --config /etc/countersign/countersign.yaml'],
  ]);
}
