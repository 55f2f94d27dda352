import { useSyncExternalStore } from 'react';

const zone = new Intl.DateTimeFormat('en-CA', { timeZoneName: 'short' });
const exact = new Intl.DateTimeFormat('en-CA', {
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

/** Date, time and zone: "2026-11-21 11:45:43 UTC". */
function inFull(at: number): string {
  const name = zone.formatToParts(at).find((part) => part.type === 'timeZoneName')?.value ?? '';
  return `${exact.format(at).replace(',', '')} ${name}`;
}

let now = Date.now();
const listeners = new Set<() => void>();
setInterval(() => {
  now = Date.now();
  for (const listener of listeners) listener();
}, 1_000);

/** The time of this machine, once a second. */
export function useNow(): number {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => now,
  );
}

function distance(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** A moment: how long ago or how far ahead, and exactly with its zone (at the pointer when `short`). */
export function Moment({ at, short = false }: { at: number; short?: boolean }) {
  const away = at - useNow();
  const words = away > 1_000 ? `in ${distance(away)}` : away > -1_000 ? 'now' : `${distance(away)} ago`;
  const full = inFull(at);
  return (
    <time dateTime={new Date(at).toISOString()} title={full} className="tabular-nums">
      {short ? (
        <span className="whitespace-nowrap">{words}</span>
      ) : (
        <>
          <span className="whitespace-nowrap">{full}</span>{' '}
          <span className="whitespace-nowrap text-soft">({words})</span>
        </>
      )}
    </time>
  );
}

/** "9:41", or in larger units above an hour. The last minute is marked. */
export function Countdown({ until }: { until: number }) {
  const left = Math.max(0, Math.ceil((until - useNow()) / 1000));
  if (left === 0) return <span className="whitespace-nowrap text-soft">expired</span>;
  const words = left < 3600 ? `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}` : distance(left * 1000);
  return (
    <span className={`whitespace-nowrap tabular-nums ${left <= 60 ? 'font-medium text-warn' : ''}`} role="timer">
      expires in {words}
    </span>
  );
}

export function duration(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  return distance(ms);
}
