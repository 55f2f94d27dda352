// countersign ledger init: creating a log is an act of its own, so that a gateway never starts a new one by mistake.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { type ConfigOption, openConfig, takesConfig } from './open-config.ts';
import { examples, type Io, printJson, printLine } from './output.ts';

export function register(program: Command, io: Io): void {
  const ledger = program.command('ledger').description('the record');
  const init = takesConfig(ledger.command('init'))
    .description('create the ledger and its keys in the data folder; refused when there is one')
    .option('--json', 'print the result as JSON')
    .action(async (options: ConfigOption & { json?: boolean }) => {
      const config = await openConfig(options, io);
      const [{ createLedger }, { dataPaths }] = await Promise.all([
        import('../ledger/ledger.ts'),
        import('../config/config.ts'),
      ]);
      const { ledger: folder, state } = dataPaths(config);
      const { name: gateway, origin } = config.gateway;
      await createLedger({ folder, state, gateway, origin, now: io.now, config: config.digest });
      const vkey = readFileSync(join(state, 'ledger.vkey'), 'utf8').trim();
      if (options.json) return printJson(io, { folder, state, origin, vkey });
      printLine(io, `created ${folder}`);
      printLine(io, `public key ${vkey}`);
      printLine(io, 'Keep this key where auditors find it, and back up the folder with the private keys:');
      printLine(io, `  ${state}`);
    });
  examples(init, [['Create the ledger of a new gateway', 'countersign ledger init --config countersign.yaml']]);
}
