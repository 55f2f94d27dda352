// Repeats of a refused statement: within ten minutes the same principal is refused at once, so that people are not worn
// down by asking again (DESIGN §6). In memory and bounded; a restart forgets it.

export interface Breaker {
  refused(key: string, now: number): void;
  isOpen(key: string, now: number): boolean;
}

const tenMinutes = 600_000;

/** Times in milliseconds since the epoch. */
export function openBreaker(most = 10_000): Breaker {
  // A Map keeps the order of insertion, so the oldest refusals are at its front.
  const refusals = new Map<string, number>();
  return {
    refused(key, now) {
      refusals.delete(key);
      refusals.set(key, now);
      for (const [old, at] of refusals) {
        if (refusals.size <= most && now - at < tenMinutes) break;
        refusals.delete(old);
      }
    },
    isOpen(key, now) {
      const at = refusals.get(key);
      return at !== undefined && now - at < tenMinutes;
    },
  };
}
