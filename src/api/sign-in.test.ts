// Sign-in of people against a real OpenID Connect provider, and what their cookie may do.
import { expect, test } from 'vitest';
import { returnPath } from './auth-routes.ts';
import type { Me } from './contract.ts';
import { Browser, hold, world } from './world.suite.ts';

test('signing in gives a cookie that reads, and votes only from the console itself', async () => {
  const of = await world();
  const browser = new Browser();
  expect(await browser.signIn(of, 'dana', '/auth/sign-in?return=/approvals/7%3Fx=1')).toBe('/approvals/7?x=1');
  expect([...browser.cookies.keys()]).toContain('countersign');
  const me = (await (await browser.go(`${of.url}/api/me`)).json()) as Me;
  expect(me).toMatchObject({ name: 'Dana Ferreira', groups: ['dba', 'engineering'], mayKill: true });

  const session = await of.session('migration-agent');
  const { id } = await hold(session, 'delete from orders where id = 7');
  const { digest } = of.approvals.get(id)!;
  const vote = async (headers: Record<string, string>) => {
    const body = JSON.stringify({ answer: 'grant', digest });
    const response = await browser.go(`${of.url}/api/approvals/${id}/votes`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });
    return [response.status, ((await response.json()) as { code?: string }).code];
  };
  const forgery = [403, 'request.origin'];
  expect(await vote({})).toEqual(forgery);
  expect(await vote({ 'x-countersign': '1' })).toEqual(forgery);
  expect(await vote({ origin: of.url })).toEqual(forgery);
  expect(await vote({ 'x-countersign': '1', origin: 'https://evil.example' })).toEqual(forgery);
  expect(await vote({ 'x-countersign': '1', origin: 'null' })).toEqual(forgery);
  expect(of.approvals.get(id)!.state).toBe('pending');
  const across = await browser.go(`${of.url}/api/sessions`, { headers: { 'sec-fetch-site': 'cross-site' } });
  expect(across.status).toBe(403);
  expect(await vote({ 'x-countersign': '1', origin: of.url })).toEqual([200, undefined]);

  const out = (headers: Record<string, string>) =>
    browser.go(`${of.url}/auth/sign-out`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json', ...headers },
    });
  expect((await out({})).status).toBe(403);
  const kept = browser.cookies.get('countersign')!;
  expect((await out({ 'x-countersign': '1', origin: of.url })).status).toBe(204);
  expect(browser.cookies.has('countersign')).toBe(false);
  expect((await fetch(`${of.url}/api/me`, { headers: { cookie: `countersign=${kept}` } })).status).toBe(401);
});

test('the cookie is out of reach of scripts and other sites, and ends unused', async () => {
  const of = await world();
  const browser = new Browser();
  const callback = await browser.toCallback(of, 'omar');
  const response = await browser.go(callback);
  const line = response.headers.getSetCookie().find((cookie) => cookie.startsWith('countersign='))!;
  expect(line).toMatch(/; HttpOnly/);
  expect(line).toMatch(/; SameSite=Lax/);
  expect(line).toMatch(/; Path=\//);
  expect(/^countersign=([^;]+)/.exec(line)![1]!.length).toBe(43);
  expect(response.headers.get('cache-control')).toBe('no-store');
  const me = async () => (await browser.go(`${of.url}/api/me`)).status;
  of.pass(29 * 60_000);
  expect(await me()).toBe(200);
  of.pass(29 * 60_000);
  expect(await me()).toBe(200);
  of.pass(31 * 60_000);
  expect(await me()).toBe(401);
  await browser.signIn(of, 'omar');
  for (let half = 0; half < 17; half++) {
    of.pass(29 * 60_000);
    await me();
  }
  expect(await me()).toBe(401);
});

test('a sign-in works once, in the browser that began it, with the state it began with, in time', async () => {
  const of = await world();
  const failure = async (response: Response, status = 403, words = 'Not signed in') => {
    expect(response.status).toBe(status);
    expect(response.headers.getSetCookie().some((cookie) => cookie.startsWith('countersign='))).toBe(false);
    expect(await response.text()).toContain(words);
  };
  const browser = new Browser();
  const callback = await browser.toCallback(of, 'dana');
  await failure(await new Browser().go(callback));
  const changed = new URL(callback);
  changed.searchParams.set('state', 'guess');
  const other = new Browser();
  await other.toCallback(of, 'dana');
  await failure(await other.go(changed.href));
  const began = browser.cookies.get('countersign-sign-in')!;
  expect((await browser.go(callback)).status).toBe(302);
  // Also with the cookie put back, and before the provider is asked.
  browser.cookies.set('countersign-sign-in', began);
  await failure(await browser.go(callback), 403, 'begun in another browser');
  const late = new Browser();
  const slow = await late.toCallback(of, 'dana');
  of.pass(11 * 60_000);
  await failure(await late.go(slow));
  const script = await new Browser().go(`${of.url}/auth/callback?error=x&error_description=<script>alert(1)</script>`);
  expect(script.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(await script.text()).not.toContain('<script>');
});

test('a second sign-in ends the first session of the browser', async () => {
  const of = await world();
  const browser = new Browser();
  await browser.signIn(of, 'dana');
  const first = browser.cookies.get('countersign')!;
  await browser.signIn(of, 'omar');
  const as = (id: string) => fetch(`${of.url}/api/me`, { headers: { cookie: `countersign=${id}` } });
  expect((await as(first)).status).toBe(401);
  expect(await (await as(browser.cookies.get('countersign')!)).json()).toMatchObject({ name: 'Omar Lind' });
});

test('sign-ins from one address are limited', async () => {
  const of = await world();
  const statuses: number[] = [];
  for (let n = 0; n < 32; n++) statuses.push((await new Browser().go(`${of.url}/auth/sign-in`)).status);
  expect(statuses.filter((status) => status === 302)).toHaveLength(30);
  expect(statuses.at(-1)).toBe(429);
});

test('without a provider, or when it is away, the page says so', async () => {
  const none = await world({ signIn: undefined });
  const refused = await new Browser().go(`${none.url}/auth/sign-in`);
  expect(refused.status).toBe(404);
  expect(await refused.text()).toContain('console.signIn');
  const of = await world();
  await of.provider.stop();
  const away = await new Browser().go(`${of.url}/auth/sign-in`);
  expect(away.status).toBe(502);
  expect(await away.text()).toContain('cannot be reached');
});

test('over https the cookie is bound to the host, and the way back leads only to the console', () => {
  const url = new URL('https://gate.example');
  for (const [wish, path] of [
    ['/sessions?state=live#3', '/sessions?state=live#3'],
    [undefined, '/'],
    [['/a', '/b'], '/'],
    ['https://evil.example/', '/'],
    ['//evil.example/', '/'],
    ['/\\evil.example/', '/'],
    ['/\t/evil.example/', '/'],
    ['/x/..//evil.example', '/'],
    ['/auth/sign-out', '/'],
    [`/${'x'.repeat(3_000)}`, '/'],
  ] as const) {
    expect(returnPath(wish, url)).toBe(path);
  }
});
