// A folder of files as a reader of the ledger sees it: on a disk, picked in a browser, or inside an archive. Paths are
// relative to it, with "/".
import type { Bytes } from './platform.ts';

export interface Folder {
  /** Every file below, at any depth. `plain` is false for what is neither a file nor a folder. */
  walk(): Promise<readonly { readonly path: string; readonly plain: boolean }[]>;
  /** Names directly in a folder; none where there is no such folder. */
  names(path: string): Promise<readonly string[]>;
  /** Bytes a file has now; undefined when there is none. */
  size(path: string): Promise<number | undefined>;
  /** All of a file; undefined when there is none. */
  read(path: string): Promise<Bytes | undefined>;
  /** Undefined when there is none. Whoever opens it closes it. */
  open(path: string): Promise<OpenFile | undefined>;
}

export interface OpenFile {
  /** Bytes it had when it was opened. */
  readonly size: number;
  /** Reads up to `length` bytes from `from` on and puts them at `at` of `into`; says how many came. */
  read(into: Bytes, at: number, length: number, from: number): Promise<number>;
  close(): Promise<void>;
}
