// Logs that continue each other, verified from the one whose key is trusted: forwards by what each last entry names, backwards by
// what each first entry names, and each link must hold in both directions (docs/ledger-format.md, "Key rotation").
import { checkKeys } from './destruction.ts';
import { Damage, meaning } from './damage.ts';
import { segmentFile } from './journal-reading.ts';
import { type Checkpoint, type NoteKey, NoteError, parseCheckpoint, parseNote, parseVkey } from './note.ts';
import type { Folder } from './folder.ts';
import { textOf } from './platform.ts';
import {
  attempts,
  failureOf,
  type Recorded,
  stamp,
  verifyOnce,
  type VerifyFailure,
  type VerifyOptions,
  type VerifyReport,
} from './verify.ts';
import { openCheckpoint } from './verify-cosigned.ts';
import { checkRecordings } from './verify-recordings.ts';

/** One log of a chain; `name` is what the report calls its folder. */
export interface LogFolder {
  readonly name: string;
  readonly folder: Folder;
}

export interface ChainReport {
  readonly ok: boolean;
  /** What was verified of each log, the oldest first. Absent for those that a broken link keeps from being read. */
  readonly logs: readonly VerifyReport[];
  readonly recordings?: number;
  /** `log` is the folder. */
  readonly failure?: VerifyFailure & { readonly log: string };
}

/**
 * Verifies logs that continue each other; `folders` from the oldest on. `vkey` is the key of any one of them. Witnesses count for the
 * newest log, whose first entry pins the others. NoteError as in `verifyFolder`, and for a kept checkpoint of none of them.
 */
export async function verifyFolders(
  folders: readonly LogFolder[],
  vkey: string,
  options: VerifyOptions = {},
): Promise<ChainReport> {
  const key = parseVkey(vkey);
  for (let attempt = 1; ; attempt++) {
    const before = await stamp(folders.at(-1)!.folder);
    const report = await chainOnce(folders, key, options);
    if (report.ok || attempt === attempts || before === (await stamp(folders.at(-1)!.folder))) return report;
  }
}

async function chainOnce(folders: readonly LogFolder[], key: NoteKey, options: VerifyOptions): Promise<ChainReport> {
  const reports: (VerifyReport | undefined)[] = folders.map(() => undefined);
  const recorded: Recorded[] = [];
  let recordings: number | undefined;
  let failure: ChainReport['failure'];
  let at = 0;
  const keysBefore = options.keys?.();

  /** One log with its own key; Damage of a link is told of its file. */
  async function one(index: number, of: NoteKey): Promise<VerifyReport> {
    at = index;
    const newest = index === folders.length - 1;
    const kept = keptOf(of, options.kept ?? []);
    const own = newest ? options : { ...options, witnesses: [], quorum: 0 };
    const { report, recorded: found } = await verifyOnce(
      folders[index]!.folder,
      of,
      { ...own, recordings: undefined, keys: undefined },
      kept,
    );
    reports[index] = report;
    recorded.push(found);
    if (report.failure) throw new Failed(report.failure);
    return report;
  }

  try {
    const names = await Promise.all(folders.map(({ folder }) => nameOf(folder)));
    knowsAll(options.kept ?? [], names);
    const start = names.indexOf(key.name);
    if (start < 0) throw new Damage('checkpoint', `none of these logs is ${key.name}`, meaning.unchained);
    const double = names.findIndex((name, index) => name !== undefined && names.indexOf(name) !== index);
    if (double >= 0) {
      at = double;
      throw new Damage('checkpoint', `a second log named ${names[double]}`, meaning.forked);
    }
    let known = await one(start, key);
    for (let index = start + 1; index < folders.length; index++) {
      at = index - 1;
      const { successor } = known;
      if (!successor) throw new Damage('journal', 'the log names no successor', meaning.unchained, known.entries);
      if (names[index] !== undefined && names[index] !== successor.origin) throw anotherSuccessor(known);
      const following = await one(index, parseVkey(successor.vkey));
      link(known, following);
      known = following;
    }
    known = reports[start]!;
    for (let index = start - 1; index >= 0; index--) {
      at = index + 1;
      const { predecessor } = known;
      if (!predecessor) throw new Damage(segmentFile(0), 'the log names no predecessor', meaning.unchained, 0);
      if (names[index] !== undefined && names[index] !== predecessor.origin)
        throw anotherPredecessor(predecessor.origin, names[index]!);
      const former = await one(index, parseVkey(predecessor.vkey));
      at = index + 1;
      link(former, known);
      known = former;
    }
    at = folders.length - 1;
    if (options.recordings !== undefined) {
      const seals = new Map(recorded.flatMap((log) => [...log.recordings]));
      const open = new Set(recorded.flatMap((log) => [...log.open()]));
      const deleted = new Set(recorded.flatMap((log) => [...log.destruction.recordingsDeleted]));
      recordings = await checkRecordings(options.recordings, seals, open, deleted);
    }
    if (keysBefore)
      checkKeys(
        recorded.map((log) => log.destruction),
        { before: keysBefore, after: options.keys!() },
      );
  } catch (cause) {
    if (cause instanceof Failed) failure = { ...cause.failure, log: folders[at]!.name };
    else if (cause instanceof Damage) failure = { ...failureOf(cause), log: folders[at]!.name };
    else throw cause;
  }
  return {
    ok: failure === undefined,
    logs: reports.filter((report) => report !== undefined),
    ...(recordings === undefined ? {} : { recordings }),
    ...(failure === undefined ? {} : { failure }),
  };
}

