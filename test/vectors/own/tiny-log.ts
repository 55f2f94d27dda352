// The entries, keys and recording of the tiny log that the published vectors are made from. Everything is fixed: times, ids, keys.
import { createCipheriv, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import type { Json } from '../../../src/domain/entry.ts';
import type { Entry } from '../../../src/ledger/entry.ts';
import { leafHash, treeHash } from '../../../src/ledger/hash.ts';
import { formatVkey } from '../../../src/ledger/note.ts';
import { commit, type Payload, sealInPlace, sealPosition } from '../../../src/ledger/payload.ts';
import { recordingKey, type SessionKey, sessionKey } from '../../../src/ledger/session-key.ts';
import { recordingHeader } from '../../../src/ledger/verify-recordings.ts';
import { chunkContext } from '../../../src/recordings/chunks.ts';
import { type FrameKind, frameHeaderSize, writeFrame } from '../../../src/recordings/frames.ts';
import type { Piece, Signing } from '../../peers/forger.ts';

/** An Ed25519 key from a seed that everybody knows. */
export function privateKey(seed: number): KeyObject {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, seed)]);
  return createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
}

export function signingOf(origin: string, seed: number): Signing {
  const key = privateKey(seed);
  return { vkey: formatVkey(origin, createPublicKey(key)), key };
}

export const first = signingOf('example.org/vectors', 1);
export const second = signingOf('example.org/vectors/2', 2);
export const witnessKey = privateKey(3);
export const witnessVkey = formatVkey('witness.example.org/w', createPublicKey(witnessKey), 'witness');

/** Data keys, by id. */
export const dataKeys: Readonly<Record<string, Buffer>> = {
  'key-1': Buffer.alloc(32, 0x11),
  'key-2': Buffer.alloc(32, 0x22),
};
export const keyOf = (id: string): SessionKey => sessionKey(id, dataKeys[id]!);

const start = Date.UTC(2026, 0, 2, 3, 4, 5);
export const session = 'session-1';

/** A zstd frame with one raw block: the same bytes with every version of zstd. */
export function rawZstd(bytes: Buffer): Buffer {
  if (bytes.length > 255) throw new RangeError('one byte of size');
  const block = Buffer.alloc(3);
  block.writeUIntLE((bytes.length << 3) | 1, 0, 3);
  return Buffer.concat([Buffer.from('28b52ffd20', 'hex'), Buffer.from([bytes.length]), block, bytes]);
}

const chunks: readonly (readonly [FrameKind, number, string])[][] = [
  [['meta', start, '{"rule":"full"}\n']],
  [
    ['client', start + 4_000, '{"sequence":1,"text":"select 1"}\n'],
    ['target', start + 4_010, 'D\0\0\0\u000b\0\u0001\0\0\0\u00011'],
  ],
];

export function chunkText(at: number): Buffer {
  const frames = chunks[at]!.map(([kind, time, text]) => {
    const bytes = Buffer.from(text);
    const frame = Buffer.alloc(frameHeaderSize + bytes.length);
    writeFrame(frame, 0, kind, time, bytes);
    return frame;
  });
  return Buffer.concat(frames);
}

/** The recording of the session, and what its seal says of it. */
export function recording(): { file: Buffer; seal: Json } {
  const header = recordingHeader('key-1');
  const secret = recordingKey(keyOf('key-1'), session);
  const sealed = chunks.map((_, number) => {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(number, 8);
    const cipher = createCipheriv('aes-256-gcm', secret, nonce);
    cipher.setAAD(chunkContext(session, number));
    return Buffer.concat([cipher.update(rawZstd(chunkText(number))), cipher.final(), cipher.getAuthTag()]);
  });
  const file = Buffer.concat([
    header,
    ...sealed.flatMap((chunk) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(chunk.length);
      return [length, chunk];
    }),
  ]);
  const root = treeHash([header, ...sealed].map(leafHash)).toString('hex');
  const bytes = (kind: FrameKind) =>
    chunks.flat().reduce((sum, [of, , text]) => sum + (of === kind ? Buffer.byteLength(text) : 0), 0);
  const kept = { client: bytes('client'), target: bytes('target') };
  return { file, seal: { bytes: file.length, chunks: chunks.length, kept, root, rule: 'full' } };
}

