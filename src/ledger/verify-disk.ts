// Verifying a ledger that lies in a folder of this machine: the core of verify.ts over its disk.
import { stat } from 'node:fs/promises';
import { onDisk } from './disk-folder.ts';
import { verifyFolder, type VerifyOptions, type VerifyReport } from './verify.ts';

export interface DiskOptions extends Omit<VerifyOptions, 'recordings'> {
  /** Path of the recordings folder; without it recordings are not looked at. */
  readonly recordings?: string;
}

/** `verifyFolder` of the ledger at a path; the error of the file system when there is no such recordings folder. */
export async function verifyLedger(folder: string, vkey: string, options: DiskOptions = {}): Promise<VerifyReport> {
  const { recordings, ...others } = options;
  if (recordings !== undefined) await stat(recordings);
  return verifyFolder(onDisk(folder), vkey, {
    ...others,
    ...(recordings === undefined ? {} : { recordings: onDisk(recordings) }),
  });
}
