// A disk that also knows what would be left of it after a power cut. The folder on the real disk is what the kernel shows; beside it
// stands what is on the device: bytes that were synced, names whose folder was synced. Every operation is counted, and any can fail.
import fs from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Disk } from '../../src/ledger/disk.ts';
import { takeLock } from '../../src/ledger/lock.ts';

interface Inode {
  /** On the device. */
  durable: Buffer;
  /** In the kernel, in the order of writing. */
  pending: Buffer[];
}

type Name = { readonly path: string; readonly to: Inode | 'folder' | undefined };

/** `nothing` was done; `half` of the bytes were written, or what should have been synced is lost; it was `done`, and reported as failed. */
export interface Failing {
  readonly code: 'ENOSPC' | 'EIO';
  readonly how: 'nothing' | 'half' | 'done';
}

export interface ShadowDisk {
  readonly disk: Disk;
  /** The writer's lock, whose signing of a checkpoint is an operation too. SQLite makes it durable by itself. */
  readonly takeLock: typeof takeLock;
  /** Names of the operations so far; the first has number 1. */
  readonly steps: readonly string[];
  /** Somebody else made this file durable, with its name, as the kernel shows it now. */
  settled(path: string): void;
  /** Writes what a power cut now would leave into an empty folder. What is not the disk's own work is as the kernel shows it. */
  cut(to: string, how: Loss, random: () => number): void;
}

export interface Watching {
  /** Before and after each operation; the process could end here. */
  before?(step: number, name: string): void;
  after?(step: number, name: string): void;
  fails?(step: number, name: string): Failing | undefined;
}

/**
 * What happens to what was not synced. none: all of it is gone. empty: names are there, bytes are not. torn: a file ends anywhere. zeros:
 * it has its length, and zeros from anywhere. holes: blocks are there or zeros. names: some names are there and some are not, bytes torn.
 */
export const losses = ['none', 'empty', 'torn', 'zeros', 'holes', 'names'] as const;
export type Loss = (typeof losses)[number];

const block = 512;

