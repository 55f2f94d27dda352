// Every so many hours the newest checkpoint is stamped by a time stamping authority (RFC 3161). What it answers is judged,
// laid beside the log with the checkpoint as it was, and recorded (docs/ledger-format.md, "Time stamps").
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Disk, place } from '../ledger/disk.ts';
import { sha256 } from '../ledger/hash.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { openNote, parseCheckpoint, parseVkey } from '../ledger/note.ts';
import { readTimestamp } from '../ledger/timestamp-token.ts';
import { timestampFile } from '../ledger/verify-timestamps.ts';
import { openRounds, type Rounds } from './rounds.ts';
import { authoritiesOf, type Judged, judgeTimestamp, timestampRequest } from './timestamp.ts';

export interface TimestampingOptions {
  /** Ledger folder, and the one for files on their way into it. */
  readonly folder: string;
  readonly temporary: string;
  readonly disk: Disk;
  readonly ledger: Pick<Ledger, 'append' | 'vkey'>;
  readonly url: string;
  /** Certificates of the authorities that are trusted, PEM. */
  readonly ca: string;
  readonly everyMs: number;
  readonly patienceMs: number;
  readonly retryMs?: readonly number[];
  fetch: typeof globalThis.fetch;
  now(): number;
  stamped(size: number, judged: Judged): void;
  failed(why: string): void;
}

/** An answer holds a token and a chain of certificates. */
const answerLimit = 256 * 1024;
const defaultRetryMs = [60_000, 300_000, 1_800_000];

export function openTimestamping(options: TimestampingOptions): Rounds {
  const { folder, everyMs, now, retryMs = defaultRetryMs } = options;
  const authorities = authoritiesOf(options.ca);
  const log = parseVkey(options.ledger.vkey);
  let last: number | undefined;

  async function run(): Promise<void> {
    const note = await readFile(join(folder, 'checkpoint'), 'utf8');
    const { text } = openNote(note, [log]);
    const { size } = parseCheckpoint(text);
    const wish = { text: Buffer.from(text), nonce: randomBytes(8) };
    const answer = await ask(options, timestampRequest(wish));
    const judged = await judgeTimestamp(answer, wish, authorities, now());
    // What the verifier will read must say the same as what was judged.
    if (readTimestamp(answer)?.at !== judged.at) throw new Error('the answer is not in DER');
    for (const [kind, bytes] of [
      ['checkpoint', Buffer.from(note)],
      ['tsr', answer],
    ] as const) {
      const path = timestampFile(size, kind);
      await place(options.disk, join(folder, path), join(options.temporary, path.replace('/', '-')), bytes, true);
    }
    await options.disk.syncFolder(join(folder, 'timestamps'));
    const facts = { size, at: judged.at, sha256: sha256(answer).toString('hex'), tsa: judged.tsa };
    await options.ledger.append({ type: 'checkpoint.timestamp', facts }, 'synced').durable;
    last = judged.at;
    options.stamped(size, judged);
  }

  return openRounds({
    due: async () => (last ??= await newest(folder)) + everyMs,
    run,
    retryMs,
    now,
    failed: (cause) => options.failed(cause.message),
  });
}

/** When the newest stamp in the folder was made; 0 when there is none. */
async function newest(folder: string): Promise<number> {
  const names = await readdir(join(folder, 'timestamps')).catch(() => []);
  const sizes = names.flatMap((name) => (/^\d+\.tsr$/.test(name) ? [Number.parseInt(name, 10)] : []));
  if (sizes.length === 0) return 0;
  const bytes = await readFile(join(folder, timestampFile(Math.max(...sizes), 'tsr')));
  return readTimestamp(bytes)?.at ?? 0;
}

async function ask({ url, fetch, patienceMs }: TimestampingOptions, body: Buffer): Promise<Buffer> {
  const reply = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
    body: new Uint8Array(body),
    redirect: 'error',
    signal: AbortSignal.timeout(patienceMs),
  });
  if (reply.status !== 200) {
    await reply.body?.cancel();
    throw new Error(`the authority answered ${reply.status}`);
  }
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of reply.body ?? []) {
    length += part.length;
    if (length > answerLimit) throw new Error('the answer of the authority is too long');
    parts.push(part);
  }
  return Buffer.concat(parts);
}
