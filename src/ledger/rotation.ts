// A log ends, and another continues it under another key and name (docs/adr/0031-key-rotation.md). Each step is durable before the
// next, so a rotation that was cut off anywhere is finished by running it again (test: test/crash/rotation.test.ts).
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Fault } from '../domain/fault.ts';
import { createLedger, type Ledger, type LedgerOptions, recordStart, startWriting, type Writing } from './ledger.ts';
import { parseCheckpoint, parseNote } from './note.ts';
import type { Orphan } from './open-sessions.ts';
import { recoverJournal } from './recovery.ts';
import { createSigner, readSigner, type Signer, syncFolder } from './signer.ts';
import type { Predecessor, RotationReason } from './succession.ts';

export interface RotateOptions extends LedgerOptions {
  /** Name of the new log: another than any before. */
  readonly origin: string;
  readonly reason: RotationReason;
  /** Where the new log and its signing key will lie: beside the old ones. */
  readonly next: { readonly folder: string; readonly signing: string };
  /** Folders of the logs before the one that ends. */
  readonly earlier?: readonly string[];
  /** Records the ends of sessions that a crash left open in the old log. */
  recordEnds(ledger: Ledger, orphans: readonly Orphan[]): Promise<void>;
  /** Told before each step; tests end the process there. */
  readonly step?: (name: RotationStep) => void;
}

export const rotationSteps = [
  'open',
  'key',
  'successor',
  'checkpoint',
  'create',
  'publish',
  'settle',
  'release',
] as const;
export type RotationStep = (typeof rotationSteps)[number];

export interface Rotated {
  readonly origin: string;
  readonly vkey: string;
  readonly predecessor: Predecessor;
}

/** Ends the log of `folder` and begins the next. Fault while a gateway writes, and where the new log's name is not new. */
export async function rotateLedger(options: RotateOptions): Promise<Rotated> {
  const { folder, signing = options.state, origin, next, step = () => undefined } = options;
  // Refused before anything is made: a lock that somebody holds, a ledger that is damaged.
  const old = readSigner(signing);
  if (!existsSync(join(folder, 'journal'))) throw new Fault('ledger.unavailable', `There is no ledger in ${folder}.`);
  if ([old.vkey.name, ...(options.earlier ?? []).map(nameOf)].includes(origin)) {
    throw new Fault(
      'ledger.unavailable',
      `${origin} is the name of a log that there is already. Give gateway.origin the name of the new one, then run this again.`,
    );
  }
  step('open');
  const log = await startWriting({ ...options, signing }, recoverJournal);
  try {
    const staged = `${next.signing}.new`;
    const vkey = stagedKey(staged, origin, log.found!.successor?.vkey, () => step('key'));
    await endLog(log, options, vkey, step);
    const end = parseCheckpoint(parseNote(log.checkpoint()!).text);
    const predecessor = {
      origin: old.vkey.name,
      vkey: old.text,
      size: end.size,
      root: end.root.toString('base64'),
    };
    if (!existsSync(next.folder)) {
      step('create');
      const making = `${next.folder}.new`;
      // Made in an attempt that was cut off: nobody has seen any of it.
      rmSync(making, { recursive: true, force: true });
      for (const name of ['lock.sqlite', 'lock.sqlite-journal']) rmSync(join(staged, name), { force: true });
      const now = options.now ?? Date.now;
      const after = Math.max(now(), log.lastTs());
      await createLedger({
        ...options,
        folder: making,
        signing: staged,
        predecessor,
        now: () => Math.max(now(), after),
      });
      step('publish');
      renameSync(making, next.folder);
      syncFolder(dirname(next.folder));
    }
    step('settle');
    renameSync(staged, next.signing);
    syncFolder(dirname(next.signing));
    step('release');
    return { origin, vkey, predecessor };
  } finally {
    await log.abandon();
  }
}

/** The last entry and the last checkpoint of the old log. What an attempt that was cut off has written already, stays. */
async function endLog(log: Writing, options: RotateOptions, vkey: string, step: (name: RotationStep) => void) {
  const { origin, reason } = options;
  if (!log.found!.successor) {
    await recordStart(log, options);
    await options.recordEnds(log.ledger, log.found!.orphans);
    step('successor');
    await log.append({ type: 'log.successor', facts: { origin, vkey, reason } }, 'synced').durable;
  }
  step('checkpoint');
  await log.ledger.checkpointNow();
}

function nameOf(folder: string): string {
  return parseCheckpoint(parseNote(readFileSync(join(folder, 'checkpoint'), 'utf8')).text).origin;
}

/** The key of an attempt that was cut off, where it is whole. */
function keyIn(folder: string): Signer | undefined {
  try {
    return readSigner(folder);
  } catch {
    return undefined;
  }
}

/** The new log's key, made before the old log names it. */
function stagedKey(staged: string, origin: string, named: string | undefined, making: () => void): string {
  const found = keyIn(staged);
  if (found?.vkey.name === origin && (named === undefined || found.text === named)) return found.text;
  if (named !== undefined) {
    const wanted = named.split('+')[0]!;
    throw new Fault(
      'ledger.unavailable',
      wanted === origin
        ? `The log has ended and names a key that is not in ${staged}. Restore that folder from your backup.`
        : `The log has ended and ${wanted} continues it. Set gateway.origin to that name, then run this again.`,
    );
  }
  making();
  // Nothing names it: what an attempt that was cut off began is of no worth.
  rmSync(staged, { recursive: true, force: true });
  mkdirSync(staged, { recursive: true, mode: 0o700 });
  const vkey = createSigner(staged, origin);
  syncFolder(dirname(staged));
  return vkey;
}
