// The log's side: every so often the newest checkpoint is shown to each witness with a proof that it continues what the witness saw
// last, and what they sign is kept beside it (docs/ledger-format.md, "Witnesses").
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../domain/fault.ts';
import { disk, place } from '../ledger/disk.ts';
import { sha256 } from '../ledger/hash.ts';
import { type NoteKey, openNote, parseCheckpoint } from '../ledger/note.ts';
import { readTiles } from '../ledger/tile-reading.ts';
import { formatSubmission } from './submission.ts';

export interface WitnessAddress {
  readonly vkey: NoteKey;
  /** Submission prefix; `/add-checkpoint` is appended. */
  readonly url: string;
}

export interface CosigningOptions {
  /** Ledger folder, and the one for files on their way into it. */
  readonly folder: string;
  readonly temporary: string;
  readonly log: NoteKey;
  readonly witnesses: readonly WitnessAddress[];
  readonly everyMs: number;
  fetch: typeof globalThis.fetch;
  /** A witness could not be reached, or refused. */
  failed(witness: string, why: string): void;
  /** A witness holds a checkpoint that this log signed and does not continue: it was rolled back, or somebody else signs with its key. */
  rolledBack(fault: Fault): void;
}

export interface Cosigning {
  /** Shows the newest checkpoint now; resolves with the names of those that cosigned it. */
  round(): Promise<string[]>;
  close(): Promise<void>;
}

/** File beside `checkpoint`: the same with the lines of the witnesses, as of the last round that any of them answered. */
export const cosignedFile = 'checkpoint.cosigned';
const answerLimit = 16 * 1024;
const patienceMs = 10_000;

export function openCosigning(options: CosigningOptions): Cosigning {
  const { folder, log, witnesses } = options;
  const seen = new Map<string, number>();
  let running: Promise<string[]> | undefined;
  let closed = false;
  const timer = setInterval(() => void round().catch(() => undefined), options.everyMs);
  timer.unref();

  async function rounds(): Promise<string[]> {
    const checkpoint = await readFile(join(folder, 'checkpoint'), 'utf8');
    const { size } = parseCheckpoint(openNote(checkpoint, [log]).text);
    const tiles = readTiles((path) => readFile(join(folder, path)), size);

    async function ask({ vkey, url }: WitnessAddress, oldSize: number): Promise<string | number> {
      const proof = await tiles.consistency(oldSize);
      const reply = await options.fetch(`${url.replace(/\/$/, '')}/add-checkpoint`, {
        method: 'POST',
        headers: { 'content-type': 'text/plain; charset=utf-8' },
        body: formatSubmission({ oldSize, proof, checkpoint }),
        redirect: 'error',
        signal: AbortSignal.timeout(patienceMs),
      });
      const answer = (await reply.text()).slice(0, answerLimit);
      if (reply.status === 409) {
        const theirs = Number(answer.trim());
        if (!Number.isSafeInteger(theirs) || theirs < 0) throw new Error('409 without a size');
        return theirs;
      }
      if (reply.status === 422) await compare(vkey.name, url);
      if (reply.status !== 200) throw new Error(`${reply.status} ${answer.split('\n')[0]?.slice(0, 200)}`);
      // Nothing is taken on the witness's word: the line must be its signature over this very checkpoint.
      openNote(`${checkpoint.slice(0, checkpoint.indexOf('\n\n'))}\n\n${answer}`, [vkey]);
      seen.set(vkey.name, size);
      return answer;
    }

    /** Looks at what the witness saw. Only our own signature under it counts: a witness that is wrong cannot stop a log. */
    async function compare(name: string, url: string): Promise<void> {
      const reply = await options.fetch(`${url.replace(/\/$/, '')}/${sha256(log.name).toString('hex')}/checkpoint`, {
        redirect: 'error',
        signal: AbortSignal.timeout(patienceMs),
      });
      if (reply.status !== 200) throw new Error(`it does not show what it saw: ${reply.status}`);
      const theirs = parseCheckpoint(openNote(await reply.text(), [log]).text);
      if (theirs.size <= size && theirs.size > 0 && theirs.root.equals(await tiles.root(theirs.size))) return;
      const fault = new Fault(
        'ledger.unavailable',
        `The witness ${name} holds a checkpoint of ${theirs.size} entries that this log signed and does not continue: it was rolled back. Restore the newest copy of ledger and state.`,
      );
      options.rolledBack(fault);
      throw fault;
    }

    const lines = await Promise.all(
      witnesses.map(async (witness) => {
        const { name } = witness.vkey;
        try {
          let answer = await ask(witness, Math.min(seen.get(name) ?? 0, size));
          if (typeof answer === 'number') {
            seen.set(name, answer);
            if (answer > size) await compare(name, witness.url);
            answer = await ask(witness, answer);
          }
          return typeof answer === 'string' ? answer : '';
        } catch (cause) {
          options.failed(name, (cause as Error).message);
          return '';
        }
      }),
    );
    const found = lines.filter((line) => line !== '');
    if (found.length === 0 || closed) return [];
    const bytes = Buffer.from(checkpoint + found.join(''));
    await place(disk, join(folder, cosignedFile), join(options.temporary, cosignedFile), bytes, true);
    return witnesses.flatMap(({ vkey }, index) => (lines[index] ? [vkey.name] : []));
  }

  function round(): Promise<string[]> {
    running ??= rounds().finally(() => {
      running = undefined;
    });
    return running;
  }

  return {
    round,
    async close() {
      closed = true;
      clearInterval(timer);
      await running?.catch(() => undefined);
    },
  };
}
