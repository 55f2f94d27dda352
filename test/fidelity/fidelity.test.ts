// Harmless work passes: ordinary statements on tables with labelled columns, directly and through a whole gateway under the shipped
// policies. All that differs may be the labelled columns; what does not pass is an exception with a reason (exceptions.ts).
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Message, RawClient } from '../peers/raw-client.ts';
import { exceptions } from './exceptions.ts';
import { corpus } from './ordinary.ts';
import { openPlace, type Place, type Who } from './place.ts';
import { differences, failureOf, run } from './run.ts';
import { labels, planted, rewind, shop } from './shop.ts';

let place: Place;
let direct: RawClient;
const through = {} as Record<Who, RawClient>;

beforeAll(async () => {
  place = await openPlace({ seed: shop, labels });
  direct = await place.direct();
  for (const who of ['agent', 'human', 'reader'] as const) through[who] = await place.through(who);
}, 120_000);
afterAll(async () => {
  direct?.end();
  for (const client of Object.values(through)) client.end();
  await place?.close();
});

test('at least 200 statements, each named once', () => {
  expect(corpus.length).toBeGreaterThanOrEqual(200);
  expect(new Set(corpus.map(({ name }) => name)).size).toBe(corpus.length);
});

describe.each(['agent', 'human', 'reader'] as const)('as %s', (who) => {
  test('all but the exceptions pass with only labelled columns masked, and at least 98 in 100 pass', {
    timeout: 180_000,
  }, async () => {
    const fresh = () => place.run(rewind);
    const found = new Map<string, string[]>();
    for (const entry of corpus) {
      const hidden = [...(who === 'reader' ? [] : (entry.pii ?? [])), ...(entry.other ?? [])];
      await fresh();
      const expected = await run(direct, entry);
      const broken = failureOf(expected);
      await fresh();
      const seen = await run(through[who], entry);
      const told = [
        ...leaked(seen, who).map((value) => `leaked ${value}`),
        ...(broken ? [`fails directly: ${broken}`] : differences(expected, seen, hidden, entry)),
      ];
      if (told.length > 0) found.set(entry.name, told);
    }
    const unexpected = [...found].filter(([name]) => !exceptions[name]?.who.includes(who));
    expect(Object.fromEntries(unexpected)).toEqual({});
    // An exception that passes is none any more.
    const stale = Object.entries(exceptions).filter(([name, { who: whom }]) => whom.includes(who) && !found.has(name));
    expect(stale.map(([name]) => name)).toEqual([]);
    expect(found.size / corpus.length).toBeLessThanOrEqual(0.02);
  });
});

test('every exception is a statement of the corpus and has its section in the document', () => {
  const document = readFileSync(new URL('../../docs/masking-exceptions.md', import.meta.url), 'utf8');
  for (const [name, { section }] of Object.entries(exceptions)) {
    expect(corpus.map((entry) => entry.name)).toContain(name);
    expect(document).toContain(`## ${section}\n`);
  }
});

function leaked(messages: readonly Message[], who: Who): string[] {
  const seen = Buffer.concat(messages.map(({ body }) => body)).toString('latin1');
  const forbidden = who === 'reader' ? planted.other : [...planted.pii, ...planted.other];
  return forbidden.filter((value) => seen.includes(value));
}
