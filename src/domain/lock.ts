import { type Principal, principalId } from './principal.ts';

/** Nobody whom a lock names has a session while it stands, whatever the policies say. */
export const lockKinds = ['principal', 'owner', 'group', 'target'] as const;
export type LockKind = (typeof lockKinds)[number];

export interface Lock {
  readonly id: string;
  readonly kind: LockKind;
  /** A principal id, an owner as agents' tokens name it, a group, or the name of a target. */
  readonly value: string;
  /** Told to whoever it cuts off. */
  readonly reason: string;
  /** Milliseconds since the epoch; it stands until it is lifted without it. */
  readonly until?: number;
  readonly by: string;
  readonly byName: string;
  readonly at: number;
  /** Leaf index of the entry that set it. */
  readonly entry: number;
}

/** Whether a lock is against this principal at this target. */
export function isLocked({ kind, value }: Pick<Lock, 'kind' | 'value'>, principal: Principal, target: string): boolean {
  switch (kind) {
    case 'principal':
      return value === principalId(principal);
    case 'owner':
      return sameCase(value, principal.owner) || (principal.kind === 'human' && sameCase(value, principal.email));
    case 'group':
      return principal.groups.includes(value);
    case 'target':
      return value === target;
  }
}

/** Owners are often e-mail addresses, which are written in any case. */
function sameCase(one: string, other: string | undefined): boolean {
  return other !== undefined && one.trim().toLowerCase() === other.trim().toLowerCase();
}
