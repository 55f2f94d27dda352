// Traces on a thread of their own: follows the journal from where it stood at the start, and sends what was sampled.
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { type KeyPlace, openKeyProvider } from '../keys/open-provider.ts';
import { openKeyring } from '../ledger/keyring.ts';
import { openJournalTail } from '../ledger/read-journal.ts';
import { openSender } from './sender.ts';
import { openSpans } from './spans.ts';

export interface TracesOptions {
  readonly ledger: string;
  readonly state: string;
  readonly keys: KeyPlace;
  readonly origin: string;
  readonly gateway: string;
  readonly version: string;
  readonly url: string;
  readonly authorization?: string;
  /** Index of the first entry to look at. */
  readonly from: number;
}

const of = workerData as TracesOptions;
const port = parentPort!;
const keys = openKeyring(of.state, openKeyProvider(of.keys));
const tail = openJournalTail(of.ledger, keys);
const spans = openSpans(of.origin);
const sender = openSender(of);
const closing = new AbortController();
port.on('message', () => closing.abort());

let next = of.from;
for (let isLast = false; ; ) {
  try {
    for await (const items of tail.blocks(next))
      for (const item of items) {
        next = item.index + 1;
        const span = spans.add(item);
        if (span) sender.send(span);
      }
  } catch {
    // Tried again from the same place; traces are for looking, the ledger says by itself when it is not well.
  }
  if (isLast) break;
  isLast = await pause(250, false, { signal: closing.signal }).catch(() => true);
}
await sender.close();
keys.close();
port.close();
