// The player as a person has it: the command on a real pseudo-terminal, keys sent, the screen read.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { onTerminal, type Terminal } from '../../test/peers/terminal.ts';
import type { Replay, ReplayEvent, StatementRow } from '../api/contract.ts';

const command = fileURLToPath(new URL('../bin/countersign.ts', import.meta.url));
const started = Date.UTC(2026, 0, 1);
const minute = 60_000;
const evil = 'a\u001b[2J\u202eb';

const said = (at: number, sequence: number, text: string): ReplayEvent => ({
  at: started + at,
  kind: 'statement',
  sequence,
  text,
});
const done = (at: number, tag: string): ReplayEvent => ({ at: started + at, kind: 'done', tag });
const wide = Array.from({ length: 12 }, (_, index) => `column_${index + 1}`);
const events: ReplayEvent[] = [
  said(100, 1, 'connect shop'),
  said(200, 2, `select ${evil} from people`),
  {
    at: started + 300,
    kind: 'result',
    columns: ['id', 'email', 'note'],
    rows: [
      ['1', 'a***', evil],
      ['2', 'b***', null],
    ],
    total: 9_992,
    unkept: { rule: 'rows 2', rows: 9_990, bytes: 123_456, sha256: 'ab'.repeat(32) },
  },
  done(300, 'SELECT 9992'),
  said(2 * minute, 3, 'select * from wide'),
  { at: started + 2 * minute, kind: 'result', columns: wide, rows: [wide.map((name) => `${name} value`)], total: 1 },
  done(2 * minute, 'SELECT 1'),
  said(3 * minute, 4, 'drop table people'),
  { at: started + 3 * minute, kind: 'error', severity: 'ERROR', code: '42501', message: 'denied by no-drop' },
  said(60 * minute, 5, 'select last'),
  ...Array.from({ length: 40 }, (_, index) => done(60 * minute, `line ${index + 1}`)),
];
const row = (sequence: number, of: Partial<StatementRow>): StatementRow => ({
  session: 'abc',
  sequence,
  entry: sequence,
  at: started,
  kind: 'execute',
  text: '',
  ruling: 'permit',
  rules: ['all'],
  effects: [],
  ...of,
});
const statements: StatementRow[] = [
  row(2, {
    effects: [{ action: 'sql:read', resource: 'public.people' }],
    outcome: {
      status: 'done',
      at: started,
      rows: 9_992,
      bytes: 1,
      masked: [{ label: 'pii.email', method: 'partial', cells: 9_992 }],
    },
  }),
  row(3, { ruling: 'hold', approval: 'req-7', advice: 'dba decides' }),
  row(4, { ruling: 'deny', rules: ['no-drop'], reason: 'no-drop forbids sql:drop.' }),
];

let server: Server;
let url: string;
beforeAll(async () => {
  const replay: Replay = { session: 'abc', started, partial: false, events };
  server = createServer((request, response) => {
    const body = request.url?.includes('/replay') ? replay : { items: statements };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

const opened: Terminal[] = [];
afterEach(() => {
  for (const terminal of opened.splice(0)) terminal.close();
});
const open = (
  args: readonly string[],
  env: Record<string, string> = {},
  size = { columns: 80, rows: 30 },
): Terminal => {
  const terminal = onTerminal(
    [process.execPath, command, 'replay', 'abc', '--url', url, ...args],
    { COUNTERSIGN_TOKEN: 'token', NODE_NO_WARNINGS: '1', ...env },
    size,
  );
  opened.push(terminal);
  return terminal;
};
const text = (of: Terminal) => of.screen().join('\n');

test('keys: pause, step, scroll, speed, seek by statement and by time, leave', async () => {
  const terminal = open(['--idle-limit', '600', '--statement', '1'], { NO_COLOR: '1' });
  await terminal.shows('playing 1×');
  await terminal.shows('#2');
  terminal.press(' ');
  await terminal.shows('paused 1×');

  terminal.press('g2\r');
  await terminal.shows('select a\\u{1b}[2J\\u{202e}b from people');
  terminal.press('.');
  await terminal.shows('9,990 more rows, 123,456 bytes, not kept under the rule rows 2');
  await terminal.shows('masked: 9992 cells of pii.email (partial)');
  expect(text(terminal)).toContain('permit by all: sql:read public.people');
  expect(text(terminal)).toMatch(/^id +email +note$/m);
  expect(text(terminal)).toMatch(/^2 +b\*\*\* +NULL$/m);

  terminal.press('\x1b[C');
  await terminal.shows('held: approval request req-7');
  expect(text(terminal)).toMatch(/columns that do not fit: .*column_12/);
  expect(text(terminal)).toContain('… 2m nothing');
  terminal.press('\x1b[D');
  await terminal.shows('#2 · 0:00:00');
  terminal.press(',');
  await terminal.shows(/#1 · /);

  terminal.press('>>');
  await terminal.shows('paused 4×');
  terminal.press('<');
  await terminal.shows('paused 2×');

  terminal.press('g1:30\r');
  await terminal.shows('#2 · 0:00:00 of 1:00:00');
  terminal.press('g3m\r');
  await terminal.shows('no-drop forbids sql:drop.');
  terminal.press('g99\r');
  await terminal.shows('99 is no statement of this session');
  terminal.press('G');
  await terminal.shows('end 2×');
  await terminal.shows('line 40');
  terminal.press('\x1b[A\x1b[A\x1b[A');
  await terminal.shows('3 lines below');
  expect(text(terminal)).not.toContain('line 40');

  terminal.press('q');
  expect(await terminal.over).toBe(0);
  // The screen that was there before comes back, with its cursor.
  expect(terminal.written).toContain('\x1b[?1049h');
  expect(terminal.written.endsWith('\x1b[?25h\x1b[?7h\x1b[?1049l')).toBe(true);
  // Nothing that an agent wrote reached the terminal as it is, and without colours there are none.
  expect(terminal.written).not.toContain('\u202e');
  expect(terminal.written.split('\x1b[2J')).toHaveLength(2);
  // oxlint-disable-next-line no-control-regex
  expect(terminal.written).not.toMatch(/\x1b\[3\dm/);
}, 60_000);

test('it plays by itself, with pauses shortened; colours mark rulings', async () => {
  const terminal = open(['--idle-limit', '0.05', '--speed', '2']);
  await terminal.shows('end 2×');
  await terminal.shows('line 40');
  terminal.press('g4\r');
  // It plays on at once: the line may be off the screen again before anybody looks.
  // oxlint-disable-next-line no-control-regex
  await expect.poll(() => terminal.written, { timeout: 20_000 }).toMatch(/\x1b\[31m {2}deny by no-drop/);
  terminal.press('\x03');
  expect(await terminal.over).toBe(0);
}, 60_000);

test('no line is wider than the terminal, and what was cut says so', async () => {
  const terminal = open(['--from', '2m'], { NO_COLOR: '1' }, { columns: 44, rows: 60 });
  await terminal.shows('values cut at …');
  terminal.press('q');
  expect(await terminal.over).toBe(0);
  expect(terminal.screen().filter((line) => line.length > 44)).toEqual([]);
}, 60_000);
