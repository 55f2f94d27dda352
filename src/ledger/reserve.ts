// Room that is kept on the disk: below it no new session begins, so that those that are open can be recorded to their end before the
// disk is full and the ledger stops (ADR 0037).
import { statfs } from 'node:fs/promises';
import { Fault } from '../domain/fault.ts';

export interface RoomStatus {
  /** Bytes free on the fullest of the disks; absent while that is not known. */
  readonly free?: number;
  readonly reserve: number;
  readonly low: boolean;
}

export interface Reserve {
  /** Why no session may begin now. */
  fault(): Fault | undefined;
  status(): RoomStatus;
  close(): void;
}

export interface ReserveOptions {
  /** Folders whose disks are meant. */
  readonly folders: readonly string[];
  readonly bytes: number;
  readonly everyMs?: number;
  /** Bytes free on the disk of a folder. */
  readonly free?: (folder: string) => Promise<number>;
  /** It became low, or there is room again. */
  told(status: RoomStatus): void;
}

/** Looks once before it resolves. */
export async function openReserve(options: ReserveOptions): Promise<Reserve> {
  const { folders, bytes, everyMs = 5_000, free = freeBytes, told } = options;
  let least: number | undefined;
  let low = false;
  const status = (): RoomStatus => ({ ...(least === undefined ? {} : { free: least }), reserve: bytes, low });

  async function look(): Promise<void> {
    const found = await Promise.all(folders.map((folder) => free(folder).catch(() => Number.POSITIVE_INFINITY)));
    // A disk that does not say is judged by what it does: the ledger stops when it cannot write.
    const now = Math.min(...found);
    least = Number.isFinite(now) ? now : undefined;
    const before = low;
    low = now < bytes;
    if (low !== before) told(status());
  }
  await look();
  const timer = setInterval(() => void look(), everyMs);
  timer.unref();

  return {
    fault: () =>
      low
        ? new Fault(
            'ledger.unavailable',
            'The disk of the gateway is almost full, so no new session begins. Tell its operator; try again later.',
          )
        : undefined,
    status,
    close: () => clearInterval(timer),
  };
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
