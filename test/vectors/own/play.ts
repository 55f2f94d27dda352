// Plays one of the published vectors with our own code. Returns what is wrong with it, in words; undefined when it is good.
import { createDecipheriv } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { canonical } from '../../../src/ledger/canonical.ts';
import { parseEntry, type Entry } from '../../../src/ledger/entry.ts';
import { frameHeaderSize, frameTrailer, parseBody, parseFrameHeader } from '../../../src/ledger/frame.ts';
import { leafHash } from '../../../src/ledger/hash.ts';
import { openNote, parseCheckpoint, parseVkey } from '../../../src/ledger/note.ts';
import { unseal } from '../../../src/ledger/payload.ts';
import { recordingKey, sessionKey } from '../../../src/ledger/session-key.ts';
import { parseBundle } from '../../../src/ledger/tile.ts';
import { checkTlogProof } from '../../../src/ledger/tlog-proof.ts';
import { verifyChain, verifyLedger } from '../../../src/ledger/verify-disk.ts';
import { measureRecording, type RecordingSeal, readChunks } from '../../../src/ledger/verify-recordings.ts';
import { chunkContext } from '../../../src/recordings/chunks.ts';
import { type Files, unpack, type Vector } from './generate.ts';

type Player = (vector: never) => string | undefined | Promise<string | undefined>;

function told(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (cause) {
    return (cause as Error).message;
  }
}

const players: Readonly<Record<string, Player>> = {
  note: ({ note, keys }: { note: string; keys: string[] }) =>
    told(() => {
      const { signers, text } = openNote(note, keys.map(parseVkey));
      parseCheckpoint(text);
      if (signers.length !== keys.length) throw new Error('not all of the keys signed');
    }),
  proof: ({ proof, entry, key }: { proof: string; entry: string; key: string }) =>
    told(() => checkTlogProof(proof, Buffer.from(entry), parseVkey(key))),
  canonical: ({ input, output }: { input: string; output: string }) =>
    canonical(JSON.parse(input)) === output ? undefined : 'the output is another text',
  entry({ entry }: { entry: string }) {
    const read = parseEntry(Buffer.from(entry));
    return typeof read === 'string' ? read : undefined;
  },
  tile({ bundle, tile }: { bundle: string; tile: string }) {
    const entries = parseBundle(Buffer.from(bundle, 'hex'));
    if (!entries) return 'the bundle is not well formed';
    return Buffer.concat(entries.map((entry) => leafHash(entry))).toString('hex') === tile
      ? undefined
      : 'the tile holds other hashes';
  },
  frame({ frame, previous }: { frame: string; previous: string }) {
    const bytes = Buffer.from(frame, 'hex');
    const header = parseFrameHeader(bytes.subarray(0, frameHeaderSize));
    if (!header) return 'the header is damaged';
    const end = frameHeaderSize + header.body;
    if (bytes.length !== end + 32) return 'the frame has another length';
    if (!frameTrailer(Buffer.from(previous, 'hex'), bytes.subarray(0, end)).equals(bytes.subarray(end)))
      return 'the chain is broken';
    return parseBody(bytes.subarray(frameHeaderSize, end), header.first, header.count)
      ? undefined
      : 'the body is not filled exactly';
  },
  payload({
    key,
    index,
    entry,
    position,
    sealed,
  }: {
    key: string;
    index: number;
    entry: string;
    position: number;
    sealed: string;
  }) {
    const read = JSON.parse(entry) as Entry;
    const opened = unseal(
      sessionKey(read.k!, Buffer.from(key, 'hex')),
      read,
      index,
      position,
      Buffer.from(sealed, 'hex'),
    );
    return typeof opened === 'string' ? opened : undefined;
  },
  recording: playRecording,
  log: playLog,
};

async function playRecording(of: {
  file: string;
  key: string;
  session: string;
  seal: RecordingSeal;
  chunks: string[];
}): Promise<string | undefined> {
  const bytes = Buffer.from(of.file, 'hex');
  const file = () => ({
    size: bytes.length,
    read: async (into: Uint8Array, at: number, length: number, from: number) => {
      into.set(bytes.subarray(from, from + length), at);
      return Math.min(length, bytes.length - from);
    },
    close: async () => undefined,
  });
  const { chunks, root, rest, bytes: measured } = await measureRecording(file());
  if (rest > 0 || chunks !== of.seal.chunks || measured !== of.seal.bytes || root !== of.seal.root)
    return 'not as sealed';
  const secret = recordingKey(sessionKey('key-1', Buffer.from(of.key, 'hex')), of.session);
  let number = -1;
  for await (const chunk of readChunks(file())) {
    if (number >= 0) {
      const nonce = Buffer.alloc(12);
      nonce.writeUInt32BE(number, 8);
      const cipher = createDecipheriv('aes-256-gcm', secret, nonce);
      cipher.setAAD(chunkContext(of.session, number));
      cipher.setAuthTag(chunk.subarray(-16));
      try {
        const opened = zstdDecompressSync(Buffer.concat([cipher.update(chunk.subarray(0, -16)), cipher.final()]));
        if (opened.toString('hex') !== of.chunks[number]) return 'the chunk holds something else';
      } catch {
        return 'the chunk does not open';
      }
    }
    number++;
  }
  return undefined;
}

async function playLog(of: {
  logs: Files[];
  key: string;
  kept?: string[];
  recordings?: Files;
}): Promise<string | undefined> {
  const root = mkdtempSync(join(tmpdir(), 'vector-'));
  try {
    const folders = of.logs.map((files, at) => {
      const folder = join(root, String(at));
      mkdirSync(folder);
      unpack(files, folder);
      return folder;
    });
    const recordings = of.recordings && join(root, 'recordings');
    if (of.recordings) unpack(of.recordings, recordings!);
    const options = { ...(of.kept ? { kept: of.kept } : {}), ...(recordings ? { recordings } : {}) };
    const [one, more] = folders as [string, string?];
    const { failure } =
      more === undefined ? await verifyLedger(one, of.key, options) : await verifyChain(folders, of.key, options);
    return failure?.what;
  } finally {
    rmSync(root, { recursive: true });
  }
}

export async function play(vector: Vector): Promise<string | undefined> {
  const player = players[vector.kind];
  if (!player) throw new Error(`no player for ${vector.kind}`);
  return player(vector as never);
}
