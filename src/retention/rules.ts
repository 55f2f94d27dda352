// Which rule a session falls under. Pure: the first rule that fits counts, and without one a session is kept for ever.

export interface RetentionRule {
  readonly id: string;
  readonly targets?: readonly string[];
  readonly labels?: readonly string[];
  readonly days: number;
  readonly recordings: 'keep' | 'delete';
}

export const day = 86_400_000;

export function ruleFor(
  rules: readonly RetentionRule[],
  session: { readonly target: string; readonly labels: readonly string[] },
): RetentionRule | undefined {
  return rules.find(
    ({ targets, labels }) =>
      (targets === undefined || targets.includes(session.target)) &&
      (labels === undefined || labels.some((wanted) => session.labels.some((label) => isUnder(label, wanted)))),
  );
}

/** `pii` is the label itself and all below it, `pii.*` only those below. */
export function isUnder(label: string, wanted: string): boolean {
  if (wanted.endsWith('.*')) return label.startsWith(wanted.slice(0, -1));
  return label === wanted || label.startsWith(`${wanted}.`);
}

/** When a session that ended then is due. */
export function dueAt(rule: RetentionRule, closed: number): number {
  return closed + rule.days * day;
}
