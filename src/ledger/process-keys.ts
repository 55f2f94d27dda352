// The keys of what is said outside sessions: refused sign-ins, who read or ended what. A new one each day, so that retention can
// take a day and not a whole life of the gateway; and one for acts that other entries are judged by, which is never shredded.
import { type EntryType, lastingTypes } from '../domain/entry.ts';
import type { SessionKey } from './session-key.ts';

export interface ProcessKeys {
  /** The key for an entry of this type at this time. Throws what `take` throws when there is none for a new day. */
  of(type: EntryType, ts: number): SessionKey;
  readonly lasting: SessionKey;
  /** Ids of those that may still seal something. */
  present(): readonly string[];
}

const day = 86_400_000;

/** `take` gives a key that nothing has used. */
export function openProcessKeys(take: () => SessionKey): ProcessKeys {
  const lasting = take();
  let daily: { readonly day: number; readonly key: SessionKey } | undefined;
  return {
    lasting,
    of(type, ts) {
      if (lastingTypes.has(type)) return lasting;
      const today = Math.floor(ts / day);
      if (daily === undefined || daily.day < today) daily = { day: today, key: take() };
      return daily.key;
    },
    present: () => [lasting.id, ...(daily ? [daily.key.id] : [])],
  };
}
