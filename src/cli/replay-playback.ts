// Where a player stands in a session: time runs at a speed, gaps are shortened, keys and seeks move it. Pure: time is given.
import type { Scene } from './replay-scene.ts';

export interface Playback {
  /** Scenes that are shown. */
  readonly shown: number;
  readonly paused: boolean;
  readonly speed: number;
  /** The last scene is shown. */
  readonly over: boolean;
  /** Moves on to `now`; true when more scenes are shown than before. */
  advance(now: number): boolean;
  /** Milliseconds until the next scene; undefined while nothing moves. */
  due(): number | undefined;
  toggle(): void;
  /** To where the next or the last statement begins, and pauses there. */
  step(by: 1 | -1): void;
  faster(by: 1 | -1): void;
  /** Shows so many scenes. */
  seek(shown: number): void;
}

const slowest = 1 / 16;
const fastest = 256;

export interface PlaybackOptions {
  /** Milliseconds since the epoch at which the session began. */
  readonly started: number;
  readonly speed: number;
  /** Longest pause between two scenes, in milliseconds of the session. */
  readonly idleMs: number;
  /** Scenes shown at first. */
  readonly from: number;
  readonly now: number;
}

export function openPlayback(scenes: readonly Scene[], options: PlaybackOptions): Playback {
  let { speed } = options;
  let shown = Math.min(options.from, scenes.length);
  let paused = false;
  let before = options.now;
  /** Milliseconds of the session since the last scene that is shown. */
  let since = 0;

  const gapAt = (index: number): number => Math.min(gapBefore(scenes, index, options.started), options.idleMs);

  function seek(to: number): void {
    shown = Math.max(0, Math.min(to, scenes.length));
    since = 0;
  }

  return {
    get shown() {
      return shown;
    },
    get paused() {
      return paused;
    },
    get speed() {
      return speed;
    },
    get over() {
      return shown >= scenes.length;
    },
    advance(now) {
      const passed = Math.max(0, now - before) * speed;
      before = now;
      if (paused) return false;
      const first = shown;
      since += passed;
      while (shown < scenes.length && since >= gapAt(shown)) since -= gapAt(shown++);
      return shown > first;
    },
    due: () => (paused || shown >= scenes.length ? undefined : Math.max(0, gapAt(shown) - since) / speed),
    toggle() {
      if (shown >= scenes.length) {
        seek(0);
        paused = false;
      } else paused = !paused;
    },
    step(by) {
      paused = true;
      const starts = scenes.flatMap((scene, index) => (scene.statement === undefined ? [] : [index + 1]));
      // All that the statement brought is shown before the next one begins.
      const ends = [...starts.slice(1).map((start) => start - 1), scenes.length];
      if (by > 0) seek(ends.find((end) => end > shown) ?? scenes.length);
      else seek(ends.findLast((end) => end < shown) ?? 0);
    },
    faster(by) {
      speed = Math.min(fastest, Math.max(slowest, by > 0 ? speed * 2 : speed / 2));
    },
    seek,
  };
}

/** How long the session did nothing before a scene. */
export function gapBefore(scenes: readonly Scene[], index: number, started: number): number {
  return Math.max(0, (scenes[index]?.at ?? 0) - (index === 0 ? started : (scenes[index - 1]?.at ?? 0)));
}

/** Scenes to be shown so that what a person asked for is the last: `12` or `#12` a statement, `90s`, `1m30s` or `1:30` a time. */
export function placeOf(text: string, scenes: readonly Scene[], started: number): number | undefined {
  const statement = /^#?(\d{1,9})$/.exec(text.trim())?.[1];
  if (statement !== undefined) return placeOfStatement(Number(statement), scenes);
  const ms = timeOf(text);
  return ms === undefined ? undefined : placeOfTime(ms, scenes, started);
}

export function placeOfStatement(sequence: number, scenes: readonly Scene[]): number | undefined {
  const at = scenes.findIndex((scene) => scene.statement === sequence);
  return at < 0 ? undefined : at + 1;
}

/** `ms` since the session began. */
export function placeOfTime(ms: number, scenes: readonly Scene[], started: number): number {
  const after = scenes.findIndex((scene) => scene.at > started + ms);
  return after < 0 ? scenes.length : after;
}

/** Milliseconds of `90s`, `1m30s`, `2h`, `1:30`, `1:02:03`; undefined for anything else. */
export function timeOf(text: string): number | undefined {
  const colons = /^(?:(\d{1,4}):)?(\d{1,4}):(\d{1,2}(?:\.\d{1,3})?)$/.exec(text.trim());
  const units = /^(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6}(?:\.\d{1,3})?)s)?$/.exec(text.trim());
  const found = colons ?? (text.trim() === '' ? null : units);
  if (!found) return undefined;
  const [hours, minutes, seconds] = found.slice(1).map((part) => Number(part ?? 0)) as [number, number, number];
  return Math.round(((hours * 60 + minutes) * 60 + seconds) * 1_000);
}
