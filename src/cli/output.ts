// How every command talks: tables on a terminal, tab-separated lines in a pipe, exact JSON on demand, errors on standard
// error with what to do. Text that agents or servers wrote cannot steer the terminal (test: cli/output "control characters").
import { styleText } from 'node:util';
import type { Command } from 'commander';
import { visible } from '../domain/safe-text.ts';

/** A stream to write to; `isTTY` and `columns` as Node's. */
export interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** All that a command may know of the world outside its arguments. */
export interface Io {
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Asks a question on the terminal; undefined where nobody can answer. */
  readonly ask?: (question: string) => Promise<string | undefined>;
  /** Gives keys one by one as they are pressed, until what it returns is called; absent where nobody presses any. */
  readonly keys?: (pressed: (chunk: string) => void) => () => void;
}

/** What each command file exports. */
export type Register = (program: Command, io: Io) => void;

/** 0 done, 1 the answer is no, 2 it could not be understood, 3 what it needs cannot be reached. */
export type ExitCode = 0 | 1 | 2 | 3;

/** Ends a command: its message goes to standard error and should say what to do. */
export class Exit extends Error {
  readonly code: ExitCode;
  constructor(code: ExitCode, message = '') {
    super(message);
    this.name = 'Exit';
    this.code = code;
  }
}

export const tones = ['bold', 'dim', 'red', 'green', 'yellow'] as const;
export type Tone = (typeof tones)[number];

/** A table cell; `tone` shows on a terminal only. */
export type Cell = string | number | { readonly text: string | number; readonly tone: Tone };

/** Colours the text when the stream is a terminal and NO_COLOR is not set (no-color.org). */
export function tint(io: Io, tone: Tone, text: string, stream: Stream = io.stdout): string {
  return hasColour(io, stream) ? styleText(tone, text, { validateStream: false }) : text;
}

function hasColour(io: Io, stream: Stream): boolean {
  return stream.isTTY === true && !io.env['NO_COLOR'] && io.env['TERM'] !== 'dumb';
}

/** Writes one line; control characters in it become visible. */
export function printLine(io: Io, text = '', tone?: Tone): void {
  const shown = visible(text);
  io.stdout.write(`${tone ? tint(io, tone, shown) : shown}\n`);
}

/** The value as JSON, indented on a terminal; control characters are escaped by JSON itself. */
export function printJson(io: Io, value: unknown): void {
  const text = JSON.stringify(value, undefined, io.stdout.isTTY ? 2 : undefined);
  io.stdout.write(`${text.replace(/[\u007f-\u009f\p{Cf}\u2028\u2029]/gu, (c) => [...c].map(unicode).join(''))}\n`);
}

/** Aligned columns under bold heads on a terminal; else one line a row, tab-separated, without heads. */
export async function printTable(io: Io, heads: readonly string[], rows: readonly (readonly Cell[])[]): Promise<void> {
  if (!io.stdout.isTTY) {
    for (const row of rows) io.stdout.write(`${row.map((cell) => visible(textOf(cell))).join('\t')}\n`);
    return;
  }
  const { default: Table } = await import('cli-table3');
  const table = new Table({
    chars: borderless,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  table.push(heads.map((head) => tint(io, 'bold', head)));
  for (const row of rows) {
    table.push(
      row.map((cell) => {
        const shown = visible(textOf(cell));
        return typeof cell === 'object' ? tint(io, cell.tone, shown) : shown;
      }),
    );
  }
  const lines = table.toString().split('\n');
  io.stdout.write(`${lines.map((line) => line.trimEnd()).join('\n')}\n`);
}

/** Writes what went wrong, and for several lines each under the other. */
export function printError(io: Io, message: string): void {
  const lines = message.split('\n').map((line) => visible(line));
  io.stderr.write(`${tint(io, 'red', 'countersign:', io.stderr)} ${lines.join('\n')}\n`);
}

/** Adds an Examples part to a command's help; the sentence of each stands above it. */
export function examples(command: Command, list: readonly (readonly [what: string, line: string])[]): Command {
  const text = list.map(([what, line]) => `  ${what}:\n    $ ${line}`).join('\n');
  return command.addHelpText('after', `\nExamples:\n${text}`);
}

const unicode = (unit: string): string =>
  Array.from({ length: unit.length }, (_, at) => `\\u${unit.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');

const textOf = (cell: Cell): string => String(typeof cell === 'object' ? cell.text : cell);

const borderless = Object.fromEntries(
  ['top', 'bottom', 'mid', 'left', 'right'].flatMap((side) =>
    ['', '-mid', '-left', '-right'].map((part) => [`${side}${part}`, '']),
  ),
);
Object.assign(borderless, { middle: '' });
