// Reads a recording back, and closes one that a crash cut off.
import { createDecipheriv } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { Fault } from '../domain/fault.ts';
import { openFile } from '../ledger/disk-folder.ts';
import { opaqueId } from '../ledger/entry.ts';
import type { OpenFile } from '../ledger/folder.ts';
import { emptyRoot } from '../ledger/hash.ts';
import { disk } from '../ledger/disk.ts';
import type { KeyOpener } from '../ledger/keyring.ts';
import { recordingKey } from '../ledger/session-key.ts';
import {
  measureRecording,
  readChunks,
  type RecordingSeal,
  recordingFile,
  recordingMagic,
} from '../ledger/verify-recordings.ts';
import { parseFrames, type RecordedFrame } from './frames.ts';
import { chunkContext } from './chunks.ts';

const decompress = promisify(zstdDecompress);

/**
 * Frames of a session's recording, as far as it is written; none when there is no recording. Fault when its key was
 * destroyed or a chunk does not open. A chunk that is not whole yet ends the reading quietly.
 */
export async function* readRecording(
  folder: string,
  session: string,
  opener: KeyOpener,
): AsyncGenerator<RecordedFrame> {
  const file = await openFile(pathOf(folder, session));
  if (!file) return;
  try {
    yield* framesOf(file, session, opener);
  } finally {
    await file.close();
  }
}

async function* framesOf(file: OpenFile, session: string, opener: KeyOpener): AsyncGenerator<RecordedFrame> {
  let key: Buffer | undefined;
  let chunk = -1;
  for await (const bytes of readChunks(file)) {
    chunk++;
    if (!key) {
      if (!bytes.subarray(0, recordingMagic.length).equals(recordingMagic)) damaged(session);
      const id = bytes.toString('latin1', recordingMagic.length + 1);
      const opened = (await opener.open([id])).get(id);
      if (!opened)
        throw new Fault('gateway.internal', 'The key of this recording was destroyed; its content is gone for good.');
      key = recordingKey(opened, session);
      continue;
    }
    let frames: RecordedFrame[] | undefined;
    try {
      const nonce = Buffer.alloc(12);
      nonce.writeUInt32BE(chunk - 1, 8);
      const decipher = createDecipheriv('aes-256-gcm', key, nonce);
      decipher.setAAD(chunkContext(session, chunk - 1));
      decipher.setAuthTag(bytes.subarray(-16));
      const small = Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]);
      frames = parseFrames(await decompress(small));
    } catch (cause) {
      damaged(session, cause);
    }
    yield* frames ?? damaged(session);
  }
}

/** Cuts a torn chunk off a recording that no seal ended, and gives the facts for session.orphaned. */
export async function recoverRecording(
  folder: string,
  session: string,
): Promise<RecordingSeal & { readonly dropped: number }> {
  const path = pathOf(folder, session);
  const none = { chunks: 0, bytes: 0, root: emptyRoot.toString('hex') };
  const file = await openFile(path);
  if (!file) return { ...none, dropped: 0 };
  const { rest, ...seal } = await measureRecording(file);
  if (seal.bytes === 0) {
    // Not even the header is whole: there is nothing to keep.
    await rm(path);
    return { ...none, dropped: rest };
  }
  const handle = await open(path, 'r+');
  try {
    await handle.truncate(seal.bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  // Its name may never have reached the device, and the entry that is made of this says that it is there.
  for (const name of [dirname(path), folder]) await disk.syncFolder(name);
  return { ...seal, dropped: rest };
}

function pathOf(folder: string, session: string): string {
  if (!opaqueId.test(session)) throw new Fault('client.protocol', 'That is not a session id.');
  return join(folder, recordingFile(session));
}

function damaged(session: string, cause?: unknown): never {
  throw new Fault(
    'gateway.internal',
    `The recording of session ${session} is damaged. Verify the ledger with its recordings.`,
    cause,
  );
}
