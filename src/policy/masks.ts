// Masking is authorization: a labelled column that the principal may not `sql:reveal` is masked; nothing else decides it
// (DESIGN §4). Guarantee 3 begins here (test: policy/masks).
import type { Masks } from '../domain/decision.ts';
import type { Resource } from '../domain/effect.ts';
import type { Label, LabelledColumn } from '../domain/label.ts';
import { byStrictness, type Mask, type Method } from '../domain/mask.ts';
import type { Output } from '../domain/statement.ts';

/** Rules that permit `sql:reveal` on a column, or undefined when it may not be seen. */
export type Reveal = (column: Resource) => readonly string[] | undefined;

/** One list a result set, one mask or null a column; `rules` are those that let labelled columns through. */
export function masksOf(
  results: readonly (readonly Output[])[],
  labels: readonly Label[],
  reveal: Reveal,
  methodFor: (label: Label) => Method,
): { masks: Masks; rules: readonly string[] } {
  const rules = new Set<string>();
  const hidden = (column: Resource): boolean => {
    const by = reveal(column);
    if (by === undefined) return true;
    for (const id of by) rules.add(id);
    return false;
  };
  // Each label alone and all together: a permit for one label must not open a value that may carry another.
  let opaqueHidden: boolean | undefined;
  const hidesOpaque = () =>
    (opaqueHidden ??=
      labels.length > 0 &&
      [labels, ...labels.map((label) => [label])].some((set) => hidden({ column: '?', labels: set })));

  const mask = (output: Output): Mask | null => {
    if (output.opaque && hidesOpaque()) return { label: 'unresolved', method: 'null', whole: true };
    const sources = output.sources.filter((source) => source.labels.length > 0 && hidden(resourceOf(source)));
    if (sources.length === 0) return null;
    const strictest = sources
      .flatMap((source) => source.labels)
      .map((label) => ({ label, ...methodFor(label) }))
      .reduce((one, other) => (byStrictness(other, one) < 0 ? other : one));
    return { ...strictest, whole: !output.direct || output.sources.length > 1 };
  };
  return { masks: results.map((outputs) => outputs.map(mask)), rules: [...rules] };
}

function resourceOf(source: LabelledColumn): Resource {
  return { schema: source.schema, relation: source.relation, column: source.column, labels: source.labels };
}
