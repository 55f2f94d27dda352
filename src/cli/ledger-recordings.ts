// countersign ledger recordings: whether recordings hold what their seals say, with the gateway's keys. That the files are those that
// were sealed is `verify --recordings`, which needs no key.
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { segment } from './api-client.ts';
import { type ConfigOption, openConfig, takesConfig } from './open-config.ts';
import { Exit, examples, type Io, printJson, printLine } from './output.ts';

export interface HeldReport {
  readonly checked: number;
  /** From before there were rules, or their key was destroyed. */
  readonly unchecked: number;
  readonly wrong: readonly { readonly session: string; readonly what: string }[];
}

export function registerRecordings(ledger: Command, io: Io): void {
  const recordings = takesConfig(ledger.command('recordings'))
    .description('open recordings and check that each holds what its rule and its seal say (exit 1 when one does not)')
    .argument('[session]', 'this one only')
    .option('--json', 'print the report as JSON')
    .action(async (session: string | undefined, options: ConfigOption & { readonly json?: boolean }) => {
      const report = await check(session, options, io);
      if (options.json) printJson(io, report);
      else {
        for (const { session: id, what } of report.wrong) printLine(io, `${id}: ${what}`, 'red');
        printLine(io, `${report.checked} recordings hold what their seals say, ${report.unchecked} cannot be checked`);
      }
      if (report.wrong.length > 0) throw new Exit(1);
    });
  examples(recordings, [['Check all, where the data folder is', 'countersign ledger recordings']]);
}

async function check(only: string | undefined, options: ConfigOption, io: Io): Promise<HeldReport> {
  const config = await openConfig(options, io);
  const [
    { dataPaths },
    { openKeyring },
    { openKeyProvider },
    { readJournal },
    { readRecording },
    { wrongOf },
    { Fault },
  ] = await Promise.all([
    import('../config/config.ts'),
    import('../ledger/keyring.ts'),
    import('../keys/open-provider.ts'),
    import('../ledger/read-journal.ts'),
    import('../recordings/reading.ts'),
    import('../recordings/held.ts'),
    import('../domain/fault.ts'),
  ]);
  const paths = dataPaths(config);
  if (!existsSync(paths.ledger))
    throw new Exit(2, `there is no ledger in ${paths.ledger}: run this where the gateway's data folder is`);
  const wanted = only === undefined ? undefined : segment(only);
  const { origin } = config.gateway;
  const keys = openKeyring(paths.state, openKeyProvider({ state: paths.state, origin, keys: config.ledger.keys }));
  const wrong: { session: string; what: string }[] = [];
  let checked = 0;
  let unchecked = 0;
  try {
    for (const log of [...paths.earlier, paths.ledger]) {
      for await (const { entry } of readJournal(log, 0)) {
        if (entry.t !== 'session.seal' || entry.sid === undefined || (wanted ?? entry.sid) !== entry.sid) continue;
        const seal = entry.x.recording as unknown as Parameters<typeof wrongOf>[1] | undefined;
        if (!seal?.kept) {
          unchecked++;
          continue;
        }
        try {
          const what = await wrongOf(readRecording(paths.recordings, entry.sid, keys), seal);
          if (what === undefined) checked++;
          else wrong.push({ session: entry.sid, what });
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
          if (error.message.includes('destroyed')) unchecked++;
          else wrong.push({ session: entry.sid, what: error.message });
        }
      }
    }
  } finally {
    keys.close();
  }
  return { checked, unchecked, wrong };
}
