// Cancel keys of live sessions: a cancel request reaches the session that owns the key, and no other (DESIGN §3).
import { Fault } from '../domain/fault.ts';
import type { CancelRegistry } from '../protocols/protocol.ts';

export function openCancels(): CancelRegistry {
  const live = new Map<string, () => void>();
  return {
    add(key, cancel) {
      if (live.has(key)) throw new Fault('gateway.internal', 'The cancel key is taken; draw another.');
      live.set(key, cancel);
      return () => {
        if (live.get(key) === cancel) live.delete(key);
      };
    },
    find: (key) => live.get(key),
  };
}
