// Shredding: the entry first, durable; then the keys. A process that dies between the two finishes at its next start (ledger.ts).
import type { Json } from '../domain/entry.ts';
import { destroyKeys } from './keys-destruction.ts';
import type { Ledger } from './ledger.ts';

export interface Shredding {
  /** Rule of the configuration that says so. */
  readonly rule: string;
  readonly keys: readonly string[];
  /** Sessions whose content goes with them. */
  readonly sessions: number;
  /** Of what is shredded: milliseconds since the epoch of the first beginning and the last end. */
  readonly from: number;
  readonly to: number;
  readonly recordings: 'kept' | 'deleted';
  /** The daily run, or a person: then who. */
  readonly by: 'schedule' | 'person';
  readonly who?: Readonly<Record<string, Json>>;
}

/** Keys in one entry, which is bounded. */
export const mostKeys = 200;

/** Resolves with the leaf index once the keys are gone. Rejects with nothing destroyed when the entry could not be made durable. */
export async function shredKeys(ledger: Pick<Ledger, 'append'>, state: string, of: Shredding): Promise<number> {
  const { who, keys, ...facts } = of;
  if (keys.length === 0 || keys.length > mostKeys) throw new RangeError(`1 to ${mostKeys} keys in one entry`);
  const { index, durable } = ledger.append(
    {
      type: 'retention.shred',
      facts: { ...facts, keys: [...keys] },
      ...(who ? { payload: { admin: who } } : {}),
    },
    'synced',
  );
  await durable;
  destroyKeys(state, keys);
  return index;
}
