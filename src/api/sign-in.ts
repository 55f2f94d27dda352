// Sign-in of people in the browser: OpenID Connect authorization code with PKCE, state and nonce (RFC 6749, RFC 7636). What the
// issuer says becomes a principal through the same verification as everywhere else.
import { randomBytes } from 'node:crypto';
import * as oidc from 'openid-client';
import { Fault } from '../domain/fault.ts';
import type { Principal } from '../domain/principal.ts';
import { Refused } from './problem.ts';

export interface SignInOptions {
  /** The issuer's URL; plain http only on loopback. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly scopes: readonly string[];
  /** Audience that the gateway's tokens carry; asked for as `resource` (RFC 8707) where it is a URI. */
  readonly audience?: string;
  /** Where the issuer sends people back to. */
  callback(): string;
  verify(token: string): Promise<Principal>;
}

export interface SignIn {
  /** Where to send the browser, and the id that its cookie must bring back. `at` in milliseconds since the epoch. */
  begin(returnTo: string, at: number): Promise<{ readonly url: string; readonly id: string }>;
  /** Ends what `begin` began; each id works once. Throws Refused. */
  finish(id: string, answer: URL, at: number): Promise<{ readonly principal: Principal; readonly returnTo: string }>;
}

interface Begun {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly returnTo: string;
  readonly at: number;
}

export const signInMinutes = 10;
const mostBegun = 1_000;
const providerSeconds = 10;

export function openSignIn(options: SignInOptions): SignIn {
  const begun = new Map<string, Begun>();
  let configuration: Promise<oidc.Configuration> | undefined;

  /** Looked up at the first sign-in, so that the gateway starts without its issuer; a failure is not remembered. */
  async function provider(): Promise<oidc.Configuration> {
    configuration ??= discover(options);
    try {
      return await configuration;
    } catch (cause) {
      configuration = undefined;
      throw new Refused(
        'sign-in.provider',
        'The identity provider cannot be reached. Try again in a moment, or tell an operator.',
        cause,
      );
    }
  }

  return {
    async begin(returnTo, at) {
      const config = await provider();
      const one: Begun = {
        state: oidc.randomState(),
        nonce: oidc.randomNonce(),
        verifier: oidc.randomPKCECodeVerifier(),
        returnTo,
        at,
      };
      const parameters = {
        redirect_uri: options.callback(),
        scope: options.scopes.join(' '),
        state: one.state,
        nonce: one.nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(one.verifier),
        code_challenge_method: 'S256',
        ...(options.audience !== undefined && URL.canParse(options.audience) ? { resource: options.audience } : {}),
      };
      const id = randomBytes(32).toString('base64url');
      if (begun.size >= mostBegun) begun.delete(begun.keys().next().value!);
      begun.set(id, one);
      return { url: oidc.buildAuthorizationUrl(config, parameters).href, id };
    },

    async finish(id, answer, at) {
      const one = begun.get(id);
      begun.delete(id);
      if (!one || at - one.at > signInMinutes * 60_000) {
        throw new Refused('sign-in.failed', 'This sign-in is too old, or was begun in another browser. Sign in again.');
      }
      const config = await provider();
      let tokens: Awaited<ReturnType<typeof oidc.authorizationCodeGrant>>;
      try {
        tokens = await oidc.authorizationCodeGrant(config, answer, {
          pkceCodeVerifier: one.verifier,
          expectedState: one.state,
          expectedNonce: one.nonce,
          idTokenExpected: true,
        });
      } catch (cause) {
        throw new Refused('sign-in.failed', 'The identity provider did not sign you in. Sign in again.', cause);
      }
      const claims = tokens.claims()!;
      const principal = await principalOf(options, [tokens.access_token, tokens.id_token!], claims);
      return { principal, returnTo: one.returnTo };
    },
  };
}

async function discover(options: SignInOptions): Promise<oidc.Configuration> {
  const issuer = new URL(options.issuer);
  const loopback = ['127.0.0.1', '[::1]', 'localhost'].includes(issuer.hostname);
  return oidc.discovery(
    issuer,
    options.clientId,
    undefined,
    options.clientSecret === undefined ? oidc.None() : oidc.ClientSecretBasic(options.clientSecret),
    { timeout: providerSeconds, execute: loopback ? [oidc.allowInsecureRequests] : [] },
  );
}

/** The first token that the gateway itself accepts, and that speaks of the person the ID token speaks of. */
async function principalOf(
  options: SignInOptions,
  tokens: readonly string[],
  claims: oidc.IDToken,
): Promise<Principal> {
  let last: unknown;
  for (const token of tokens) {
    try {
      const principal = await options.verify(token);
      if (principal.issuer === claims.iss && principal.subject === claims.sub) return principal;
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause;
      last = cause;
    }
  }
  const why = last instanceof Fault ? ` ${last.message}` : '';
  throw new Refused(
    'sign-in.failed',
    `You signed in, but the gateway does not accept what the identity provider says of you.${why}`,
    last,
  );
}
