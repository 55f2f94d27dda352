// The key that was probably meant. Known keys come from the JSON schema, so that they cannot differ from what is accepted.
import type { z } from 'zod';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Keys that an object at `path` may have. */
export function knownKeys(root: JsonSchema, path: readonly PropertyKey[]): string[] {
  let here = [root];
  for (const step of path) here = here.flatMap(alternatives).flatMap((schema) => child(schema, step));
  return [...new Set(here.flatMap(alternatives).flatMap((schema) => Object.keys(schema.properties ?? {})))];
}

/** A schema and all that it may be instead. */
export function alternatives(schema: JsonSchema): JsonSchema[] {
  const others = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])] as JsonSchema[];
  return [schema, ...others.flatMap(alternatives)];
}

function child(schema: JsonSchema, step: PropertyKey): JsonSchema[] {
  const found = typeof step === 'number' ? schema.items : schema.properties?.[String(step)];
  return typeof found === 'object' && !Array.isArray(found) ? [found as JsonSchema] : [];
}

/** The candidate that is at most a third of its letters away from what was written. */
export function nearest(written: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, far: distance(written.toLowerCase(), candidate.toLowerCase()) }))
    .sort((one, other) => one.far - other.far);
  const best = ranked[0];
  return best && best.far <= Math.max(1, Math.floor(best.candidate.length / 3)) ? best.candidate : undefined;
}

/** Letters to change, add, remove or swap with their neighbour (optimal string alignment). */
function distance(one: string, other: string): number {
  if (one.length > 64) return 64;
  const rows = [Array.from({ length: other.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const above = rows[i - 1]!;
      const same = one[i - 1] === other[j - 1] ? 0 : 1;
      let least = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + same);
      if (one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1])
        least = Math.min(least, (rows[i - 2]?.[j - 2] ?? 64) + 1);
      row.push(least);
    }
    rows.push(row);
  }
  return rows.at(-1)!.at(-1)!;
}
