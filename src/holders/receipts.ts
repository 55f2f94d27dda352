// Receipts on their way: as often as configured a checkpoint is mailed to whoever keeps it, and that is recorded. A server
// that is away, or asks to come again later, is tried again; nothing waits for it.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Disk, place } from '../ledger/disk.ts';
import { sha256 } from '../ledger/hash.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { parseVkey } from '../ledger/note.ts';
import { type MailServer, sendMail } from './mail.ts';
import { nextTime, type Period } from './period.ts';
import { type Before, makeReceipt } from './receipt.ts';
import { openRounds, type Rounds } from './rounds.ts';

export interface ReceiptsOptions {
  /** Ledger folder, and the one that remembers the last receipt. */
  readonly folder: string;
  readonly state: string;
  readonly disk: Disk;
  readonly ledger: Pick<Ledger, 'append' | 'vkey'>;
  readonly server: MailServer;
  readonly from: string;
  readonly to: readonly string[];
  readonly every: Period;
  readonly retryMs?: readonly number[];
  now(): number;
  sent(size: number): void;
  failed(why: string): void;
}

/** A server that greylists wants to be left alone for some minutes. */
const defaultRetryMs = [60_000, 300_000, 900_000, 3_600_000];

export function openReceipts(options: ReceiptsOptions): Rounds {
  const { folder, state, ledger, from, to, every, now, retryMs = defaultRetryMs } = options;
  // The first is sent at once: whoever set it up wants to see one.
  const due = () => {
    const { at } = lastReceipt(state);
    return at === 0 ? 0 : nextTime(every, at);
  };

  async function run(): Promise<void> {
    const time = now();
    const receipt = await makeReceipt(folder, parseVkey(ledger.vkey), lastReceipt(state), time);
    const digest = sha256(`${receipt.origin}\n${receipt.size}\n${to.join('\n')}`).toString('hex');
    const id = `<${digest.slice(0, 32)}@${from.split('@').at(-1)}>`;
    await sendMail(options.server, { from, to, subject: receipt.subject, text: receipt.text, id });
    const facts = { size: receipt.size, recipients: to.length, message: sha256(id).toString('hex') };
    await ledger.append({ type: 'checkpoint.receipt', facts, payload: { admin: { to: [...to] } } }, 'synced').durable;
    const last = Buffer.from(JSON.stringify({ origin: receipt.origin, size: receipt.size, at: time } satisfies Before));
    await place(options.disk, join(state, lastFile), join(state, 'tmp', lastFile), last, true);
    options.sent(receipt.size);
  }

  return openRounds({ due, run, retryMs, now, failed: (cause) => options.failed(words(cause)) });
}

const lastFile = 'last-receipt.json';

/** Where the last receipt went; that of a log with none is the beginning. */
export function lastReceipt(state: string): Before {
  const file = join(state, lastFile);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Before) : { size: 0, at: 0 };
}

/** A failure by its class and the server's code: what a server says may quote what was sent to it. */
function words(cause: Error): string {
  const { code, responseCode, command } = cause as { code?: string; responseCode?: number; command?: string };
  const parts = [code, responseCode, command].filter((part) => part !== undefined);
  return parts.length > 0 ? `the mail server did not take it (${parts.join(', ')})` : cause.message;
}
