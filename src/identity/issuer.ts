import type { PrincipalKind } from '../domain/principal.ts';

/** Name of a claim, or the way to it through nested objects. */
export type ClaimPath = string | readonly string[];

/** Whose tokens are accepted, and what their claims mean. Configuration's `issuers` fit (docs/config.md). */
export interface Issuer {
  /** Name within the configuration. */
  readonly name: string;
  /** `iss`, compared to the letter. */
  readonly issuer: string;
  readonly audience: string | readonly string[];
  /** Exactly one of the two says where its keys are. */
  readonly discovery?: true;
  readonly jwks?: { readonly file: string };
  readonly algorithms: readonly string[];
  readonly clockSkewSeconds: number;
  readonly maxTokenAgeSeconds?: number;
  readonly principal: ClaimMap;
}

/** How claims become a principal. What is not named here is not read. */
export interface ClaimMap {
  readonly kind: PrincipalKind | KindByClaim;
  readonly name?: ClaimPath;
  readonly groups?: ClaimPath;
  readonly email?: ClaimPath;
  readonly owner?: ClaimPath;
  readonly keep?: readonly ClaimPath[];
}

export type KindByClaim = { readonly claim: ClaimPath } & { readonly [Kind in PrincipalKind]?: readonly string[] };
