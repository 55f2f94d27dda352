import { describe, expect, test } from 'vitest';
import { type Io, printError, printJson, printLine, printTable, tint } from './output.ts';
import { visible } from '../domain/safe-text.ts';

function terminal(isTTY: boolean, env: Record<string, string> = {}) {
  const written = { out: '', err: '' };
  const io: Io = {
    stdout: { isTTY, columns: 80, write: (text) => void (written.out += text) },
    stderr: { isTTY, columns: 80, write: (text) => void (written.err += text) },
    env,
    now: () => 0,
  };
  return { io, written };
}

const evil = 'a\u001b[2J\u202eb\tc\nd\u0007\u200be\u2028f';

describe('control characters', () => {
  test('are shown, not sent, in lines, tables, errors and JSON', async () => {
    for (const isTTY of [true, false]) {
      const { io, written } = terminal(isTTY, { NO_COLOR: '1' });
      printLine(io, evil);
      await printTable(io, ['head'], [[evil], [{ text: evil, tone: 'red' }]]);
      printError(io, evil.replace('\n', ''));
      printJson(io, { [evil]: evil });
      expect(`${written.out}${written.err}`).not.toMatch(/[\u001b\u0007\u200b\u202e\u2028]/u);
      expect(written.out).toContain('a\\u{1b}[2J\\u{202e}b\\u{9}c\\u{a}d');
    }
  });

  test('leave JSON exact', () => {
    const { io, written } = terminal(false);
    const value = { text: `${evil} \u{e0041} 😀 é`, n: 1.5, none: null };
    printJson(io, value);
    expect(JSON.parse(written.out)).toEqual(value);
    expect(written.out.trimEnd()).not.toContain('\n');
    expect(written.out).not.toContain('\u{e0041}');
    expect(visible('é 😀')).toBe('é 😀');
  });
});

describe('tables', () => {
  const rows = [
    ['one', 1],
    [{ text: 'denied', tone: 'red' as const }, 22],
  ];

  test('are aligned under heads on a terminal', async () => {
    const { io, written } = terminal(true, { NO_COLOR: '1' });
    await printTable(io, ['WHAT', 'N'], rows);
    expect(written.out).toBe('WHAT    N\none     1\ndenied  22\n');
  });

  test('are tab-separated in a pipe', async () => {
    const { io, written } = terminal(false);
    await printTable(io, ['WHAT', 'N'], rows);
    expect(written.out).toBe('one\t1\ndenied\t22\n');
  });
});

test('colours on a terminal only, and never with NO_COLOR', () => {
  expect(tint(terminal(true).io, 'red', 'x')).toBe('\u001b[31mx\u001b[39m');
  expect(tint(terminal(false).io, 'red', 'x')).toBe('x');
  expect(tint(terminal(true, { NO_COLOR: '1' }).io, 'red', 'x')).toBe('x');
  expect(tint(terminal(true, { TERM: 'dumb' }).io, 'red', 'x')).toBe('x');
});
