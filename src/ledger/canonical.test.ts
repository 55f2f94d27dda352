import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json } from '../domain/entry.ts';
import { canonical } from './canonical.ts';
import { entryWriter, parseEntry } from './entry.ts';

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.string({ unit: 'grapheme' }));
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(text, tie('value'), { maxKeys: 5 }),
  ),
})).value as fc.Arbitrary<Json>;

test('equal to the package that everybody uses', () => {
  fc.assert(fc.property(json, (value) => void expect(canonical(value)).toBe(canonicalize(value))));
});

test('members that are undefined are left out, and what JSON cannot carry is refused', () => {
  expect(canonical({ b: undefined, a: 1 })).toBe('{"a":1}');
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, '\ud800', { '\udc00': 1 }]) {
    expect(() => canonical(bad as Json)).toThrow(TypeError);
  }
});

test('the fast path of entries writes exactly the canonical form, and reads back', () => {
  const facts = fc.dictionary(text, json, { maxKeys: 4 });
  fc.assert(
    fc.property(text, facts, fc.nat(), fc.nat(), fc.boolean(), (gateway, x, ts, sq, sealed) => {
      const c = sealed ? { what: 'A'.repeat(43), who: 'B'.repeat(43) } : undefined;
      const write = entryWriter(gateway, 'boot-1');
      const written = write('statement.decision', ts, 's_1', sq + 1, x as never, c && canonical(c), 'k-1');
      const entry = {
        v: 1,
        t: 'statement.decision',
        ts,
        gw: gateway,
        boot: 'boot-1',
        sid: 's_1',
        sq: sq + 1,
        x,
        c,
        k: c && 'k-1',
      };
      expect(written).toBe(canonicalize(entry));
      const bytes = Buffer.from(written);
      if (bytes.length <= 8192) expect(canonical(parseEntry(bytes) as never)).toBe(written);
    }),
  );
});

test('only the canonical form is an entry', () => {
  const good = entryWriter('g', 'b')('heartbeat', 1, undefined, undefined, { n: 1 }, undefined, undefined);
  expect(typeof parseEntry(Buffer.from(good))).toBe('object');
  const bad = [
    good.replace('{"boot"', '{ "boot"'),
    good.replace('"v":1', '"v":2'),
    good.replace('heartbeat', 'unheard-of'),
    good.replace('"x":{"n":1}', '"x":{"n":1},"y":1'),
    good.replace('"x":{"n":1}', '"x":[]'),
    good.replace('"ts":1', '"ts":-1'),
    good.replace('"boot":"b"', '"boot":"../b"'),
    good.replace('"t":', '"sq":1,"t":'),
    good.replace(',"gw"', ',"c":{"what":"short"},"gw"').replace('"t":', '"k":"a","t":'),
    good.replace('"t":', '"k":"a","t":'),
    'null',
    '[]',
    '',
  ];
  for (const text of bad) expect(typeof parseEntry(Buffer.from(text)), text).toBe('string');
});
