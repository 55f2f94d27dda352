// When a session ends whatever it does: its credential has expired, or it has lasted as long as one may (guarantee 9).
import { Fault } from '../domain/fault.ts';
import type { Principal } from '../domain/principal.ts';

/** The longest delay that a timer of the platform takes. */
export const longestTimer = 2_147_483_647;

export interface Expiry {
  /** Milliseconds since the epoch; infinite where nothing ends it. */
  readonly at: number;
  fault(): Fault;
}

/** `opened` in milliseconds since the epoch; `sessionMs` is absent where sessions may last for ever. */
export function expiryOf({ credential }: Principal, opened: number, sessionMs = Number.POSITIVE_INFINITY): Expiry {
  const limit = opened + sessionMs;
  const expires = credential.expiresAt === undefined ? Number.POSITIVE_INFINITY : credential.expiresAt * 1_000;
  if (expires <= limit)
    return {
      at: expires,
      fault: () =>
        new Fault('session.killed', 'The credential of this session has expired. Sign in again with a fresh one.'),
    };
  return {
    at: limit,
    fault: () =>
      new Fault('session.killed', 'The session has lasted as long as a session may here. Connect again to go on.'),
  };
}
