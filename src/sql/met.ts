// How many of the client's own values a statement puts beside labelled columns, put together for the session that counts them
// (session/budget.ts). Values of parameters are counted when they are bound.
import type { LabelledColumn } from '../domain/label.ts';
import type { Analysis, Asked } from './analysis.ts';
import type { Lineage } from './lineage.ts';
import type { Tree } from './parse.ts';
import { add, type Reading } from './reading.ts';

/** Adds `sql:match` for each column and gives what meets them. `ran` is the prepared statement that an EXECUTE runs. */
export function readMet(
  tree: Tree,
  reading: Reading,
  traced: Lineage,
  inner: readonly Lineage[],
  ran: Analysis | undefined,
): readonly Asked[] {
  const met: Asked[] = [];
  const note = (column: LabelledColumn, open: boolean, rest: Omit<Asked, 'labels'>) => {
    const { schema, relation, column: name, labels } = column;
    add(reading, 'sql:match', { schema, relation, column: name, labels }, open ? { open } : undefined);
    met.push({ labels, ...rest });
  };
  const runsNow = !tree.PrepareStmt;
  for (const [column, match] of traced.matches) {
    const parameters = runsNow ? [...match.parameters].map(([number, array]) => ({ number, array })) : [];
    const values = [...match.locations.values()].reduce((sum, count) => sum + count, 0);
    note(column, match.open, { values, parameters, rows: match.rows });
  }
  // In the body of a function somebody else's arguments meet them: one a call, or as many as it is given. DO is the client's own.
  const own = tree.DoStmt !== undefined;
  for (const body of inner)
    for (const [column, match] of body.matches) {
      const values = own ? match.locations.size : 1;
      note(column, own ? match.open : traced.openCall, { values, parameters: [], rows: match.rows });
    }
  for (const entry of ran?.matches ?? []) met.push(executed(tree, reading, entry, ran!));
  return met;
}

/** The arguments of EXECUTE in place of the parameters. */
function executed(tree: Tree, reading: Reading, { labels, parameters, rows }: Asked, ran: Analysis): Asked {
  const args = (tree.ExecuteStmt?.params ?? []) as Tree[];
  let values = 0;
  for (const { number, array } of parameters) {
    const count = array ? elementsIn(args[number - 1]) : 1;
    values += count ?? 1;
    if (count !== undefined) continue;
    for (const { action, resource } of ran.meaning.effects)
      if (action === 'sql:match') add(reading, action, resource, { open: true });
  }
  return { labels, values, parameters: [], rows };
}

/** Undefined where it is computed. */
function elementsIn(tree: Tree | undefined): number | undefined {
  let inner = tree;
  while (inner?.TypeCast) inner = inner.TypeCast.arg as Tree;
  if (inner?.A_ArrayExpr) return inner.A_ArrayExpr.elements?.length ?? 0;
  return inner?.A_Const?.sval?.sval?.split(',').length;
}
