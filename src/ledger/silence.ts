// When the log says nothing: between boots, and in a boot whose heartbeats stay away. Quiet is proven, silence is named.
import type { Entry } from './entry.ts';

export interface Gap {
  /** `silent`: the gateway ran and gave no heartbeat; else how the boot before ended. */
  readonly kind: 'silent' | 'stopped' | 'crashed';
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  /** Index of the entry that ends it. */
  readonly entry: number;
}

export interface Gaps {
  readonly silent: number;
  readonly down: number;
  /** The first of them; the counts are of all. */
  readonly listed: readonly Gap[];
}

/** Heartbeats may be late by a timer; three intervals are no accident. */
const patience = 3;
const mostListed = 1_000;

export interface Silence {
  /** The next entry of the log. */
  entry(entry: Entry, index: number): void;
  /** The last boot's silence up to the last entry is counted too. */
  gaps(): Gaps;
}

export function openSilence(): Silence {
  const listed: Gap[] = [];
  const count = { silent: 0, down: 0 };
  /** Of the present boot; a boot that does not state its interval cannot be late. */
  let interval = Number.POSITIVE_INFINITY;
  let beat = 0;
  let before: { readonly ts: number; readonly type: Entry['t']; readonly index: number } | undefined;

  const add = (gap: Gap) => {
    if (gap.kind === 'silent') count.silent++;
    else count.down++;
    if (listed.length < mostListed) listed.push(gap);
  };
  const late = (to: number) => to - beat > patience * interval;

  return {
    entry({ t: type, ts, x }, index) {
      if (type === 'gateway.start') {
        if (before) {
          if (late(before.ts)) add({ kind: 'silent', from: beat, to: before.ts, entry: before.index });
          if (before.type !== 'log.genesis')
            add({
              kind: before.type === 'gateway.stop' ? 'stopped' : 'crashed',
              from: before.ts,
              to: ts,
              entry: index,
            });
        }
        const { heartbeatMs } = x;
        interval = typeof heartbeatMs === 'number' && heartbeatMs > 0 ? heartbeatMs : Number.POSITIVE_INFINITY;
        beat = ts;
      } else if (type === 'heartbeat') {
        if (late(ts)) add({ kind: 'silent', from: beat, to: ts, entry: index });
        beat = ts;
      }
      before = { ts, type, index };
    },
    gaps() {
      const last: Gap[] =
        before && late(before.ts) ? [{ kind: 'silent', from: beat, to: before.ts, entry: before.index }] : [];
      return { silent: count.silent + last.length, down: count.down, listed: [...listed, ...last] };
    },
  };
}
