import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Effect } from '../../../src/domain/effect.ts';
import { Fault } from '../../../src/domain/fault.ts';
import { openAnalyser } from '../../../src/sql/analyse.ts';
import { loadParser } from '../../../src/sql/parse.ts';
import { verifies } from '../../requirements.ts';
import { destructive } from './destructive.ts';
import { harmless } from './harmless.ts';
import { refused } from './refused.ts';
import { openWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  await loadParser();
  world = await openWorld();
});
afterAll(() => world.stop());

/** `sql:delete public.orders {hasWhere:false}`; `*` for the target itself, `()` for a routine. */
function matches(effect: Effect, wanted: string): boolean {
  const [, action, name, attributes] = /^(\S+)(?: (\S+))?(?: \{(.*)\})?$/.exec(wanted) ?? [];
  const { schema, relation, routine } = effect.resource;
  const found = [schema, relation, routine === undefined ? undefined : `${routine}()`]
    .filter((part) => part !== undefined)
    .join('.');
  if (effect.action !== action || (found || '*') !== name) return false;
  if (attributes === undefined) return true;
  const [key, value] = attributes.split(':');
  return String(effect.attributes?.[key!]) === value;
}

const safe = new Set(['sql:read', 'sql:probe', 'sql:session', 'sql:transaction', 'sql:listen']);

test.each(destructive.map((row) => [row.sql, row] as const))('%s', (_, { sql, effects, won }) => {
  const found = openAnalyser().analyse(sql, world.scope).meaning.effects;
  for (const wanted of effects) {
    expect(
      found.some((effect) => matches(effect, wanted)),
      `${wanted} (${won})\n${JSON.stringify(found, null, 1)}`,
    ).toBe(true);
  }
});

test('harmless statements have harmless effects', () => {
  for (const sql of harmless) {
    const { effects } = openAnalyser().analyse(sql, world.scope).meaning;
    expect(
      effects.filter((effect) => !safe.has(effect.action) || effect.attributes?.['unreadable']),
      sql,
    ).toEqual([]);
  }
});

test(verifies('understood-or-refused', 'texts that cannot be read are refused with advice'), () => {
  for (const { sql, why } of refused) {
    let fault: unknown;
    try {
      openAnalyser().analyse(sql, world.scope);
    } catch (error) {
      fault = error;
    }
    expect(fault, `${why}: ${sql.slice(0, 100)}`).toBeInstanceOf(Fault);
    expect((fault as Fault).code).toBe('statement.not-understood');
    expect((fault as Fault).message).toMatch(/\. |\.$/);
  }
});

test('the corpus keeps its size', () => {
  expect(destructive.length).toBeGreaterThanOrEqual(150);
  expect(harmless.length).toBeGreaterThanOrEqual(90);
  expect(refused.length).toBeGreaterThanOrEqual(35);
});
