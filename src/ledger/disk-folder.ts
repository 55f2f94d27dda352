// A folder on this machine's disk.
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Folder, OpenFile } from './folder.ts';

export function onDisk(root: string): Folder {
  return {
    walk: () => walk(root, ''),
    names: async (path) => (await unlessGone(readdir(join(root, path)))) ?? [],
    size: async (path) => (await unlessGone(stat(join(root, path))))?.size,
    read: (path) => unlessGone(readFile(join(root, path))),
    open: (path) => openFile(join(root, path)),
  };
}

/** Opens a file for reading; undefined when there is none. */
export async function openFile(path: string): Promise<OpenFile | undefined> {
  const handle = await unlessGone(open(path, 'r'));
  if (!handle) return undefined;
  const stats = await handle.stat();
  if (!stats.isFile()) {
    await handle.close();
    return undefined;
  }
  return {
    size: stats.size,
    read: async (into, at, length, from) => (await handle.read(into, at, length, from)).bytesRead,
    close: () => handle.close(),
  };
}

async function walk(root: string, path: string): Promise<{ path: string; plain: boolean }[]> {
  const entries = (await unlessGone(readdir(join(root, path), { withFileTypes: true }))) ?? [];
  const lists = entries.map(async (entry) => {
    const here = path === '' ? entry.name : `${path}/${entry.name}`;
    return entry.isDirectory() ? walk(root, here) : [{ path: here, plain: entry.isFile() }];
  });
  return (await Promise.all(lists)).flat();
}

/** Superseded partial tiles vanish under whoever reads a live ledger; a folder in the place of a file is no file. */
async function unlessGone<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw cause;
  }
}
