// Who may vote and what votes amount to (DESIGN §6). Pure. The requester, its owner and agents can never approve
// (test: approval.not-own); where the gateway could not tell the owner apart, nobody is let through.
import type { Json } from '../domain/entry.ts';
import type { Grade } from '../domain/grade.ts';
import { type Principal, principalId } from '../domain/principal.ts';
import type { Requester } from './request.ts';
import type { SignedVote } from './signed-vote.ts';

export interface Vote {
  /** `issuer|subject`. */
  readonly voter: string;
  readonly voterName: string;
  readonly email?: string;
  readonly answer: 'grant' | 'refuse';
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly reason?: string;
  readonly grade: Grade;
  /** What binds it to the person, unless that is the signed-in session alone. */
  readonly signed?: SignedVote;
}

export type Objection = { readonly code: ObjectionCode; readonly message: string };
export type ObjectionCode =
  | 'approval.not-human'
  | 'approval.not-member'
  | 'approval.own-request'
  | 'approval.own-agent'
  | 'approval.unknown-owner'
  | 'approval.voted';

/** Why a principal may not vote on a request; undefined when it may. */
export function objection(
  requester: Requester,
  group: string,
  votes: readonly Vote[],
  voter: Principal,
): Objection | undefined {
  const id = principalId(voter);
  const email = sameCase(voter.email);
  const isVoter = (name: string | undefined) =>
    name !== undefined && (sameCase(name) === sameCase(id) || (email !== undefined && sameCase(name) === email));
  if (voter.kind !== 'human')
    return { code: 'approval.not-human', message: 'Only people vote. Ask someone of the group to sign in.' };
  if (isVoter(requester.principal) || isVoter(requester.email) || requester.delegation.some(isVoter)) {
    return {
      code: 'approval.own-request',
      message: 'Nobody votes on their own request. Ask someone else of the group.',
    };
  }
  if (isVoter(requester.owner))
    return { code: 'approval.own-agent', message: 'You own this agent. Ask someone else of the group to vote.' };
  if (requester.kind !== 'human' && requester.owner === undefined) {
    return {
      code: 'approval.unknown-owner',
      message:
        'The token of the requester names no owner, so the owner cannot be told apart. Map one with principal.owner of its issuer.',
    };
  }
  // An owner named by e-mail and a voter without one: they could be the same person.
  if (requester.owner !== undefined && !requester.owner.includes('|') && email === undefined) {
    return {
      code: 'approval.unknown-owner',
      message:
        'Your sign-in carries no e-mail, so you cannot be told apart from the owner. Map one with principal.email of your issuer.',
    };
  }
  if (!voter.groups.includes(group))
    return { code: 'approval.not-member', message: `Only members of ${group} vote on this. Ask one of them.` };
  if (
    votes.some(
      (vote) => sameCase(vote.voter) === sameCase(id) || (email !== undefined && sameCase(vote.email) === email),
    )
  ) {
    return { code: 'approval.voted', message: 'You have voted on this already.' };
  }
  return undefined;
}

/** One refusal refuses; a quorum of distinct people grants. */
export function tally(votes: readonly Vote[], quorum: number): 'granted' | 'refused' | 'pending' {
  if (votes.some((vote) => vote.answer === 'refuse')) return 'refused';
  return votes.filter((vote) => vote.answer === 'grant').length >= quorum ? 'granted' : 'pending';
}

function sameCase(text: string | undefined): string | undefined {
  return text?.trim().toLowerCase();
}

/** What the record seals of a vote. */
export function voteRecord(vote: Vote): { readonly [key: string]: Json | undefined } {
  return {
    voter: vote.voter,
    voterName: vote.voterName,
    email: vote.email,
    answer: vote.answer,
    at: vote.at,
    reason: vote.reason,
    grade: vote.grade,
    signed: vote.signed as unknown as Json,
  };
}

/** A vote as it is shown: without the address of who gave it, and without the signature. */
export function shownVote({ voter, voterName, answer, at, reason, grade }: Vote): Omit<Vote, 'email' | 'signed'> {
  return { voter, voterName, answer, at, reason, grade };
}
