// A request as people and the API see it, and why a vote was not taken. Pure.
import type { Grade } from '../domain/grade.ts';
import type { EffectRow } from '../policy/explain.ts';
import type { ApprovalRequest } from './request.ts';
import type { ObjectionCode, Vote } from './vote.ts';

export type ApprovalState = 'pending' | 'granted' | 'refused' | 'expired' | 'withdrawn';

/** A request as the API shows it, apart from who looks. Times in milliseconds since the epoch. */
export interface Approval {
  readonly id: string;
  readonly session: string;
  readonly sequence: number;
  readonly requester: string;
  readonly requesterName: string;
  readonly target: string;
  readonly database: string;
  readonly text: string;
  readonly parameters?: readonly (string | null)[];
  readonly effects: readonly EffectRow[];
  readonly rules: readonly string[];
  readonly advice: string;
  readonly group: string;
  readonly quorum: number;
  /** How strong each vote must be; absent where a signed-in session is enough. */
  readonly grade?: Exclude<Grade, 'session'>;
  readonly created: number;
  readonly expires: number;
  readonly digest: string;
  readonly state: ApprovalState;
  readonly resolved?: number;
  readonly votes: readonly Vote[];
}

/** What `showApproval` needs of a request and how far it came. */
export interface Progress {
  readonly request: ApprovalRequest;
  readonly digest: string;
  readonly created: number;
  readonly expires: number;
  readonly votes: readonly Vote[];
  readonly state: ApprovalState;
  readonly resolved?: number;
}

export function showApproval(open: Progress): Approval {
  const { request } = open;
  return {
    id: request.id,
    session: request.session,
    sequence: request.sequence,
    requester: request.requester.principal,
    requesterName: request.requester.name,
    target: request.target.name,
    database: request.target.database,
    text: request.action.text,
    parameters: request.action.parameters,
    effects: request.action.effects,
    rules: request.policy.rules,
    advice: request.policy.advice,
    group: request.quorum.of,
    quorum: request.quorum.n,
    grade: request.quorum.grade,
    created: open.created,
    expires: open.expires,
    digest: open.digest,
    state: open.state,
    resolved: open.resolved,
    votes: [...open.votes],
  };
}

/** Why a vote was not taken. `message` says what to do. */
export class ApprovalProblem extends Error {
  readonly code:
    | 'approval.unknown'
    | 'approval.resolved'
    | 'approval.digest'
    | 'approval.grade'
    | 'approval.signature'
    | ObjectionCode;
  constructor(code: ApprovalProblem['code'], message: string) {
    super(message);
    this.name = 'ApprovalProblem';
    this.code = code;
  }
}

/** The answer to a vote that came too late. */
export function alreadyResolved(state?: ApprovalState): ApprovalProblem {
  return new ApprovalProblem(
    'approval.resolved',
    `The request is no longer open${state ? `: it was ${state}` : ''}. Your vote has no effect.`,
  );
}

/** The answer to a grant that is not signed as the policy wants it. */
export function tooWeak(demanded: Grade): ApprovalProblem {
  return new ApprovalProblem(
    'approval.grade',
    demanded === 'verified'
      ? 'The policy asks for a signature by a key that checks who is there: sign with a passkey, or with a hardware SSH key made with -O verify-required.'
      : 'The policy asks for a signature by your own key. Sign with a passkey, or with an SSH key that is enrolled.',
  );
}
