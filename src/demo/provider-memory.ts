// What the demo's provider remembers, for as long as it runs: sessions, grants and codes, each until it expires.
import type { Adapter, AdapterPayload } from 'oidc-provider';

interface Kept {
  readonly payload: AdapterPayload;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** One store for all kinds of things; oidc-provider asks for one adapter each. */
export function providerMemory(now: () => number): (kind: string) => Adapter {
  const all = new Map<string, Kept>();
  const live = (key: string): AdapterPayload | undefined => {
    const kept = all.get(key);
    if (!kept || kept.until > now()) return kept?.payload;
    all.delete(key);
    return undefined;
  };
  const search = (wanted: (payload: AdapterPayload) => boolean, kind: string) =>
    [...all.keys()]
      .filter((key) => key.startsWith(`${kind}:`))
      .map(live)
      .find((payload) => payload !== undefined && wanted(payload));
  return (kind) => ({
    async upsert(id, payload, expiresIn) {
      for (const key of all.keys()) live(key);
      all.set(`${kind}:${id}`, { payload, until: expiresIn ? now() + expiresIn * 1_000 : Number.POSITIVE_INFINITY });
    },
    find: async (id) => live(`${kind}:${id}`),
    findByUid: async (uid) => search((payload) => payload.uid === uid, kind),
    findByUserCode: async (code) => search((payload) => payload.userCode === code, kind),
    async consume(id) {
      const payload = live(`${kind}:${id}`);
      if (payload) payload.consumed = Math.floor(now() / 1_000);
    },
    async destroy(id) {
      all.delete(`${kind}:${id}`);
    },
    async revokeByGrantId(grantId) {
      for (const [key, { payload }] of all) if (payload.grantId === grantId) all.delete(key);
    },
  });
}
