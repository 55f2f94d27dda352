// Writes the vectors beside it: `node test/vectors/own/generate.ts`. The same bytes each time (test: own.test.ts, "made again").
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { canonical } from '../../../src/ledger/canonical.ts';
import type { Entry } from '../../../src/ledger/entry.ts';
import { frameTrailer, segmentHeaderSize } from '../../../src/ledger/frame.ts';

import { cosign, parseCheckpoint, parseNote, parseVkey } from '../../../src/ledger/note.ts';

import { readTiles } from '../../../src/ledger/tile-reading.ts';
import { formatTlogProof } from '../../../src/ledger/tlog-proof.ts';
import { type Piece, putTogether, type Signing } from '../../peers/forger.ts';
import { badLogs } from './bad-logs.ts';
import {
  chunkText,
  dataKeys,
  first,
  recording,
  second,
  secondLog,
  session,
  tinyLog,
  witnessKey,
  witnessVkey,
} from './tiny-log.ts';

export type Files = Readonly<Record<string, string>>;

export interface Vector {
  readonly name: string;
  readonly kind: string;
  readonly good: boolean;
  /** Part of what our verifier says about a bad one. */
  readonly complaint?: string;
  readonly [more: string]: unknown;
}

/** A folder as one JSON object: path → base64 of the file. */
export function pack(folder: string): Files {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(join(folder, name)).isFile())
      .sort()
      .map((name) => [name, readFileSync(join(folder, name)).toString('base64')]),
  );
}

export function unpack(files: Files, folder: string): void {
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), Buffer.from(bytes, 'base64'));
  }
}

