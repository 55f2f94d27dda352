// countersign ledger receipt: a signed checkpoint as a text to keep elsewhere; written, signed with an SSH key, or mailed.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { collect } from './arguments.ts';
import { type ConfigOption, openConfig, takesConfig } from './open-config.ts';
import { Exit, examples, type Io, printJson, printLine } from './output.ts';

interface Options extends ConfigOption {
  readonly to: readonly string[];
  readonly out?: string;
  readonly sshKey?: string;
  readonly json?: boolean;
}

/** What the signature is for, so that it is good for nothing else (ssh-keygen -n). */
const signatureNamespace = 'countersign-receipt';

export function registerReceipt(ledger: Command, io: Io): void {
  const receipt = takesConfig(ledger.command('receipt'))
    .description('the newest signed checkpoint with what was recorded since the last receipt, to keep elsewhere')
    .option('-t, --to <address>', 'mail it there by the server of ledger.receipts; repeatable', collect, [])
    .option('-o, --out <file>', 'write it to a file (default: print it)')
    .option('--ssh-key <file>', 'sign the file with this SSH key, by ssh-keygen: writes <file>.sig')
    .option('--json', 'print what was made as JSON')
    .action((options: Options) => run(options, io));
  examples(receipt, [
    ['Keep one on another machine', 'countersign ledger receipt | ssh keeper "cat > receipt-$(date +%F).txt"'],
    ['Sign one with your own key', 'countersign ledger receipt --out receipt.txt --ssh-key ~/.ssh/id_ed25519'],
    ['Mail one now', 'countersign ledger receipt --to auditor@example.com'],
  ]);
}

async function run(options: Options, io: Io): Promise<void> {
  if (options.sshKey !== undefined && options.out === undefined)
    throw new Exit(2, '--ssh-key signs a file: name it with --out');
  const config = await openConfig(options, io);
  const [{ dataPaths }, { makeReceipt }, { lastReceipt }, { parseVkey }] = await Promise.all([
    import('../config/config.ts'),
    import('../holders/receipt.ts'),
    import('../holders/receipts.ts'),
    import('../ledger/note.ts'),
  ]);
  const { ledger: folder, state } = dataPaths(config);
  const { receipts } = config.ledger;
  if (options.to.length > 0 && !receipts)
    throw new Exit(2, 'no mail server is configured: write ledger.receipts, or use --out');
  let vkey: string;
  try {
    vkey = readFileSync(join(state, 'ledger.vkey'), 'utf8');
  } catch {
    throw new Exit(2, `there is no ledger in ${folder}: countersign ledger init creates it`);
  }
  const receipt = await makeReceipt(folder, parseVkey(vkey), lastReceipt(state), io.now()).catch((error: Error) => {
    throw new Exit(1, error.message);
  });
  const { text, subject, origin, size } = receipt;
  if (options.out !== undefined) writeFileSync(options.out, text);
  if (options.sshKey !== undefined) sign(options.out!, options.sshKey);
  if (receipts && options.to.length > 0) {
    const [{ sendMail }, { mailServer }] = await Promise.all([
      import('../holders/mail.ts'),
      import('../bin/holding.ts'),
    ]);
    const { from, smtp } = receipts;
    const id = `<${origin.replace(/[^A-Za-z0-9.-]/g, '.')}.${size}.${io.now()}@${from.split('@').at(-1)}>`;
    await sendMail(mailServer(smtp), { from, to: options.to, subject, text, id }).catch((error: Error) => {
      const { code, responseCode } = error as { code?: string; responseCode?: number };
      throw new Exit(3, `the mail server did not take it (${[code, responseCode].filter(Boolean).join(', ')})`);
    });
  }
  if (options.json) return printJson(io, { origin, size, out: options.out, to: options.to });
  if (options.out === undefined && options.to.length === 0) return void io.stdout.write(text);
  if (options.out !== undefined)
    printLine(io, `wrote ${options.out}${options.sshKey ? ` and ${options.out}.sig` : ''}`);
  if (options.to.length > 0) printLine(io, `mailed to ${options.to.join(', ')}`);
}

/** ssh-keygen may ask for a passphrase on the terminal; it does not write over an older signature. */
function sign(file: string, key: string): void {
  const text = readFileSync(file);
  const signed = spawnSync('ssh-keygen', ['-Y', 'sign', '-f', key, '-n', signatureNamespace], {
    input: text,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  if (signed.error || signed.status !== 0) throw new Exit(1, `ssh-keygen did not sign with ${key}`);
  writeFileSync(`${file}.sig`, signed.stdout);
}
