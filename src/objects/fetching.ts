// A ledger folder out of an object store, for whoever verifies it or restores it. The first version of each name is what counts:
// what was put over it later, or hidden under a mark of deletion, changes nothing. What is fetched is not believed: it is verified.
import { appendFile, mkdir, open, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { segmentFile } from '../ledger/journal-reading.ts';
import { parseCheckpoint, parseNote } from '../ledger/note.ts';
import { parseTilePath, rightEdge, tilePath, tileWidth } from '../ledger/tile.ts';
import { isTimestampFile } from '../ledger/verify-timestamps.ts';
import { nextPiece } from './journal-bytes.ts';
import { before, indexOf, partFolder, type Place, segmentFolder, wholeFrames } from './part.ts';
import { Conflict, type ObjectStore, type Version } from './object-store.ts';
import { checkpointKey } from './standing.ts';

export interface FetchOptions {
  /** Folder that gets `ledger`, and `recordings` where they are wanted. */
  readonly out: string;
  readonly recordings?: boolean;
  /** Most checkpoints of the past to bring along, spread over all there are. */
  readonly history?: number;
}

export interface Fetched {
  /** Entries whose frames are there. */
  readonly entries: number;
  /** Entries under the checkpoint that was chosen. */
  readonly size: number;
  /** Checkpoints that were published there over time, the newest first. Not verified. */
  readonly checkpoints: readonly string[];
  readonly recordings: number;
  /** Names that somebody wrote again later, or hid under a mark of deletion. */
  readonly touched: readonly string[];
}

const parallel = 8;

export async function fetchLedger(store: ObjectStore, options: FetchOptions): Promise<Fetched> {
  const folder = join(options.out, 'ledger');
  await mkdir(join(folder, 'journal'), { recursive: true, mode: 0o750 });
  const touched: string[] = [];
  const checkpoints = await checkpointHistory(store, options.history ?? 50);
  const chosen = largest(checkpoints);
  if (!chosen)
    throw new Conflict(
      `there is no checkpoint in ${store.name}: check the name, or wait until the gateway has copied one`,
    );
  const entries = await fetchJournal(store, folder, touched);
  await fetchTiles(store, folder, chosen.size, touched);
  await writeFile(join(folder, 'checkpoint'), chosen.note);
  for (const { key } of await firstVersions(store, `${checkpointKey}.`, []))
    await writeFile(join(folder, key.slice('ledger/'.length)), (await store.get(key)) ?? '');
  const stamps = await firstVersions(store, 'ledger/timestamps/', touched);
  const named = stamps.filter(({ key }) => isTimestampFile(key.slice('ledger/'.length)));
  await each(named, (stamp) => download(store, stamp, join(folder, stamp.key.slice('ledger/'.length))));
  const recordings = options.recordings ? await fetchRecordings(store, options.out, touched) : 0;
  return { entries, size: chosen.size, checkpoints, recordings, touched };
}

/** Checkpoints that were there over time: the newest, the oldest, and some between them. */
async function checkpointHistory(store: ObjectStore, most: number): Promise<string[]> {
  const all: Version[] = [];
  for await (const version of store.versions(checkpointKey))
    if (version.key === checkpointKey && !version.marker) all.push(version);
  const step = Math.max(1, (all.length - 1) / Math.max(1, most - 1));
  const wanted = new Set<number>();
  for (let at = 0; at < all.length && wanted.size < most; at += step) wanted.add(Math.round(at));
  const notes: string[] = [];
  for (const at of wanted) {
    const { key, version } = all[at]!;
    const bytes = await store.get(key, version);
    if (bytes) notes.push(bytes.toString('utf8'));
  }
  return notes;
}

function largest(notes: readonly string[]): { size: number; note: string } | undefined {
  let found: { size: number; note: string } | undefined;
  for (const note of notes) {
    try {
      const { size } = parseCheckpoint(parseNote(note).text);
      if (!found || size > found.size) found = { size, note };
    } catch {
      // Somebody put something else there; the verifier is shown what is left.
    }
  }
  return found;
}

/** Segments, whole where they were copied whole, else put together from their parts. Returns the entries. */
async function fetchJournal(store: ObjectStore, folder: string, touched: string[]): Promise<number> {
  const whole = byIndex(await firstVersions(store, segmentFolder, touched));
  const parts = await versionsByIndex(store, partFolder, touched);
  let place: Place = { segment: 0, offset: 0, next: 0 };
  for (;;) {
    const segment = whole.get(place.next);
    if (segment) {
      await download(store, segment, join(folder, segmentFile(place.next)));
      place = await endOf(folder, place.next);
      continue;
    }
    const after = await appendPart(store, folder, parts.get(place.next) ?? [], place);
    if (!after) break;
    place = after;
  }
  const lost = [...whole.keys(), ...parts.keys()].filter((index) => index >= place.next).sort((a, b) => a - b);
  if (lost.length > 0)
    throw new Conflict(`${store.name} lacks what comes before entry ${lost[0]}: its entries end at ${place.next}`);
  return place.next;
}

async function endOf(folder: string, segment: number): Promise<Place> {
  let place: Place = { segment, offset: 0, next: segment };
  for (let piece = await nextPiece(folder, place, Number.POSITIVE_INFINITY); piece; ) {
    place = piece.after;
    piece = await nextPiece(folder, place, Number.POSITIVE_INFINITY);
  }
  if (place.next === segment) throw new Conflict(`the segment ${segment} of the journal holds no whole frame`);
  return place;
}

/** Puts the first version that continues the journal behind it; undefined when none does. */
async function appendPart(
  store: ObjectStore,
  folder: string,
  versions: readonly Version[],
  place: Place,
): Promise<Place | undefined> {
  for (const { key, version } of versions) {
    const bytes = await store.get(key, version);
    if (!bytes || bytes.length < before) continue;
    // A part that begins with a segment's header starts a file; any other goes on in the one before.
    for (const at of [{ segment: place.next, offset: 0, next: place.next }, place]) {
      const path = join(folder, segmentFile(at.segment));
      const head = at.offset === 0 ? Buffer.alloc(0) : await lastTrailer(folder, at);
      const { end, next } = wholeFrames(Buffer.concat([head, bytes]), at, Number.POSITIVE_INFINITY);
      if (next === at.next || end !== head.length + bytes.length) continue;
      await appendFile(path, bytes);
      return { segment: at.segment, offset: at.offset + bytes.length, next };
    }
  }
  return undefined;
}

async function lastTrailer(folder: string, { segment, offset }: Place): Promise<Buffer> {
  const handle = await open(join(folder, segmentFile(segment)), 'r');
  try {
    const trailer = Buffer.alloc(before);
    await handle.read(trailer, 0, before, offset - before);
    return trailer;
  } finally {
    await handle.close();
  }
}

async function fetchTiles(store: ObjectStore, folder: string, size: number, touched: string[]): Promise<void> {
  const edge = new Set(rightEdge(size).map(tilePath));
  const wanted = (await firstVersions(store, 'ledger/tile/', touched)).filter(({ key }) => {
    const path = key.slice('ledger/'.length);
    const tile = parseTilePath(path);
    if (!tile) return false;
    const unit = tileWidth ** (tile.level === 'entries' ? 1 : tile.level + 1);
    return tile.width === tileWidth ? (tile.n + 1) * unit <= size : edge.has(path);
  });
  await each(wanted, (version) => download(store, version, join(folder, version.key.slice('ledger/'.length))));
}

async function fetchRecordings(store: ObjectStore, out: string, touched: string[]): Promise<number> {
  await mkdir(join(out, 'recordings'), { recursive: true, mode: 0o750 });
  const found = await firstVersions(store, 'recordings/', touched);
  const safe = found.filter(({ key }) => /^recordings\/(?:[\w-]+\/){0,4}[\w-]+(?:\.[\w-]+)?$/.test(key));
  await each(safe, (version) => download(store, version, join(out, version.key)));
  return safe.length;
}

async function each<T>(all: readonly T[], run: (one: T) => Promise<void>): Promise<void> {
  let at = 0;
  const lane = async () => {
    while (at < all.length) await run(all[at++]!);
  };
  await Promise.all(Array.from({ length: parallel }, lane));
}

async function download(store: ObjectStore, { key, version }: Version, path: string): Promise<void> {
  const content = await store.read(key, version);
  if (!content) throw new Conflict(`${store.name}${key} is listed and cannot be read`);
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  await writeFile(path, content, { flag: 'wx', mode: 0o640 });
}

async function versionsByIndex(store: ObjectStore, folder: string, touched: string[]): Promise<Map<number, Version[]>> {
  const found = new Map<number, Version[]>();
  for await (const version of store.versions(folder)) {
    const index = indexOf(version.key);
    if (index === undefined) continue;
    const all = found.get(index) ?? [];
    if (all.length === 1 || version.marker) touched.push(version.key);
    if (version.marker) continue;
    // The oldest comes last and is the first to be tried.
    all.unshift(version);
    found.set(index, all);
  }
  return found;
}

function byIndex(versions: readonly Version[]): Map<number, Version> {
  return new Map(
    versions.flatMap((version) => (indexOf(version.key) === undefined ? [] : [[indexOf(version.key)!, version]])),
  );
}

/** The oldest version of each name with content. */
async function firstVersions(store: ObjectStore, below: string, touched: string[]): Promise<Version[]> {
  const found = new Map<string, Version>();
  for await (const version of store.versions(below)) {
    if (version.marker || found.has(version.key)) touched.push(version.key);
    if (!version.marker) found.set(version.key, version);
  }
  return [...found.values()];
}
