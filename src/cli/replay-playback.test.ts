import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openPlayback, placeOf, timeOf } from './replay-playback.ts';
import type { Scene } from './replay-scene.ts';
import { fitTable } from './replay-table.ts';
import { cut, widthOf, wrap } from './text-width.ts';

const scene = (at: number, statement?: number): Scene => ({
  at,
  ...(statement === undefined ? {} : { statement }),
  lines: () => [],
});
const scenes = [scene(100, 1), scene(100), scene(5_100, 2), scene(5_200), scene(65_200, 3)];
const open = (change = {}) =>
  openPlayback(scenes, { started: 0, speed: 1, idleMs: 2_000, from: 0, now: 1_000, ...change });

describe('playback', () => {
  test('time runs at the speed, and gaps are shortened', () => {
    const playback = open({ speed: 2 });
    expect(playback.due()).toBe(50);
    playback.advance(1_050);
    expect([playback.shown, playback.due()]).toEqual([2, 1_000]);
    playback.advance(2_050);
    expect(playback.shown).toBe(3);
    playback.toggle();
    playback.advance(90_000);
    expect([playback.shown, playback.due()]).toEqual([3, undefined]);
    playback.toggle();
    playback.advance(90_049);
    expect(playback.shown).toBe(3);
    playback.advance(91_100);
    expect([playback.shown, playback.over, playback.due()]).toEqual([5, true, undefined]);
    playback.toggle();
    expect([playback.shown, playback.paused]).toEqual([0, false]);
  });

  test('steps show a whole statement, and pause', () => {
    const playback = open();
    const places: number[] = [];
    for (const by of [1, 1, 1, 1, -1, -1, -1, -1] as const) {
      playback.step(by);
      places.push(playback.shown);
    }
    expect(places).toEqual([2, 4, 5, 5, 4, 2, 0, 0]);
    expect(playback.paused).toBe(true);
  });

  test('places by statement and by time', () => {
    expect(placeOf('2', scenes, 0)).toBe(3);
    expect(placeOf('#3', scenes, 0)).toBe(5);
    expect(placeOf('4', scenes, 0)).toBeUndefined();
    expect(placeOf('5s', scenes, 0)).toBe(2);
    expect(placeOf('1m', scenes, 0)).toBe(4);
    expect(placeOf('9h', scenes, 0)).toBe(5);
    expect(placeOf('soon', scenes, 0)).toBeUndefined();
    expect(['90s', '1m30s', '1:30', '0:01:30'].map(timeOf)).toEqual([90_000, 90_000, 90_000, 90_000]);
    expect(['', 'x', '1', '1:', '-1s'].map(timeOf)).toEqual(Array(5).fill(undefined));
  });
});

describe('text on a terminal', () => {
  test('wide characters count twice, marks not at all', () => {
    expect(['abc', '漢字', 'e\u0301', '🙂', 'ß'].map(widthOf)).toEqual([3, 4, 1, 2, 1]);
  });

  test('a wide character that does not fit beside the mark leaves the mark alone', () => {
    expect(cut('漢字', 2)).toBe('…');
    expect(cut('漢字', 3)).toBe('漢…');
  });

  test('cut and wrapped it fits, and wrapping loses nothing', () => {
    const pieces = fc.array(fc.constantFrom('a', 'bc', '漢', '🙂', 'e\u0301', ' '), { maxLength: 60 });
    fc.assert(
      fc.property(pieces, fc.integer({ min: 2, max: 30 }), (parts, width) => {
        const text = parts.join('');
        const lines = wrap(text, width);
        expect(lines.join('')).toBe(text);
        for (const line of [...lines, cut(text, width)]) expect(widthOf(line)).toBeLessThanOrEqual(width);
        expect(cut(text, width).endsWith('…') || cut(text, width) === text).toBe(true);
      }),
    );
  });

  test('a table fits, and says what it left out', () => {
    const cell = fc.option(fc.string({ maxLength: 40 }), { nil: null });
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 12 }), { minLength: 1, maxLength: 10 }),
        fc.array(fc.array(cell, { minLength: 1, maxLength: 10 }), { maxLength: 4 }),
        fc.integer({ min: 20, max: 120 }),
        (columns, rows, width) => {
          const table = fitTable(columns, rows, width);
          expect(table.rows).toHaveLength(rows.length);
          for (const line of [table.head, ...table.rows]) expect(widthOf(line)).toBeLessThanOrEqual(width);
          if (table.mark === undefined) expect([table.head, ...table.rows].join('')).not.toContain('…');
        },
      ),
    );
    expect(fitTable(['a', 'b'], [['1', null]], 40)).toEqual({ head: 'a  b', rows: ['1  NULL'] });
    expect(fitTable(['one', 'two'], [['x'.repeat(50), '2']], 20)).toEqual({
      head: 'one              two',
      rows: [`${'x'.repeat(14)}…  2`],
      mark: '1 values cut at …; --json has them whole',
    });
  });
});
