// How the ledger's disk stands: watched for slowness and room, told to the log, the path and the console.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { LedgerStatus } from '../api/contract.ts';
import type { Config } from '../config/config.ts';
import type { Fault } from '../domain/fault.ts';
import { type Disk, disk } from '../ledger/disk.ts';
import { cosignedAt, parseCheckpoint, parseNote, parseVkey } from '../ledger/note.ts';
import { openReserve } from '../ledger/reserve.ts';
import { type SlowFault, watchDisk } from '../ledger/slow-disk.ts';

export interface LedgerHealth {
  readonly disk: Disk;
  /** Why no statement may be let through now. */
  readonly obstacle: () => SlowFault | undefined;
  /** Why no session may begin now. */
  readonly mayBegin: () => Fault | undefined;
  readonly status: () => Pick<LedgerStatus, 'disk' | 'witnesses'>;
  close(): void;
}

export async function openLedgerHealth(
  { ledger }: Pick<Config, 'ledger'>,
  paths: { readonly ledger: string; readonly recordings: string; readonly state: string },
  log: Logger,
): Promise<LedgerHealth> {
  const watched = watchDisk(disk, {
    slowMs: ledger.slowSeconds * 1_000,
    told: (slow, ms) =>
      slow
        ? log.error({ ms: Math.round(ms) }, 'the disk of the ledger is slow: nothing new is forwarded')
        : log.info({ ms: Math.round(ms) }, 'the disk of the ledger answers again'),
  });
  const reserve = await openReserve({
    folders: [paths.ledger, paths.state, paths.recordings],
    bytes: ledger.reserveMegabytes * 1024 * 1024,
    told: (room) =>
      room.low
        ? log.error(room, 'the disk of the ledger is almost full: no new session begins')
        : log.info(room, 'there is room on the disk of the ledger again'),
  });
  const witnesses = ledger.witnesses.map(({ key }) => parseVkey(key));
  return {
    disk: watched.disk,
    obstacle: watched.slow,
    mayBegin: () => watched.slow() ?? reserve.fault(),
    status() {
      const slow = watched.slow()?.message;
      return {
        disk: { ...reserve.status(), ...(slow === undefined ? {} : { slow }) },
        ...(witnesses.length > 0 ? { witnesses: cosignatures(paths.ledger, witnesses) } : {}),
      };
    },
    close() {
      watched.close();
      reserve.close();
    },
  };
}

/** What each witness signed last, as the newest cosigned checkpoint says it. */
function cosignatures(folder: string, witnesses: readonly ReturnType<typeof parseVkey>[]) {
  let note: string | undefined;
  let size = 0;
  try {
    note = readFileSync(join(folder, 'checkpoint.cosigned'), 'utf8');
    size = parseCheckpoint(parseNote(note).text).size;
  } catch {
    // No round has succeeded yet, or what lies there is none: then nobody has signed.
    note = undefined;
  }
  return witnesses.map((witness) => {
    const at = note === undefined ? undefined : cosignedAt(note, witness);
    return { name: witness.name, ...(at === undefined ? {} : { at: at * 1_000, size }) };
  });
}
