// What a session rejects with.
import { Fault } from '../domain/fault.ts';

export const hasEnded = (): Fault => new Fault('session.killed', 'The session has ended.');

/** What the ledger could not take: its own fault, or a text that cannot be recorded. */
export function asFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof TypeError)
    return new Fault('client.limit', 'The statement cannot be recorded as it is. Send it as plain, valid text.', error);
  return new Fault('gateway.internal', 'The gateway failed. Tell an operator.', error);
}
