// What a legal hold keeps. Pure: the same question is asked by the plan, and by the verifier of what stands in the clear.

export interface HoldScope {
  readonly session?: string;
  /** Principal id, `issuer|subject`. Sealed in the record. */
  readonly principal?: string;
  readonly target?: string;
  /** Milliseconds since the epoch. Whatever happened from … to … is kept. */
  readonly from?: number;
  readonly to?: number;
}

export interface HeldSession {
  readonly id: string;
  /** Undefined where it cannot be told any more: then it counts as the one that is meant. */
  readonly principal?: string;
  readonly target: string;
  readonly opened: number;
  readonly closed: number;
}

/** Every part that is given must fit. */
export function keepsSession(scope: HoldScope, session: HeldSession): boolean {
  const { principal } = scope;
  return (
    (scope.session === undefined || scope.session === session.id) &&
    (principal === undefined || session.principal === undefined || principal === session.principal) &&
    (scope.target === undefined || scope.target === session.target) &&
    overlaps(scope, session.opened, session.closed)
  );
}

/**
 * Payloads outside sessions (refused sign-ins, who read evidence, who ended what) name principals and targets where nobody can tell
 * without opening them: whatever is held keeps those of its time. `session` is the session that the scope names.
 */
export function keepsTime(scope: HoldScope, from: number, to: number, session?: HeldSession): boolean {
  if (session && (session.closed < from || session.opened > to)) return false;
  return overlaps(scope, from, to);
}

function overlaps({ from, to }: HoldScope, opened: number, closed: number): boolean {
  return (from === undefined || closed >= from) && (to === undefined || opened <= to);
}
