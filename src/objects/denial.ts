// The deletion-denial probe: what an intruder with our own rights would try, tried on an object that exists for it. Only a refusal
// passes; an attempt that could not be made proves nothing and does not pass either.
import { createHash } from 'node:crypto';
import { dayMs } from './check.ts';
import { firstVersion } from './first-version.ts';
import { ObjectFault, type ObjectStore } from './object-store.ts';

export const attemptNames = ['delete', 'bypass', 'shorten', 'weaken', 'overwrite'] as const;
export type AttemptName = (typeof attemptNames)[number];
/** `done` is what must not be: it went through. `unknown`: the store could not be asked. */
export type AttemptResult = 'refused' | 'done' | 'unknown';
export type Attempts = Readonly<Partial<Record<AttemptName, AttemptResult>>>;

/** Tries to destroy one version of an object. Without a lock only what versioning promises is tried. */
export async function tryToDestroy(
  store: ObjectStore,
  { key, version }: { readonly key: string; readonly version: string },
  locked: boolean,
  now: () => number,
): Promise<Attempts> {
  const before = await store.get(key, version);
  const kept = await store.retention(key, version).catch(() => undefined);
  const until = kept?.until ?? now() + dayMs;
  const results: Partial<Record<AttemptName, AttemptResult>> = {
    overwrite: await attempt(async () => {
      await store.put(key, Buffer.from('countersign: overwritten\n'));
      const [first, after] = [await firstVersion(store, key), await store.get(key, version)];
      // A new version may be made; the one below it must be what it was.
      return first?.version === version && before !== undefined && after?.equals(before) === true;
    }),
  };
  if (!locked) return results;
  const earlier = { mode: 'COMPLIANCE', until: now() + Math.max(60_000, (until - now()) / 2) } as const;
  results.shorten = await attempt(async () => {
    await store.setRetention(key, version, earlier, true);
    return ((await store.retention(key, version))?.until ?? 0) >= until - 1_000;
  });
  results.weaken = await attempt(async () => {
    await store.setRetention(key, version, { mode: 'GOVERNANCE', until }, true);
    return (await store.retention(key, version))?.mode === 'COMPLIANCE';
  });
  // Deleting comes last: were it possible, nothing would be left to try the rest on.
  for (const bypass of [false, true])
    results[bypass ? 'bypass' : 'delete'] = await attempt(async () => {
      await store.deleteVersion(key, version, bypass);
      return before !== undefined && (await store.get(key, version))?.equals(before) === true;
    });
  return results;
}

/** Every attempt was made, and every one was refused. */
export function isDenied(attempts: Attempts, locked: boolean): boolean {
  const made = locked ? attemptNames : (['overwrite'] as const);
  return made.every((name) => attempts[name] === 'refused');
}

/** Runs an attempt; it resolves with whether nothing came of it although the store did not say no. */
async function attempt(run: () => Promise<boolean>): Promise<AttemptResult> {
  try {
    return (await run()) ? 'refused' : 'done';
  } catch (error) {
    const no = error instanceof ObjectFault && (error.kind === 'refused' || error.kind === 'exists');
    // Wrong credentials and a wrong clock are refusals of us, not of what was tried.
    return no && !foreign.has(error.code) ? 'refused' : 'unknown';
  }
}
const foreign: ReadonlySet<string> = new Set([
  'SignatureDoesNotMatch',
  'InvalidAccessKeyId',
  'ExpiredToken',
  'RequestTimeTooSkewed',
]);

/** One value for the settings of a bucket, so that two probes can be compared. */
export function settingsDigest(settings: object): string {
  const sorted = Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}
