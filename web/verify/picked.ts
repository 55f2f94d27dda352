// Files that somebody picked, dropped or zipped, as the folders that the verifying core reads.
import type { Folder } from '../../src/ledger/folder.ts';

/** One file: where it lies, and its bytes piece by piece. */
export interface Picked {
  readonly path: string;
  readonly size: number;
  bytes(from: number, to: number): Promise<Uint8Array>;
}

export function pickedFile(path: string, file: Blob): Picked {
  return {
    path,
    size: file.size,
    bytes: async (from, to) => new Uint8Array(await file.slice(from, to).arrayBuffer()),
  };
}

/** Everything below `root` ("" for all), with paths relative to it. */
function folderOf(files: readonly Picked[], root: string): Folder {
  const here = new Map<string, Picked>();
  const names = new Map<string, string[]>();
  for (const file of files) {
    if (!file.path.startsWith(root)) continue;
    const path = file.path.slice(root.length);
    here.set(path, file);
    const cut = path.lastIndexOf('/');
    const folder = path.slice(0, Math.max(0, cut));
    const list = names.get(folder) ?? [];
    if (list.length === 0) names.set(folder, list);
    list.push(path.slice(cut + 1));
  }
  return {
    walk: () => Promise.resolve([...here.keys()].map((path) => ({ path, plain: true }))),
    names: (path) => Promise.resolve(names.get(path) ?? []),
    size: (path) => Promise.resolve(here.get(path)?.size),
    async read(path) {
      const file = here.get(path);
      return file && (await file.bytes(0, file.size));
    },
    open(path) {
      const file = here.get(path);
      return Promise.resolve(
        file && {
          size: file.size,
          async read(into: Uint8Array, at: number, length: number, from: number) {
            const bytes = await file.bytes(from, Math.min(file.size, from + length));
            into.set(bytes, at);
            return bytes.length;
          },
          close: () => Promise.resolve(),
        },
      );
    },
  };
}

export interface Found {
  /** More than one after a key rotation, in no order yet. `name` is where it was found; "" at the top. */
  readonly ledgers: readonly { readonly name: string; readonly folder: Folder }[];
  /** Absent when no recording was picked. */
  readonly recordings?: Folder;
}

/** The ledger among some files, and the recordings where they lie beside it. A text says why there is none. */
export function findLedger(files: readonly Picked[]): Found | string {
  const roots = files
    .filter(({ path }) => path === 'checkpoint' || path.endsWith('/checkpoint'))
    .map(({ path }) => path.slice(0, -'checkpoint'.length))
    .filter((root) => files.some(({ path }) => path.startsWith(`${root}journal/`)));
  // A folder without its checkpoint is still a ledger: damage to be named, not a wrong choice.
  if (roots.length === 0) {
    for (const { path } of files) {
      const root = /^((?:.*\/)?)journal\/\d{12}$/.exec(path)?.[1];
      if (root !== undefined && !roots.includes(root)) roots.push(root);
    }
  }
  if (roots.length === 0) return 'There is no ledger in it: a ledger is a folder with “checkpoint”, “journal” and “tile”.';
  const recorded = files
    .map(({ path }) => /^((?:.*\/)?)([A-Za-z0-9_-]{1,2})\/\2[A-Za-z0-9_-]*\.rec$/.exec(path)?.[1])
    .find((root) => root !== undefined && roots.every((at) => at === '' || !root.startsWith(at)));
  return {
    ledgers: roots.map((name) => ({ name, folder: folderOf(files, name) })),
    ...(recorded === undefined ? {} : { recordings: folderOf(files, recorded) }),
  };
}
