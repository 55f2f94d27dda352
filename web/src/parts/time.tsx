import { useSyncExternalStore } from 'react';

const exact = new Intl.DateTimeFormat('en-CA', {
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
  timeZoneName: 'short',
});

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

/** A moment, exact with its zone, and how long ago. */
export function Moment({ at, short = false }: { at: number; short?: boolean }) {
  const current = useNow();
  const words = current - at < 1_000 ? 'now' : `${distance(current - at)} ago`;
  const full = exact.format(at);
  return (
    <time dateTime={new Date(at).toISOString()} title={full} className="whitespace-nowrap tabular-nums">
      {short ? words : `${full} (${words})`}
    </time>
  );
}

export function Countdown({ until }: { until: number }) {
  const left = until - useNow();
  return <span className="tabular-nums">{left <= 0 ? 'expired' : `expires in ${distance(left)}`}</span>;
}

export function duration(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  return distance(ms);
}
