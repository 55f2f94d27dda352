// What the operator's log says of faults.
import type { Fault } from '../domain/fault.ts';

/** What stands behind a fault, for the log: its class and code, never a text that could quote a value. */
export function operatorCause(fault: Fault): unknown {
  const cause = fault.cause as { name?: string; code?: unknown; sqlstate?: unknown } | undefined;
  return cause && { name: cause.name, code: cause.code, sqlstate: cause.sqlstate };
}

/** The words of a provider's failure; they hold no secret (test: keys/providers.test.ts). */
export function causeWords({ message, cause }: Fault): string {
  return cause instanceof Error ? cause.message : message;
}