class Failed extends Error {
  readonly failure: VerifyFailure;
  constructor(failure: VerifyFailure) {
    super(failure.what);
    this.failure = failure;
  }
}

/** Damage unless the end of one log and the beginning of the next name each other. */
function link(former: VerifyReport, following: VerifyReport): void {
  const { successor } = former;
  const { predecessor } = following;
  const last = former.entries - 1;
  const first = segmentFile(0);
  if (!successor) throw new Damage('journal', `${former.origin} names no successor`, meaning.unchained, last);
  if (successor.origin !== following.origin || successor.vkey !== following.vkey) {
    throw anotherSuccessor(former);
  }
  if (!predecessor) throw new Damage(first, 'the log names no predecessor', meaning.unchained, 0);
  if (predecessor.origin !== former.origin || predecessor.vkey !== former.vkey)
    throw anotherPredecessor(predecessor.origin, former.origin);
  if (former.notYetUnderCheckpoint > 0)
    throw new Damage('journal', 'the log ended and its last entries are under no checkpoint', meaning.unchained, last);
  if (predecessor.size !== former.size || predecessor.root !== former.root) {
    const what = `the log continues ${predecessor.size} entries of ${former.origin} with another root or size than its ${former.size}`;
    throw new Damage(first, what, meaning.rewritten, 0);
  }
  if ((following.from ?? 0) < (former.to ?? 0)) throw new Damage(first, 'time runs backwards', meaning.changed, 0);
}

function anotherSuccessor({ origin, successor, entries }: VerifyReport): Damage {
  const what = `${origin} names another successor, ${successor!.origin}`;
  return new Damage('journal', what, meaning.forked, entries - 1);
}

function anotherPredecessor(named: string, is: string): Damage {
  return new Damage(segmentFile(0), `the log continues ${named}, not ${is}`, meaning.unchained, 0);
}

/** Of kept checkpoints those of one log, smallest first; NoteError when one is not by its key. */
function keptOf(key: NoteKey, notes: readonly string[]): Checkpoint[] {
  return notes
    .filter((note) => parseCheckpoint(parseNote(note).text).origin === key.name)
    .map((note) => openCheckpoint(note, key))
    .sort((a, b) => a.size - b.size);
}

function knowsAll(notes: readonly string[], names: readonly (string | undefined)[]): void {
  for (const note of notes) {
    const { origin } = parseCheckpoint(parseNote(note).text);
    if (!names.includes(origin))
      throw new NoteError(`a kept checkpoint is of the log "${origin}", which is none of these`);
  }
}

/** What a log's checkpoint calls it: only where to begin, believed by nobody. */
async function nameOf(folder: Folder): Promise<string | undefined> {
  try {
    return parseCheckpoint(parseNote(textOf((await folder.read('checkpoint'))!)).text).origin;
  } catch {
    return undefined;
  }
}
