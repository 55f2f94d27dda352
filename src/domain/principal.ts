/** Who acts: the verified actor of a session. Nothing here is the client's own word; claims it merely makes live in `Claimed`. */
export type PrincipalKind = 'agent' | 'human' | 'service';

export interface Principal {
  readonly kind: PrincipalKind;
  /** `iss` of the verified token. */
  readonly issuer: string;
  /** `sub` of the verified token. */
  readonly subject: string;
  /** For people to read; never used to decide. */
  readonly name: string;
  readonly groups: readonly string[];
  /** The accountable human, as a principal id or e-mail; agents without one cannot be approved by their owner by mistake. */
  readonly owner?: string;
  /** E-mail as the issuer attests it; used to match `owner`. */
  readonly email?: string;
  /** Verified claims that configuration allows into policy and record. */
  readonly claims: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  /** RFC 8693 `act` chain, current actor first. */
  readonly delegation: readonly Actor[];
  readonly credential: CredentialFacts;
}

export interface Actor {
  readonly issuer?: string;
  readonly subject: string;
}

/** What is kept of a credential: facts, never the credential itself. */
export interface CredentialFacts {
  readonly type: 'jwt' | 'mtls';
  readonly alg?: string;
  readonly kid?: string;
  readonly jti?: string;
  readonly audience?: readonly string[];
  /** Seconds since the epoch, as in the token. */
  readonly issuedAt?: number;
  readonly expiresAt?: number;
  /** SHA-256 of the token, hex. */
  readonly sha256: string;
}

/** What the client says of itself without proof; recorded as a claim, never used to decide. */
export interface Claimed {
  readonly user?: string;
  readonly application?: string;
  readonly address?: string;
  /** W3C traceparent for the whole session. */
  readonly trace?: string;
}

export function principalId(principal: Pick<Principal, 'issuer' | 'subject'>): string {
  return `${principal.issuer}|${principal.subject}`;
}
