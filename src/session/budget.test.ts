import { expect, test } from 'vitest';
import type { Guess, Meaning, Statement } from '../domain/statement.ts';
import { openBudget } from './budget.ts';

const column = (name: string, label: string) => ({
  action: 'sql:match' as const,
  resource: { schema: 's', relation: 'r', column: name, labels: [label] },
});
const match: Meaning = { effects: [column('a', 'pii'), column('b', 'secret')], results: [] };
const probe: Meaning = { effects: [{ ...column('a', 'pii'), action: 'sql:probe' }], results: [] };
const plain: Meaning = { effects: [{ action: 'sql:read', resource: {} }], results: [] };

let number = 0;
const statement = (meaning: Meaning, guesses?: readonly Guess[], digest = String(number++)): Statement => ({
  kind: 'execute',
  text: '',
  meaning,
  digest: () => digest,
  ...(guesses ? { guesses } : {}),
});
const values = (count: number, label = 'pii', rows = false): Guess => ({ labels: [label], values: count, rows });

test('what meets nothing labelled is passed on as it is, and is not even digested', () => {
  const budget = openBudget({ matches: 1, probes: 1 });
  const one: Statement = { ...statement(plain), digest: () => expect.unreachable() };
  expect(budget.weigh(one).meaning).toBe(plain);
  expect(budget.weigh(one).totals).toBeUndefined();
});

test('beyond the budget of a label its columns say so, the others do not', () => {
  const budget = openBudget({ matches: 3, probes: 1 });
  const first = budget.weigh(statement(match, [values(2), values(1, 'secret')]));
  expect(first.meaning).toBe(match);
  first.commit();
  const second = budget.weigh(statement(match, [values(2)]));
  expect(second.totals).toEqual([
    { label: 'pii', matches: 4, probes: 0 },
    { label: 'secret', matches: 1, probes: 0 },
  ]);
  expect(second.meaning.effects.map((effect) => effect.attributes?.['overBudget'])).toEqual([true, undefined]);
  // Decisions are cached by the identity of the meaning.
  expect(budget.weigh(statement(match, [values(9)])).meaning).toBe(second.meaning);
  // Not permitted, not counted.
  expect(budget.spent()[0]).toEqual({ label: 'pii', matches: 2, probes: 0 });
});

test('the same statement again adds nothing', () => {
  const budget = openBudget({ matches: 3, probes: 1 });
  for (let round = 0; round < 9; round++) {
    const spending = budget.weigh(statement(match, [values(3)], 'same'));
    expect(spending.meaning).toBe(match);
    spending.commit();
  }
});

test('rows that were written count afterwards', () => {
  const budget = openBudget({ matches: 3, probes: 1 });
  const copy = budget.weigh(statement(match, [values(0, 'pii', true)]));
  copy.commit();
  copy.wrote(7);
  expect(budget.spent()).toEqual([{ label: 'pii', matches: 7, probes: 0 }]);
  expect(budget.weigh(statement(match, [values(0)])).meaning.effects[0]!.attributes).toEqual({ overBudget: true });
});

test('probes have a budget of their own', () => {
  const budget = openBudget({ matches: 0, probes: 1 });
  const first = budget.weigh(statement(probe));
  expect(first.meaning).toBe(probe);
  first.commit();
  expect(budget.weigh(statement(probe)).meaning.effects[0]!.attributes).toEqual({ overBudget: true });
});
