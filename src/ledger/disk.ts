// The file operations whose failure the ledger must survive, behind one seam so that tests can fail each of them, and lose what
// was not synced (test/crash/power-cut.test.ts).
import fs from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

export interface Disk {
  /** Opens for appending; `create` demands that the file is new, else it is emptied. */
  open(path: string, create: boolean): number;
  /** Bytes written, perhaps fewer than asked. */
  write(fd: number, buffer: Buffer, offset: number, length: number): number;
  /** Writes all of it, away from this thread. */
  writeAll(fd: number, bytes: Uint8Array): Promise<void>;
  /** Resolves once everything written to the file is on the device. */
  sync(fd: number): Promise<void>;
  syncNow(fd: number): void;
  close(fd: number): void;
  /** Makes the names in a folder durable: new ones, renamed ones, and that removed ones are gone. */
  syncFolder(path: string): Promise<void>;
  syncFolderNow(path: string): void;
  makeFolder(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
}

const fdatasync = promisify(fs.fdatasync);
const write = promisify(fs.write);

export const disk: Disk = {
  open: (path, create) => fs.openSync(path, create ? 'ax' : 'w', 0o640),
  write: (fd, buffer, offset, length) => fs.writeSync(fd, buffer, offset, length),
  async writeAll(fd, bytes) {
    for (let at = 0; at < bytes.length; ) at += (await write(fd, bytes, at)).bytesWritten;
  },
  sync: (fd) => fdatasync(fd),
  syncNow: (fd) => fs.fdatasyncSync(fd),
  close: (fd) => fs.closeSync(fd),
  async syncFolder(path) {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  syncFolderNow(path) {
    const fd = fs.openSync(path, 'r');
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  },
  async makeFolder(path) {
    await mkdir(path, { recursive: true });
  },
  rename,
  remove: (path) => rm(path, { force: true, recursive: true }),
};

/** Puts a whole file in place at once: written under `temporary`, its bytes made durable when asked, then renamed. Its name is not durable yet. */
export async function place(
  on: Disk,
  path: string,
  temporary: string,
  bytes: Uint8Array,
  durable: boolean,
): Promise<void> {
  await on.makeFolder(dirname(path));
  const fd = on.open(temporary, false);
  try {
    await on.writeAll(fd, bytes);
    if (durable) await on.sync(fd);
  } finally {
    on.close(fd);
  }
  await on.rename(temporary, path);
}

/** Makes the name of each folder durable, and those of the folders above it up to `top`. */
export async function syncFolders(on: Disk, folders: Iterable<string>, top: string): Promise<void> {
  const all = new Set<string>();
  for (const folder of folders) for (let at = folder; at.length >= top.length; at = dirname(at)) all.add(at);
  for (const folder of all) await on.syncFolder(folder);
}
