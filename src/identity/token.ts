// What a token says before anything is verified: enough to know whose it claims to be, and to refuse what no issuer of
// ours would send. Pure.
import { decodeJwt, decodeProtectedHeader, type JWTPayload, type ProtectedHeaderParameters } from 'jose';
import { Fault } from '../domain/fault.ts';

/** Longest token, in characters. */
export const longestToken = 16_384;

/** Token types: plain JWTs (ID tokens), and RFC 9068 access tokens. Other types were made for another purpose. */
const types: ReadonlySet<unknown> = new Set([undefined, 'jwt', 'at+jwt', 'application/at+jwt', 'application/jwt']);

export interface Unverified {
  readonly issuer: string;
  readonly algorithm: string;
  readonly keyId?: string;
}

/** Throws a Fault that never quotes the token. */
export function readUnverified(token: string): Unverified {
  if (token === '')
    throw new Fault(
      'sign-in.missing',
      'No token was sent. Send an OpenID Connect token of a configured issuer as the password.',
    );
  if (token.length > longestToken)
    throw invalid(`The token is longer than ${longestToken} characters. Ask the issuer for one with fewer claims.`);
  const parts = token.split('.').length;
  if (parts === 5) throw invalid('The token is encrypted. Send one that is only signed.');
  if (parts !== 3 || !/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/.test(token))
    throw invalid(
      'What was sent is not a signed token (JWT). Send an OpenID Connect token of a configured issuer as the password.',
    );
  let header: ProtectedHeaderParameters;
  let claims: JWTPayload;
  try {
    header = decodeProtectedHeader(token);
    claims = decodeJwt(token);
  } catch {
    throw invalid('The token cannot be read. Get a fresh one and send it unchanged.');
  }
  const { alg, kid, typ } = header;
  if (typeof alg !== 'string') throw invalid('The token does not say how it is signed (alg). Get a fresh one.');
  if (kid !== undefined && typeof kid !== 'string')
    throw invalid('The token’s key name (kid) is not a text. Get a fresh one.');
  if (!types.has(typeof typ === 'string' ? typ.toLowerCase() : typ))
    throw invalid('The token was made for another purpose (typ). Send an ID token or an access token.');
  // A back-channel logout token looks like an ID token but for this claim (OpenID Connect Back-Channel Logout 1.0 §2.4).
  if (claims['events'] !== undefined) throw invalid('The token reports an event. Send an ID token or an access token.');
  if (typeof claims.iss !== 'string')
    throw invalid('The token does not say who issued it (iss). Send one of a configured issuer.');
  return { issuer: claims.iss, algorithm: alg, ...(kid === undefined ? {} : { keyId: kid }) };
}

export function invalid(message: string, cause?: unknown): Fault {
  return new Fault('sign-in.invalid', message, cause);
}
