// Decisions in words, for people at a terminal and for records; no decision is made here.
import type { Decision } from '../domain/decision.ts';
import type { Effect, Resource } from '../domain/effect.ts';
import type { Grade } from '../domain/grade.ts';
import type { Label } from '../domain/label.ts';
import { methodInWords } from '../domain/mask.ts';
import { resourceName } from './entities.ts';
import { resourceOf } from './resource-name.ts';

/** An effect as records, approvals and the API show it. */
export interface EffectRow {
  readonly action: string;
  readonly resource: string;
  /** Where the name alone would be read as something else. */
  readonly parts?: Omit<Resource, 'labels'>;
  readonly labels?: readonly Label[];
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

export function effectRows(effects: readonly Effect[], target: string): EffectRow[] {
  return effects.map(({ action, resource: { labels, ...named }, attributes }) => {
    const resource = resourceName(named, target);
    const parts = Object.fromEntries(Object.entries(named).filter(([, part]) => part !== undefined));
    return {
      action,
      resource,
      ...(sameParts(parts, resourceOf(action, resource, target)) ? {} : { parts }),
      ...(labels && labels.length > 0 ? { labels: [...labels] } : {}),
      ...(attributes ? { attributes } : {}),
    };
  });
}

function sameParts(one: Omit<Resource, 'labels'>, other: Omit<Resource, 'labels'>): boolean {
  return (['schema', 'relation', 'column', 'routine'] as const).every((part) => one[part] === other[part]);
}

/** What is asked of each vote, as the end of a sentence; nothing where a signed-in session is enough. */
function signedInWords(grade: Grade | undefined): string {
  if (grade === 'signed') return ', each with a signature by their own key';
  return grade === 'verified' ? ', each with a signature by a key that checks who is there' : '';
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
          `${decision.quorum} ${decision.quorum === 1 ? 'person' : 'people'} of group ${decision.group} must grant it within ${decision.ttlSeconds} seconds${signedInWords(decision.grade)}.`,
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
