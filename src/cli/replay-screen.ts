// The player on a terminal: a screen of its own, keys, and a line at the bottom that says where one is.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Replay } from '../api/contract.ts';
import { type Io, tint } from './output.ts';
import { gapBefore, openPlayback, placeOf, type Playback } from './replay-playback.ts';
import { type Line, pauseLine, type Scene } from './replay-scene.ts';
import { cut } from './text-width.ts';

export interface ScreenOptions {
  readonly speed: number;
  readonly idleMs: number;
  /** Scenes shown at first. */
  readonly from: number;
}

/** The pause after which a gap is told of. */
const longGap = 1_000;
const tick = 500;
const help = 'space pause · ←/→ statement · ↑/↓ scroll · </> speed · g go to · q quit';

/** Plays until the person leaves. */
export async function playOnScreen(
  replay: Pick<Replay, 'started' | 'partial' | 'session'>,
  scenes: readonly Scene[],
  options: ScreenOptions,
  io: Io,
  keys: NonNullable<Io['keys']>,
): Promise<void> {
  const { started } = replay;
  const playback = openPlayback(scenes, { started, ...options, now: performance.now() });
  let left = false;
  /** What is being typed after `g`. */
  let typed: string | undefined;
  let message = '';
  /** Lines above the bottom. */
  let scrolled = 0;
  let wake = new AbortController();

  const size = () => ({ width: Math.max(20, io.stdout.columns ?? 80), height: Math.max(4, io.stdout.rows ?? 24) });

  function goTo(text: string): void {
    const place = placeOf(text, scenes, started);
    if (place === undefined) message = `${text} is no statement of this session and no time such as 1m30s or 1:30`;
    else playback.seek(place);
  }

  function typing(key: string): void {
    if (key === '\r' || key === '\n') {
      goTo(typed ?? '');
      typed = undefined;
    } else if (key === escape) typed = undefined;
    else if (key === '\x7f' || key === '\b') typed = typed?.slice(0, -1);
    else if (/^[\d:.hms#]$/.test(key) && (typed ?? '').length < 20) typed += key;
  }

  function press(key: string): void {
    message = '';
    if (key === 'q' || key === '\x03') left = true;
    else if (typed !== undefined) typing(key);
    else if (!scroll(key)) {
      scrolled = 0;
      move(key, playback);
      if (key === 'g') typed = '';
    }
  }

  function scroll(key: string): boolean {
    const page = size().height - 2;
    const by = { '\x1b[A': 1, '\x1b[B': -1, '\x1b[5~': page, '\x1b[6~': -page }[key];
    if (by === undefined) return false;
    scrolled = Math.max(0, scrolled + by);
    return true;
  }

  function draw(): void {
    const { width, height } = size();
    const lines = linesOf(scenes, playback.shown, started, width);
    if (playback.over && replay.partial)
      lines.push({ text: 'This is not all: the session still runs, or its recording was cut.', tone: 'yellow' });
    const room = height - 1;
    scrolled = Math.min(scrolled, Math.max(0, lines.length - room));
    const end = lines.length - scrolled;
    const shown = lines.slice(Math.max(0, end - room), end);
    const body = Array.from({ length: room }, (_, index) => styled(io, shown[index]));
    const status = typed === undefined ? message || statusOf(playback, scenes, started, scrolled) : `go to: ${typed}`;
    io.stdout.write(
      `${home}${[...body, tint(io, 'bold', cut(status, width - 1))].join(`${clearLine}\r\n`)}${clearLine}`,
    );
  }

  io.stdout.write(enter);
  const close = keys((chunk) => {
    for (const key of keysIn(chunk)) press(key);
    wake.abort();
  });
  try {
    while (!left) {
      playback.advance(performance.now());
      draw();
      wake = new AbortController();
      const wait = Math.min(tick, playback.due() ?? tick);
      await sleep(Math.max(1, wait), undefined, { signal: wake.signal }).catch(() => undefined);
    }
  } finally {
    close();
    io.stdout.write(leave);
  }
}

const escape = '\x1b';
const home = '\x1b[H';
const clearLine = '\x1b[K';
/** The alternate screen, no wrapping, no cursor; and back. */
const enter = '\x1b[?1049h\x1b[?7l\x1b[?25l\x1b[2J';
const leave = '\x1b[?25h\x1b[?7h\x1b[?1049l';

/** Keys of one read: escape sequences are one key each. */
export function keysIn(chunk: string): string[] {
  // oxlint-disable-next-line no-control-regex -- an escape is what such keys begin with
  return chunk.match(/\x1b\[[\d;]*[A-Za-z~]|\x1bO[A-Za-z]|[\s\S]/gu) ?? [];
}

function move(key: string, playback: Playback): void {
  switch (key) {
    case ' ':
      return playback.toggle();
    case '.':
    case '\x1b[C':
      return playback.step(1);
    case ',':
    case '\x1b[D':
      return playback.step(-1);
    case '<':
      return playback.faster(-1);
    case '>':
      return playback.faster(1);
    case '\x1b[H':
      return playback.seek(0);
    case 'G':
    case '\x1b[F':
      return playback.seek(Number.POSITIVE_INFINITY);
  }
}

function linesOf(scenes: readonly Scene[], shown: number, started: number, width: number): Line[] {
  const lines: Line[] = [];
  for (let index = 0; index < shown; index++) {
    const gap = gapBefore(scenes, index, started);
    if (gap >= longGap) lines.push(pauseLine(gap));
    lines.push(...(scenes[index] as Scene).lines(width));
  }
  return lines;
}

function styled(io: Io, line: Line | undefined): string {
  if (line === undefined) return '';
  return line.tone ? tint(io, line.tone, line.text) : line.text;
}

function statusOf(playback: Playback, scenes: readonly Scene[], started: number, scrolled: number): string {
  const { shown, paused, over, speed } = playback;
  const state = over ? 'end' : paused ? 'paused' : 'playing';
  const now = shown === 0 ? 0 : (scenes[shown - 1] as Scene).at - started;
  const all = (scenes.at(-1)?.at ?? started) - started;
  const statement = scenes.slice(0, shown).findLast((scene) => scene.statement !== undefined)?.statement;
  const parts = [
    `${state} ${speed}×`,
    statement === undefined ? 'before the first statement' : `#${statement}`,
    `${time(now)} of ${time(all)}`,
    ...(scrolled > 0 ? [`${scrolled} lines below`] : []),
    help,
  ];
  return parts.join(' · ');
}

function time(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
