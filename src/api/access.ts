// Who may see and do what over the API. Pure. An agent sees only its own sessions and requests, whatever its groups.
import { type Principal, principalId } from '../domain/principal.ts';

export interface Roles {
  /** Groups that see all sessions and requests. */
  readonly viewers: readonly string[];
  /** Groups that may end sessions; they see everything too. */
  readonly admins: readonly string[];
}

export interface Access {
  seesAll(principal: Principal): boolean;
  mayKill(principal: Principal): boolean;
  /** `owner` is the principal id of the session. */
  seesSession(principal: Principal, owner: string): boolean;
  seesApproval(principal: Principal, approval: { readonly requester: string; readonly group: string }): boolean;
  /** Groups whose requests the principal sees; undefined for all. */
  approvalGroups(principal: Principal): readonly string[] | undefined;
}

export function openAccess(roles: Roles): Access {
  const member = (principal: Principal, groups: readonly string[]) =>
    principal.groups.some((group) => groups.includes(group));
  const mayKill = (principal: Principal) => principal.kind !== 'agent' && member(principal, roles.admins);
  const seesAll = (principal: Principal) =>
    mayKill(principal) || (principal.kind !== 'agent' && member(principal, roles.viewers));
  return {
    seesAll,
    mayKill,
    seesSession: (principal, owner) => seesAll(principal) || principalId(principal) === owner,
    seesApproval: (principal, { requester, group }) =>
      seesAll(principal) ||
      principalId(principal) === requester ||
      (principal.kind === 'human' && principal.groups.includes(group)),
    approvalGroups(principal) {
      if (seesAll(principal)) return undefined;
      return principal.kind === 'human' ? principal.groups : [];
    },
  };
}
