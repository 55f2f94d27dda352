// What agents wrote, as the console shows it: nothing lost, nothing that deceives.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { beginning, countMarked, pieces } from '../../web/src/safe-text.ts';
import { effectInWords, lifeInWords, looksMasked } from '../../web/src/words.ts';

const shown = (text: string) =>
  pieces(text)
    .map((piece) => (piece.mark === undefined ? piece.text : `[${piece.note}]`))
    .join('');

describe('a text with characters that could deceive', () => {
  test.each([
    ['select 1', 'select 1'],
    ['a\u202eb', 'a[U+202E]b'],
    ['a\u200bb\u00a0c\u00add', 'a[U+200B]b[U+00A0]c[U+00AD]d'],
    ['a\rb\u0000c\u001b[2K', 'a[U+000D]b[U+0000]c[U+001B][2K'],
    ['раyment', '[U+0440][U+0430]yment'],
    ['ｄｒｏｐ', '[U+FF44][U+FF52][U+FF4F][U+FF50]'],
    ['1 – 2 ∕ 3', '1 [U+2013] 2 [U+2215] 3'],
    ['a\u0335b', 'a[U+0335]b'],
    ['\u{e0041}x', '[U+E0041]x'],
    ['x\ud800', 'x[U+D800]'],
    // A word of another script stays a word.
    ["city = 'Москва'", "city = '[Cyrillic]'"],
    // Letters that no Latin letter looks like, and emoji, are plain.
    ['Köln 東京 😀', 'Köln 東京 😀'],
  ])('%j is shown as %j', (text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  test('is counted by characters', () => {
    expect(countMarked('a\u202e\u200b Москва')).toBe(8);
    expect(countMarked('select 1')).toBe(0);
  });

  test('is whole, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const all = pieces(text);
        expect(all.map((piece) => piece.text).join('')).toBe(text);
        for (const piece of all) expect(piece.mark === undefined).toBe(piece.note === undefined);
      }),
    );
  });
});

test('the beginning of a text and what is left are the text, and no character is cut', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.nat(40),
      fc.integer({ min: 1, max: 5 }),
      (text, characters, lines) => {
        const part = beginning(text, { characters, lines });
        expect(text.startsWith(part.shown)).toBe(true);
        expect(part.shown.length + part.characters).toBe(text.length);
        expect(part.shown.split('\n').length).toBeLessThanOrEqual(lines);
        if (text.isWellFormed()) expect(part.shown.isWellFormed()).toBe(true);
      },
    ),
  );
  expect(beginning('a\nb\nc', { characters: 100, lines: 2 })).toEqual({ shown: 'a\nb', lines: 1, characters: 2 });
  expect(beginning('a😀b', { characters: 2, lines: 9 })).toEqual({ shown: 'a😀', lines: 0, characters: 1 });
});

test.each([
  [{ action: 'sql:delete', attributes: { hasWhere: true } }, 'deletes from public.t'],
  [{ action: 'sql:delete', attributes: { hasWhere: false } }, 'deletes from public.t (every row: no WHERE)'],
  [
    { action: 'sql:drop', attributes: { object: 'table', cascade: true } },
    'drops table public.t (with everything that depends on it)',
  ],
  [{ action: 'sql:drop', attributes: { object: 'column', name: 'email' } }, 'drops column email of public.t'],
  [
    { action: 'sql:alter', attributes: { object: 'table', command: 'AddColumn', name: 'x' } },
    'alters table public.t (AddColumn x)',
  ],
  [
    { action: 'sql:copy_program', attributes: { program: 'rm' } },
    'runs a program on the server of public.t (program rm)',
  ],
  [{ action: 'sql:new', attributes: { speed: 3, quiet: false } }, 'sql:new public.t (speed 3)'],
])('%j in words', (effect, words) => {
  expect(effectInWords({ resource: 'public.t', ...effect } as Parameters<typeof effectInWords>[0])).toBe(words);
});

test.each([
  ['****', true],
  ['***', true],
  ['****6467', true],
  ['****@****.example', true],
  ['****@****', true],
  ['masked:0123456789abcdef01234567', true],
  ['tok_abcdefghijklmnopqrst', true],
  ['tok_abcdefghijklmnopqrst@masked.invalid', true],
  ['tok_abc', false],
  ['"****"', true],
  ['<masked/>', true],
  [null, false],
  ['', false],
  ['ada@mail.example', false],
  ['*****', false],
  ['**** and more', false],
])('%j has the shape of a mask: %s', (value, expected) => {
  expect(looksMasked(value)).toBe(expected);
});

test('approvers read words for every attribute that a policy can speak of, not its name', () => {
  const schema = readFileSync('policies/schema.cedarschema', 'utf8');
  const flags = [...schema.matchAll(/(\w+)\?: Bool/g)].map((match) => match[1]!);
  expect(flags.length).toBeGreaterThan(15);
  const bare = flags.filter((flag) => {
    const words = effectInWords({ action: 'sql:call', resource: 'public.t', attributes: { [flag]: true } });
    return words.includes(`(${flag})`);
  });
  // `hasWhere` is told by its absence; the other is a word already.
  expect(bare).toEqual(['temporary']);
});

test('a session’s page says how long its content lives, who holds it, or that it is gone', () => {
  const until = Date.UTC(2026, 5, 1, 3);
  expect(lifeInWords({ closed: 1, retention: { rule: 'personal', until }, holds: ['h1'] })).toEqual([
    ['Content kept', 'until 2026-06-01 (rule personal)'],
    ['Held by', 'h1: not shredded while it is in force'],
  ]);
  expect(lifeInWords({ closed: 1 })).toEqual([['Content kept', 'for ever: no rule fits it']]);
  expect(lifeInWords({})).toEqual([['Content kept', 'as long as it runs']]);
  expect(lifeInWords({ closed: 1, shredded: { at: until, rule: 'personal', entry: 812_004 } })).toEqual([
    ['Content', 'shredded on 2026-06-01 under the rule personal (entry 812,004); its proofs remain'],
  ]);
});
