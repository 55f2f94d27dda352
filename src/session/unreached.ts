// A statement whose target demands an ack level that cannot be reached now: refused, recorded as refused, and the session stays.
import type { Draft } from '../domain/entry.ts';
import type { Denial } from '../domain/permit.ts';
import { LevelFault } from '../ledger/replica.ts';
import type { Prepared } from './records.ts';

const advice = 'Send it again in a moment; if it stays so, tell the operator of this gateway.';

/** The denial to record in the place of a permit that cannot be recorded as it must. */
export function unreachedRecord(
  of: Prepared,
  { message: reason, refusedAt: level }: LevelFault,
): { readonly of: Prepared; readonly facts: Draft['facts'] } {
  const what = { ...of.what, reason, advice };
  return { of: { ...of, level, what }, facts: { ...of.facts, a: level, cause: 'unavailable', d: 'deny' } };
}

export function unreachedDenial(entry: number, { message: reason }: LevelFault): Denial {
  return { granted: false, entry, reason, advice, next: 'retry', cause: 'unavailable' };
}

/** Waits for a permit's record; `unreached` answers when its level was not reached, everything else is thrown on. */
export function whenReached<T>(
  durable: Promise<void>,
  reached: () => T | Promise<T>,
  unreached: (fault: LevelFault) => T,
): Promise<T> {
  return durable.then(reached, (error: unknown) => {
    if (error instanceof LevelFault) return unreached(error);
    throw error;
  });
}
