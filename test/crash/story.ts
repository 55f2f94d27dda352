// A short life of a ledger that meets every kind of write there is: a start over a torn end, appends at both ack levels, changes of
// segment, complete and partial tiles, checkpoints, a recording, an orderly end.
import { dirname } from 'node:path';
import type { Disk } from '../../src/ledger/disk.ts';
import { type Ledger, type LedgerOptions, openLedger } from '../../src/ledger/ledger.ts';
import { readJournal } from '../../src/ledger/read-journal.ts';
import { recordingKey, type SessionKey } from '../../src/ledger/session-key.ts';
import { type RecordingSeal, recordingFile } from '../../src/ledger/verify-recordings.ts';
import { verifyLedger } from '../../src/ledger/verify-disk.ts';
import { openChunkFile } from '../../src/recordings/chunks.ts';
import { recoverRecording } from '../../src/recordings/reading.ts';
import { recordOrphans } from '../../src/session/gateway.ts';
import type { AckLevel } from '../../src/domain/target.ts';
import type { ShadowDisk } from './shadow-disk.ts';

export interface StoryPlace extends LedgerOptions {
  readonly recordings: string;
  readonly vkey: string;
}

/** What somebody was told is recorded: by index, a mark that only this entry has. */
export type Told = Map<number, { readonly mark: string; readonly level: AckLevel }>;

export const quiet = { periodMs: 3_600_000, heartbeatMs: 3_600_000, segmentEntries: 24 } as const;

/** Ends with the Fault that stopped it, when the disk failed. */
export async function story(place: StoryPlace, on: ShadowDisk, told: Told, life: string): Promise<void> {
  const { disk, takeLock } = on;
  const { ledger, orphans } = await openLedger({ ...place, ...quiet, disk, takeLock });
  try {
    await recordOrphans(ledger, orphans, async (session) => {
      const kept = await recoverRecording(place.recordings, session);
      on.settled(`${place.recordings}/${recordingFile(session)}`);
      return { ...kept };
    });
    await act(place, ledger, disk, told, life);
  } finally {
    await ledger.close();
  }
}

/** The part between start and end. */
async function act(place: StoryPlace, ledger: Ledger, disk: Disk, told: Told, life: string): Promise<void> {
  const tell = async (index: number, durable: Promise<void>, mark: string, level: AckLevel) => {
    await durable;
    told.set(index, { mark, level });
  };
  const key = ledger.newKey();
  const session = `${life}-session`;
  const open = { type: 'session.open', session, facts: {}, payload: { who: { name: 'a' } } } as const;
  await ledger.append(open, 'written', key).durable;
  const recording = openRecording(place, session, key, disk);
  for (let sequence = 1; sequence <= 14; sequence++) {
    const level = sequence % 2 === 0 ? 'synced' : 'written';
    const mark = `${life}/${sequence}`;
    const facts = { d: 'permit', a: level, mark };
    const payload = { what: { text: `select ${'x'.repeat(sequence * 60)}` } };
    const decision = ledger.append({ type: 'statement.decision', session, sequence, facts, payload }, level, key);
    await tell(decision.index, decision.durable, mark, level);
    ledger.append({ type: 'statement.outcome', session, sequence, facts: { status: 'done' } }, 'written', key);
    if (sequence % 3 === 0) await recording.keep(Buffer.alloc(900, mark));
    if (sequence % 6 === 0) await ledger.checkpointNow();
  }
  // Many at once, over the ends of segments and of a tile.
  const group = Array.from({ length: 30 }, (_, n) => {
    const mark = `${life}/many/${n}`;
    const { index, durable } = ledger.append({ type: 'heartbeat', facts: { mark } }, 'synced');
    return tell(index, durable, mark, 'synced');
  });
  await Promise.all(group);
  await ledger.checkpointNow();
  // A whole segment that nobody asked to be synced.
  for (let n = 0; n < 30; n++) {
    const { index, durable } = ledger.append({ type: 'heartbeat', facts: { mark: `${life}/alone/${n}` } }, 'written');
    await tell(index, durable, `${life}/alone/${n}`, 'written');
  }
  const seal = { ...(await recording.finish()) } as RecordingSeal;
  const end = ledger.append(
    { type: 'session.seal', session, facts: { n: 14, recording: { ...seal } } },
    'written',
    key,
  );
  await tell(end.index, end.durable, session, 'written');
  await ledger.append({ type: 'session.open', session: `${life}-open`, facts: {} }, 'synced', ledger.newKey()).durable;
}

function openRecording(place: StoryPlace, session: string, key: SessionKey, disk: Disk) {
  const path = `${place.recordings}/${recordingFile(session)}`;
  return openChunkFile({
    path,
    session,
    keyId: key.id,
    secret: recordingKey(key, session),
    async openFile() {
      await disk.makeFolder(dirname(path));
      const fd = disk.open(path, true);
      return {
        async write(bytes: Buffer) {
          await disk.writeAll(fd, bytes);
          return { bytesWritten: bytes.length, buffer: bytes };
        },
        async datasync() {
          await disk.sync(fd);
          await disk.syncFolder(dirname(path));
          await disk.syncFolder(place.recordings);
        },
        close: async () => disk.close(fd),
      } as never;
    },
  });
}

/** A start without help, one more entry, an orderly end; then all must verify and everything that was told must be there. */
export async function recovers(place: StoryPlace, told: Told, level: AckLevel): Promise<void> {
  const { ledger, orphans } = await openLedger({ ...place, ...quiet });
  try {
    await recordOrphans(ledger, orphans, async (session) => ({
      ...(await recoverRecording(place.recordings, session)),
    }));
    await ledger.append({ type: 'heartbeat', facts: { mark: 'after' } }, 'synced').durable;
  } finally {
    await ledger.close();
  }
  const report = await verifyLedger(place.folder, place.vkey, { recordings: place.recordings });
  if (report.failure) throw new Error(`does not verify: ${JSON.stringify(report.failure)}`);
  if (report.sessions.open > 0) throw new Error('a session is left open');
  await holds(place, told, level);
}

/** Everything that was told at this level, or a higher one, stands where it was said to stand. */
async function holds(place: StoryPlace, told: Told, level: AckLevel): Promise<void> {
  const missing = new Map([...told].filter(([, one]) => level === 'written' || one.level === 'synced'));
  for await (const { index, entry } of readJournal(place.folder, 0)) {
    const one = missing.get(index);
    if (one && (entry.x['mark'] ?? entry.sid) === one.mark) missing.delete(index);
  }
  if (missing.size > 0) throw new Error(`acknowledged and gone: ${JSON.stringify([...missing])}`);
}
