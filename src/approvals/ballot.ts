// What an approver signs: the whole request and the answer to it, as bytes that anybody can recompute (docs/approvals.md). Pure.
import { hash } from 'node:crypto';
import type { Json } from '../domain/entry.ts';
import { canonical } from '../ledger/canonical.ts';
import type { ApprovalRequest } from './request.ts';

export type Answer = 'grant' | 'refuse';

export const longestReason = 2_000;

/** RFC 8785 canonical JSON of request, answer and reason, in UTF-8 without a line end: exactly what is signed. */
export function ballotOf(request: ApprovalRequest, answer: Answer, reason: string | undefined): Buffer {
  const ballot = { v: 1, kind: 'approval.vote', answer, reason: reasonOf(reason), request: request as unknown as Json };
  return Buffer.from(canonical(ballot));
}

/** A reason as it is recorded and signed. */
export function reasonOf(reason: string | undefined): string | undefined {
  return reason?.slice(0, longestReason).toWellFormed() || undefined;
}

/** What a passkey signs: SHA-256 of the ballot. Never the same twice, since each request has a nonce of 32 random bytes. */
export function challengeOf(ballot: Uint8Array): Buffer {
  return hash('sha256', ballot, 'buffer');
}
