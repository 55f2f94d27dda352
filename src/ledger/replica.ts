// The second place of the record, as the ledger sees it: what is on the local device is to be copied, and can be waited for.
import { Fault } from '../domain/fault.ts';
import type { AckLevel } from '../domain/target.ts';

export interface Replica {
  /** Why nothing can be waited for now; undefined when it can. */
  fault(): LevelFault | undefined;
  /**
   * Everything below `upTo` is on the local device: resolves when it is in the second place too; rejects with a LevelFault. Nothing else
   * is ever copied, so the copy is never ahead of what a start finds.
   */
  copied(upTo: number): Promise<void>;
}

/**
 * The level cannot be reached now. The ledger goes on: only what demands the level is refused, and the session stays
 * (test: session/unreached).
 */
export class LevelFault extends Fault {
  /** Where the refusal is recorded instead. */
  readonly refusedAt: AckLevel = 'synced';
  constructor(
    cause?: unknown,
    message = 'The decision cannot be recorded where this target demands it, so nothing was executed.',
  ) {
    super('ledger.unavailable', message, cause);
  }
}

/** Waits for the copy of entries whose frame is synced; the same promise for all of one group. */
export function openReplicated(replica: Replica) {
  let reached = 0;
  let group: { synced?: Promise<void>; upTo: number; durable: Promise<void> } = { upTo: 0, durable: Promise.resolve() };
  function wait(synced: Promise<void>, upTo: number): Promise<void> {
    if (group.synced !== synced) {
      const copy = async (): Promise<void> => {
        const whole = fresh.upTo;
        await replica.copied(whole);
        reached = Math.max(reached, whole);
      };
      const fresh = (group = { synced, upTo, durable: synced.then(copy) });
      // Whoever does not wait must not bring the process down; whoever does is still told.
      fresh.durable.catch(() => undefined);
    }
    group.upTo = upTo;
    return group.durable;
  }
  return {
    wait,
    /** Entries that were seen to be in the second place. */
    reached: () => reached,
  };
}
