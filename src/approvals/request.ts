// The canonical approval request: what a vote binds (DESIGN §6). Pure; the digest is over RFC 8785 canonical JSON, so that
// anyone can recompute it from the record (docs/ledger-format.md).
import { hash } from 'node:crypto';
import type { Hold } from '../domain/decision.ts';
import type { Json } from '../domain/entry.ts';
import type { Grade } from '../domain/grade.ts';
import { type Principal, principalId } from '../domain/principal.ts';
import type { Statement } from '../domain/statement.ts';
import type { Target } from '../domain/target.ts';
import { canonical } from '../ledger/canonical.ts';
import type { EffectRow } from '../policy/explain.ts';

export interface ApprovalRequest {
  readonly v: 1;
  readonly kind: 'approval.request';
  readonly id: string;
  /** 32 random bytes, base64url: two requests for the same statement never share a digest. */
  readonly nonce: string;
  /** ISO 8601, UTC. */
  readonly created: string;
  readonly expires: string;
  readonly requester: Requester;
  readonly session: string;
  readonly sequence: number;
  readonly target: { readonly name: string; readonly protocol: string; readonly database: string };
  readonly action: {
    readonly kind: string;
    /** As recorded: values of labelled columns are masked here, and bound by `digest`. */
    readonly text: string;
    readonly parameters?: readonly (string | null)[];
    /** SHA-256, hex, of the exact text and parameters that will run. */
    readonly digest: string;
    readonly effects: readonly EffectRow[];
  };
  readonly policy: { readonly version: string; readonly rules: readonly string[]; readonly advice: string };
  /** `grade` is how strong each vote must be; absent where a signed-in session is enough. */
  readonly quorum: { readonly n: number; readonly of: string; readonly grade?: Exclude<Grade, 'session'> };
  readonly uses: 1;
}

export interface Requester {
  /** `issuer|subject`. */
  readonly principal: string;
  readonly kind: Principal['kind'];
  readonly name: string;
  readonly owner?: string;
  readonly email?: string;
  /** The delegation chain, current actor first, each as `issuer|subject`. */
  readonly delegation: readonly string[];
}

/** A held statement as the session puts it. */
export interface Question {
  readonly id: string;
  readonly session: string;
  readonly sequence: number;
  readonly requester: Principal;
  readonly target: Target;
  readonly database: string;
  readonly statement: Statement;
  readonly effects: readonly EffectRow[];
  readonly hold: Hold;
  readonly policyVersion: string;
}

/** Times in milliseconds since the epoch. */
export function approvalRequest(of: Question, nonce: string, created: number, expires: number): ApprovalRequest {
  return {
    v: 1,
    kind: 'approval.request',
    id: of.id,
    nonce,
    created: new Date(created).toISOString(),
    expires: new Date(expires).toISOString(),
    requester: requesterOf(of.requester),
    session: of.session,
    sequence: of.sequence,
    target: { name: of.target.name, protocol: of.target.protocol, database: of.database },
    action: {
      kind: of.statement.kind,
      text: of.statement.text,
      parameters: of.statement.parameters,
      digest: of.statement.digest(),
      effects: of.effects,
    },
    policy: { version: of.policyVersion, rules: of.hold.rules, advice: of.hold.advice },
    quorum: { n: of.hold.quorum, of: of.hold.group, grade: of.hold.grade },
    uses: 1,
  };
}

export function requesterOf(principal: Principal): Requester {
  return {
    principal: principalId(principal),
    kind: principal.kind,
    name: principal.name,
    owner: principal.owner,
    email: principal.email,
    delegation: principal.delegation.map((actor) =>
      principalId({ issuer: actor.issuer ?? principal.issuer, subject: actor.subject }),
    ),
  };
}

/** SHA-256, hex, of the request; every field is bound. */
export function requestDigest(request: ApprovalRequest): string {
  return hash('sha256', `countersign-approval/v1\n${canonical(request as unknown as Json)}`);
}
