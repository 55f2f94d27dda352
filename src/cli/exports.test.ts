// countersign exports against a real API, whose sinks are as the test says.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ExportRow, Page } from '../api/contract.ts';
import { world } from '../api/world.suite.ts';
import { register } from './exports.ts';
import type { Io } from './output.ts';
import { run } from './run.ts';

const row = (change: Partial<ExportRow> = {}): ExportRow => ({
  name: 'siem',
  to: 'http',
  state: 'idle',
  next: 40,
  receipted: 30,
  lag: 0,
  lagSeconds: 0,
  events: 40,
  failures: 0,
  ...change,
});

test('status says how far each is and fails when one is away; a test event is for admins', async () => {
  let rows = [row()];
  const tested: string[] = [];
  const of = await world({
    exports: {
      status: () => rows,
      async test(name) {
        tested.push(name);
        return rows[0]!.error;
      },
    },
  });
  const line = async (who: string, ...args: string[]) => {
    const file = join(of.place.root, `${who}.token`);
    writeFileSync(file, await of.token(who), { mode: 0o600 });
    const written = { out: '', err: '' };
    const stream = (name: 'out' | 'err') => ({ columns: 200, write: (text: string) => void (written[name] += text) });
    const env = { NO_COLOR: '1', COUNTERSIGN_URL: of.url, COUNTERSIGN_TOKEN_FILE: file };
    const io = { stdout: stream('out'), stderr: stream('err'), env, now: Date.now, ask: async () => undefined } as Io;
    const code = await run(['exports', ...args], { version: '9', commands: [register] }, io);
    return { code, ...written };
  };
  expect(await line('dana', 'status')).toMatchObject({ code: 0, out: 'siem\thttp\tidle\t40\t0\t0s\t30\t\n' });
  expect(await line('dana', 'test', 'siem')).toMatchObject({ code: 0, out: 'siem took a test event\n' });
  rows = [row({ state: 'failing', lag: 7, lagSeconds: 61, failures: 3, error: 'the receiver answered 500' })];
  const failing = await line('dana', 'status', '--json');
  expect(failing.code).toBe(1);
  expect((JSON.parse(failing.out) as Page<ExportRow>).items).toEqual(rows);
  expect(await line('dana', 'test', 'siem')).toMatchObject({
    code: 1,
    err: expect.stringContaining('siem did not take it: the receiver answered 500'),
  });
  expect(tested).toEqual(['siem', 'siem']);

  expect(await line('omar', 'status')).toMatchObject({ code: 1 });
  expect(await line('omar', 'test', 'siem')).toMatchObject({ code: 1, err: expect.stringContaining('admin group') });
  expect(await line('reporting-agent', 'status')).toMatchObject({
    code: 1,
    err: expect.stringContaining('viewer group'),
  });
  expect(await line('dana', 'test', 'other')).toMatchObject({ code: 1, err: expect.stringContaining('No receiver') });
  expect(tested).toHaveLength(2);
});
