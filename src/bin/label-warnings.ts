// Label rules that label nothing: most often a name that was misspelt or has changed, so whoever runs the gateway is told.
import type { Logger } from 'pino';
import type { Catalogue, LabelRule } from '../sql/catalogue.ts';
import { ruleWords } from '../sql/label-rule.ts';

/** Warns of each list once, until it changes. Rules that followed a copy are nobody's mistake. */
export function openLabelWarnings(
  log: Pick<Logger, 'warn'>,
): (place: { target: string; database: string }, catalogue: Catalogue, carried: readonly LabelRule[]) => void {
  const told = new Map<string, string>();
  return (place, catalogue, carried) => {
    const follow = new Set(carried);
    const rules = catalogue.unmatched
      .filter((rule) => !follow.has(rule))
      .map((rule) => `${rule.label}: ${ruleWords(rule)}`);
    const key = JSON.stringify(place);
    const words = rules.join('\n');
    if (rules.length > 0 && told.get(key) !== words)
      log.warn(
        { ...place, count: rules.length, rules: rules.slice(0, 100) },
        'label rules that label no column: see `countersign labels list`',
      );
    told.set(key, words);
  };
}
