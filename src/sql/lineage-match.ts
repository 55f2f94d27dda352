// Which values of the client's own meet a labelled column by equality, or are written into it: each of them can be a guess, so
// they are counted (`sql:match`, session/budget.ts). What cannot be counted beforehand is open: a series, a computed set, a
// column that carries no label (test: test/adversarial/probing).
import type { LabelledColumn } from '../domain/label.ts';
import type { Literal, Value } from './lineage-value.ts';
import type { Match, Walk } from './lineage-walk.ts';
import type { Tree } from './parse.ts';

export function matchOf(walk: Walk, column: LabelledColumn): Match {
  let match = walk.found.matches.get(column);
  if (!match)
    walk.found.matches.set(column, (match = { locations: new Map(), parameters: new Map(), open: false, rows: false }));
  return match;
}

/** Values that are compared with one another by equality. */
export function meetAll(walk: Walk, values: readonly Value[]): void {
  for (const [index, value] of values.entries())
    for (const column of value.sources) {
      const match = matchOf(walk, column);
      for (const [at, other] of values.entries()) if (at !== index && other.sources.length === 0) meet(match, other);
    }
}

/** A value that is written into a labelled column. With `open` it is compared with every row on the way: ON CONFLICT. */
export function meetWritten(walk: Walk, column: Value, value: Value, open: boolean): void {
  if (value.sources.length > 0) return;
  for (const source of column.sources) {
    const match = matchOf(walk, source);
    if (!open && (value.opaque || value.spread === 'open')) match.rows = true;
    else meet(match, value);
  }
}

function meet(match: Match, { literals, opaque, spread }: Value): void {
  if (opaque || spread === 'open') match.open = true;
  for (const literal of literals) {
    if ('location' in literal) match.locations.set(literal.location, literal.elements ?? 1);
    else
      match.parameters.set(
        literal.parameter,
        literal.array === true || match.parameters.get(literal.parameter) === true,
      );
  }
}

/** The same value where each element of it counts: the right side of `= ANY`, the argument of unnest. */
export function elementsOf(tree: Tree, value: Value): Value {
  let inner = tree;
  while (inner.TypeCast) inner = inner.TypeCast.arg as Tree;
  if (inner.A_ArrayExpr || inner.SubLink) return listed(value);
  if (inner.ParamRef && value.literals.every((literal) => 'parameter' in literal))
    return listed({ ...value, literals: value.literals.map((literal) => ({ ...literal, array: true }) as Literal) });
  const text = inner.A_Const?.sval?.sval;
  if (text === undefined) return { ...value, spread: 'open' };
  const elements = text.split(',').length;
  return listed({ ...value, literals: value.literals.map((literal) => ({ ...literal, elements }) as Literal) });
}

const listed = (value: Value): Value => (value.spread === undefined ? { ...value, spread: 'listed' } : value);