/** Makes entries one after the other. */
export function writer(gw: string) {
  const pieces: Piece[] = [];
  let boot = '';
  let ts = start;
  let segment = 0;
  let frame = -1;
  const keys = new Map(Object.keys(dataKeys).map((id) => [id, keyOf(id)]));
  return {
    pieces,
    boot(id: string, ended?: string): void {
      const previous = { boot, ended: ended ?? '', last: pieces.length - 1, torn: 0 };
      boot = id;
      segment = pieces.length;
      if (ended === undefined) return;
      this.add('gateway.start', { boot, heartbeatMs: 600_000, previous });
      // In the same frame: the seal of the segment before.
      this.add('journal.seal', {}, {}, true);
    },
    add(
      t: Entry['t'],
      x: Readonly<Record<string, Json>>,
      of: { sid?: string; sq?: number; key?: string; payload?: Payload } = {},
      sameFrame = false,
    ): void {
      const index = pieces.length;
      if (!sameFrame) frame = index;
      ts += 1_000;
      let entry: Entry = { boot, gw, t, ts, v: 1, x };
      if (of.sid !== undefined) entry = { ...entry, sid: of.sid };
      if (of.sq !== undefined) entry = { ...entry, sq: of.sq };
      if (!of.payload) {
        pieces.push({ entry, segment, frame });
        return;
      }
      const key = keys.get(of.key!)!;
      const { text, commitments } = commit(key, index, of.payload)!;
      const bytes = Buffer.from(text);
      const position = sealPosition(key);
      sealInPlace(key, bytes, 0, bytes.length);
      entry = { ...entry, c: JSON.parse(commitments) as Entry['c'], k: of.key! };
      pieces.push({ entry, segment, frame, sealed: { key: of.key!, position, bytes } });
    },
  };
}

/** The good log: two boots, a session with a hold, a denial and a recording, three segments. */
export function tinyLog(end: 'stopped' | 'continued' = 'stopped'): Piece[] {
  const log = writer('gw-a');
  log.boot('boot-0');
  log.add('log.genesis', { origin: 'example.org/vectors', vkey: first.vkey });
  log.boot('boot-1', 'created');
  const of = { sid: session, key: 'key-1' };
  const who = { name: 'Ä gent', subject: 'agent-7' };
  log.add(
    'session.open',
    { database: 'shop', protocol: 'postgres', recording: 'full', target: 'shop' },
    { ...of, payload: { who } },
  );
  const decide = (sq: number, d: string, text: string) =>
    log.add('statement.decision', { d, k: 'execute', r: ['base'] }, { ...of, sq, payload: { what: { text } } });
  decide(1, 'permit', 'select 1');
  log.add('statement.outcome', { bytes: 12, rows: 1, status: 'done' }, { sid: session, sq: 1 });
  decide(2, 'hold', 'delete from t — “all” 🦊');
  log.add('heartbeat', { open: 1 });
  decide(2, 'permit', 'delete from t — “all” 🦊');
  log.add('statement.outcome', { bytes: 0, rows: 0, status: 'done' }, { sid: session, sq: 2 });
  decide(3, 'deny', 'drop table t');
  log.add('session.seal', { cause: 'closed', n: 3, recording: recording().seal }, { sid: session });
  log.boot('boot-2', 'crashed');
  const admin = { by: 'https://issuer.test|dana', did: 'read', what: 'session-1' };
  log.add('evidence.access', { kind: 'replay' }, { key: 'key-2', payload: { admin } });
  if (end === 'stopped') log.add('gateway.stop', { boot: 'boot-2' });
  else log.add('log.successor', { origin: second.vkey.split('+')[0]!, reason: 'routine', vkey: second.vkey });
  return log.pieces;
}

/** The log that continues it. */
export function secondLog(predecessor: Json): Piece[] {
  const log = writer('gw-a');
  log.boot('boot-3');
  log.add('log.genesis', { origin: 'example.org/vectors/2', predecessor, vkey: second.vkey });
  const pieces = log.pieces.map((piece) => ({ ...piece, entry: { ...piece.entry, ts: piece.entry.ts + 3_600_000 } }));
  return pieces;
}
