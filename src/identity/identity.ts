// Credential → verified principal (DESIGN §7). Everything about a token is checked here and only here; no message and no
// cause holds the token itself (test: identity/identity "nothing of the token is told").
import { hash } from 'node:crypto';
import { errors, type JWTPayload, type JWTVerifyResult, jwtVerify } from 'jose';
import { Fault } from '../domain/fault.ts';
import type { CredentialFacts, Principal } from '../domain/principal.ts';
import { principalOf } from './claims.ts';
import type { Issuer } from './issuer.ts';
import { type KeySet, type KeySource, openKeySource, type Surroundings } from './key-source.ts';
import { invalid, readUnverified, type Unverified } from './token.ts';

export interface Identity {
  /**
   * Verifies a signed token and maps its claims. The same principal object for the same token, while it is remembered.
   * Throws a Fault `sign-in.*` whose message says what is missing and what to do.
   */
  verify(token: string): Promise<Principal>;
}

/** Symmetric and absent signatures are refused whatever configuration says (RFC 8725 §3.1). */
const asymmetric = /^(ES|RS|PS)(256|384|512)$|^EdDSA$|^Ed25519$/;
const mostRemembered = 10_000;

interface Accepted {
  readonly issuer: Issuer;
  readonly source: KeySource;
}

interface Remembered {
  readonly principal: Principal;
  readonly accepted: Accepted;
  readonly keys: KeySet;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** Opens the verification of all configured issuers; nothing is fetched before the first token. */
export function openIdentity(issuers: readonly Issuer[], around: Surroundings): Identity {
  const byIssuer = new Map<string, Accepted>();
  for (const issuer of issuers) {
    if (byIssuer.has(issuer.issuer)) throw new TypeError('two configured issuers have the same name for tokens');
    byIssuer.set(issuer.issuer, { issuer, source: openKeySource(issuer, around) });
  }
  const accepted = [...byIssuer.keys()].join(', ');
  // Insertion order is the order of use: the oldest goes first.
  const remembered = new Map<string, Remembered>();

  /** Verified before, with keys that the issuer still has, and not over yet. */
  const isCurrent = async ({ accepted: of, keys, until }: Remembered): Promise<boolean> =>
    around.now() < until && (await of.source.keys()) === keys;

  const remember = (digest: string, entry: Remembered): Principal => {
    remembered.delete(digest);
    if (remembered.size >= mostRemembered) remembered.delete(remembered.keys().next().value!);
    remembered.set(digest, entry);
    return entry.principal;
  };

  return {
    async verify(token) {
      const claimed = readUnverified(token);
      const digest = hash('sha256', token);
      const before = remembered.get(digest);
      if (before && (await isCurrent(before))) return remember(digest, before);
      remembered.delete(digest);

      const of = byIssuer.get(claimed.issuer);
      if (!of) throw new Fault('sign-in.issuer', `The token’s issuer is not accepted. Get a token from: ${accepted}.`);
      const { issuer } = of;
      if (!asymmetric.test(claimed.algorithm) || !issuer.algorithms.includes(claimed.algorithm))
        throw invalid(
          `The token is not signed by an accepted algorithm. This issuer’s are: ${issuer.algorithms.join(', ')}.`,
        );
      const { result, keys } = await verifySignature(token, of, around.now());
      const claims = result.payload;
      checkTimes(claims, issuer, around.now() / 1_000);
      // The same token has the same claims: a principal made meanwhile, or before its keys changed, stays the one.
      const { principal } = remembered.get(digest) ??
        before ?? { principal: principalOf(claims, issuer.principal, factsOf(claims, claimed, digest)) };
      return remember(digest, { principal, accepted: of, keys, until: endOf(claims, issuer) * 1_000 });
    },
  };
}

async function verifySignature(
  token: string,
  { issuer, source }: Accepted,
  now: number,
): Promise<{ result: JWTVerifyResult; keys: KeySet }> {
  const attempt = async (keys: KeySet) => ({
    keys,
    result: await jwtVerify(token, keys.find, {
      issuer: issuer.issuer,
      audience: typeof issuer.audience === 'string' ? issuer.audience : [...issuer.audience],
      algorithms: [...issuer.algorithms],
      clockTolerance: issuer.clockSkewSeconds,
      currentDate: new Date(now),
      requiredClaims: ['sub', 'exp'],
    }),
  });
  const known = await source.keys();
  try {
    return await attempt(known);
  } catch (error) {
    if (!(error instanceof errors.JWKSNoMatchingKey)) throw explain(error, issuer);
  }
  // The issuer may have a new key since: ask it once more, as often as the key source allows.
  try {
    return await attempt(await source.keys(true));
  } catch (error) {
    throw explain(error, issuer);
  }
}

/** jose checks `exp` and `nbf`; `iat` only with a largest age, and a token from the future must not pass. */
function checkTimes(claims: JWTPayload, issuer: Issuer, now: number): void {
  const { iat } = claims;
  const { clockSkewSeconds: skew, maxTokenAgeSeconds: most } = issuer;
  if (iat !== undefined && !Number.isFinite(iat)) throw invalid('The token’s iat is not a number. Get a fresh token.');
  if (iat !== undefined && iat > now + skew)
    throw new Fault(
      'sign-in.expired',
      'The token was issued in the future. Check the clocks of this gateway and of the issuer.',
    );
  if (most === undefined) return;
  if (iat === undefined) throw invalid('The token needs the claim iat: when it was issued. Ask the issuer to add it.');
  if (now > iat + most + skew)
    throw new Fault('sign-in.expired', `The token is older than ${most} seconds. Get a fresh one and connect again.`);
}

/** Second since the epoch from which a token is refused. */
function endOf({ exp = 0, iat }: JWTPayload, { clockSkewSeconds: skew, maxTokenAgeSeconds: most }: Issuer): number {
  return Math.min(exp, most === undefined ? Number.POSITIVE_INFINITY : (iat ?? 0) + most) + skew;
}

function factsOf(claims: JWTPayload, { algorithm, keyId }: Unverified, sha256: string): CredentialFacts {
  const { aud, iat, exp, jti } = claims;
  return {
    type: 'jwt',
    alg: algorithm,
    ...(keyId === undefined ? {} : { kid: keyId }),
    ...(typeof jti === 'string' ? { jti } : {}),
    ...(aud === undefined ? {} : { audience: Object.freeze([aud].flat()) }),
    ...(iat === undefined ? {} : { issuedAt: iat }),
    ...(exp === undefined ? {} : { expiresAt: exp }),
    sha256,
  };
}

/** jose's errors in our words; anything else is a fault already, or a bug. jose's own carry claims, so they are no cause. */
function explain(error: unknown, issuer: Issuer): unknown {
  if (error instanceof errors.JWTExpired)
    return new Fault('sign-in.expired', 'The token has expired. Get a fresh one and connect again.');
  if (error instanceof errors.JWTClaimValidationFailed) {
    switch (error.claim) {
      case 'aud':
        return new Fault(
          'sign-in.audience',
          `The token is for someone else. Ask the issuer for the audience ${[issuer.audience].flat().join(' or ')}.`,
        );
      case 'nbf':
        if (error.reason === 'check_failed')
          return new Fault(
            'sign-in.expired',
            'The token is not valid yet. Wait, or check the clocks of this gateway and of the issuer.',
          );
        return invalid('The token’s nbf is not a number. Get a fresh token.');
      case 'exp':
        return invalid('The token needs the claim exp: when it ends, as a number. Ask the issuer to add it.');
      case 'sub':
        return invalid('The token needs the claim sub: the subject. Ask the issuer to add it.');
      default:
        return invalid('A claim of the token is not as it must be. Get a fresh token.', error.code);
    }
  }
  if (error instanceof errors.JWKSNoMatchingKey)
    return invalid('The token is signed with a key that its issuer does not publish. Get a fresh token.');
  if (error instanceof errors.JWKSMultipleMatchingKeys)
    return invalid('The token does not say which of the issuer’s keys signed it (kid). Ask the issuer to add it.');
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return invalid('The token’s signature does not verify. Get a fresh token and send it unchanged.');
  if (error instanceof errors.JOSEError) return invalid('The token cannot be verified. Get a fresh one.', error.code);
  return error;
}
