// Runs one client's program directly and through the gateway. All must print the same, section by section ("== name"), and the
// sections must be those that the roster promises. Two kinds of lines differ for a principal who may not reveal, and only for one:
// "MASKED …" shows labelled values, "GUARDED …" what could quote one (notices, payloads of notifications, results of unread code).
import { execFile } from 'node:child_process';
import { expect } from 'vitest';
import { type ClientName, roster } from './roster.ts';
import { libpqEnvironment, type Way, type Ways, works } from './ways.ts';

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of a client with libpq's environment, `input` on its standard input. */
export function runClient(
  way: Way,
  [command, ...args]: readonly string[],
  input = '',
  extra: Record<string, string> = {},
): Promise<Ran> {
  const env = { PATH: process.env.PATH, LANG: 'C.UTF-8', HOME: '/nonexistent', ...libpqEnvironment(way), ...extra };
  return new Promise((done) => {
    const child = execFile(command!, args, { env, timeout: 60_000, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      done({ status: error ? Number(error.code ?? -1) : 0, stdout, stderr });
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/** Fails with the package to install when the client is not there: a client that is skipped would look like one that works. */
export function demand(name: ClientName): void {
  const { find, apt } = roster[name];
  const install = apt.startsWith('npm ') ? 'npm ci --prefix test/conformance/npm' : `apt-get install ${apt}`;
  if (!works(find[0], find.slice(1))) throw new Error(`${name} is missing: ${install}`);
}

export const plain = (way: Way, text: string) => text.replaceAll(way.database, 'work').replaceAll(way.work, 'work');

interface Printed {
  readonly parts: Record<string, string[]>;
  readonly masked: string[];
  readonly guarded: string[];
}

function printed(way: Way, ran: Ran): Printed {
  const parts: Record<string, string[]> = {};
  const masked: string[] = [];
  const guarded: string[] = [];
  let current: string[] = (parts['before the first section'] = []);
  for (const line of plain(way, ran.stdout).split('\n')) {
    if (line.startsWith('== ')) current = parts[line.slice(3)] = [];
    else if (line.startsWith('MASKED ')) masked.push(line.slice(7));
    else if (line.startsWith('GUARDED ')) guarded.push(line.slice(8));
    else if (line !== '') current.push(line);
  }
  if (parts['before the first section']!.length === 0) delete parts['before the first section'];
  if (ran.status !== 0) parts.failed = [String(ran.status), ...plain(way, ran.stderr).split('\n')];
  return { parts, masked, guarded };
}

export interface Program {
  command(way: Way): readonly string[];
  readonly input?: string;
  environment?(way: Way): Record<string, string>;
}

/** The same program all ways, with equal results and with masks in place. */
export async function compare(name: ClientName, ways: Ways, database: string, program: Program): Promise<void> {
  demand(name);
  const { direct, masked, revealed } = ways.of(database);
  const run = async (way: Way) =>
    printed(way, await runClient(way, program.command(way), program.input, program.environment?.(way)));
  const [theirs, hidden, shown] = await Promise.all([run(direct), run(masked), run(revealed)]);
  expect(theirs.parts, 'directly').not.toHaveProperty('failed');
  expect(shown, 'through the gateway in clear, against directly').toEqual(theirs);
  expect(hidden.parts, 'through the gateway with masks, against directly').toEqual(theirs.parts);
  expect(Object.keys(hidden.parts)).toEqual([...roster[name].work]);
  expect(theirs.masked.join('\n')).toContain('ada@mail.example');
  expect(hidden.masked.length).toBe(theirs.masked.length);
  expect(hidden.masked.join('\n')).not.toContain('mail.example');
  expect(hidden.masked.join('\n')).toContain('****');
  expect(theirs.guarded.filter((line) => hidden.guarded.includes(line))).toEqual([]);
}
