import { expect, test } from 'vitest';
import { verifies } from '../../requirements.ts';
import { byExit, byPlace, byText, corpus } from './masking/corpus.ts';
import { attackMasks } from './masking.suite.ts';

attackMasks(byText);

test('every category is played in one of the files', () => {
  expect([...byText, ...byExit, ...byPlace].toSorted()).toEqual(Object.keys(corpus).toSorted());
});

test(verifies('masked-or-withheld', 'there are at least 250 attacks, each with a name of its own'), () => {
  const names = Object.values(corpus).flatMap((attacks) => attacks.map(({ name }) => name));
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(250);
});
