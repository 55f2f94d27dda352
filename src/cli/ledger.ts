// countersign ledger: creating a log is an act of its own, so that a gateway never starts a new one by mistake; and proofs of
// single records for whoever asks for one.
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { keyText } from './arguments.ts';
import { registerCount } from './ledger-count.ts';
import { registerFsck } from './ledger-fsck.ts';
import { registerRecordings } from './ledger-recordings.ts';
import { type ConfigOption, openConfig, takesConfig } from './open-config.ts';
import { registerReceipt } from './ledger-receipt.ts';
import { registerFetch } from './ledger-fetch.ts';
import { registerRotate } from './ledger-rotate.ts';
import { registerRewrap } from './rewrap.ts';
import { registerStatus } from './ledger-status.ts';
import { Exit, examples, type Io, printJson, printLine } from './output.ts';

export function register(program: Command, io: Io): void {
  const ledger = program.command('ledger').description('the record');
  const init = takesConfig(ledger.command('init'))
    .description('create the ledger and its keys in the data folder; refused when there is one')
    .option('--json', 'print the result as JSON')
    .action(async (options: ConfigOption & { json?: boolean }) => {
      const config = await openConfig(options, io);
      const [{ createLedger }, { openKeyProvider }, { dataPaths }] = await Promise.all([
        import('../ledger/ledger.ts'),
        import('../keys/open-provider.ts'),
        import('../config/config.ts'),
      ]);
      const { ledger: folder, state } = dataPaths(config);
      const { name: gateway, origin } = config.gateway;
      const { keys } = config.ledger;
      // The master key of a file is made together with the ledger; who else wraps must be there already.
      const provider = keys.provider === 'file' ? undefined : openKeyProvider({ state, origin, keys });
      // Asked before anything is made: a log that was begun is not begun again.
      await provider?.wrap([{ id: 'probe', dek: randomBytes(32) }]);
      await createLedger({ folder, state, gateway, origin, now: io.now, config: config.digest, provider });
      provider?.close?.();
      const vkey = readFileSync(join(state, 'ledger.vkey'), 'utf8').trim();
      if (options.json) return printJson(io, { folder, state, origin, vkey });
      printLine(io, `created ${folder}`);
      printLine(io, `public key ${vkey}`);
      printLine(io, 'Keep this key where auditors find it, and back up the folder with the private keys:');
      printLine(io, `  ${state}`);
    });
  examples(init, [['Create the ledger of a new gateway', 'countersign ledger init --config countersign.yaml']]);

  registerRotate(ledger, io);
  registerFsck(ledger, io);
  registerFetch(ledger, io);
  registerRecordings(ledger, io);
  registerStatus(ledger, io);

  registerCount(ledger, io);
  registerReceipt(ledger, io);

  const proof = takesConfig(ledger.command('proof'))
    .description('prove that one record stands in the log: its bytes, and a file that the public key alone checks')
    .argument('<index>', 'leaf index of the entry', indexOf)
    .option('-l, --ledger <folder>', 'ledger folder (default: that of the configuration)')
    .option('-o, --out <folder>', 'folder for <index>.tlog-proof and <index>.json (default: the current one)', '.')
    .option('--json', 'print what was written as JSON')
    .action((index: number, options: ProofOptions) => writeProof(index, options, io));
  examples(proof, [
    ['Prove entry 14 to somebody who has the public key', 'countersign ledger proof 14 --out for-the-auditor'],
  ]);
  const check = ledger
    .command('check-proof')
    .description('check such a proof offline: exit 0 when the entry stands there, 1 when not')
    .argument('<proof>', 'file that ends in .tlog-proof')
    .requiredOption('-e, --entry <file>', 'the bytes of the entry')
    .requiredOption('-k, --key <key>', 'public key of the log, or a file that holds it')
    .option('--json', 'print the result as JSON')
    .action((file: string, options: CheckOptions) => checkProof(file, options, io));
  examples(check, [['Check it', 'countersign ledger check-proof 14.tlog-proof --entry 14.json --key ledger.vkey']]);
  registerRewrap(ledger, io);
}

interface ProofOptions extends ConfigOption {
  readonly ledger?: string;
  readonly out: string;
  readonly json?: boolean;
}

interface CheckOptions {
  readonly entry: string;
  readonly key: string;
  readonly json?: boolean;
}

async function writeProof(index: number, options: ProofOptions, io: Io): Promise<void> {
  const [{ dataPaths }, { readTiles }, { formatTlogProof }, { parseCheckpoint, parseNote }] = await Promise.all([
    import('../config/config.ts'),
    import('../ledger/tile-reading.ts'),
    import('../ledger/tlog-proof.ts'),
    import('../ledger/note.ts'),
  ]);
  const folder = options.ledger ?? dataPaths(await openConfig(options, io)).ledger;
  const checkpoint = readText(join(folder, 'checkpoint'), 'give the folder of a ledger with --ledger');
  const { size } = parseCheckpoint(parseNote(checkpoint).text);
  if (index >= size)
    throw new Exit(2, `entry ${index} is not under a checkpoint yet: the newest covers entries 0 to ${size - 1}`);
  const tiles = readTiles((path) => readFile(join(folder, path)), size);
  const entry = await tiles.entry(index);
  const files = { proof: join(options.out, `${index}.tlog-proof`), entry: join(options.out, `${index}.json`) };
  writeFileSync(files.proof, formatTlogProof({ index, path: await tiles.inclusion(index), checkpoint }));
  writeFileSync(files.entry, entry);
  if (options.json) return printJson(io, { index, size, ...files });
  printLine(io, `wrote ${files.proof} and ${files.entry}`);
}

async function checkProof(file: string, options: CheckOptions, io: Io): Promise<void> {
  const [{ checkTlogProof }, { NoteError, parseVkey }] = await Promise.all([
    import('../ledger/tlog-proof.ts'),
    import('../ledger/note.ts'),
  ]);
  const proof = readText(file, 'name a file that "countersign ledger proof" wrote');
  let vkey: ReturnType<typeof parseVkey>;
  let entry: Buffer;
  try {
    vkey = parseVkey(keyText(options.key));
    entry = readFileSync(options.entry);
  } catch (error) {
    throw new Exit(2, error instanceof NoteError ? `--key: ${error.message}` : `${options.entry} cannot be read`);
  }
  try {
    const { index, size } = checkTlogProof(proof, entry, vkey);
    if (options.json) return printJson(io, { ok: true, origin: vkey.name, index, size });
    printLine(io, `the entry stands at ${index} of ${size} in the log ${vkey.name}`);
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    if (options.json) printJson(io, { ok: false, what: error.message });
    throw new Exit(1, options.json ? '' : `not proven: ${error.message}`);
  }
}

function readText(path: string, advice: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Exit(2, `${path} cannot be read (${(error as NodeJS.ErrnoException).code}): ${advice}`);
  }
}

function indexOf(value: string): number {
  const index = Number(value);
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError('write the index of an entry, such as 14');
  return index;
}
