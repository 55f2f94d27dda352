// How often one address may try: a bucket each, bounded in number. Pure but for the time it is told.

export interface Rate {
  /** Takes one of the address's tries; false when none is left. `at` in milliseconds since the epoch. */
  take(address: string, at: number): boolean;
}

const mostAddresses = 10_000;

/** `tries` at once, refilled evenly over `ms`. The address seen longest ago is forgotten first. */
export function openRate(tries: number, ms: number): Rate {
  const buckets = new Map<string, { left: number; at: number }>();
  return {
    take(address, at) {
      const bucket = buckets.get(address) ?? { left: tries, at };
      buckets.delete(address);
      bucket.left = Math.min(tries, bucket.left + (Math.max(0, at - bucket.at) * tries) / ms);
      bucket.at = at;
      if (buckets.size >= mostAddresses) buckets.delete(buckets.keys().next().value!);
      buckets.set(address, bucket);
      if (bucket.left < 1) return false;
      bucket.left--;
      return true;
    },
  };
}