function built(pieces: readonly Piece[], signing: Signing): Files {
  const folder = mkdtempSync(join(tmpdir(), 'vectors-'));
  try {
    putTogether(folder, pieces, signing);
    return pack(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const noteOf = (files: Files) => Buffer.from(files['checkpoint']!, 'base64').toString();
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** All vectors, by the file that they stand in. */
export async function vectors(): Promise<Readonly<Record<string, readonly Vector[]>>> {
  const good = built(tinyLog(), first);
  const ended = built(tinyLog('continued'), first);
  const end = parseCheckpoint(parseNote(noteOf(ended)).text);
  const predecessor = { origin: end.origin, root: end.root.toString('base64'), size: end.size, vkey: first.vkey };
  const next = built(secondLog(predecessor), second);
  const note = noteOf(good);
  const line = cosign(parseNote(note).text, parseVkey(witnessVkey), witnessKey, 1_767_322_800);
  const pieces = tinyLog();
  const entries = pieces.map(({ entry }) => canonical(entry as never));
  return {
    notes: notes(note, line),
    proofs: await proofs(good, note),
    canonical: texts(),
    entries: [
      ...tinyLog().flatMap(({ entry }, at): Vector[] =>
        entry.t === 'journal.seal'
          ? []
          : [{ name: `entry ${at} of the tiny log`, kind: 'entry', good: true, entry: entries[at]! }],
      ),
      ...badEntries(entries[3]!),
    ],
    tiles: tiles(good),
    frames: frames(good),
    payloads: payloads(pieces),
    recordings: recordings(),
    logs: await badLogs({ good, ended, next, built }),
  };
}

function notes(note: string, line: string): Vector[] {
  const both = `${note}${line}`;
  const keys = [first.vkey];
  const all = [first.vkey, witnessVkey];
  const sig = note.trimEnd().split(' ').at(-1)!;
  const flipped = (text: string) => {
    const bytes = Buffer.from(text, 'base64');
    bytes[40]! ^= 1;
    return bytes.toString('base64');
  };
  return [
    { name: 'a signed checkpoint', kind: 'note', good: true, note, keys },
    { name: 'cosigned by a witness', kind: 'note', good: true, note: both, keys: all },
    { name: 'an unknown signature beside the known one', kind: 'note', good: true, note: both, keys },
    {
      name: 'another size',
      kind: 'note',
      good: false,
      complaint: 'does not match the text',
      note: note.replace(/\n\d+\n/, '\n99\n'),
      keys,
    },
    {
      name: 'a changed signature',
      kind: 'note',
      good: false,
      complaint: 'does not match the text',
      note: note.replace(sig, flipped(sig)),
      keys,
    },
    {
      name: 'no signature by a known key',
      kind: 'note',
      good: false,
      complaint: 'no signature by a known key',
      note,
      keys: [second.vkey],
    },
    {
      name: 'a key under another name',
      kind: 'note',
      good: false,
      complaint: 'does not match its own key id',
      note,
      keys: [first.vkey.replace('vectors', 'vector')],
    },
    {
      name: 'a changed cosignature',
      kind: 'note',
      good: false,
      complaint: 'does not match the text',
      note: `${note}${line.replace(line.trimEnd().split(' ').at(-1)!, flipped(line.trimEnd().split(' ').at(-1)!))}`,
      keys: all,
    },
    {
      name: 'no signature block',
      kind: 'note',
      good: false,
      complaint: 'has no signature block',
      note: note.split('\n\n')[0]!,
      keys,
    },
    {
      name: 'a root of 31 bytes',
      kind: 'note',
      good: false,
      complaint: '',
      note: note.replace(/\n[A-Za-z0-9+/]{43}=\n/, `\n${Buffer.alloc(31).toString('base64')}\n`),
      keys,
    },
  ];
}

async function proofs(good: Files, note: string): Promise<Vector[]> {
  const { size } = parseCheckpoint(parseNote(note).text);
  const tiles = readTiles(async (path) => {
    const bytes = good[path];
    if (bytes === undefined) throw new Error(path);
    return Buffer.from(bytes, 'base64');
  }, size);
  const list: Vector[] = [];
  for (const index of [0, 5, size - 1]) {
    const proof = formatTlogProof({ index, path: await tiles.inclusion(index), checkpoint: note });
    const entry = (await tiles.entry(index)).toString();
    list.push({ name: `entry ${index}`, kind: 'proof', good: true, key: first.vkey, proof, entry });
    if (index !== 5) continue;
    const bad = (name: string, changed: object): Vector => ({
      name,
      kind: 'proof',
      good: false,
      complaint: '',
      key: first.vkey,
      proof,
      entry,
      ...changed,
    });
    list.push(
      bad('another entry', { entry: `${entry} ` }),
      bad('another index', { proof: proof.replace('index 5', 'index 4') }),
      bad('a hash too few', { proof: proof.replace(/(index 5\n)[^\n]+\n/, '$1') }),
      bad('a hash too many', { proof: proof.replace(/(index 5\n)([^\n]+\n)/, '$1$2$2') }),
      bad('an index that is not a number', { proof: proof.replace('index 5', 'index 05') }),
      bad('the key of another log', { key: second.vkey }),
    );
  }
  return list;
}

function texts(): Vector[] {
  const values: [string, string][] = [
    ['members in order of UTF-16', '{"\\u20ac":1,"\\ud83d\\ude00":2,"\\ufb33":3,"a":4,"B":5,"":6}'],
    ['numbers', '[0, -0, 1.0, 1e21, 123456789012345680000, 1e-7, 0.000001, 5e-324, 4.50, -1.5E3]'],
    ['texts', '["\\u0000\\b\\t\\n\\f\\r\\"\\\\/\\u007f\\u2028", "é", "🦊"]'],
    ['literals and nesting', ' { "z" : [ true , false , null , { } , [ ] ] , "a" : { "b" : { "c" : 1 } } } '],
  ];
  return [
    ...values.map(
      ([name, input]): Vector => ({ name, kind: 'canonical', good: true, input, output: canonical(JSON.parse(input)) }),
    ),
    {
      name: 'white space left in',
      kind: 'canonical',
      good: false,
      complaint: '',
      input: '{"a":1}',
      output: '{"a": 1}',
    },
    {
      name: 'members out of order',
      kind: 'canonical',
      good: false,
      complaint: '',
      input: '{"b":1,"a":2}',
      output: '{"b":1,"a":2}',
    },
    {
      name: 'a number written otherwise',
      kind: 'canonical',
      good: false,
      complaint: '',
      input: '{"a":10}',
      output: '{"a":1e1}',
    },
  ];
}

function badEntries(entry: string): Vector[] {
  const value = JSON.parse(entry) as Entry;
  const bad = (name: string, complaint: string, text: string): Vector => ({
    name,
    kind: 'entry',
    good: false,
    complaint,
    entry: text,
  });
  const changed = (members: object) => canonical({ ...value, ...members } as never);
  const without = (member: keyof Entry) =>
    canonical(Object.fromEntries(Object.entries(value).filter(([name]) => name !== member)) as never);
  return [
    bad('white space', 'is not canonical JSON', entry.replace(',', ', ')),
    bad('a member twice', 'is not canonical JSON', entry.replace('{', '{"boot":"x",')),
    bad('an unknown member', 'has the unknown member', changed({ z: 1 })),
    bad('another version', 'has an unknown version', changed({ v: 2 })),
    bad('an unknown type', 'has an unknown type', changed({ t: 'session.close' })),
    bad('no time', 'has no time', without('ts')),
    bad('a time with a fraction', 'has no time', changed({ ts: 1.5 })),
    bad('a session id that a path would follow', 'has a malformed session id', changed({ sid: '../x' })),
    bad('a key without commitments', 'has commitments without a key', without('c')),
    bad('commitments without a key', 'has commitments without a key', without('k')),
    bad('a commitment of an unknown group', 'has malformed commitments', changed({ c: { secret: 'A'.repeat(43) } })),
    bad('a commitment of 42 characters', 'has malformed commitments', changed({ c: { who: 'A'.repeat(42) } })),
    bad('a sequence number of 0', 'has a malformed sequence number', changed({ sq: 0 })),
    bad('facts that are a list', 'has no facts', changed({ x: [] })),
    bad('too long', 'is longer than 8192 bytes', changed({ x: { a: 'a'.repeat(8192) } })),
  ];
}

function tiles(good: Files): Vector[] {
  const bundle = Buffer.from(Object.entries(good).find(([name]) => name.startsWith('tile/entries/'))![1], 'base64');
  const tile = Buffer.from(Object.entries(good).find(([name]) => name.startsWith('tile/0/'))![1], 'base64');
  const flip = (bytes: Buffer, at: number) => {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 1;
    return hex(changed);
  };
  return [
    { name: 'bundle and tile of the tiny log', kind: 'tile', good: true, bundle: hex(bundle), tile: hex(tile) },
    { name: 'a changed entry', kind: 'tile', good: false, complaint: '', bundle: flip(bundle, 20), tile: hex(tile) },
    { name: 'a changed hash', kind: 'tile', good: false, complaint: '', bundle: hex(bundle), tile: flip(tile, 20) },
    {
      name: 'a bundle cut short',
      kind: 'tile',
      good: false,
      complaint: '',
      bundle: hex(bundle.subarray(0, -1)),
      tile: hex(tile),
    },
    {
      name: 'a hash too few',
      kind: 'tile',
      good: false,
      complaint: '',
      bundle: hex(bundle),
      tile: hex(tile.subarray(0, -32)),
    },
  ];
}

function frames(good: Files): Vector[] {
  const segment = Buffer.from(good['journal/000000000001']!, 'base64');
  const previous = segment.subarray(16, segmentHeaderSize);
  const body = segment.readUInt32BE(segmentHeaderSize + 16);
  const frame = segment.subarray(segmentHeaderSize, segmentHeaderSize + 24 + body + 32);
  const changed = (at: number, rehash: boolean) => {
    const bytes = Buffer.from(frame);
    bytes[at < 0 ? bytes.length + at : at]! ^= 1;
    if (rehash) frameTrailer(previous, bytes.subarray(0, -32)).copy(bytes, bytes.length - 32);
    return hex(bytes);
  };
  const base = { kind: 'frame', previous: hex(previous) };
  return [
    { ...base, name: 'a frame of two entries', good: true, frame: hex(frame) },
    { ...base, name: 'a changed body', good: false, complaint: '', frame: changed(60, false) },
    { ...base, name: 'a changed trailer', good: false, complaint: '', frame: changed(-1, false) },
    {
      ...base,
      name: 'behind another frame',
      good: false,
      complaint: '',
      previous: hex(Buffer.alloc(32)),
      frame: hex(frame),
    },
    { ...base, name: 'a header whose CRC is wrong', good: false, complaint: '', frame: changed(22, true) },
    { ...base, name: 'another magic', good: false, complaint: '', frame: changed(0, true) },
    { ...base, name: 'a body that is not filled exactly', good: false, complaint: '', frame: changed(25, true) },
    { ...base, name: 'cut short', good: false, complaint: '', frame: hex(frame.subarray(0, -40)) },
  ];
}

function payloads(pieces: readonly Piece[]): Vector[] {
  const list = pieces.flatMap(({ entry, sealed }, index): Vector[] =>
    sealed
      ? [
          {
            name: `payload of entry ${index}`,
            kind: 'payload',
            good: true,
            key: hex(dataKeys[sealed.key]!),
            index,
            entry: canonical(entry as never),
            position: sealed.position,
            sealed: hex(sealed.bytes),
          },
        ]
      : [],
  );
  const [one, two] = list.slice(1) as [Vector, Vector];
  const bad = (name: string, changed: object): Vector => ({ ...one, name, good: false, complaint: '', ...changed });
  return [
    ...list,
    bad('under another key', { key: hex(Buffer.alloc(32, 0x33)) }),
    bad('at another position', { position: (one['position'] as number) + 1 }),
    bad('of another entry', { entry: two['entry'] }),
    bad('at another index', { index: (one['index'] as number) + 1 }),
    bad('changed', { sealed: (one['sealed'] as string).replace(/..(....)$/, '00$1') }),
  ];
}

function recordings(): Vector[] {
  const { file, seal } = recording();
  const base = {
    kind: 'recording',
    key: hex(dataKeys['key-1']!),
    session,
    seal,
    chunks: [chunkText(0), chunkText(1)].map(hex),
  };
  const at = 8 + 5;
  const length = file.readUInt32BE(at);
  const [one, two] = [file.subarray(at, at + 4 + length), file.subarray(at + 4 + length)];
  const changed = Buffer.from(file);
  changed[at + 8]! ^= 1;
  const bad = (name: string, bytes: Buffer): Vector => ({
    ...base,
    name,
    good: false,
    complaint: '',
    file: hex(bytes),
  });
  return [
    { ...base, name: 'a recording of two chunks', good: true, file: hex(file) },
    bad('a changed byte', changed),
    bad('chunks swapped', Buffer.concat([file.subarray(0, at), two, one])),
    bad('a chunk missing', Buffer.concat([file.subarray(0, at), two])),
    bad('cut inside a chunk', file.subarray(0, -1)),
    { ...base, name: 'of another session', good: false, complaint: '', file: hex(file), session: 'session-2' },
  ];
}

/** The text of a file of vectors. */
export const textOf = (list: readonly Vector[]): string => `${JSON.stringify(list, undefined, 1)}\n`;

if (import.meta.main) {
  for (const [name, list] of Object.entries(await vectors()))
    writeFileSync(join(import.meta.dirname, `${name}.json`), textOf(list));
}
