// What the public verifier cannot see: whether sealed payloads open, and say what their entries committed to. Needs the data keys, so
// it is for whoever runs the gateway (test: test/adversarial/storage).
import { Damage, meaning } from './damage.ts';
import { onDisk } from './disk-folder.ts';
import { parseEntry } from './entry.ts';
import { readFrames, startOfJournal } from './journal-reading.ts';
import type { KeyOpener } from './keyring.ts';
import { unseal } from './payload.ts';

export interface Content {
  /** Payloads that opened and agree with their entries. */
  readonly opened: number;
  /** Payloads whose key is gone. */
  readonly erased: number;
}

/** Opens every payload of a ledger that verifies. Damage at the first that does not agree with its entry. */
export async function checkContent(folder: string, opener: KeyOpener): Promise<Content> {
  let opened = 0;
  let erased = 0;
  for await (const { records, file } of readFrames(onDisk(folder), startOfJournal())) {
    const keys = await opener.open(new Set(records.flatMap(({ sealed }) => (sealed ? [sealed.key] : []))));
    for (const { index, entry: bytes, sealed } of records) {
      if (!sealed) continue;
      const key = keys.get(sealed.key);
      const entry = parseEntry(bytes);
      if (typeof entry === 'string') throw new Damage(file, `the entry ${entry}`, meaning.changed, index);
      const payload = key && unseal(key, entry, index, sealed.position, sealed.bytes);
      if (typeof payload === 'string') throw new Damage(file, `the payload ${payload}`, meaning.changed, index);
      if (payload) opened++;
      else erased++;
    }
  }
  return { opened, erased };
}
