// What the bucket must be before anything is trusted to it: versioned, and with the lock that the configuration demands. Asked of
// the store and then tried on an object, since a setting and what it does are two things.
import { Fault } from '../domain/fault.ts';
import { ObjectFault, type ObjectStore } from './object-store.ts';

export interface LockRule {
  /** Days that nobody can delete or shorten; compliance mode is the only one. */
  readonly days: number;
}

export interface Checked {
  /** The store refuses a second write of a name. */
  readonly conditional: boolean;
  /** Settings of the bucket as it tells them. */
  readonly settings: { readonly versioning: boolean; readonly lock: boolean; readonly defaultRetention?: string };
  /** The object that was tried, for the deletion-denial probe. */
  readonly probe: { readonly key: string; readonly version: string };
}

export const dayMs = 86_400_000;
const probeText = Buffer.from('countersign: this object shows that what lies here cannot be deleted\n');

/** Faults with words for the operator when the bucket is not what is demanded; ObjectFault when the store could not be asked. */
export async function checkStore(
  store: ObjectStore,
  lock: LockRule | undefined,
  name: string,
  now: () => number,
): Promise<Checked> {
  const settings = await store.settings();
  if (!settings.versioning)
    throw unfit(
      `versioning is not on in the bucket of ${store.name}: switch it on, so that nothing there is overwritten`,
    );
  if (lock && !settings.lock)
    throw unfit(
      `Object Lock is not on in the bucket of ${store.name}: make a bucket with it, or leave ledger.objects.lock out`,
    );
  const key = `probe/${name}`;
  // As short as a lock can be shown: what is tried is not to lie there for years.
  const retainUntil = lock && now() + Math.min(lock.days, 1) * dayMs;
  const options = retainUntil === undefined ? {} : { retainUntil };
  const version = await store.put(key, probeText, options);
  if (!(await store.get(key))?.equals(probeText))
    throw unfit(`${store.name} does not give back what was written to it`);
  if (retainUntil !== undefined) {
    const kept = await store.retention(key, version);
    // Stores keep whole seconds, some whole milliseconds.
    if (kept?.mode !== 'COMPLIANCE' || kept.until < retainUntil - 1_000)
      throw unfit(`${store.name} takes a lock in compliance mode and does not keep it: use a store with Object Lock`);
  }
  return { conditional: await refusesSecond(store, key, options), settings, probe: { key, version } };
}

/** Whether a conditional write of a name that there is fails. Where it does not it made a second version, which harms nothing. */
async function refusesSecond(store: ObjectStore, key: string, options: object): Promise<boolean> {
  try {
    await store.put(key, probeText, { ...options, onlyNew: true });
    return false;
  } catch (error) {
    if (error instanceof ObjectFault && error.kind === 'exists') return true;
    // A store that does not know the header says so; one that has trouble says that.
    if (error instanceof ObjectFault && (error.code === 'NotImplemented' || error.code === 'InvalidArgument'))
      return false;
    throw error;
  }
}

function unfit(message: string): Fault {
  return new Fault('ledger.unavailable', message);
}
