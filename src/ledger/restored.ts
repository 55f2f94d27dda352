// A ledger that was restored from its second place: the next start says so in the record, once (docs/ledger-format.md, "Entries").
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Facts } from './entry.ts';

export interface Restored {
  /** Entries that the second place had, and of them those under its newest checkpoint. */
  readonly entries: number;
  readonly size: number;
  /** What became of the writer's memory of the last checkpoint: it was there and as new, was older, or was lost. */
  readonly lock: 'kept' | 'advanced' | 'made';
  /** Milliseconds since the epoch. */
  readonly at: number;
}

const file = (state: string) => join(state, 'restored.json');

export function noteRestored(state: string, restored: Restored): void {
  writeFileSync(file(state), JSON.stringify(restored), { mode: 0o600 });
}

/** What the next start is to say; undefined when nothing was restored. */
export function readRestored(state: string): Facts | undefined {
  if (!existsSync(file(state))) return undefined;
  const { entries, size, lock, at } = JSON.parse(readFileSync(file(state), 'utf8')) as Restored;
  return { at, entries, lock, size };
}

export function forgetRestored(state: string): void {
  rmSync(file(state), { force: true });
}
