// What is right and yet makes no sense in a set of policies: rules that can never apply, that others make pointless, or that
// contradict each other. Judged by the structure of scope and conditions, so that whatever is reported is so; what only a
// proof over all requests could show is not found (docs/policy.md).
import { policyToJson, validate } from '@cedar-policy/cedar-wasm/nodejs';
import { meetsGrade } from '../domain/grade.ts';
import type { Label } from '../domain/label.ts';
import { withBroader } from './entities.ts';
import type { PolicySet, Rule } from './policy-set.ts';
import { coversReach, type Reach, reachOf } from './reach.ts';
import { cedarSchema } from './schema.ts';

/** unused: can never apply. shadowed: another rule makes it pointless. contradictory: it, or it with another, always refuses. */
export type FindingKind = 'unused' | 'shadowed' | 'contradictory';

export interface Finding {
  readonly kind: FindingKind;
  readonly rule: string;
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** What the configuration knows; what is absent is not looked at. */
export interface Surroundings {
  readonly targets?: readonly string[];
  /** Every label that a column of some target can carry, built-in ones included. */
  readonly labels?: readonly Label[];
}

interface Judged {
  readonly rule: Rule;
  readonly reach: Reach;
}

/** In the order of files and lines. */
export function findingsOf(set: PolicySet, around: Surroundings = {}): Finding[] {
  const texts = (set.shadow ?? set).texts;
  const found: Finding[] = [];
  const say = (kind: FindingKind, { id, file, line }: Rule, message: string) =>
    found.push({ kind, rule: id, file, line, message });
  const judged = [...set.rules.values()].map((rule): Judged => {
    const json = policyToJson(texts[rule.id]!);
    if (json.type === 'failure') throw new Error(`a validated policy cannot be read: ${rule.id}`);
    return { rule, reach: reachOf(json.json) };
  });
  const silent = new Set<string>();
  for (const id of impossible(texts)) {
    silent.add(id);
    say('unused', set.rules.get(id)!, 'it can never apply: no such action, resource and condition come together');
  }
  for (const { rule, reach } of judged) {
    if (silent.has(rule.id)) continue;
    const why = contradiction(reach) ?? missing(reach, around);
    if (!why) continue;
    silent.add(rule.id);
    say(why.kind, rule, why.message);
  }
  const live = judged.filter(({ rule }) => !silent.has(rule.id));
  for (const one of live) {
    const finding = live.map((other) => (other === one ? undefined : besides(one, other, live))).find(Boolean);
    if (finding) say(finding.kind, one.rule, finding.message);
  }
  return found.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
}

/** Cedar's own proof by types that a policy applies to nothing. */
function impossible(texts: PolicySet['texts']): string[] {
  const checked = validate({
    schema: cedarSchema,
    policies: { staticPolicies: { ...texts } },
    validationSettings: { mode: 'strict' },
  });
  if (checked.type === 'failure') return [];
  return [
    ...new Set(
      checked.validationWarnings
        .filter(({ error }) => error.message.includes('impossible'))
        .map(({ policyId }) => policyId),
    ),
  ];
}

type Found = Pick<Finding, 'kind' | 'message'>;

function contradiction({ conjuncts }: Reach): Found | undefined {
  if (conjuncts.has('{"Value":false}') || conjuncts.has('{"!":{"arg":{"Value":true}}}'))
    return { kind: 'contradictory', message: 'it can never apply: one of its conditions is never true' };
  for (const text of conjuncts) {
    if (conjuncts.has(`{"!":{"arg":${text}}}`))
      return { kind: 'contradictory', message: 'it can never apply: it asks for a condition and for its opposite' };
  }
  return undefined;
}

/** Names that nothing has: a target that is not configured, a label that no column can carry. */
function missing({ resource, labels }: Reach, around: Surroundings): Found | undefined {
  const target = resource.target;
  if (around.targets && target !== undefined && !around.targets.includes(target))
    return { kind: 'unused', message: `it can never apply: there is no target ${target}` };
  if (!around.labels) return undefined;
  const known = withBroader(around.labels);
  const label = labels.find((one) => !known.includes(one));
  if (label === undefined) return undefined;
  return { kind: 'unused', message: `it can never apply: no column carries the label ${label}` };
}

/** What another rule makes of this one. */
function besides(one: Judged, other: Judged, all: readonly Judged[]): Found | undefined {
  // A shadow rule takes nothing from one that decides.
  if (other.rule.shadow && !one.rule.shadow) return undefined;
  if (!coversReach(other.reach, one.reach)) return undefined;
  const [a, b] = [one.rule, other.rule];
  const name = `${b.id} (${b.file}:${b.line})`;
  const mutual = coversReach(one.reach, other.reach) && a.shadow === b.shadow;
  // Of two that say the same, the later one is told.
  const first = mutual && all.indexOf(one) < all.indexOf(other);
  if (a.effect !== b.effect) {
    if (a.effect === 'forbid' || b.hold) return undefined;
    return { kind: 'shadowed', message: `${name} always takes back what it permits` };
  }
  if (a.effect === 'permit')
    return first ? undefined : { kind: 'shadowed', message: `${name} permits all of this already` };
  if (a.hold && !b.hold) return { kind: 'shadowed', message: `nothing is ever held by it: ${name} always refuses` };
  if (!a.hold && b.hold) return undefined;
  if (a.hold && b.hold) {
    if (a.hold.group !== b.hold.group)
      return first
        ? undefined
        : {
            kind: 'contradictory',
            message: `what it holds for ${a.hold.group}, ${name} holds for ${b.hold.group}: asking two groups at once is refused`,
          };
    const weaker = !meetsGrade(b.hold.grade ?? 'session', a.hold.grade ?? 'session');
    if (a.hold.quorum > b.hold.quorum || a.hold.ttlSeconds < b.hold.ttlSeconds || weaker) return undefined;
    return first ? undefined : { kind: 'shadowed', message: `${name} holds all of this already, on terms no weaker` };
  }
  return first ? undefined : { kind: 'shadowed', message: `${name} refuses all of this already` };
}
