// A key that a person signs votes with: enrolled by them, vouched for by somebody else, and each of that an entry (docs/approvals.md).
import type { Json } from '../domain/entry.ts';
import type { PasskeyKey } from './passkey.ts';

export type KeyMethod = 'ssh' | 'passkey';

/** Somebody who did something with a key, and the entry that says so. Times in milliseconds since the epoch. */
export interface KeyAct {
  /** `issuer|subject`. */
  readonly by: string;
  readonly byName: string;
  readonly at: number;
  /** Leaf index. */
  readonly entry: number;
}

export interface ApproverKey {
  readonly id: string;
  readonly method: KeyMethod;
  /** Whose it is, as `issuer|subject`. */
  readonly person: string;
  readonly personName: string;
  readonly email?: string;
  /** What its owner calls it. */
  readonly name: string;
  /** SSH fingerprint, or the credential id of a passkey: one key belongs to one person. */
  readonly fingerprint: string;
  /** One line as in a .pub file. */
  readonly ssh?: string;
  readonly passkey?: PasskeyKey & {
    readonly aaguid: string;
    readonly attestation: string;
    readonly deviceBound: boolean;
  };
  readonly enrolled: KeyAct;
  readonly vouched?: KeyAct;
  readonly revoked?: KeyAct & { readonly reason: string };
}

/** Why something cannot be done with a key. `message` says what to do. */
export class KeyProblem extends Error {
  readonly code: KeyProblemCode;
  constructor(code: KeyProblemCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'KeyProblem';
    this.code = code;
  }
}

export type KeyProblemCode =
  | 'key.unknown'
  | 'key.taken'
  | 'key.not-human'
  | 'key.invalid'
  | 'key.challenge'
  | 'key.not-allowed'
  | 'key.own'
  | 'key.revoked'
  | 'key.limit';

/** What the entry of an enrolment seals: all that is needed to check the signatures of this key later. */
export function keyRecord(key: Omit<ApproverKey, 'enrolled'>): { readonly [name: string]: Json | undefined } {
  const { id, method, person, personName, email, name, fingerprint, ssh } = key;
  return { id, method, person, personName, email, name, fingerprint, ssh, passkey: key.passkey as unknown as Json };
}
