// Verifying a ledger that lies in a folder of this machine: the core of verify.ts over its disk.
import { stat } from 'node:fs/promises';
import { Damage } from './damage.ts';
import { onDisk } from './disk-folder.ts';
import type { KeyOpener } from './keyring.ts';
import { type ChainReport, verifyFolders } from './verify-chain.ts';
import { failureOf, verifyFolder, type VerifyOptions, type VerifyReport } from './verify.ts';
import { checkContent, type Content } from './verify-content.ts';

export interface DiskOptions extends Omit<VerifyOptions, 'recordings'> {
  /** Path of the recordings folder; without it recordings are not looked at. */
  readonly recordings?: string;
  /** The data keys: with them every payload is opened, and compared with what its entry committed to. */
  readonly opener?: KeyOpener;
}

/** `verifyFolder` of the ledger at a path; the error of the file system when there is no such recordings folder. */
export async function verifyLedger(folder: string, vkey: string, options: DiskOptions = {}): Promise<VerifyReport> {
  const report = await verifyFolder(onDisk(folder), vkey, await opened(options));
  if (!report.ok || !options.opener) return report;
  return withContent(report, await contentOf(folder, options.opener));
}

/** `verifyFolders` of the ledgers at some paths, the oldest first. */
export async function verifyChain(
  folders: readonly string[],
  vkey: string,
  options: DiskOptions = {},
): Promise<ChainReport> {
  const named = folders.map((name) => ({ name, folder: onDisk(name) }));
  const chain = await verifyFolders(named, vkey, await opened(options));
  if (!chain.ok || !options.opener) return chain;
  const logs: VerifyReport[] = [];
  for (const [at, report] of chain.logs.entries()) {
    const checked = withContent(report, await contentOf(folders[at]!, options.opener));
    logs.push(checked);
    if (checked.failure) return { ...chain, ok: false, logs, failure: { ...checked.failure, log: folders[at]! } };
  }
  return { ...chain, logs };
}

async function contentOf(folder: string, opener: KeyOpener): Promise<Content | Damage> {
  return checkContent(folder, opener).catch((cause: unknown) => {
    if (cause instanceof Damage) return cause;
    throw cause;
  });
}

function withContent(report: VerifyReport, content: Content | Damage): VerifyReport {
  return content instanceof Damage ? { ...report, ok: false, failure: failureOf(content) } : { ...report, content };
}

async function opened({ recordings, ...others }: DiskOptions): Promise<VerifyOptions> {
  if (recordings === undefined) return others;
  await stat(recordings);
  return { ...others, recordings: onDisk(recordings) };
}
