// Recorded statements through a draft: what would have been decided otherwise, counted by agent and rule. Pure; under the set
// that decided them nothing changes (test: policy/backtest "own version").
import type { Decision } from '../domain/decision.ts';
import { principalId } from '../domain/principal.ts';
import type { Lost, RecordedStatement } from './history.ts';
import { type MaskRow, maskSummary } from './mask-summary.ts';
import type { Policy } from './policy.ts';

export interface BacktestExample {
  readonly entry: number;
  readonly session: string;
  readonly sequence: number;
  readonly at: number;
  readonly agent: string;
  readonly text: string;
}

/** Statements that would change in the same way. */
export interface BacktestChange {
  readonly from: 'permit' | 'hold' | 'deny';
  readonly to: 'permit' | 'hold' | 'deny';
  /** Rules that decided then, and that would decide now. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Labels that would be masked and were not, and the other way round; `changed` is another method, or another part of the value. */
  readonly masks: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly changed: readonly string[];
  };
  /** Why it would be refused. */
  readonly reason?: string;
  readonly count: number;
  readonly examples: readonly BacktestExample[];
}

export interface BacktestReport {
  readonly version: string;
  readonly statements: number;
  readonly changed: number;
  /** The same outcome, by other rules. */
  readonly otherRules: number;
  /** Could not be decided again. */
  readonly lost: Readonly<Record<Lost, number>>;
  /** Most frequent first. */
  readonly changes: readonly BacktestChange[];
  /** Changes that stand in no row of `changes`: there were too many kinds. */
  readonly unlisted: number;
  readonly agents: readonly {
    readonly id: string;
    readonly name: string;
    readonly statements: number;
    readonly changed: number;
  }[];
  /** Statements that each rule decided as recorded; of the changed ones, those it decided then and would decide now. */
  readonly rules: readonly {
    readonly rule: string;
    readonly decided: number;
    readonly before: number;
    readonly after: number;
  }[];
}

export interface Backtest {
  add(statement: RecordedStatement | Lost): void;
  report(): BacktestReport;
}

const mostChanges = 500;
const mostAgents = 5_000;
const mostExamples = 3;
const longestExample = 500;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type Grown = Mutable<Omit<BacktestChange, 'examples'>> & { readonly examples: BacktestExample[] };

export function openBacktest(draft: Policy): Backtest {
  const changes = new Map<string, Grown>();
  const agents = new Map<string, { id: string; name: string; statements: number; changed: number }>();
  const rules = new Map<string, { rule: string; decided: number; before: number; after: number }>();
  const lost = { erased: 0, unknown: 0, unreadable: 0 };
  let statements = 0;
  let changed = 0;
  let otherRules = 0;
  let unlisted = 0;

  function count(rule: string, side: 'decided' | 'before' | 'after'): void {
    let of = rules.get(rule);
    if (!of) rules.set(rule, (of = { rule, decided: 0, before: 0, after: 0 }));
    of[side]++;
  }

  function agentOf({ standpoint: { principal } }: RecordedStatement) {
    const id = principalId(principal);
    let agent = agents.get(id) ?? agents.get('');
    if (!agent) {
      const rest = agents.size >= mostAgents;
      agent = { id: rest ? '' : id, name: rest ? 'all others' : principal.name, statements: 0, changed: 0 };
      agents.set(agent.id, agent);
    }
    return agent;
  }

  function note(statement: RecordedStatement, decision: Decision, difference: BacktestChange['masks']): void {
    changed++;
    for (const rule of statement.rules) count(rule, 'before');
    for (const rule of decision.rules) count(rule, 'after');
    const reason = decision.ruling === 'deny' && decision.rules.length === 0 ? decision.reason : undefined;
    const key = JSON.stringify([
      statement.ruling,
      decision.ruling,
      statement.rules,
      decision.rules,
      difference,
      reason,
    ]);
    let change = changes.get(key);
    if (!change) {
      if (changes.size >= mostChanges) {
        unlisted++;
        return;
      }
      change = {
        from: statement.ruling,
        to: decision.ruling,
        before: statement.rules,
        after: decision.rules,
        masks: difference,
        ...(reason === undefined ? {} : { reason }),
        count: 0,
        examples: [],
      };
      changes.set(key, change);
    }
    change.count++;
    if (change.examples.length >= mostExamples) return;
    const { entry, session, sequence, at, text, standpoint } = statement;
    const agent = standpoint.principal.name;
    change.examples.push({ entry, session, sequence, at, agent, text: text.slice(0, longestExample) });
  }

  return {
    add(statement) {
      if (typeof statement === 'string') {
        lost[statement]++;
        return;
      }
      statements++;
      const agent = agentOf(statement);
      agent.statements++;
      for (const rule of statement.rules) count(rule, 'decided');
      const { kind, meaning, at } = statement;
      const decision = draft.view(statement.standpoint).decide(kind, meaning, at);
      const difference = maskDifference(statement.masks, decision);
      if (isSame(statement, decision, difference)) {
        if (statement.rules.join() !== decision.rules.join()) otherRules++;
        return;
      }
      agent.changed++;
      note(statement, decision, difference);
    },
    report: () => ({
      version: draft.version,
      statements,
      changed,
      otherRules,
      lost: { ...lost },
      changes: [...changes.values()].sort((one, other) => other.count - one.count),
      unlisted,
      agents: [...agents.values()].sort(
        (one, other) => other.changed - one.changed || other.statements - one.statements,
      ),
      rules: [...rules.values()].sort(
        (one, other) => other.before + other.after - one.before - one.after || other.decided - one.decided,
      ),
    }),
  };
}

function isSame(statement: RecordedStatement, decision: Decision, masks: BacktestChange['masks']): boolean {
  if (statement.ruling !== decision.ruling) return false;
  if (decision.ruling === 'hold' && statement.hold) {
    const { group, quorum, grade } = statement.hold;
    if (group !== decision.group || quorum !== decision.quorum || grade !== decision.grade) return false;
  }
  return masks.added.length + masks.removed.length + masks.changed.length === 0;
}

const nothing: BacktestChange['masks'] = { added: [], removed: [], changed: [] };

/** By label. Nothing where one of the two sends no rows at all: the ruling says enough then. */
function maskDifference(before: readonly MaskRow[], decision: Decision): BacktestChange['masks'] {
  if (decision.ruling === 'deny') return nothing;
  const after = maskSummary(decision.masks);
  if (before.length === 0 && after.length === 0) return nothing;
  const place = ({ result, column }: MaskRow) => `${result}/${column}`;
  const was = new Map(before.map((mask) => [place(mask), mask]));
  const is = new Map(after.map((mask) => [place(mask), mask]));
  const labels = (masks: readonly MaskRow[]) => [...new Set(masks.map((mask) => mask.label))].sort();
  return {
    added: labels(after.filter((mask) => !was.has(place(mask)))),
    removed: labels(before.filter((mask) => !is.has(place(mask)))),
    changed: labels(
      after.filter((mask) => {
        const then = was.get(place(mask));
        return then !== undefined && signature(then) !== signature(mask);
      }),
    ),
  };
}

/** All that a mask says, whatever the order in which it says it. */
function signature(mask: MaskRow): string {
  return JSON.stringify(Object.entries(mask).sort(([one], [other]) => (one < other ? -1 : 1)));
}
