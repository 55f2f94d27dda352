// Tiles and bundles against the journal: what is wrong with each file, and, where it may be mended, what it should hold.
import { meaning } from './damage.ts';
import type { Finding } from './finding.ts';
import type { Folder } from './folder.ts';
import { type Bytes, concat, isEqual } from './platform.ts';
import { parseTilePath, rightEdge, tilePath, tileWidth } from './tile.ts';

export interface Mend {
  place(path: string, bytes: Bytes): Promise<void>;
  remove(path: string): Promise<void>;
}

export interface TileCheck {
  /** One tile or bundle as the journal has it, complete or as far as the journal goes. */
  check(level: number | 'entries', n: number, parts: Bytes[]): Promise<void>;
  /** Nothing follows: files that were not asked for have no entries. */
  end(): void;
  readonly checked: number;
}

/** `files` are the tile files there are; `signed` is how many entries they must cover. */
export function openTileCheck(
  folder: Folder,
  files: readonly string[],
  signed: number,
  found: (finding: Finding) => void,
  mend?: Mend,
): TileCheck {
  const widths = new Map<string, number[]>();
  for (const path of files) {
    const tile = parseTilePath(path)!;
    const whole = tilePath({ ...tile, width: tileWidth });
    widths.set(whole, [...(widths.get(whole) ?? []), tile.width]);
  }
  const edge = new Map(rightEdge(signed).map((name) => [name.level, name]));
  const visited = new Set<string>();
  let checked = 0;

  /** How wide the checkpoint needs it; 0 when not at all. */
  function neededOf(level: number | 'entries', n: number): number {
    const last = edge.get(level);
    if (!last || n > last.n) return 0;
    return n < last.n ? tileWidth : last.width;
  }

  return {
    get checked() {
      return checked;
    },
    async check(level, n, parts) {
      const whole = tilePath({ level, n, width: tileWidth });
      visited.add(whole);
      const needed = neededOf(level, n);
      const index = level === 'entries' || level === 0 ? n * tileWidth : undefined;
      let widest = 0;
      let wrong = false;
      for (const width of widths.get(whole) ?? []) {
        const path = tilePath({ level, n, width });
        const bytes = await folder.read(path);
        // Vanished since the list was made: a running gateway has put a wider one in its place.
        if (!bytes) {
          widest = Math.max(widest, needed);
          continue;
        }
        checked++;
        if (width > parts.length) {
          found({ file: path, what: 'the journal has no entries for this file', meaning: meaning.missing });
        } else if (isEqual(bytes, concat(parts.slice(0, width)))) {
          widest = Math.max(widest, width);
        } else {
          wrong = true;
          const what = 'the file does not hold what the journal holds';
          found({ file: path, ...(index === undefined ? {} : { index }), what, meaning: derived, repair: 'rebuild' });
          await mend?.remove(path);
        }
      }
      if (widest >= needed) return;
      const path = tilePath({ level, n, width: needed });
      if (!wrong) found({ file: path, what: 'the file is missing', meaning: derived, repair: 'rebuild' });
      await mend?.place(path, concat(parts.slice(0, needed)));
    },
    end() {
      for (const [whole, list] of widths) {
        if (visited.has(whole)) continue;
        for (const width of list) {
          const file = tilePath({ ...parseTilePath(whole)!, width });
          found({ file, what: 'the journal has no entries for this file', meaning: meaning.missing });
        }
      }
    },
  };
}

const derived = 'It is derived from the journal, which leads to the signed checkpoint, and can be built again from it.';
