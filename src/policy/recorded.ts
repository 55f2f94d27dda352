// A meaning as a decision's record keeps it, and read back: decide() is pure, so with it and the session's standpoint a
// recorded statement can be decided again under any set (ADR 0021). Only what could matter is kept: labels, a resource that
// its name does not tell, and the columns that carry labels or could not be traced.
import type { Action, Effect, Resource } from '../domain/effect.ts';
import { actions } from '../domain/effect.ts';
import type { Json } from '../domain/entry.ts';
import type { LabelledColumn } from '../domain/label.ts';
import type { Meaning, Output } from '../domain/statement.ts';
import { type EffectRow, effectRows } from './explain.ts';
import { resourceOf } from './resource-name.ts';

/** Columns of one result that could be masked; the others are as plain as columns can be. */
export interface RecordedResult {
  readonly columns: number;
  readonly traced: readonly {
    readonly column: number;
    readonly direct?: true;
    readonly opaque?: true;
    readonly sources: readonly LabelledColumn[];
  }[];
}

export interface RecordedMeaning {
  readonly effects: readonly EffectRow[];
  /** Absent when no result has a column that could be masked. */
  readonly results?: readonly RecordedResult[];
}

export function recordMeaning(meaning: Meaning, target: string): RecordedMeaning {
  const results = meaning.results.map((outputs) => ({
    columns: outputs.length,
    traced: outputs.flatMap(({ direct, opaque, sources }, column) =>
      sources.length > 0 || opaque
        ? [
            {
              column,
              ...(direct ? { direct: true as const } : {}),
              ...(opaque ? { opaque: true as const } : {}),
              sources: sources.map(({ schema, relation, column: name, labels }) => ({
                schema,
                relation,
                column: name,
                labels: [...labels],
              })),
            },
          ]
        : [],
    ),
  }));
  const effects = effectRows(meaning.effects, target);
  return results.some(({ traced }) => traced.length > 0) ? { effects, results } : { effects };
}

/** The meaning again; undefined when it is not one that `recordMeaning` wrote. */
export function readMeaning(
  what: { readonly effects?: Json; readonly results?: Json },
  target: string,
): Meaning | undefined {
  if (!Array.isArray(what.effects)) return undefined;
  const effects: Effect[] = [];
  for (const row of what.effects as readonly unknown[]) {
    const effect = readEffect(row as Partial<EffectRow> | null, target);
    if (!effect) return undefined;
    effects.push(effect);
  }
  if (what.results === undefined) return { effects, results: [] };
  if (!Array.isArray(what.results)) return undefined;
  return { effects, results: (what.results as unknown as readonly RecordedResult[]).map(readResult) };
}

const known: ReadonlySet<string> = new Set(actions);

function readEffect(row: Partial<EffectRow> | null, target: string): Effect | undefined {
  if (typeof row?.action !== 'string' || !known.has(row.action) || typeof row.resource !== 'string') return undefined;
  const named = row.parts ?? resourceOf(row.action, row.resource, target);
  const resource: Resource = row.labels ? { ...named, labels: row.labels } : named;
  const effect = { action: row.action as Action, resource };
  return row.attributes ? { ...effect, attributes: row.attributes } : effect;
}

const plainOutput: Output = { name: '', sources: [], direct: false, opaque: false };

function readResult({ columns, traced }: RecordedResult): readonly Output[] {
  const outputs: Output[] = Array.from({ length: Math.min(columns, 10_000) }, () => plainOutput);
  for (const { column, direct, opaque, sources } of traced)
    outputs[column] = { name: '', sources, direct: direct === true, opaque: opaque === true };
  return outputs;
}
