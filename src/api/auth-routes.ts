// Sign-in and sign-out of the console: pages for people, so what goes wrong is told as a page.
import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ConsoleSessions } from './console-sessions.ts';
import { consoleSessionLimits } from './console-sessions.ts';
import type { Guard } from './guard.ts';
import { page } from './pages.ts';
import { type Answer, answerFor, Refused } from './problem.ts';
import { openRate } from './rate.ts';
import { type SignIn, signInMinutes } from './sign-in.ts';

export interface AuthParts {
  readonly url: URL;
  readonly guard: Guard;
  readonly sessions: ConsoleSessions;
  /** Absent when the console has no sign-in configured. */
  readonly signIn?: SignIn;
  now(): number;
  /** For the operator's log. */
  incident(answer: Answer, error: unknown): void;
}

/** Cookie names: `__Host-` binds them to this very host, which browsers grant only over https. */
export function cookieNames(url: URL): { readonly session: string; readonly begun: string } {
  const prefix = url.protocol === 'https:' ? '__Host-' : '';
  return { session: `${prefix}countersign`, begun: `${prefix}countersign-sign-in` };
}

const signInsPerMinute = 30;

export function authRoutes(server: FastifyInstance, parts: AuthParts): void {
  const { url, guard, sessions, now } = parts;
  const names = cookieNames(url);
  const rate = openRate(signInsPerMinute, 60_000);
  const cookie: CookieSerializeOptions = {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: url.protocol === 'https:',
  };

  function ready(request: FastifyRequest): SignIn {
    if (!rate.take(request.ip, now())) {
      throw new Refused('request.limit', 'Too many sign-ins from this address. Wait a minute.');
    }
    if (parts.signIn) return parts.signIn;
    throw new Refused(
      'sign-in.not-configured',
      'Sign-in in the browser is not configured. Set console.signIn, or use the command line with a token.',
    );
  }

  /** A failure on the way is a page with a way back. */
  const asPage =
    (work: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>) =>
    async (request: FastifyRequest, reply: FastifyReply) => {
      try {
        return await work(request, reply);
      } catch (error) {
        const answer = answerFor(error);
        parts.incident(answer, error);
        const link = { href: '/auth/sign-in', text: 'Sign in again' };
        return reply
          .code(answer.status)
          .type('text/html; charset=utf-8')
          .send(page('Not signed in', answer.problem.message, link));
      }
    };

  server.get(
    '/auth/sign-in',
    asPage(async (request, reply) => {
      const signIn = ready(request);
      const { return: wish } = request.query as { return?: unknown };
      const { url: issuer, id } = await signIn.begin(returnPath(wish, url), now());
      return reply.setCookie(names.begun, id, { ...cookie, maxAge: signInMinutes * 60 }).redirect(issuer, 302);
    }),
  );

  server.get(
    '/auth/callback',
    asPage(async (request, reply) => {
      const signIn = ready(request);
      const answer = new URL(request.url, url);
      const { principal, returnTo } = await signIn.finish(request.cookies[names.begun] ?? '', answer, now());
      const before = request.cookies[names.session];
      if (before !== undefined) sessions.close(before);
      return reply
        .clearCookie(names.begun, cookie)
        .setCookie(names.session, sessions.open(principal, now()), {
          ...cookie,
          maxAge: consoleSessionLimits.absoluteMs / 1000,
        })
        .redirect(returnTo, 302);
    }),
  );

  server.post('/auth/sign-out', async (request, reply) => {
    await guard.signedIn(request);
    const id = request.cookies[names.session];
    if (id !== undefined) sessions.close(id);
    return reply.clearCookie(names.session, cookie).code(204).send();
  });
}

/** A path of the console to return to; anything that would lead elsewhere leads to its first page. */
export function returnPath(wish: unknown, url: URL): string {
  if (typeof wish !== 'string' || wish.length > 2_000 || !wish.startsWith('/') || !URL.canParse(wish, url.href))
    return '/';
  const target = new URL(wish, url);
  const path = target.pathname + target.search + target.hash;
  return target.origin === url.origin && !path.startsWith('//') && !path.startsWith('/auth/') ? path : '/';
}
