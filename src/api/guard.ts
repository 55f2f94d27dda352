// Who sent this request: a bearer token or a console cookie, at an address that is ours (against DNS rebinding), and not made by
// another site in somebody's browser (against request forgery).
import type { FastifyRequest } from 'fastify';
import { Fault } from '../domain/fault.ts';
import type { Principal } from '../domain/principal.ts';
import type { ConsoleSessions } from './console-sessions.ts';
import { Refused } from './problem.ts';
import { openRate } from './rate.ts';

export interface GuardOptions {
  /** Origin that people open. */
  readonly url: URL;
  readonly cookie: string;
  readonly sessions: ConsoleSessions;
  verify(token: string): Promise<Principal>;
  now(): number;
}

export interface Guard {
  /** Names under which the server itself was bound; its own origin is always one. */
  allowHosts(hosts: readonly string[]): void;
  checkHost(request: FastifyRequest): void;
  /** Where a page belongs that was opened under another loopback name: sign-in works under one name only. */
  properPlace(request: FastifyRequest): string | undefined;
  /** Throws Refused or a Fault of sign-in. */
  signedIn(request: FastifyRequest): Promise<Principal>;
  /** Asked later, of a request that was let in: whether it would still be. */
  stillSignedIn(request: FastifyRequest, principal: Principal): () => boolean;
}

/** Tokens that do not verify, an address and minute: verification costs time that others need. */
const failuresPerMinute = 60;
export const loopback: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost']);
const longestToken = 16 * 1024;

export function openGuard(options: GuardOptions): Guard {
  const { url, sessions, now } = options;
  const hosts = new Set([url.host]);
  const failures = openRate(failuresPerMinute, 60_000);

  function cookieOf(request: FastifyRequest): string | undefined {
    return request.cookies[options.cookie];
  }

  function tokenOf(request: FastifyRequest): string | undefined {
    const { authorization } = request.headers;
    if (authorization === undefined) return undefined;
    const token = /^Bearer ([\x21-\x7e]+)$/i.exec(authorization)?.[1];
    if (token === undefined || token.length > longestToken) {
      throw new Refused(
        'access.sign-in',
        'The authorization header is not "Bearer" and a token. Send an OpenID Connect token of a configured issuer.',
      );
    }
    return token;
  }

  async function byToken(token: string, request: FastifyRequest): Promise<Principal> {
    try {
      return await options.verify(token);
    } catch (cause) {
      if (cause instanceof Fault && !failures.take(request.ip, now())) {
        throw new Refused(
          'request.limit',
          'Too many tokens from this address were not accepted. Wait a minute.',
          cause,
        );
      }
      throw cause;
    }
  }

  /** A browser sends cookies along whoever asked for the request. */
  function checkForgery(request: FastifyRequest): void {
    const { origin, 'x-countersign': mark, 'sec-fetch-site': site } = request.headers;
    const safe = request.method === 'GET' || request.method === 'HEAD';
    const ours = safe ? site !== 'cross-site' : origin === url.origin && mark === '1';
    if (!ours)
      throw new Refused(
        'request.origin',
        `The request does not come from the console at ${url.origin}. Open it there and try again.`,
      );
  }

  return {
    allowHosts(more) {
      for (const host of more) hosts.add(host);
    },
    checkHost(request) {
      if (hosts.has((request.headers.host ?? '').toLowerCase())) return;
      throw new Refused('request.host', `This is the gateway of ${url.host}. Open ${url.origin}.`);
    },
    properPlace({ method, headers, url: path }) {
      // Not behind a proxy, which may put any name here for good.
      if (!loopback.has(url.hostname) || headers.host === url.host) return undefined;
      return method === 'GET' && /^\/(?!api\/)/.test(path) ? url.origin + path : undefined;
    },
    async signedIn(request) {
      const token = tokenOf(request);
      if (token !== undefined) return byToken(token, request);
      const id = cookieOf(request);
      const session = id === undefined ? undefined : sessions.find(id, now());
      if (!session)
        throw new Refused('access.sign-in', 'Sign in first: open /auth/sign-in in a browser, or send a bearer token.');
      checkForgery(request);
      return session.principal;
    },
    stillSignedIn(request, principal) {
      if (request.headers.authorization !== undefined) {
        const { expiresAt } = principal.credential;
        return () => expiresAt === undefined || now() < expiresAt * 1000;
      }
      const id = cookieOf(request) ?? '';
      return () => sessions.isOpen(id, now());
    },
  };
}
