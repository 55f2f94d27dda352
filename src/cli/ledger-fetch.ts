// countersign ledger fetch and restore: a ledger out of the object store that it was copied to.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { collect } from './arguments.ts';
import { isObjectPlace, openObjectPlace, orExit } from './object-place.ts';
import { type ConfigOption, openConfig, takesConfig } from './open-config.ts';
import { Exit, examples, type Io, printJson, printLine } from './output.ts';

interface FetchOptions extends ConfigOption {
  readonly out: string;
  readonly recordings?: boolean;
  readonly json?: boolean;
}

interface RestoreOptions extends ConfigOption {
  readonly kept: readonly string[];
  readonly json?: boolean;
}

export function registerFetch(ledger: Command, io: Io): void {
  const fetch = takesConfig(ledger.command('fetch'))
    .description('bring a ledger from an object store to this machine, to verify it')
    .argument('[place]', 's3://bucket/prefix (default: ledger.objects of the configuration)')
    .requiredOption('-o, --out <folder>', 'folder that gets ledger, checkpoints and recordings; must not hold any')
    .option('-r, --recordings', 'bring the recordings too')
    .option('--json', 'print the result as JSON')
    .action((place: string | undefined, options: FetchOptions) => fetchTo(place, options, io));
  examples(fetch, [
    [
      'Verify a log without its operator',
      'countersign ledger fetch s3://record/gw-a --out gw-a && countersign verify gw-a/ledger --key gw-a.vkey',
    ],
  ]);
  const restore = takesConfig(ledger.command('restore'))
    .description(
      'rebuild the ledger folder from ledger.objects; the state folder must be restored from its backup before',
    )
    .option('-k, --kept <file>', 'a checkpoint of this log that was kept elsewhere; repeatable', collect, [])
    .option('--json', 'print the result as JSON')
    .action((options: RestoreOptions) => restoreFrom(options, io));
  examples(restore, [
    ['Go on after the disk with the ledger was lost', 'countersign ledger restore --kept checkpoint-of-may'],
  ]);
}

async function fetchTo(place: string | undefined, options: FetchOptions, io: Io): Promise<void> {
  if (place !== undefined && !isObjectPlace(place))
    throw new Exit(2, `${place} is not a place: write s3://bucket/prefix`);
  const store = place === undefined ? (await configured(options, io)).store : await openObjectPlace(place, io);
  if (existsSync(options.out) && readdirSync(options.out).length > 0)
    throw new Exit(2, `${options.out} is not empty: name a new folder`);
  const { fetchLedger } = await import('../objects/fetching.ts');
  const wish = { out: options.out, ...(options.recordings ? { recordings: true } : {}) };
  const { checkpoints, ...fetched } = await orExit(fetchLedger(store, wish));
  const folder = join(options.out, 'checkpoints');
  mkdirSync(folder, { recursive: true });
  for (const [at, note] of checkpoints.entries()) writeFileSync(join(folder, String(at).padStart(3, '0')), note);
  if (options.json) return printJson(io, { ...fetched, checkpoints: checkpoints.length });
  printLine(io, `fetched ${fetched.entries} entries, ${fetched.size} of them under the checkpoint, to ${options.out}`);
  if (fetched.recordings > 0) printLine(io, `and ${fetched.recordings} recordings`);
  printLine(io, `checkpoints of the past, to be given to verify as --kept: ${folder}`);
  if (fetched.touched.length > 0) printLine(io, touchedWords(fetched.touched), 'yellow');
}

async function restoreFrom(options: RestoreOptions, io: Io): Promise<void> {
  const { store, paths } = await configured(options, io);
  const { restoreLedger } = await import('../objects/restoring.ts');
  const { ledger: folder, state, signing, recordings } = paths;
  const kept = options.kept.map((file) => readFileSync(file, 'utf8'));
  const restored = await orExit(restoreLedger({ store, folder, state, signing, recordings, kept, now: io.now }));
  if (options.json) return printJson(io, { folder, ...restored });
  printLine(io, `restored ${folder} with ${restored.entries} entries, ${restored.size} of them under a checkpoint`);
  printLine(io, `and ${restored.recordings} recordings that were not here`);
  printLine(io, lockWords[restored.lock]);
  printLine(io, 'The next start records that it was restored.');
}

const lockWords = {
  kept: 'It continues everything that the state folder remembers having signed.',
  advanced: 'The state folder was older and now stands by the checkpoint that was restored.',
  made: 'lock.sqlite was lost: what this gateway signed after the last copy is unknown. Compare with your witnesses.',
};

export function touchedWords(touched: readonly string[]): string {
  return `${touched.length} names were written again or marked as deleted later, first ${touched[0]}: the first version counts`;
}

async function configured(options: ConfigOption, io: Io) {
  const config = await openConfig(options, io);
  const [{ storeOf }, { dataPaths }] = await Promise.all([import('../bin/objects.ts'), import('../config/config.ts')]);
  if (!config.ledger.objects)
    throw new Exit(2, 'the configuration has no ledger.objects: add it, or name the place as s3://bucket/prefix');
  const paths = dataPaths(config);
  return { store: storeOf(config.ledger.objects, paths.earlier.length + 1), paths };
}
