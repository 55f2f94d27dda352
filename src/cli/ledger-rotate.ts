// countersign ledger rotate: end the log and go on in another, under a new key and the name that the configuration says now.
import { type Command, Option } from 'commander';
import { type RotationReason, rotationReasons } from '../ledger/succession.ts';
import { type ConfigOption, openConfig, takesConfig } from './open-config.ts';
import { examples, type Io, printJson, printLine } from './output.ts';

interface Options extends ConfigOption {
  readonly reason: RotationReason;
  readonly json?: boolean;
}

export function registerRotate(ledger: Command, io: Io): void {
  const rotate = takesConfig(ledger.command('rotate'))
    .description('end the log and begin the next one under a new key and name; the gateway must be stopped')
    .addOption(
      new Option('-r, --reason <reason>', 'why: stands in both logs').choices(rotationReasons).makeOptionMandatory(),
    )
    .option('--json', 'print the result as JSON')
    .action((options: Options) => run(options, io));
  examples(rotate, [
    [
      'Stop the gateway, write the new name into gateway.origin, rotate, start it again',
      'countersign ledger rotate --reason routine --config countersign.yaml',
    ],
  ]);
}

async function run(options: Options, io: Io): Promise<void> {
  const config = await openConfig(options, io);
  const [{ rotateLedger }, { openKeyProvider }, { dataPaths }, { recordOrphans }, { recoverRecording }] =
    await Promise.all([
      import('../ledger/rotation.ts'),
      import('../keys/open-provider.ts'),
      import('../config/config.ts'),
      import('../session/gateway.ts'),
      import('../recordings/reading.ts'),
    ]);
  const { ledger: folder, signing, state, next, earlier, recordings } = dataPaths(config);
  const { name: gateway, origin } = config.gateway;
  const provider = openKeyProvider({ state, origin, keys: config.ledger.keys });
  const { vkey, predecessor } = await rotateLedger({
    folder,
    signing,
    state,
    gateway,
    provider,
    now: io.now,
    config: config.digest,
    origin,
    reason: options.reason,
    next,
    earlier,
    recordEnds: (log, orphans) =>
      recordOrphans(log, orphans, async (session) => ({ ...(await recoverRecording(recordings, session)) })),
  }).finally(() => provider.close?.());
  if (options.json) return printJson(io, { folder: next.folder, signing: next.signing, origin, vkey, predecessor });
  printLine(io, `${predecessor.origin} has ended with ${predecessor.size} entries, and stays in ${folder}`);
  printLine(io, `created ${next.folder}, which continues it`);
  printLine(io, `public key ${vkey}`);
  printLine(
    io,
    'Give the new key to auditors and witnesses by another way than the ledger, keep the last checkpoint of the',
  );
  printLine(io, `old log (${folder}/checkpoint) where this machine cannot write, and back up the new private key:`);
  printLine(io, `  ${next.signing}`);
  printLine(io, 'Nothing needs the old private key any more; put it out of reach:');
  printLine(io, `  ${signing}/ledger.key`);
}
