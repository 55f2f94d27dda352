// A recorded session on the terminal, at the pace at which it happened. What agents and targets wrote is shown, never obeyed.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Replay, ReplayEvent } from '../api/contract.ts';
import { type Io, printLine, printTable } from './output.ts';
import { moment, printParameters, printText, unkeptWords } from './record-words.ts';

export interface Pace {
  /** 2 is twice as fast. */
  readonly speed: number;
  /** Longest pause between two events, in seconds. */
  readonly idle: number;
  readonly wait: boolean;
}

export async function play(replay: Replay, pace: Pace, io: Io): Promise<void> {
  printLine(io, `Session ${replay.session}, ${moment(replay.started)}`, 'dim');
  let before = replay.started;
  for (const event of replay.events) {
    const pause = Math.min(Math.max(0, event.at - before) / pace.speed, pace.idle * 1000);
    before = event.at;
    if (pace.wait && pause >= 1) await sleep(pause);
    await show(event, io);
  }
  if (replay.events.length === 0) printLine(io, 'Nothing was recorded.');
  if (replay.partial) printLine(io, 'This is not all: the session still runs, or its recording was cut.', 'yellow');
}

async function show(event: ReplayEvent, io: Io): Promise<void> {
  switch (event.kind) {
    case 'statement':
      printLine(io);
      printLine(io, `${clock(event.at)} #${event.sequence}`, 'bold');
      printText(io, event.text);
      return printParameters(io, event.parameters);
    case 'result': {
      const shown = event.rows.map((row) =>
        row.map((value) => (value === null ? { text: 'NULL', tone: 'dim' as const } : value)),
      );
      await printTable(io, event.columns, shown);
      const left = event.total - event.rows.length - (event.unkept?.rows ?? 0);
      if (left > 0) printLine(io, `… and ${left} more rows; show more with --rows`, 'dim');
      if (event.unkept) printLine(io, unkeptWords(event.unkept), 'yellow');
      return;
    }
    case 'done':
      return printLine(io, event.tag, 'dim');
    case 'error':
      printLine(io, `${event.severity} ${event.code}: ${event.message}`, 'red');
      if (event.detail) printLine(io, `detail: ${event.detail}`);
      if (event.hint) printLine(io, `hint: ${event.hint}`);
      return;
    case 'notice':
      printLine(io, `${event.severity}: ${event.message}`, 'yellow');
      if (event.hint) printLine(io, `hint: ${event.hint}`);
      return;
    case 'copy':
      printLine(io, `COPY ${event.direction}, ${event.bytes} bytes`, 'dim');
      printText(io, event.preview);
      if (event.unkept) printLine(io, unkeptWords(event.unkept), 'yellow');
      return;
    case 'other':
      return printLine(io, event.name, 'dim');
  }
}

function clock(at: number): string {
  return new Date(at).toISOString().slice(11, 23);
}
