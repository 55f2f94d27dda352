// Tiles and entry bundles: names, shapes and encoding of c2sp.org/tlog-tiles (tile height 8).
import { readUint16 } from './big-endian.ts';
import { allocateDirty, type Bytes } from './platform.ts';

export const tileWidth = 256;

export interface TileName {
  readonly level: number | 'entries';
  readonly n: number;
  /** 1 to 256; less than 256 is a partial tile. */
  readonly width: number;
}

/** `tile/<L>/<N>[.p/<W>]`, with N in groups of three digits, all but the last marked with `x`. */
export function tilePath({ level, n, width }: TileName): string {
  let name = String(n % 1000).padStart(3, '0');
  for (let rest = Math.floor(n / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    name = `x${String(rest % 1000).padStart(3, '0')}/${name}`;
  }
  return `tile/${level}/${name}${width === tileWidth ? '' : `.p/${width}`}`;
}

/** The inverse of `tilePath`; undefined for anything that `tilePath` would not write. */
export function parseTilePath(path: string): TileName | undefined {
  const match = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path);
  if (!match) return undefined;
  const name: TileName = {
    level: match[1] === 'entries' ? 'entries' : Number(match[1]),
    n: Number(match[2]!.replaceAll(/[x/]/g, '')),
    width: match[3] === undefined ? tileWidth : Number(match[3]),
  };
  if (name.width < 1 || !Number.isSafeInteger(name.n) || tilePath(name) !== path) return undefined;
  return name;
}

/** Rightmost tile of each level and the rightmost bundle that a tree of `size` leaves needs; complete ones lie left of them. */
export function rightEdge(size: number): TileName[] {
  const names: TileName[] = [];
  if (size === 0) return names;
  const last = (count: number): { n: number; width: number } => ({
    n: Math.floor((count - 1) / tileWidth),
    width: ((count - 1) % tileWidth) + 1,
  });
  names.push({ level: 'entries', ...last(size) });
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / tileWidth)) {
    names.push({ level, ...last(count) });
  }
  return names;
}

/** Appends one entry to a bundle that is being built: 16-bit big-endian length, then the bytes. */
export function bundleRecord(entry: Uint8Array): Bytes {
  const record = allocateDirty(2 + entry.length);
  record[0] = entry.length >>> 8;
  record[1] = entry.length;
  record.set(entry, 2);
  return record;
}

/** Entries of a bundle, or undefined when it is not well formed. */
export function parseBundle(bundle: Bytes): Bytes[] | undefined {
  const entries: Bytes[] = [];
  for (let at = 0; at < bundle.length; ) {
    if (at + 2 > bundle.length) return undefined;
    const end = at + 2 + readUint16(bundle, at);
    if (end > bundle.length) return undefined;
    entries.push(bundle.subarray(at + 2, end));
    at = end;
  }
  return entries;
}
