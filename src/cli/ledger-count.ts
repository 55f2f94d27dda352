// countersign ledger count: a period's entries by type from the ledger alone, and whether the store's rows come to the same.
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { Population, Recount } from '../ledger/recount.ts';
import { timeOf, when } from './arguments.ts';
import { type ConfigOption, openConfig, takesConfig } from './open-config.ts';
import { Exit, examples, type Io, printJson, printLine, printTable } from './output.ts';
import { moment } from './record-words.ts';

interface Options extends ConfigOption {
  readonly ledger?: string;
  readonly from?: number | Date;
  readonly to?: number | Date;
  readonly bundles?: boolean;
  readonly againstStore?: boolean;
  readonly json?: boolean;
}

interface Difference {
  readonly what: string;
  readonly ledger: number;
  readonly store: number;
}

export function registerCount(ledger: Command, io: Io): void {
  const count = takesConfig(ledger.command('count'))
    .description('count a period again from the headers of the entries alone; no key and no store is needed')
    .option('-l, --ledger <folder>', 'ledger folder (default: that of the configuration)')
    .option('--from <when>', 'from then on: 90m, 12h, 30d before now, or a time such as 2026-01-31T00:00Z', when)
    .option('--to <when>', 'up to then', when)
    .option('--bundles', 'from the entry bundles under the checkpoint, not from the journal')
    .option('--against-store', 'compare with the rows of the store; exit 1 when they differ')
    .option('--json', 'print JSON')
    .action((options: Options) => run(options, io));
  examples(count, [
    ['How much of what there was in January', 'countersign ledger count --from 2026-01-01 --to 2026-02-01'],
    ['Does the store show all of it', 'countersign ledger count --against-store'],
  ]);
}

async function run(options: Options, io: Io): Promise<void> {
  const now = io.now();
  const from = options.from === undefined ? 0 : timeOf(options.from, now);
  const to = options.to === undefined ? Number.MAX_SAFE_INTEGER : timeOf(options.to, now);
  const [{ dataPaths }, { storePopulation }] = await Promise.all([
    import('../config/config.ts'),
    import('../store/population.ts'),
  ]);
  const needsConfig = options.ledger === undefined || options.againstStore;
  const paths = needsConfig ? dataPaths(await openConfig(options, io)) : undefined;
  const folder = options.ledger ?? paths!.ledger;
  if (!existsSync(folder)) throw new Exit(2, `there is no ledger in ${folder}: name its folder with --ledger`);
  if (options.againstStore && !existsSync(paths!.store))
    throw new Exit(2, `there is no store in ${paths!.store}: start the gateway once, and it is made from the ledger`);
  const store = options.againstStore ? storePopulation(paths!.store, from, to) : undefined;
  const folders = options.ledger === undefined ? [...paths!.earlier, folder] : [folder];
  const recount = await recountOf(folders, from, to, options.bundles ?? false, store?.next);
  const differences = store ? compare(recount.population, store.population) : undefined;
  const shown = { ...recount, from, ...(options.to === undefined ? {} : { to }) };
  if (options.json) printJson(io, { ...shown, ...(store ? { store, differences } : {}) });
  else {
    await printTable(io, ['type', 'entries'], Object.entries(recount.types));
    const range = recount.first === undefined ? '' : `, ${recount.first} to ${recount.last}`;
    printLine(io, `${recount.entries} entries${range}${from === 0 ? '' : `, from ${moment(from)}`}`);
    for (const { what, ledger, store: rows } of differences ?? [])
      printLine(io, `${what}: ${ledger} in the ledger, ${rows} in the store`, 'red');
    if (differences?.length === 0) printLine(io, `the store shows the same, up to entry ${store!.next}`, 'green');
  }
  if (differences && differences.length > 0) throw new Exit(1);
}

/** Entries below `limit`; all of them where it is absent. */
async function recountOf(
  folders: readonly string[],
  from: number,
  to: number,
  bundles: boolean,
  limit = Number.POSITIVE_INFINITY,
): Promise<Recount> {
  const [{ openRecount }, { readJournal }, { readBundles }] = await Promise.all([
    import('../ledger/recount.ts'),
    import('../ledger/read-journal.ts'),
    import('../ledger/read-bundles.ts'),
  ]);
  const recount = openRecount(from, to);
  let place = 0;
  // A log that was rotated is continued by another: the store follows them as one.
  for (const folder of folders) {
    for await (const { entry } of bundles ? readBundles(folder) : readJournal(folder, 0)) {
      if (place >= limit) break;
      recount.entry(entry, place++);
    }
  }
  return recount.end();
}

function compare(ledger: Population, store: Population): Difference[] {
  return (Object.keys(ledger) as (keyof Population)[])
    .filter((what) => ledger[what] !== store[what])
    .map((what) => ({ what, ledger: ledger[what], store: store[what] }));
}
