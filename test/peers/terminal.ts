// A program on a real terminal: a pseudo-terminal made by `script` of util-linux, keys written to it, its screen read back.
import { spawn } from 'node:child_process';
import { expect } from 'vitest';

export interface Terminal {
  /** Presses keys. */
  press(keys: string): void;
  /** What stands on the screen now, line by line; a program that draws whole screens is understood, nothing else. */
  screen(): string[];
  /** Waits until the screen holds the text; fails with the screen when it never does. */
  shows(text: string | RegExp): Promise<void>;
  /** Everything the program wrote. */
  readonly written: string;
  /** Its exit code. */
  readonly over: Promise<number | null>;
  /** Hangs up. */
  close(): void;
}

const home = '\x1b[H';

export function onTerminal(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  size: { readonly columns: number; readonly rows: number },
): Terminal {
  const quoted = command.map((part) => `'${part.replaceAll("'", `'\\''`)}'`).join(' ');
  const inside = `stty cols ${size.columns} rows ${size.rows}; exec ${quoted}`;
  const child = spawn('script', ['--quiet', '--return', '--command', inside, '/dev/null'], {
    env: { PATH: process.env.PATH, TERM: 'xterm-256color', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let written = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (written += chunk));
  const over = new Promise<number | null>((done) => child.once('close', done));
  const screen = (): string[] =>
    written
      .slice(written.lastIndexOf(home) + home.length)
      // oxlint-disable-next-line no-control-regex -- colours and the rest of a line are no text
      .replace(/\x1b\[[\d;?]*[A-Za-z]/g, '')
      .split(/\r*\n/);
  return {
    press: (keys) => void child.stdin.write(keys),
    screen,
    async shows(text) {
      const of = expect.poll(() => screen().join('\n'), { timeout: 20_000, interval: 20 });
      if (typeof text === 'string') await of.toContain(text);
      else await of.toMatch(text);
    },
    // The end of its input is what `script` takes for a hang-up; the program is told by the kernel.
    close: () => void child.kill(),
    get written() {
      return written;
    },
    over,
  };
}
