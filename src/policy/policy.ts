// May it: decide() is total and pure in (meaning, principal, target, circumstances, policy version), so that a recorded
// statement gives the same decision again (DESIGN §4). Cedar skips a policy that errors, and a skipped forbid would allow:
// any evaluation error is a denial (test: policy/policy "an erroring policy denies").
import { preparsePolicySet, preparseSchema, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import type { Decision, Next } from '../domain/decision.ts';
import type { Effect } from '../domain/effect.ts';
import { strictest } from '../domain/grade.ts';
import type { Label } from '../domain/label.ts';
import type { Method } from '../domain/mask.ts';
import type { Principal } from '../domain/principal.ts';
import type { Meaning, StatementKind } from '../domain/statement.ts';
import { circumstancesOf } from './circumstances.ts';
import { principalEntity, resourceEntities, resourceName } from './entities.ts';
import { masksOf, type Reveal } from './masks.ts';
import type { PolicySet, Rule } from './policy-set.ts';
import { cedarSchema } from './schema.ts';

/** Who acts where: what stays the same for all statements of a session. */
export interface Standpoint {
  readonly principal: Principal;
  readonly target: string;
  readonly database: string;
  readonly unattended: boolean;
  /** Every label that some column of the target carries; what an untraceable value could be. */
  readonly labels: readonly Label[];
}

export interface Policy {
  readonly version: string;
  readonly set: PolicySet;
  /** Decisions from one standpoint, cached by the identity of the meaning. */
  view(standpoint: Standpoint): View;
}

export interface View {
  /** `now` in milliseconds since the epoch. Never throws. */
  decide(kind: StatementKind, meaning: Meaning, now: number): Decision;
}

export interface PolicyOptions {
  /** The method that configuration gives a label. */
  methodFor(label: Label): Method;
}

/** What the policies say of one effect. */
interface Ruling {
  readonly outcome: 'permit' | 'hold' | 'forbid' | 'nothing' | 'error';
  readonly rules: readonly string[];
}

// Cedar's cache of parsed sets never forgets a name, so a few fixed names are used again and again: the set in force, its
// shadow, and what is tried beside them. The one that was not used for longest gives its names away.
const whole = 'countersign';
const mostParsed = 4;
const parsed: { readonly name: string; set: PolicySet | undefined }[] = Array.from(
  { length: mostParsed },
  (_, index) => ({ name: `${whole} ${index}`, set: undefined }),
);
let schemaParsed = false;

const mostEffects = 500;
const mostViews = 256;
const mostRulings = 4_096;
const mostDecisions = 8_192;

/** Opens a validated set for deciding. Throws when Cedar does not take it, which validation excludes. */
export function openPolicy(set: PolicySet, options: PolicyOptions): Policy {
  use(set);
  if (set.shadow) use(set.shadow);
  const views = new WeakMap<Principal, Map<string, View>>();
  return {
    version: set.version,
    set,
    view(standpoint) {
      let of = views.get(standpoint.principal);
      if (!of) views.set(standpoint.principal, (of = new Map()));
      const key = JSON.stringify([standpoint.target, standpoint.database, standpoint.unattended, standpoint.labels]);
      let view = of.get(key);
      if (!view) {
        if (of.size >= mostViews) of.clear();
        of.set(key, (view = openView(set, options, standpoint)));
      }
      return view;
    },
  };
}

/** A decision that depends on the time of day is not the same a moment later. */
const isLasting = ({ reads }: PolicySet) => reads !== undefined && !reads.has('time');

function openView(set: PolicySet, options: PolicyOptions, standpoint: Standpoint): View {
  const lasting = isLasting(set);
  const shadow = set.shadow && { view: openView(set.shadow, options, standpoint), lasting: isLasting(set.shadow) };
  const actor = principalEntity(standpoint.principal);
  const rulings = new Map<string, Ruling>();
  const fresh = () => ({
    connect: new WeakMap<Meaning, Decision>(),
    prepare: new WeakMap<Meaning, Decision>(),
    execute: new WeakMap<Meaning, Decision>(),
    cancel: new WeakMap<Meaning, Decision>(),
  });
  let decisions: Record<StatementKind, WeakMap<Meaning, Decision>> = fresh();
  let kept = 0;

  const rule = (effect: Effect, kind: StatementKind, time: number): Ruling => {
    const key = lasting ? JSON.stringify([kind, effect.action, effect.resource, effect.attributes]) : '';
    const before = lasting ? rulings.get(key) : undefined;
    if (before) return before;
    const ruling = evaluate(set, actor, standpoint, effect, kind, time);
    if (lasting) {
      if (rulings.size >= mostRulings) rulings.clear();
      rulings.set(key, ruling);
    }
    return ruling;
  };

  const work = (kind: StatementKind, meaning: Meaning, now: number): Decision => {
    if (meaning.effects.length > mostEffects) {
      return denied(
        [],
        `The statement has ${meaning.effects.length} effects; at most ${mostEffects} are judged at once.`,
        'Split it into smaller statements.',
        'change',
      );
    }
    const reveal: Reveal = (resource) => {
      const ruling = rule({ action: 'sql:reveal', resource }, kind, now);
      return ruling.outcome === 'permit' ? ruling.rules : undefined;
    };
    const decision = reduce(set, meaning.effects, (effect) => rule(effect, kind, now), standpoint.target);
    if (decision.ruling === 'deny') return decision;
    // Guarantee 2 has no key: what is not understood is refused, whatever a policy permits.
    if (meaning.effects.some((effect) => effect.action === 'sql:unknown')) {
      return denied([], 'What the statement does is not understood.', 'Write it in a plainer way.', 'change');
    }
    const { masks, rules } = masksOf(meaning.results, standpoint.labels, reveal, options.methodFor);
    return { ...decision, masks, rules: [...new Set([...decision.rules, ...rules])].sort() };
  };

  return {
    decide(kind, meaning, now) {
      const before = decisions[kind].get(meaning);
      if (before) return before;
      let decision: Decision;
      try {
        decision = work(kind, meaning, now);
      } catch {
        return denied(
          [],
          'The policy could not be evaluated for this statement.',
          'Ask an operator to run `countersign policy check`.',
          'final',
        );
      }
      if (shadow) decision = withShadow(decision, shadow.view.decide(kind, meaning, now));
      if (shadow?.lasting ?? lasting) {
        if (++kept > mostDecisions) {
          decisions = fresh();
          kept = 1;
        }
        decisions[kind].set(meaning, decision);
      }
      return decision;
    },
  };
}

/** Shadow rules never change what is decided; where they would, the decision says so. */
function withShadow(decision: Decision, shadow: Decision): Decision {
  return sameDecision(decision, shadow) ? decision : { ...decision, shadow };
}

/** Whether a principal would notice a difference: the same ruling on the same terms, and the same masks. */
export function sameDecision(one: Decision, other: Decision): boolean {
  if (one.ruling !== other.ruling) return false;
  if (one.ruling === 'deny' || other.ruling === 'deny') return true;
  if (
    one.ruling === 'hold' &&
    other.ruling === 'hold' &&
    (one.group !== other.group || one.quorum !== other.quorum || one.grade !== other.grade)
  )
    return false;
  return JSON.stringify(one.masks) === JSON.stringify(other.masks);
}

/** Every effect must be permitted; one real forbid denies; only holds hold. */
function reduce(
  set: PolicySet,
  effects: readonly Effect[],
  rule: (effect: Effect) => Ruling,
  target: string,
): Decision {
  const permits = new Set<string>();
  const holds = new Set<string>();
  const forbids = new Set<string>();
  const reasons: string[] = [];
  let unpermitted: string | undefined;
  for (const effect of effects) {
    const ruling = rule(effect);
    const what = `${effect.action} on ${resourceName(effect.resource, target)}`;
    if (ruling.outcome === 'error')
      return denied(
        [],
        `The policy could not be evaluated for ${what}.`,
        'Ask an operator to run `countersign policy check`.',
        'final',
      );
    if (ruling.outcome === 'nothing') unpermitted ??= what;
    const into = ruling.outcome === 'forbid' ? forbids : ruling.outcome === 'hold' ? holds : permits;
    if (ruling.outcome === 'forbid' && reasons.length < 3) reasons.push(`${ruling.rules.join(', ')} forbids ${what}`);
    for (const id of ruling.rules) into.add(id);
  }
  if (forbids.size > 0) {
    const rules = named(set, forbids);
    const next: Next = rules.some((found) => found.next === 'final') ? 'final' : rules[0]!.next;
    return denied([...forbids].sort(), `${[...new Set(reasons)].join('; ')}.`, adviceOf(rules), next);
  }
  if (unpermitted !== undefined) {
    return denied(
      [],
      `No policy permits ${unpermitted}.`,
      'Do without it, or ask an administrator for a policy that permits it.',
      'final',
    );
  }
  if (holds.size === 0) return { ruling: 'permit', rules: [...permits].sort(), masks: [] };
  const rules = named(set, holds);
  const ids = [...holds].sort();
  const terms = rules.map((found) => found.hold!);
  const groups = [...new Set(terms.map((found) => found.group))].sort();
  if (groups.length > 1) {
    return denied(
      ids,
      `It would need approval by different groups at once (${groups.join(', ')}).`,
      'Split the statement so that each part needs one group.',
      'change',
    );
  }
  const grade = strictest(terms.map((found) => found.grade ?? 'session'));
  return {
    ruling: 'hold',
    rules: ids,
    masks: [],
    group: groups[0]!,
    quorum: Math.max(...terms.map((found) => found.quorum)),
    ...(grade === 'session' ? {} : { grade }),
    ttlSeconds: Math.min(...terms.map((found) => found.ttlSeconds)),
    advice: adviceOf(rules),
  };
}

/** One Cedar request; a forbid that only asks for people is told apart by asking again without the holds. */
function evaluate(
  set: PolicySet,
  actor: ReturnType<typeof principalEntity>,
  at: Standpoint,
  effect: Effect,
  kind: StatementKind,
  time: number,
): Ruling {
  const name = use(set);
  const resources = resourceEntities(at.target, effect.resource);
  const call = {
    principal: actor.uid,
    action: { type: 'Action', id: effect.action },
    resource: resources[0].uid,
    context: circumstancesOf(effect, { database: at.database, kind, unattended: at.unattended, time }),
    preparsedSchemaName: whole,
    validateRequest: true,
    entities: [actor, ...resources],
  };
  const answer = statefulIsAuthorized({ ...call, preparsedPolicySetId: name });
  if (answer.type === 'failure' || answer.response.diagnostics.errors.length > 0)
    return { outcome: 'error', rules: [] };
  const { decision, diagnostics } = answer.response;
  if (decision === 'allow') return { outcome: 'permit', rules: diagnostics.reason };
  if (diagnostics.reason.length === 0) return { outcome: 'nothing', rules: [] };
  const real = diagnostics.reason.filter((id) => set.rules.get(id)?.hold === undefined);
  if (real.length > 0) return { outcome: 'forbid', rules: real };
  const underneath = statefulIsAuthorized({ ...call, preparsedPolicySetId: withoutHolds(name) });
  if (underneath.type === 'failure' || underneath.response.diagnostics.errors.length > 0)
    return { outcome: 'error', rules: [] };
  if (underneath.response.decision === 'allow') return { outcome: 'hold', rules: diagnostics.reason };
  const reason = underneath.response.diagnostics.reason;
  return reason.length > 0 ? { outcome: 'forbid', rules: reason } : { outcome: 'nothing', rules: [] };
}

const withoutHolds = (name: string) => `${name} without holds`;

/** Makes Cedar ready for this set; the name that it has there. Costs one parse, and nothing when the set is one of the last few. */
function use(set: PolicySet): string {
  const last = parsed[0]!;
  if (last.set === set) return last.name;
  const at = parsed.findIndex((slot) => slot.set === set);
  const slot = parsed.splice(at < 0 ? parsed.length - 1 : at, 1)[0]!;
  parsed.unshift(slot);
  if (at >= 0) return slot.name;
  slot.set = undefined;
  if (!schemaParsed) expectSuccess(preparseSchema(whole, cedarSchema));
  schemaParsed = true;
  const base = Object.entries(set.texts).filter(([id]) => set.rules.get(id)?.hold === undefined);
  expectSuccess(preparsePolicySet(slot.name, { staticPolicies: { ...set.texts } }));
  expectSuccess(preparsePolicySet(withoutHolds(slot.name), { staticPolicies: Object.fromEntries(base) }));
  slot.set = set;
  return slot.name;
}

function expectSuccess(answer: { type: string; errors?: readonly { message: string }[] }): void {
  if (answer.type !== 'success')
    throw new Error(`Cedar refused the policy set: ${answer.errors?.[0]?.message ?? 'no reason given'}`);
}

function named(set: PolicySet, ids: ReadonlySet<string>): Rule[] {
  return [...ids].sort().map((id) => set.rules.get(id)!);
}

function adviceOf(rules: readonly Rule[]): string {
  return [...new Set(rules.map((rule) => rule.advice).filter((text) => text !== undefined))].join(' ');
}

function denied(rules: readonly string[], reason: string, advice: string, next: Next): Decision {
  return { ruling: 'deny', rules, reason, advice, next };
}
