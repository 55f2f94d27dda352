// Everything that can be derived, derived again and compared: journal, order, tiles, checkpoint, lock, recordings, keys. Unlike the
// verifier it names all that is wrong and trusts the state folder too; it changes nothing (docs/ledger-repair.md; repair.ts).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { meaning } from './damage.ts';
import { onDisk } from './disk-folder.ts';
import type { Finding } from './finding.ts';
import { checkJournal } from './fsck-journal.ts';
import { type Mend, openTileCheck } from './fsck-tiles.ts';
import { checkKeys } from './keys-check.ts';
import { type Lock, peekLock } from './lock.ts';
import { type Checkpoint, type NoteKey, parseVkey } from './note.ts';
import { allocate, textOf } from './platform.ts';
import { readJournal } from './read-journal.ts';
import { parseTilePath } from './tile.ts';
import { readTiles } from './tile-reading.ts';
import { openCheckpoint } from './verify-cosigned.ts';
import { measureRecording, recordingFile, type RecordingSeal } from './verify-recordings.ts';

export interface FsckPlace {
  readonly folder: string;
  readonly state: string;
  /** Where lock and signing key of this log lie, when not in the state folder (a log after a rotation). */
  readonly signing?: string;
  readonly recordings?: string;
  /** Folders of the logs before this one, whose sessions have recordings too. */
  readonly earlier?: readonly string[];
  progress?(entries: number): void;
}

export interface FsckReport {
  readonly ok: boolean;
  readonly origin: string;
  /** Who writes it now; absent when nobody does. */
  readonly heldBy?: string;
  readonly entries: number;
  /** Entries under the checkpoint that was signed last. */
  readonly signed: number;
  readonly checked: {
    readonly segments: number;
    readonly tiles: number;
    readonly recordings: number;
    /** Keys that seal payloads, and how many of them there are no more. */
    readonly keys: number;
    readonly destroyedKeys: number;
  };
  readonly findings: readonly Finding[];
  /** What could not be looked at, and why. */
  readonly notes: readonly string[];
}

/** With `lock` the caller holds it, and its word is read from it; `mend` is given what tiles should hold. */
export async function fsck(place: FsckPlace, lock?: Lock, mend?: Mend): Promise<FsckReport> {
  const findings: Finding[] = [];
  const notes: string[] = [];
  const found = (finding: Finding) => void findings.push(finding);
  const folder = onDisk(place.folder);
  const { signing = place.state } = place;
  const key = parseVkey(readFileSync(join(signing, 'ledger.vkey'), 'utf8').trim());

  const peeked = lock ? ({ is: 'free', checkpoint: lock.checkpoint() } as const) : peekLock(signing);
  const live = peeked.is === 'held';
  const published = await readNote('checkpoint');
  let locked: Checkpoint | undefined;
  if (peeked.is === 'damaged') {
    found({ file: 'lock.sqlite', what: `the lock cannot be read: ${peeked.why}`, meaning: lostLock });
  } else if (peeked.is === 'held') {
    notes.push(`the lock was not read: ${peeked.by} holds it, and the published checkpoint was taken for its word`);
  } else if (peeked.checkpoint !== undefined) {
    locked = opened(peeked.checkpoint, key);
    if (!locked) found({ file: 'lock.sqlite', what: 'the checkpoint in the lock does not verify', meaning: lostLock });
  }
  checkPublished(published, locked, live, found);
  const signed = locked ?? published.checkpoint ?? { origin: key.name, size: 0, root: allocate(0) };

  const files = await folder.walk();
  const isTile = ({ path, plain }: (typeof files)[number]) => plain && parseTilePath(path) !== undefined;
  const tileFiles = files.filter(isTile).map(({ path }) => path);
  for (const file of files) {
    if (isTile(file) || (file.plain && /^(checkpoint(\.cosigned)?|journal\/\d{12})$/.test(file.path))) continue;
    found({ file: file.path, what: 'this file does not belong to a ledger', meaning: stranger });
  }
  const tiles = openTileCheck(folder, tileFiles, signed.size, found, mend);
  const journal = await checkJournal({
    folder,
    key,
    signed,
    tiles,
    live,
    found,
    progress: place.progress,
  });
  const cosigned = await readNote('checkpoint.cosigned');
  if (cosigned.note !== undefined && !cosigned.checkpoint) {
    const what = 'the checkpoint that witnesses signed does not verify';
    found({
      file: 'checkpoint.cosigned',
      what,
      meaning: 'Remove it after a look at it; the next round of the witnesses writes it anew.',
    });
  }
  if (!journal.leads || !journal.whole) await distrust();
  const recordings = await checkRecordings();
  const keys = checkKeyDatabase();

  return {
    ok: findings.length === 0,
    origin: key.name,
    ...(peeked.is === 'held' ? { heldBy: peeked.by } : {}),
    entries: journal.entries,
    signed: signed.size,
    checked: { segments: journal.segments, tiles: tiles.checked, recordings, ...keys },
    findings,
    notes,
  };

  async function readNote(file: string): Promise<{ readonly note?: string; readonly checkpoint?: Checkpoint }> {
    const bytes = await folder.read(file);
    if (!bytes) return {};
    const note = textOf(bytes);
    const checkpoint = opened(note, key);
    return { note, ...(checkpoint ? { checkpoint } : {}) };
  }

  /** Derived files are mended from a journal that leads to what was signed. From another one they are evidence. */
  async function distrust(): Promise<void> {
    for (const [at, { repair, ...finding }] of findings.entries()) {
      if (repair === undefined || repair === 'publish') continue;
      if (repair === 'aside' && journal.leads) continue;
      findings[at] = { ...finding, meaning: repair === 'rebuild' ? evidence : meaning.changed };
    }
    const root = await readTiles(async (path) => readFileSync(join(place.folder, path)), signed.size)
      .root(signed.size)
      .catch(() => undefined);
    if (root && Buffer.compare(root, signed.root) === 0) {
      notes.push(
        `the tiles lead to the checkpoint that was signed: entries can still be taken from tile/entries (countersign ledger proof)`,
      );
    }
  }

  async function checkRecordings(): Promise<number> {
    if (place.recordings === undefined) return 0;
    if (!journal.whole) {
      notes.push('recordings were not compared: not all of the journal could be read');
      return 0;
    }
    const of = onDisk(place.recordings);
    const known = new Set([...journal.rules.open()].map(recordingFile));
    for (const one of place.earlier ?? []) await addSessions(one, known);
    let checked = 0;
    for (const [session, { index, seal }] of journal.rules.recordings) {
      const file = recordingFile(session);
      if (seal.chunks === 0 && seal.bytes === 0) continue;
      known.add(file);
      checked++;
      const handle = await of.open(file);
      const is = handle && (await measureRecording(handle));
      if (!is) found({ file, index, what: 'the recording is missing', meaning: meaning.missing });
      else if (!same(is, seal) || is.rest > 0) {
        found({ file, index, what: 'the recording is not the one that its session sealed', meaning: meaning.changed });
      }
    }
    // A running gateway has opened sessions since the journal was read.
    if (live) return checked;
    for (const { path } of await of.walk()) {
      if (!path.endsWith('.rec') || known.has(path)) continue;
      found({ file: path, what: 'no session of the ledger has this recording', meaning: stranger });
    }
    return checked;
  }

  function checkKeyDatabase(): { keys: number; destroyedKeys: number } {
    const state = checkKeys(place.state);
    if ('wrong' in state) {
      found({ file: 'keys.sqlite', what: state.wrong, meaning: lostKeys });
      return { keys: journal.keys.size, destroyedKeys: 0 };
    }
    return { keys: journal.keys.size, destroyedKeys: [...journal.keys].filter((id) => !state.ids.has(id)).length };
  }
}

