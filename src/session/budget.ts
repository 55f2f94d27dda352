// What one session may ask about labelled columns: values of the client's own that meet them, and probes, counted by label. A
// spent budget is an attribute of the effect (`overBudget`), so that a policy decides what follows from it, the record shows it
// and decisions stay cached by the shape of effects (test: test/adversarial/probing).
import type { Effect } from '../domain/effect.ts';
import type { Label } from '../domain/label.ts';
import type { Meaning, Statement } from '../domain/statement.ts';

export interface BudgetLimits {
  /** Values of the client's own beside columns of one label. */
  readonly matches: number;
  /** Statements that order, range over or search columns of one label. */
  readonly probes: number;
}

export interface Spent {
  readonly label: Label;
  readonly matches: number;
  readonly probes: number;
}

/** What a statement adds once it may run. */
export interface Spending {
  /** As the policy is to see it. */
  readonly meaning: Meaning;
  /** Totals of the session with this statement, for its record; absent where it met nothing labelled. */
  readonly totals?: readonly Spent[];
  commit(): void;
  /** Rows were written into columns that it names. */
  wrote(rows: number): void;
}

export interface Budget {
  /** A look-up for statements that meet nothing labelled. */
  weigh(statement: Statement): Spending;
  spent(): readonly Spent[];
}

interface Count {
  matches: number;
  probes: number;
}

const nothing = () => {};
/** Statements told apart; more of them count again when they are repeated. */
const mostSeen = 10_000;
/** Labels of probed columns of a meaning; of nearly all none. */
const probed = new WeakMap<Meaning, readonly Label[]>();

export function openBudget(limits: BudgetLimits): Budget {
  const counts = new Map<Label, Count>();
  const seen = new Set<string>();
  const variants = new WeakMap<Meaning, Map<string, Meaning>>();

  const countOf = (label: Label): Count => {
    let count = counts.get(label);
    if (!count) counts.set(label, (count = { matches: 0, probes: 0 }));
    return count;
  };

  /** The same meaning where columns of spent labels say so; one object for the same labels. */
  function marked(meaning: Meaning, spent: ReadonlyMap<Label, Count>): Meaning {
    const over = [...spent].filter(([, { matches, probes }]) => matches > limits.matches || probes > limits.probes);
    if (over.length === 0) return meaning;
    const matches = new Set(over.filter(([, count]) => count.matches > limits.matches).map(([label]) => label));
    const probes = new Set(over.filter(([, count]) => count.probes > limits.probes).map(([label]) => label));
    const key = JSON.stringify([[...matches].sort(), [...probes].sort()]);
    let known = variants.get(meaning);
    if (!known) variants.set(meaning, (known = new Map()));
    let variant = known.get(key);
    if (!variant) {
      const effects = meaning.effects.map((effect) => {
        const labels = effect.action === 'sql:match' ? matches : effect.action === 'sql:probe' ? probes : undefined;
        if (!labels || !(effect.resource.labels ?? []).some((label) => labels.has(label))) return effect;
        return { ...effect, attributes: { ...effect.attributes, overBudget: true } };
      });
      known.set(key, (variant = { ...meaning, effects }));
    }
    return variant;
  }

  return {
    weigh(statement) {
      const { guesses, meaning, kind } = statement;
      const probing = kind === 'execute' ? probedLabels(meaning) : [];
      if (guesses === undefined && probing.length === 0) return { meaning, commit: nothing, wrote: nothing };
      // What is asked a second time tells nothing new.
      const digest = statement.digest();
      const again = seen.has(digest);
      const after = new Map<Label, Count>();
      const of = (label: Label) => {
        let count = after.get(label);
        if (!count) after.set(label, (count = { matches: 0, probes: 0, ...counts.get(label) }));
        return count;
      };
      for (const { labels, values } of guesses ?? [])
        for (const label of labels) of(label).matches += again ? 0 : values;
      for (const label of probing) of(label).probes += again ? 0 : 1;
      return {
        meaning: marked(meaning, after),
        totals: [...new Map([...counts, ...after])].map(([label, count]) => ({ label, ...count })),
        commit() {
          if (seen.size < mostSeen) seen.add(digest);
          // Others may have run meanwhile: it is added to what is counted now.
          if (again) return;
          for (const { labels, values } of guesses ?? []) for (const label of labels) countOf(label).matches += values;
          for (const label of probing) countOf(label).probes++;
        },
        wrote(rows) {
          for (const guess of guesses ?? [])
            if (guess.rows) for (const label of guess.labels) countOf(label).matches += rows;
        },
      };
    },
    spent: () => [...counts].map(([label, count]) => ({ label, ...count })),
  };
}

function probedLabels(meaning: Meaning): readonly Label[] {
  let labels = probed.get(meaning);
  if (!labels) {
    const of = (effect: Effect) => (effect.action === 'sql:probe' ? (effect.resource.labels ?? []) : []);
    probed.set(meaning, (labels = [...new Set(meaning.effects.flatMap(of))]));
  }
  return labels;
}
