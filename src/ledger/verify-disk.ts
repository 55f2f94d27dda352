// Verifying a ledger that lies in a folder of this machine: the core of verify.ts over its disk.
import { stat } from 'node:fs/promises';
import { onDisk } from './disk-folder.ts';
import { type ChainReport, verifyFolders } from './verify-chain.ts';
import { verifyFolder, type VerifyOptions, type VerifyReport } from './verify.ts';

export interface DiskOptions extends Omit<VerifyOptions, 'recordings'> {
  /** Path of the recordings folder; without it recordings are not looked at. */
  readonly recordings?: string;
}

/** `verifyFolder` of the ledger at a path; the error of the file system when there is no such recordings folder. */
export async function verifyLedger(folder: string, vkey: string, options: DiskOptions = {}): Promise<VerifyReport> {
  return verifyFolder(onDisk(folder), vkey, await opened(options));
}

/** `verifyFolders` of the ledgers at some paths, the oldest first. */
export async function verifyChain(
  folders: readonly string[],
  vkey: string,
  options: DiskOptions = {},
): Promise<ChainReport> {
  const named = folders.map((name) => ({ name, folder: onDisk(name) }));
  return verifyFolders(named, vkey, await opened(options));
}

async function opened({ recordings, ...others }: DiskOptions): Promise<VerifyOptions> {
  if (recordings === undefined) return others;
  await stat(recordings);
  return { ...others, recordings: onDisk(recordings) };
}