/** Recordings of an earlier log, whose seals `countersign verify` compares. */
async function addSessions(folder: string, known: Set<string>): Promise<void> {
  for await (const { entry } of readJournal(folder, 0))
    if (entry.t === 'session.open') known.add(recordingFile(entry.sid!));
}

function checkPublished(
  { note, checkpoint }: { readonly note?: string; readonly checkpoint?: Checkpoint },
  locked: Checkpoint | undefined,
  live: boolean,
  found: (finding: Finding) => void,
): void {
  const file = 'checkpoint';
  const repair = locked && !live ? ({ repair: 'publish' } as const) : {};
  const again = locked ? 'The lock has the last one that was signed; it can be published again.' : meaning.changed;
  if (note === undefined) {
    if (locked || live) found({ file, what: 'there is no checkpoint', meaning: again, ...repair });
  } else if (!checkpoint) {
    found({ file, what: 'the checkpoint does not verify', meaning: again, ...repair });
  } else if (locked && checkpoint.size < locked.size) {
    const what = `the checkpoint covers ${checkpoint.size} entries, the last one that was signed ${locked.size}`;
    found({ file, what, meaning: again, ...repair });
  } else if (locked && (checkpoint.size > locked.size || Buffer.compare(checkpoint.root, locked.root) !== 0)) {
    const what = 'the checkpoint is not the last one that the lock saw signed';
    found({ file, what, meaning: 'The ledger or its state folder was rolled back. Restore the newest copy of both.' });
  }
}

function opened(note: string, key: NoteKey): Checkpoint | undefined {
  try {
    return openCheckpoint(note, key);
  } catch {
    return undefined;
  }
}

function same(a: RecordingSeal, b: RecordingSeal): boolean {
  return a.chunks === b.chunks && a.bytes === b.bytes && a.root === b.root;
}

const lostLock =
  'It protects the ledger against being rolled back, and is never made anew. Restore the state folder together with the ledger.';
const lostKeys = 'Without it no payload and no recording can be read. Restore it from your backup of the state folder.';
const stranger = 'Somebody put it there. Remove it after a look at it.';
const evidence =
  'The journal is not what was signed, so this file may be what is right. Keep it; compare with a copy or a backup.';
