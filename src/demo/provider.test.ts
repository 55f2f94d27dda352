import { createHash, randomBytes } from 'node:crypto';
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Provider, startProvider } from './provider.ts';

const redirect = 'http://127.0.0.1:8080/auth/callback';
let provider: Provider;
beforeAll(async () => {
  provider = await startProvider({ port: 0, consoleRedirect: redirect });
});
afterAll(() => provider.stop());

/** As a browser would: follows to the sign-in page and keeps the cookies. */
function browser() {
  const jar = new Map<string, string>();
  const go = async (url: string, init: RequestInit = {}): Promise<Response> => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(new URL(url, provider.issuer), { ...init, redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      jar.set(name!, value!);
    }
    const next = response.headers.get('location');
    return next && !next.startsWith(redirect) ? go(next) : response;
  };
  return go;
}

const verifier = randomBytes(32).toString('base64url');
const authorize = (extra: Record<string, string> = {}) =>
  '/auth?' +
  new URLSearchParams({
    client_id: 'countersign-console',
    response_type: 'code',
    redirect_uri: redirect,
    scope: 'openid',
    state: 'state-1',
    nonce: 'nonce-1',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...extra,
  }).toString();

const actionOf = (page: string): string => /action="([^"]+)"/.exec(page)![1]!;
const form = (person: string, password: string) => ({
  method: 'POST',
  body: new URLSearchParams({ person, password }),
});

async function signIn(person: string): Promise<{ access_token: string; id_token: string }> {
  const go = browser();
  const page = await go(authorize());
  expect(page.status).toBe(200);
  const back = new URL(
    (await go(actionOf(await page.text()), form(person, provider.password))).headers.get('location')!,
  );
  expect(back.searchParams.get('state')).toBe('state-1');
  const tokens = await fetch(`${provider.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: back.searchParams.get('code')!,
      redirect_uri: redirect,
      client_id: 'countersign-console',
      code_verifier: verifier,
    }),
  });
  expect(tokens.status).toBe(200);
  return (await tokens.json()) as { access_token: string; id_token: string };
}

describe('people', () => {
  test('sign in with code and PKCE, and the access token is for the gateway', async () => {
    const { access_token, id_token } = await signIn('dana');
    expect(decodeJwt(access_token)).toMatchObject({
      iss: provider.issuer,
      aud: 'countersign',
      sub: 'dana',
      kind: 'human',
      email: 'dana@shop.example',
      groups: ['dba', 'engineering'],
    });
    expect(decodeJwt(id_token)).toMatchObject({ aud: 'countersign-console', sub: 'dana', nonce: 'nonce-1' });
  });

  test('the same browser is asked again who it is', async () => {
    const go = browser();
    await go(actionOf(await (await go(authorize())).text()), form('dana', provider.password));
    const again = await go(authorize());
    const back = await go(actionOf(await again.text()), form('omar', provider.password));
    expect(back.headers.get('location')).toContain('code=');
  });

  test('a wrong password is told on the page, and many are slowed down', async () => {
    const other = await startProvider({ port: 0, consoleRedirect: redirect });
    const mine = provider;
    provider = other;
    try {
      const go = browser();
      const action = actionOf(await (await go(authorize())).text());
      const wrong = await go(action, form('dana', 'guess'));
      expect(wrong.status).toBe(401);
      expect(await wrong.text()).toContain('role="alert"');
      for (let more = 0; more < 19; more++) await go(action, form('omar', `guess ${more}`));
      expect((await go(action, form('dana', other.password))).status).toBe(429);
      expect((await go(action, { method: 'POST', body: 'x'.repeat(5_000) })).status).toBe(400);
    } finally {
      provider = mine;
      await other.stop();
    }
  });

  test('without PKCE there is no code', async () => {
    const response = await browser()(authorize({ code_challenge: '', code_challenge_method: '' }));
    expect(response.headers.get('location')).toContain('error=invalid_request');
  });

  test('the page has a strict policy and no script, and shows nobody’s text as markup', async () => {
    const page = await browser()(authorize());
    expect(page.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self' http:\/\/127\.0\.0\.1:8080;/,
    );
    const error = await browser()('/auth?client_id=%3Cscript%3E');
    expect(await error.text()).not.toContain('<script');
    expect((await fetch(`${provider.issuer}/sign-in/unknown`)).status).toBe(400);
  });
});

describe('tokens for the command line', () => {
  test('of agents and people verify with the published keys', async () => {
    const keys = createLocalJWKSet((await (await fetch(`${provider.issuer}/jwks`)).json()) as JSONWebKeySet);
    for (const [who, kind] of [
      ['reporting-agent', 'agent'],
      ['migration-agent', 'agent'],
      ['dana', 'human'],
      ['omar', 'human'],
    ] as const) {
      const { payload, protectedHeader } = await jwtVerify(await provider.tokenFor(who), keys, {
        audience: 'countersign',
      });
      expect(protectedHeader).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });
      expect(payload).toMatchObject({ sub: who, kind });
      expect(payload.exp! - payload.iat!).toBe(3_600);
    }
    expect(decodeJwt(await provider.tokenFor('migration-agent'))).toMatchObject({ owner: 'omar@shop.example' });
    await expect(provider.tokenFor('constructor')).rejects.toThrow('nobody here');
  });

  test('an agent without its secret gets none', async () => {
    const response = await fetch(`${provider.issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: 'reporting-agent',
        client_secret: 'guess',
      }),
    });
    expect(response.status).toBe(401);
  });

  test('keys, passwords and secrets are of one run', async () => {
    const other = await startProvider({ port: 0 });
    expect(other.password).not.toBe(provider.password);
    expect(other.password).toMatch(/^\w{4}-\w{4}-\w{4}$/);
    expect(await (await fetch(`${other.issuer}/jwks`)).text()).not.toBe(
      await (await fetch(`${provider.issuer}/jwks`)).text(),
    );
    await other.stop();
  });
});
