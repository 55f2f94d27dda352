// Names that may not be given to prepared statements, portals and cursors: ours, and those that the server would cut.
import type { Analysis } from '../../sql/analysis.ts';
import { longName, reservedRefusal } from './conversation-refusals.ts';
import { reservedName, type Talk } from './conversation-state.ts';
import type { Refusal } from './faults.ts';

/** The server cuts names of any kind at this many bytes (NAMEDATALEN), those of messages in the middle of a character too. */
const longest = 63;
/** A character of another encoding takes up to half as many bytes again as in UTF-8. */
const longestElsewhere = 42;
/** What a name that was cut between characters is at least as long as. */
const shortestCut = 60;

/**
 * Names that differ only behind the cut are one to the server: who used them would have one statement judged and another run. In a
 * database of another encoding it also cuts the names of texts elsewhere than our parser (test: prepared-names, "told apart").
 */
export function cutName(talk: Talk, name: string): Refusal | undefined {
  if (name.length <= longestElsewhere / 3) return undefined;
  const bytes = Buffer.byteLength(name);
  const elsewhere = !(talk.options.utf8 ?? true);
  const cut =
    bytes > longest || (elsewhere && (bytes >= shortestCut || (bytes > name.length && bytes > longestElsewhere)));
  return cut ? longName : undefined;
}

export function refusedName(talk: Talk, name: string): Refusal | undefined {
  return name === reservedName ? reservedRefusal : cutName(talk, name);
}

/** The same for the names that a text gives. */
export function refusedNames(talk: Talk, analysis: Analysis): Refusal | undefined {
  for (const { changes } of analysis.parts) {
    const name = changes.prepared?.name ?? changes.cursor?.name;
    const refusal = name === undefined ? undefined : refusedName(talk, name);
    if (refusal) return refusal;
  }
  return undefined;
}
