// The file operations whose failure the ledger must survive, behind one seam so that tests can fail each of them.
import fs from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

export interface Disk {
  /** Opens for appending; `create` demands that the file is new. */
  open(path: string, create: boolean): number;
  /** Bytes written, perhaps fewer than asked. */
  write(fd: number, buffer: Buffer, offset: number, length: number): number;
  /** Resolves once everything written to the file is on the device. */
  sync(fd: number): Promise<void>;
  syncNow(fd: number): void;
  close(fd: number): void;
  /** Makes new names in a folder durable. */
  syncFolder(path: string): Promise<void>;
  /** Puts a whole file in place at once: written under `temporary`, its bytes made durable when asked, then renamed. */
  place(path: string, temporary: string, bytes: Uint8Array, durable: boolean): Promise<void>;
  remove(path: string): Promise<void>;
}

const fdatasync = promisify(fs.fdatasync);

export const disk: Disk = {
  open: (path, create) => fs.openSync(path, create ? 'ax' : 'a', 0o640),
  write: (fd, buffer, offset, length) => fs.writeSync(fd, buffer, offset, length),
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
  async place(path, temporary, bytes, durable) {
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(temporary, 'w', 0o640);
    try {
      await handle.writeFile(bytes);
      if (durable) await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  },
  remove: (path) => rm(path, { force: true, recursive: true }),
};
