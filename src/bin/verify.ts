#!/usr/bin/env node
// countersign-verify: a ledger folder and a public key are enough (guarantee 7). Exit 0 verified, 1 not, 2 usage.
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { keysIn } from '../ledger/keys-there.ts';
import { NoteError } from '../ledger/note.ts';
import { noteOf } from '../ledger/receipt.ts';
import type { ChainReport } from '../ledger/verify-chain.ts';
import { verifyChain, verifyLedger } from '../ledger/verify-disk.ts';
import { chainSummary, verifySummary } from '../ledger/verify-summary.ts';

const usage = `Usage: countersign-verify <ledger folder>… --key <verifier key or file> [--recordings <folder>] [--keys <keys.sqlite>]
                          [--kept <checkpoint>]… [--receipt <mail or text>]… [--witness <key or file>]… [--quorum <count>] [--json]

Verifies a ledger offline. The key is one line, such as example.org/log+1a2b3c4d+AX…; take it from somewhere else
than the folder that you verify. Several folders, the oldest first, are logs that continue each other after a rotation; the
key of any one of them will do. --kept names a checkpoint of this log that you kept: the log must continue it; --receipt
names a mailed one.
--witness names the verifier key of a witness that you trust; all of them, or --quorum, must have cosigned.
--keys compares the ids of the keys that the gateway has with the log: none may be gone without an entry. It reads no key.

Exit status: 0 verified, 1 something is wrong, 2 the command could not run.
`;

async function main(): Promise<number> {
  let parsed: ReturnType<typeof read>;
  try {
    parsed = read();
  } catch (cause) {
    process.stderr.write(`${(cause as Error).message}\n\n${usage}`);
    return 2;
  }
  const { values, positionals } = parsed;
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const [folder] = positionals;
  const wrongQuorum = values.quorum !== undefined && !/^[1-9]\d{0,3}$/.test(values.quorum);
  if (folder === undefined || values.key === undefined || wrongQuorum) {
    process.stderr.write(usage);
    return 2;
  }
  const absent = positionals.find((one) => !existsSync(one));
  if (absent !== undefined) {
    process.stderr.write(
      `There is no folder ${absent}. Give the folder that holds "checkpoint", "journal" and "tile".\n`,
    );
    return 2;
  }
  try {
    const key = existsSync(values.key) ? readFileSync(values.key, 'utf8') : values.key;
    const options = {
      recordings: values.recordings,
      keys: comparing(values.keys),
      kept: [...(values.kept ?? []), ...(values.receipt ?? [])].map((file) => noteOf(readFileSync(file, 'utf8'))),
      witnesses: values.witness?.map((one) => (existsSync(one) ? readFileSync(one, 'utf8') : one)),
      quorum: values.quorum === undefined ? undefined : Number(values.quorum),
    };
    const single = positionals.length === 1 ? await verifyLedger(folder, key, options) : undefined;
    const report = single ?? (await verifyChain(positionals, key, options));
    const text = single ? verifySummary(single) : chainSummary(report as ChainReport);
    process.stdout.write(values.json ? `${JSON.stringify(report, undefined, 2)}\n` : text);
    return report.ok ? 0 : 1;
  } catch (cause) {
    const what =
      cause instanceof NoteError
        ? `--key, --kept, --receipt or --witness: ${cause.message}.`
        : `Could not read: ${(cause as Error).message}`;
    process.stderr.write(`${what}\n`);
    return 2;
  }
}

/** Looked at once now, so that a file that is not there is told before the log is read. */
function comparing(path: string | undefined): (() => ReadonlySet<string>) | undefined {
  if (path === undefined) return undefined;
  keysIn(path);
  return () => keysIn(path);
}

function read() {
  return parseArgs({
    allowPositionals: true,
    options: {
      key: { type: 'string' },
      recordings: { type: 'string' },
      keys: { type: 'string' },
      kept: { type: 'string', multiple: true },
      receipt: { type: 'string', multiple: true },
      witness: { type: 'string', multiple: true },
      quorum: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}

process.exitCode = await main();
