import { expect, test } from 'vitest';
import { GrammarError, loadModules, parsePlpgsqlRaw, parseRaw, scanRaw } from './parser.ts';

test('reads statements, bodies and tokens', async () => {
  await loadModules();
  expect(parseRaw('select 1; select 2')).toMatchObject([{ stmt_len: 8 }, { stmt_location: 10 }]);
  expect(parsePlpgsqlRaw('do $$begin null; end$$')).toBeTypeOf('object');
  expect(scanRaw('select é').map((token) => token.text)).toEqual(['select', 'é']);
});

test('an error of the grammar has its words, and its place where there is one', async () => {
  await loadModules();
  const fault = (read: () => unknown): unknown => {
    try {
      return read();
    } catch (error) {
      return error;
    }
  };
  expect(fault(() => parseRaw('select from from'))).toMatchObject({
    message: 'syntax error at or near "from"',
    position: 13,
  });
  expect(fault(() => parsePlpgsqlRaw('do $$begin nul; en$$'))).toBeInstanceOf(GrammarError);
  expect(fault(() => scanRaw("select 'abc"))).toBeInstanceOf(GrammarError);
});

// Guarantee 2: one text cannot end the reading of all others.
test('[understood] an instance that was ended from inside is replaced, as often as it takes', async () => {
  await loadModules();
  // Deeper than depth.ts lets through: the parser runs out of stack while it writes the tree.
  const deep = `select ${'('.repeat(4_000)}select 1${')'.repeat(4_000)}`;
  const chain = `select 1${' + 1'.repeat(40_000)}`;
  let ended = 0;
  for (let round = 0; round < 60; round++) {
    for (const text of [deep, chain]) {
      try {
        parseRaw(text);
      } catch (error) {
        if (!(error instanceof GrammarError)) ended++;
      }
    }
    await loadModules();
    expect(parseRaw('select 1')).toHaveLength(1);
  }
  expect(ended).toBeGreaterThan(0);
});
