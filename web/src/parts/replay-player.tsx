import { Pause, Play, RotateCw } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { ReplayEvent } from '../../../src/api/contract.ts';
import { Button, field } from './basics.tsx';

/** A pause of the session is not sat through: nothing waits longer than this, in milliseconds. */
const longestPause = 2_000;
const speeds = [0.1, 0.5, 1, 2, 10];

export interface Player {
  /** How many events are shown; all of them at first. */
  readonly shown: number;
  readonly playing: boolean;
  readonly speed: number;
  toggle(): void;
  seek(shown: number): void;
  setSpeed(speed: number): void;
}

/** Shows the events of a replay one after the other in their own timing. */
export function usePlayer(events: readonly ReplayEvent[]): Player {
  const [position, setPosition] = useState<number | 'end'>('end');
  const [started, setStarted] = useState(false);
  const [speed, setSpeed] = useState(1);
  const count = events.length;
  const shown = position === 'end' ? count : Math.min(position, count);
  const playing = started && shown < count;

  useEffect(() => {
    if (!playing) return;
    const gap = shown === 0 ? 0 : events[shown]!.at - events[shown - 1]!.at;
    const timer = setTimeout(() => setPosition(shown + 1), Math.min(Math.max(gap, 0), longestPause) / speed);
    return () => clearTimeout(timer);
  }, [playing, shown, speed, events]);

  return {
    shown,
    playing,
    speed,
    toggle() {
      if (shown >= count) setPosition(0);
      setStarted(!playing);
    },
    seek(to) {
      setStarted(false);
      setPosition(to >= count ? 'end' : to);
    },
    setSpeed,
  };
}

/** Play, position and speed; all of them by keyboard. */
export function PlayerBar({
  player,
  events,
  started,
  reload,
}: {
  player: Player;
  events: readonly ReplayEvent[];
  started: number;
  reload?: () => void;
}) {
  const { shown, playing, speed } = player;
  const seconds = (count: number) => (count === 0 ? 0 : (events[count - 1]!.at - started) / 1000).toFixed(2);
  return (
    <div
      role="group"
      aria-label="Playback"
      className="sticky top-21 z-5 mb-4 flex flex-wrap items-center gap-x-3 gap-y-1 rounded-lg border border-line bg-surface px-3 py-2 sm:top-14"
    >
      <Button className="min-w-20 px-2.5" onClick={player.toggle}>
        {playing ? <Pause size={14} aria-hidden /> : <Play size={14} aria-hidden />}
        {playing ? 'Pause' : 'Play'}
      </Button>
      <input
        type="range"
        aria-label="Position"
        aria-valuetext={`event ${shown} of ${events.length}, ${seconds(shown)} seconds`}
        className="min-w-24 grow basis-32"
        min={0}
        max={events.length}
        value={shown}
        onChange={(event) => player.seek(Number(event.target.value))}
      />
      <span className="text-xs text-soft tabular-nums">
        {seconds(shown)} of {seconds(events.length)} s
      </span>
      <label className="flex items-center gap-1.5 text-xs text-soft">
        Speed
        <select
          className={`${field} min-h-8`}
          value={speed}
          onChange={(event) => player.setSpeed(Number(event.target.value))}
        >
          {speeds.map((one) => (
            <option key={one} value={one}>
              {one}×
            </option>
          ))}
        </select>
      </label>
      {reload && (
        <Button look="quiet" className="px-2" onClick={reload} title="Reading a recording is itself recorded">
          <RotateCw size={14} aria-hidden />
          Read again
        </Button>
      )}
    </div>
  );
}
