// Keys by OpenID Connect discovery: a real provider, whose keys rotate by starting it again, and a server of the test's own
// that misbehaves.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, describe, expect, test } from 'vitest';
import { type Provider, startProvider } from '../demo/provider.ts';
import { Fault } from '../domain/fault.ts';
import { openIdentity } from './identity.ts';
import type { Issuer } from './issuer.ts';
import { rotation } from './key-source.ts';

const issuerAt = (url: string): Issuer => ({
  name: 'demo',
  issuer: url,
  audience: 'countersign',
  discovery: true,
  algorithms: ['ES256'],
  clockSkewSeconds: 60,
  principal: {
    kind: { claim: 'kind', agent: ['agent'], human: ['human'] },
    groups: 'groups',
    owner: 'owner',
    email: 'email',
    name: 'name',
  },
});

/** A clock that can be put forward, and a fetch that counts. */
function surroundings() {
  const around = { ahead: 0, fetched: [] as string[] };
  return Object.assign(around, {
    now: () => Date.now() + around.ahead * 1_000,
    fetch: ((input: string, init?: RequestInit) => {
      around.fetched.push(new URL(input).pathname);
      return fetch(input, init);
    }) as typeof fetch,
  });
}

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function provider(port = 0): Promise<Provider> {
  const started = await startProvider({ port });
  stops.push(() => started.stop());
  return started;
}

async function codeOf(verifying: Promise<unknown>): Promise<string> {
  const error: unknown = await verifying.then(
    () => new Error('it was accepted'),
    (cause: unknown) => cause,
  );
  if (!(error instanceof Fault)) throw error;
  return error.code;
}

describe('a real provider', () => {
  test('people and agents become principals', async () => {
    const running = await provider();
    const { issuer } = running;
    const around = surroundings();
    const identity = openIdentity([issuerAt(issuer)], around);
    expect(await identity.verify(await running.tokenFor('migration-agent'))).toMatchObject({
      kind: 'agent',
      issuer,
      subject: 'migration-agent',
      owner: 'omar@shop.example',
      credential: { alg: 'ES256', audience: ['countersign'] },
    });
    expect(await identity.verify(await running.tokenFor('dana'))).toMatchObject({
      kind: 'human',
      groups: ['dba', 'engineering'],
      email: 'dana@shop.example',
      name: 'Dana Ferreira',
    });
    expect(around.fetched).toEqual(['/.well-known/openid-configuration', '/jwks']);
  });

  test('a new key is picked up, as often as the cooldown allows; the old one ends', async () => {
    const before = await provider();
    const { issuer } = before;
    const around = surroundings();
    const identity = openIdentity([issuerAt(issuer)], around);
    const old = await before.tokenFor('dana');
    const principal = await identity.verify(old);
    await before.stop();
    const after = await provider(Number(new URL(issuer).port));
    const fresh = await after.tokenFor('dana');

    expect(await codeOf(identity.verify(fresh))).toBe('sign-in.invalid');
    expect(around.fetched).toHaveLength(2);
    expect(await identity.verify(old)).toBe(principal);
    around.ahead = rotation.cooldown;
    expect((await identity.verify(fresh)).subject).toBe('dana');
    expect(around.fetched).toHaveLength(4);
    // The set without the old key is known now, so what was remembered is looked at again.
    expect(await codeOf(identity.verify(old))).toBe('sign-in.invalid');
  });

  test('tokens with unknown keys cannot make us ask without end', async () => {
    const { issuer } = await provider();
    const around = surroundings();
    const identity = openIdentity([issuerAt(issuer)], around);
    const { privateKey } = await generateKeyPair('ES256');
    const forge = (kid: string) =>
      new SignJWT({ kind: 'human' })
        .setProtectedHeader({ alg: 'ES256', kid })
        .setIssuer(issuer)
        .setSubject('dana')
        .setAudience('countersign')
        .setExpirationTime('5m')
        .sign(privateKey);
    const forged = await Promise.all(Array.from({ length: 50 }, (_, index) => forge(`k${index}`)));
    for (const code of await Promise.all(forged.map((token) => codeOf(identity.verify(token)))))
      expect(code).toBe('sign-in.invalid');
    expect(around.fetched).toHaveLength(2);
  });

  test('keys are asked for again when they are old; equal keys keep what was remembered', async () => {
    const running = await provider();
    const { issuer } = running;
    const around = surroundings();
    const identity = openIdentity([issuerAt(issuer)], around);
    const token = await running.tokenFor('dana');
    const principal = await identity.verify(token);
    around.ahead = rotation.fresh;
    expect(await identity.verify(token)).toBe(principal);
    expect(around.fetched).toHaveLength(4);
  });

  test('a provider that is away: known keys serve for an hour, then nobody comes in', async () => {
    const running = await provider();
    const { issuer } = running;
    const around = surroundings();
    const identity = openIdentity([{ ...issuerAt(issuer), clockSkewSeconds: 300 }], around);
    const token = await running.tokenFor('dana');
    await identity.verify(token);
    await running.stop();
    around.ahead = rotation.fresh;
    await identity.verify(token);
    around.ahead = rotation.stale - 1;
    await identity.verify(token);
    around.ahead = rotation.stale;
    expect(await codeOf(identity.verify(token))).toBe('sign-in.issuer');
    await provider(Number(new URL(issuer).port));
    around.ahead += rotation.cooldown;
    expect(await codeOf(identity.verify(token))).toBe('sign-in.invalid');
  });
});

