// countersign verify: the same check as the standalone countersign-verify.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { collect, keyText } from './arguments.ts';
import { Exit, examples, type Io, printJson } from './output.ts';
import { bring } from './verify-object-place.ts';

interface Options {
  readonly key?: string;
  readonly recordings?: string;
  readonly state?: string;
  readonly keys?: string;
  readonly kept: readonly string[];
  readonly receipt: readonly string[];
  readonly witness: readonly string[];
  readonly quorum?: number;
  readonly page?: string;
  readonly json?: boolean;
}

export function register(program: Command, io: Io): void {
  const verify = program
    .command('verify')
    .description('check a ledger offline: its folder and the public key are enough')
    .argument(
      '[folder...]',
      'ledger folder: the one with checkpoint, journal and tile; after a rotation all of them, the oldest first; or s3://bucket/prefix',
    )
    .option('-k, --key <key>', 'public key, or a file that holds it; not from the folder that is checked')
    .option('-r, --recordings <folder>', 'check the recordings too')
    .option(
      '-s, --state <folder>',
      'open every payload too, with the keys of this state folder (its operator has them)',
    )
    .option(
      '--keys <file>',
      'compare the ids in keys.sqlite: none may be gone without an entry (default: that of --state)',
    )
    .option('-c, --kept <file>', 'a checkpoint of this log that was kept elsewhere; repeatable', collect, [])
    .option('--receipt <file>', 'a receipt of this log as it was mailed, or its text; repeatable', collect, [])
    .option(
      '-w, --witness <key>',
      'verifier key of a witness that you trust, or a file with it; repeatable',
      collect,
      [],
    )
    .option('-q, --quorum <count>', 'how many of them must have cosigned (default: all)', countOf)
    .option('-p, --page <file>', 'write the page that does the same in a browser, without a network')
    .option('--json', 'print the report as JSON')
    .action(async (places: string[], options: Options) => {
      const [first, more] = places as [string?, string?];
      if (options.page !== undefined) {
        writeFileSync(options.page, verifyPage());
        if (first === undefined) return;
      }
      if (first === undefined) throw new Exit(2, 'name the ledger folder: the one with checkpoint, journal and tile');
      if (options.key === undefined)
        throw new Exit(2, 'give the public key: --key with the line or a file that holds it');
      const [
        { verifyChain, verifyLedger },
        { chainSummary, verifySummary },
        { NoteError },
        { openKeyring },
        { noteOf },
        { keysIn },
      ] = await Promise.all([
        import('../ledger/verify-disk.ts'),
        import('../ledger/verify-summary.ts'),
        import('../ledger/note.ts'),
        import('../ledger/keyring.ts'),
        import('../ledger/receipt.ts'),
        import('../ledger/keys-there.ts'),
      ]);
      const { folders, recordings, kept, remove } = await bring(places, options.recordings, keyText(options.key), io);
      const folder = folders[0]!;
      const absent = folders.find((folder) => !existsSync(folder));
      if (absent !== undefined)
        throw new Exit(2, `there is no folder ${absent}: give the one that holds checkpoint, journal and tile`);
      try {
        const key = keyText(options.key);
        const keysFile = options.keys ?? options.state;
        if (keysFile !== undefined) keysIn(keysFile);
        const wish = {
          ...(keysFile === undefined ? {} : { keys: () => keysIn(keysFile) }),
          recordings,
          ...(options.state === undefined ? {} : { opener: openKeyring(options.state) }),
          kept: [...[...options.kept, ...options.receipt].map((file) => noteOf(readFileSync(file, 'utf8'))), ...kept],
          witnesses: options.witness.map(keyText),
          quorum: options.quorum,
        };
        const [report, text] =
          more === undefined
            ? await verifyLedger(folder, key, wish).then((one) => [one, () => verifySummary(one)] as const)
            : await verifyChain(folders, key, wish).then((all) => [all, () => chainSummary(all)] as const);
        if (options.json) printJson(io, report);
        else io.stdout.write(text());
        if (!report.ok) throw new Exit(1);
      } catch (error) {
        if (error instanceof NoteError) throw new Exit(2, `--key, --kept, --receipt or --witness: ${error.message}`);
        const reason = (error as NodeJS.ErrnoException).code;
        if (typeof reason !== 'string') throw error;
        throw new Exit(2, `the ledger cannot be read (${reason}): check the folder and your rights`);
      } finally {
        remove();
      }
    });
  examples(verify, [
    [
      'Check a ledger with the key that was published',
      'countersign verify data/ledger --key "example.org/gw-a+1a2b3c4d+AX…"',
    ],
    [
      'Find a history that was rewritten or rolled back since May',
      'countersign verify data/ledger --key gw-a.vkey --kept checkpoint-of-may',
    ],
    [
      'Check what lies in the object store, without the gateway',
      'AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… countersign verify s3://record/gw-a --key gw-a.vkey',
    ],
    ['Write the page for somebody who has only a browser', 'countersign verify --page verify.html'],
    [
      'Check logs that continue each other, with the key of any one of them',
      'countersign verify data/ledger data/ledger-2 --key gw-a.vkey --recordings data/recordings',
    ],
    [
      'Check the recordings too, for a program',
      'countersign verify data/ledger --key gw-a.vkey --recordings data/recordings --json',
    ],
  ]);
}

/** The page as the build left it: beside the command, or in dist when the sources run. */
function verifyPage(): Buffer {
  const places = ['../verify.html', '../../dist/verify.html'].map((path) => new URL(path, import.meta.url));
  const place = places.find((url) => existsSync(url));
  if (!place) throw new Exit(2, 'the page is not built: run npm run build');
  return readFileSync(place);
}

function countOf(value: string): number {
  if (!/^[1-9]\d{0,3}$/.test(value)) throw new InvalidArgumentError('write a number of witnesses, such as 2');
  return Number(value);
}