/** `root` holds all that the disk works on; what stands there now counts as durable. */
export function openShadowDisk(root: string, watching: Watching = {}): ShadowDisk {
  const live = new Map<string, Inode | 'folder'>();
  /** On the device: as `live` was at the last sync of each folder. */
  const durable = new Map<string, Inode | 'folder'>();
  const pending: Name[] = [];
  const open = new Map<number, Inode>();
  const steps: string[] = [];
  for (const name of fs.readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (foreign(name)) continue;
    const path = join(root, name);
    const found = fs.statSync(path).isDirectory()
      ? ('folder' as const)
      : { durable: fs.readFileSync(path), pending: [] };
    live.set(path, found);
    durable.set(path, found);
  }

  function step<T>(name: string, run: (failing: Failing | undefined) => T): T {
    const number = steps.push(name);
    watching.before?.(number, name);
    const failing = watching.fails?.(number, name);
    if (failing?.how === 'nothing') throw failed(failing);
    const result = run(failing);
    watching.after?.(number, name);
    if (failing) throw failed(failing);
    return result;
  }

  /** Done at the call, told a turn later: what is written meanwhile is not covered. */
  async function later(name: string, run: (failing: Failing | undefined) => void): Promise<void> {
    try {
      step(name, run);
    } finally {
      await new Promise((turn) => setImmediate(turn));
    }
  }

  function name(path: string, to: Name['to']): void {
    if (to === undefined) live.delete(path);
    else live.set(path, to);
    pending.push({ path, to });
  }

  function write(fd: number, bytes: Buffer, failing: Failing | undefined): number {
    const some = failing?.how === 'half' ? bytes.subarray(0, bytes.length >> 1) : bytes;
    fs.writeSync(fd, some);
    open.get(fd)!.pending.push(Buffer.from(some));
    return some.length;
  }

  /** One that fails may leave pages that the kernel calls clean and the device does not have. */
  function sync(fd: number, failing: Failing | undefined): void {
    const inode = open.get(fd)!;
    const bytes = failing?.how === 'half' ? inode.pending.map((part) => Buffer.alloc(part.length)) : inode.pending;
    inode.durable = Buffer.concat([inode.durable, ...bytes]);
    inode.pending = [];
  }

  /** One that fails may lose them for good: only what is done to a name again has it there. */
  function syncNames(folder: string, failing: Failing | undefined): void {
    const left = pending.filter(({ path }) => dirname(path) !== folder);
    for (const one of pending) if (dirname(one.path) === folder && failing?.how !== 'half') put(durable, one);
    pending.splice(0, pending.length, ...left);
  }

  const disk: Disk = {
    open: (path, create) =>
      step('open', () => {
        const fd = fs.openSync(path, create ? 'ax' : 'w');
        const inode: Inode = { durable: Buffer.alloc(0), pending: [] };
        open.set(fd, inode);
        name(path, inode);
        return fd;
      }),
    write: (fd, buffer, offset, length) =>
      step('write', (failing) => write(fd, buffer.subarray(offset, offset + length), failing)),
    writeAll: (fd, bytes) => later('writeAll', (failing) => void write(fd, Buffer.from(bytes), failing)),
    sync: (fd) => later('sync', (failing) => sync(fd, failing)),
    syncNow: (fd) => step('syncNow', (failing) => sync(fd, failing)),
    close: (fd) =>
      step('close', () => {
        open.delete(fd);
        fs.closeSync(fd);
      }),
    syncFolder: (path) => later('syncFolder', (failing) => syncNames(path, failing)),
    syncFolderNow: (path) => step('syncFolderNow', (failing) => syncNames(path, failing)),
    makeFolder: (path) =>
      later('makeFolder', () => {
        for (const missing of above(path).filter((one) => !fs.existsSync(one))) {
          fs.mkdirSync(missing);
          name(missing, 'folder');
        }
      }),
    rename: (from, to) =>
      later('rename', () => {
        fs.renameSync(from, to);
        const inode = live.get(from)!;
        name(from, undefined);
        name(to, inode);
      }),
    remove: (path) =>
      later('remove', () => {
        fs.rmSync(path, { force: true, recursive: true });
        for (const one of live.keys()) if (one === path || one.startsWith(`${path}/`)) name(one, undefined);
      }),
  };

  function above(path: string): string[] {
    const found: string[] = [];
    for (let at = path; at.length > root.length; at = dirname(at)) found.unshift(at);
    return found;
  }

  return {
    disk,
    steps,
    takeLock(state, boot) {
      const lock = takeLock(state, boot);
      return { ...lock, swap: (from, to) => step('swap', () => lock.swap(from, to)) };
    },
    settled(path) {
      const left = pending.filter((one) => one.path !== path);
      pending.splice(0, pending.length, ...left);
      if (!fs.existsSync(path)) return;
      for (const folder of above(dirname(path))) durable.set(folder, 'folder');
      const inode: Inode = { durable: fs.readFileSync(path), pending: [] };
      live.set(path, inode);
      durable.set(path, inode);
    },
    cut(to, how, random) {
      const left = new Map(durable);
      for (const one of pending) if (how !== 'none' && (how !== 'names' || random() < 0.5)) put(left, one);
      const reachable = (path: string): boolean =>
        path.length <= root.length || (left.get(path) === 'folder' && reachable(dirname(path)));
      for (const [path, of] of [...left].sort(([a], [b]) => (a < b ? -1 : 1))) {
        if (!reachable(dirname(path))) continue;
        const target = join(to, relative(root, path));
        if (of === 'folder') fs.mkdirSync(target, { recursive: true });
        else fs.writeFileSync(target, survivors(of, how, random));
      }
      for (const path of fs.readdirSync(root, { recursive: true, encoding: 'utf8' })) {
        if (!foreign(path) || !fs.statSync(join(root, path)).isFile()) continue;
        fs.mkdirSync(dirname(join(to, path)), { recursive: true });
        fs.copyFileSync(join(root, path), join(to, path));
      }
    },
  };
}

/** Files that others write: SQLite's, which does its own syncing, and keys that were there before. */
function foreign(path: string): boolean {
  return /^state\/[^/]+$/.test(path) && !/^state\/(tmp|torn)$/.test(path);
}

function put(names: Map<string, Inode | 'folder'>, { path, to }: Name): void {
  if (to === undefined) names.delete(path);
  else names.set(path, to);
}

function survivors({ durable, pending }: Inode, how: Loss, random: () => number): Buffer {
  const lost = Buffer.concat(pending);
  const at = Math.floor(random() * (lost.length + 1));
  if (how === 'none' || how === 'empty') return durable;
  if (how === 'torn' || how === 'names') return Buffer.concat([durable, lost.subarray(0, at)]);
  if (how === 'zeros') return Buffer.concat([durable, lost.subarray(0, at), Buffer.alloc(lost.length - at)]);
  for (let from = 0; from < lost.length; from += block)
    if (random() < 0.5) lost.fill(0, from, Math.min(from + block, lost.length));
  return Buffer.concat([durable, lost]);
}

function failed({ code }: Failing): Error {
  return Object.assign(new Error(`${code}: the test says so`), { code });
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
