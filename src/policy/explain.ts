// Decisions in words, for people at a terminal and for records; no decision is made here.
import type { Decision } from '../domain/decision.ts';
import type { Effect } from '../domain/effect.ts';
import { methodInWords } from '../domain/mask.ts';
import { resourceName } from './entities.ts';

/** An effect as records, approvals and the API show it. */
export interface EffectRow {
  readonly action: string;
  readonly resource: string;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

export function effectRows(effects: readonly Effect[], target: string): EffectRow[] {
  return effects.map((effect) => {
    const row = { action: effect.action, resource: resourceName(effect.resource, target) };
    return effect.attributes ? { ...row, attributes: effect.attributes } : row;
  });
}

/** Several lines; the first says the ruling. */
export function explain(decision: Decision): string {
  const by = decision.rules.length > 0 ? ` by ${decision.rules.join(', ')}` : '';
  if (decision.ruling === 'deny') {
    const next = {
      final: 'Do not try it again.',
      change: 'Change the statement and try again.',
      ask: 'Ask for approval.',
    }[decision.next];
    return [`Denied${by}.`, decision.reason, decision.advice, next].filter(Boolean).join('\n');
  }
  const lines =
    decision.ruling === 'permit'
      ? [`Permitted${by || ': nothing in it needs a permit'}.`]
      : [
          `Held${by}.`,
          `${decision.quorum} ${decision.quorum === 1 ? 'person' : 'people'} of group ${decision.group} must grant it within ${decision.ttlSeconds} seconds.`,
          decision.advice,
        ];
  decision.masks.forEach((columns, result) => {
    columns.forEach((mask, column) => {
      if (mask)
        lines.push(
          `Column ${column + 1} of result ${result + 1} is masked (${mask.label}: ${methodInWords(mask)}${mask.whole ? ', whole' : ''}).`,
        );
    });
  });
  return lines.filter(Boolean).join('\n');
}
