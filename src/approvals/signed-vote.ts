// A vote's signature, as it comes and as it is recorded.
import type { Grade } from '../domain/grade.ts';
import type { Assertion } from './passkey.ts';

/** A signature as it comes with a vote. */
export type VoteSignature = { readonly ssh: string } | { readonly passkey: Assertion };

/** A signature that verified, as it is recorded with the vote. */
export interface SignedVote {
  readonly grade: Grade;
  readonly key: string;
  /** Leaf indices: the key's enrolment, and who vouched for it. */
  readonly enrolled: number;
  readonly vouched?: number;
  readonly signature: VoteSignature;
}
