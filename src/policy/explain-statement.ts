// A statement read and decided as the gateway would, with all that led there: effects, lineage of each output column, masks.
import type { Decision } from '../domain/decision.ts';
import { Fault } from '../domain/fault.ts';
import type { Label } from '../domain/label.ts';
import type { Method } from '../domain/mask.ts';
import { methodInWords } from '../domain/mask.ts';
import type { Principal } from '../domain/principal.ts';
import type { Meaning, StatementKind } from '../domain/statement.ts';
import { analyse } from '../sql/analyse.ts';
import type { Scope } from '../sql/analysis.ts';
import { builtInLabels } from '../sql/catalogue-labels.ts';
import { checkStatement } from './check.ts';
import { resourceName } from './entities.ts';
import { type EffectRow, effectRows } from './explain.ts';
import type { PolicySet } from './policy-set.ts';

export interface ExplainedColumn {
  readonly name: string;
  /** Labelled base columns that its value may carry. */
  readonly sources: readonly { readonly column: string; readonly labels: readonly Label[] }[];
  /** One base column unchanged. */
  readonly direct: boolean;
  /** It could not be traced. */
  readonly opaque: boolean;
  readonly mask?: { readonly label: Label; readonly method: string; readonly whole: boolean };
}

export interface Explanation {
  readonly policy: string;
  readonly decision: Decision;
  /** Why it was refused before any policy was asked; `decision` says the same. */
  readonly notUnderstood?: string;
  readonly effects: readonly EffectRow[];
  readonly results: readonly (readonly ExplainedColumn[])[];
  /** As it would be recorded: literals that belong to labelled columns are masked. */
  readonly text?: string;
}

export interface StatementQuestion {
  readonly principal: Partial<Principal> & Pick<Principal, 'kind'>;
  readonly target: string;
  readonly database?: string;
  readonly kind?: StatementKind;
  readonly unattended?: boolean;
  /** Labels that the operator's rules give columns of the target; the built-in ones are added. */
  readonly labels: readonly Label[];
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** `loadParser()` of sql/parse.ts comes first. */
export function explainStatement(
  set: PolicySet,
  sql: string,
  scope: Pick<Scope, 'catalogue' | 'searchPath' | 'role'>,
  question: StatementQuestion,
  methodFor: (label: Label) => Method,
): Explanation {
  let text: string;
  let meaning: Meaning;
  try {
    ({ text, meaning } = analyse(sql, { ...scope, prepared: new Map(), cursors: new Map() }));
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'statement.not-understood') throw error;
    return {
      policy: set.version,
      decision: { ruling: 'deny', rules: [], reason: error.message, advice: '', next: 'change' },
      notUnderstood: error.message,
      effects: [],
      results: [],
    };
  }
  return { ...explainMeaning(set, meaning, question, methodFor), text };
}

/** The same for what a statement means, however that was found. */
export function explainMeaning(
  set: PolicySet,
  meaning: Meaning,
  question: StatementQuestion,
  methodFor: (label: Label) => Method,
): Explanation {
  const labels = [...new Set([...question.labels, ...builtInLabels.map((rule) => rule.label)])];
  const decision = checkStatement(set, { ...question, labels, meaning }, methodFor);
  const masks = decision.ruling === 'deny' ? [] : decision.masks;
  const results = meaning.results.map((outputs, result) =>
    outputs.map(({ name, sources, direct, opaque }, column): ExplainedColumn => {
      const mask = masks[result]?.[column];
      return {
        name,
        sources: sources.map((source) => ({ column: resourceName(source), labels: source.labels })),
        direct,
        opaque,
        ...(mask ? { mask: { label: mask.label, method: methodInWords(mask), whole: mask.whole } } : {}),
      };
    }),
  );
  return { policy: set.version, decision, effects: effectRows(meaning.effects, question.target), results };
}