describe('a provider that misbehaves', () => {
  /** Answers each path by `routes`; the token is signed with the key that `/jwks` serves. */
  async function misbehaving(
    routes: (
      issuer: string,
      jwks: string,
    ) => Record<string, { status?: number; body: string; headers?: Record<string, string> }>,
  ) {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }] });
    const server: Server = createServer((request, response) => {
      const answer = routes(issuer, jwks)[request.url ?? ''] ?? { status: 404, body: '' };
      response.writeHead(answer.status ?? 200, answer.headers).end(answer.body);
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    stops.push(() => new Promise((done) => server.close(done).closeAllConnections()));
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const token = await new SignJWT({ kind: 'human' })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .setIssuer(issuer)
      .setSubject('dana')
      .setAudience('countersign')
      .setExpirationTime('5m')
      .sign(privateKey);
    const around = surroundings();
    return { around, verify: () => openIdentity([issuerAt(issuer)], around).verify(token) };
  }

  const document = (issuer: string, jwks_uri: string) => ({ body: JSON.stringify({ issuer, jwks_uri }) });
  const discovery = '/.well-known/openid-configuration';

  test('and the same server when it does not', async () => {
    const { verify } = await misbehaving((issuer, jwks) => ({
      [discovery]: document(issuer, `${issuer}/jwks`),
      '/jwks': { body: jwks },
    }));
    expect((await verify()).subject).toBe('dana');
  });

  test('by naming another issuer', async () => {
    const { verify, around } = await misbehaving((issuer, jwks) => ({
      [discovery]: document(`${issuer}/`, `${issuer}/jwks`),
      '/jwks': { body: jwks },
    }));
    expect(await codeOf(verify())).toBe('sign-in.issuer');
    expect(around.fetched).toEqual([discovery]);
  });

  test('by leading to keys in the clear elsewhere, or to no address', async () => {
    for (const address of ['http://keys.example/jwks', 'file:///etc/passwd', 'data:application/json,{}', 'jwks', '']) {
      const { verify, around } = await misbehaving((issuer) => ({ [discovery]: document(issuer, address) }));
      expect(await codeOf(verify())).toBe('sign-in.issuer');
      expect(around.fetched).toEqual([discovery]);
    }
  });

  test('by redirecting', async () => {
    const { verify } = await misbehaving((issuer, jwks) => ({
      [discovery]: document(issuer, `${issuer}/moved`),
      '/moved': { status: 302, body: '', headers: { location: '/jwks' } },
      '/jwks': { body: jwks },
    }));
    expect(await codeOf(verify())).toBe('sign-in.issuer');
  });

  test('by sending what is no key set, or an error', async () => {
    for (const answer of [
      { body: '{}' },
      { body: '{"keys":[]}' },
      { body: 'x' },
      { body: '{"keys":["x"]}' },
      { status: 500, body: '{}' },
    ]) {
      const { verify } = await misbehaving((issuer) => ({
        [discovery]: document(issuer, `${issuer}/jwks`),
        '/jwks': answer,
      }));
      expect(await codeOf(verify())).toBe('sign-in.issuer');
    }
  });

  test('by sending a key set that would do, with more than a mebibyte around it', async () => {
    const { verify } = await misbehaving((issuer, jwks) => ({
      [discovery]: document(issuer, `${issuer}/jwks`),
      '/jwks': { body: jwks + ' '.repeat(1_100_000) },
    }));
    expect(await codeOf(verify())).toBe('sign-in.issuer');
  });

  test('an issuer in the clear that is not on this machine is never asked', async () => {
    const around = surroundings();
    const identity = openIdentity([issuerAt('http://issuer.example')], around);
    const { privateKey } = await generateKeyPair('ES256');
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer('http://issuer.example')
      .sign(privateKey);
    expect(await codeOf(identity.verify(token))).toBe('sign-in.issuer');
    expect(around.fetched).toEqual([]);
  });
});
