// Every error of the API is a Problem with a stable code; messages say what to do next. docs/api.md lists the codes.
import { randomBytes } from 'node:crypto';
import { ApprovalProblem } from '../approvals/approval.ts';
import { KeyProblem, type KeyProblemCode } from '../approvals/approver-key.ts';
import { Fault } from '../domain/fault.ts';
import { StoreUnavailable } from '../store/store.ts';
import type { Problem } from './contract.ts';

/** Codes of the API itself, with their HTTP status; faults of sign-in and codes of approvals come through beside them. */
export const apiProblems = {
  'request.invalid': 400,
  'request.host': 421,
  'request.origin': 403,
  'request.limit': 429,
  'request.too-long': 413,
  'request.unknown': 404,
  'access.sign-in': 401,
  'access.viewers': 403,
  'access.admins': 403,
  'session.unknown': 404,
  'session.ended': 409,
  'session.shredded': 410,
  'hold.unknown': 404,
  'lock.unknown': 404,
  'export.unknown': 404,
  'policy.invalid': 400,
  'backtest.busy': 503,
  'replay.busy': 503,
  'replay.protocol': 501,
  'sign-in.not-configured': 404,
  'sign-in.failed': 403,
  'sign-in.provider': 502,
  'store.unavailable': 503,
} as const;
export type ApiProblemCode = keyof typeof apiProblems;

/** A request that is turned away; thrown anywhere in a route. */
export class Refused extends Error {
  readonly code: ApiProblemCode;
  constructor(code: ApiProblemCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'Refused';
    this.code = code;
  }
}

const approvalStatus: Readonly<Record<ApprovalProblem['code'], number>> = {
  'approval.unknown': 404,
  'approval.resolved': 409,
  'approval.digest': 409,
  'approval.voted': 409,
  'approval.not-human': 403,
  'approval.not-member': 403,
  'approval.own-request': 403,
  'approval.own-agent': 403,
  'approval.unknown-owner': 403,
  'approval.grade': 403,
  'approval.signature': 403,
};

const keyStatus: Readonly<Record<KeyProblemCode, number>> = {
  'key.unknown': 404,
  'key.taken': 409,
  'key.revoked': 409,
  'key.limit': 409,
  'key.challenge': 409,
  'key.invalid': 400,
  'key.not-human': 403,
  'key.not-allowed': 403,
  'key.own': 403,
};

export interface Answer {
  readonly status: number;
  readonly problem: Problem;
  /** For the operator's log; present when it was not the caller's mistake. */
  readonly incident?: string;
}

/** What a thrown value becomes. Whatever is not expected tells nothing but an incident id. */
export function answerFor(error: unknown): Answer {
  if (error instanceof Refused) {
    return { status: apiProblems[error.code], problem: { code: error.code, message: error.message } };
  }
  if (error instanceof ApprovalProblem) {
    return { status: approvalStatus[error.code], problem: { code: error.code, message: error.message } };
  }
  if (error instanceof KeyProblem) {
    return { status: keyStatus[error.code], problem: { code: error.code, message: error.message } };
  }
  if (error instanceof StoreUnavailable) {
    return { status: 503, problem: { code: 'store.unavailable', message: error.message } };
  }
  if (error instanceof Fault && error.code !== 'gateway.internal') {
    const status = error.code.startsWith('sign-in.') ? 401 : 503;
    return { status, problem: { code: error.code, message: error.message } };
  }
  const { statusCode } = (error ?? {}) as { statusCode?: unknown };
  if (statusCode === 413) {
    return {
      status: 413,
      problem: { code: 'request.too-long', message: 'The request is too long. Send less at once.' },
    };
  }
  // The framework's own refusals: malformed JSON, an unknown content type, a malformed path.
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return {
      status: 400,
      problem: { code: 'request.invalid', message: 'The request cannot be read. Send JSON as docs/api.md says.' },
    };
  }
  const incident = randomBytes(6).toString('hex');
  const message = `The gateway failed. Tell an operator the incident id ${incident}.`;
  return { status: 500, problem: { code: 'gateway.internal', message }, incident };
}
