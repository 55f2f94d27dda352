// countersign witness: a witness for somebody else's log, on a machine that its operator does not rule.
import { type Command, InvalidArgumentError } from 'commander';
import { collect, keyText } from './arguments.ts';
import { Exit, examples, type Io, printJson, printLine } from './output.ts';

interface ServeOptions {
  readonly state: string;
  readonly log: readonly string[];
  readonly address: string;
  readonly port: number;
}

export function register(program: Command, io: Io): void {
  const witness = program.command('witness').description('cosign the checkpoints of other people’s logs');
  const init = witness
    .command('init')
    .description('make the key and the memory of a new witness; refused when there is one')
    .argument('<name>', 'name of the witness, such as witness.example.org')
    .option('-s, --state <folder>', 'its folder', './witness')
    .option('--json', 'print the result as JSON')
    .action(async (name: string, { state, json }: { state: string; json?: boolean }) => {
      const [{ createWitness }, { NoteError }] = await Promise.all([
        import('../witness/witness.ts'),
        import('../ledger/note.ts'),
      ]);
      try {
        const vkey = createWitness(state, name);
        if (json) return printJson(io, { state, vkey });
        printLine(io, `created ${state}`);
        printLine(io, `public key ${vkey}`);
        printLine(
          io,
          'Give this key to those who run the log, and to those who verify it. Back the folder up: what it has seen must not be forgotten.',
        );
      } catch (error) {
        if (error instanceof NoteError) throw new Exit(2, error.message);
        throw error;
      }
    });
  examples(init, [['Make a witness', 'countersign witness init witness.example.org --state /var/lib/witness']]);
  const serve = witness
    .command('serve')
    .description('answer logs that want their checkpoints cosigned (c2sp.org/tlog-witness), until told to stop')
    .requiredOption('-l, --log <key>', 'verifier key of a log, or a file with it; repeatable', collect)
    .option('-s, --state <folder>', 'folder of the witness', './witness')
    .option('-a, --address <address>', 'address to listen on; put a proxy with TLS in front of any other', '127.0.0.1')
    .option('-p, --port <port>', 'port to listen on', portOf, 7_380)
    .action((options: ServeOptions) => serveWitness(options, io));
  examples(serve, [['Witness one log', 'countersign witness serve --state /var/lib/witness --log gw-a.vkey']]);
}

async function serveWitness(options: ServeOptions, io: Io): Promise<void> {
  const [{ startWitness }, { NoteError, parseVkey }] = await Promise.all([
    import('../witness/witness.ts'),
    import('../ledger/note.ts'),
  ]);
  let logs: ReturnType<typeof parseVkey>[];
  try {
    logs = options.log.map((one) => parseVkey(keyText(one)));
  } catch (error) {
    if (error instanceof NoteError) throw new Exit(2, `--log: ${error.message}`);
    throw error;
  }
  const { state, address, port } = options;
  const witness = await startWitness({
    state,
    address,
    port,
    logs,
    now: io.now,
    answered: (status, origin) =>
      printLine(io, `${new Date(io.now()).toISOString()} ${status}${origin === undefined ? '' : ` ${origin}`}`),
  });
  printLine(io, `witnessing ${logs.map(({ name }) => name).join(', ')} at ${witness.url}`);
  await new Promise<void>((stop) => {
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  });
  await witness.close();
}

function portOf(value: string): number {
  const port = Number(value);
  if (!/^\d{1,5}$/.test(value) || port > 65_535) throw new InvalidArgumentError('write a port, such as 7380');
  return port;
}
