// Tokens against a key set in a file, with a clock of the test's own. The provider of discovery.test.ts is a real one.
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifies } from '../../test/requirements.ts';
import { type FaultCode, Fault } from '../domain/fault.ts';
import { openIdentity } from './identity.ts';
import type { Issuer } from './issuer.ts';

interface Key {
  readonly secret: CryptoKey;
  readonly public: CryptoKey;
  readonly jwk: JWK;
}

const folder = mkdtempSync(join(tmpdir(), 'identity-'));
const start = 1_800_000_000;
let one: Key;
let two: Key;
let rsa: Key;

async function newKey(alg: string, kid: string): Promise<Key> {
  const pair = await generateKeyPair(alg, { extractable: true });
  return {
    secret: pair.privateKey,
    public: pair.publicKey,
    jwk: { ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' },
  };
}

beforeAll(async () => {
  [one, two, rsa] = await Promise.all([newKey('ES256', 'one'), newKey('ES256', 'two'), newKey('RS256', 'rsa')]);
});
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function keyFile(...keys: JWK[]): string {
  const file = join(folder, `${files++}.json`);
  writeFileSync(file, JSON.stringify({ keys }));
  return file;
}

const issuerOf = (file: string, more: Partial<Issuer> = {}): Issuer => ({
  name: 'one',
  issuer: 'https://one.example',
  audience: 'countersign',
  jwks: { file },
  algorithms: ['ES256', 'RS256'],
  clockSkewSeconds: 60,
  principal: { kind: { claim: 'kind', agent: ['agent'] }, groups: 'groups' },
  ...more,
});

/** An identity at second `at`, counted from the moment at which tokens are issued. */
function open(issuers: readonly Issuer[], at = () => 0) {
  const fetch = () => Promise.reject(new Error('nothing may be fetched'));
  return openIdentity(issuers, { now: () => (start + at()) * 1_000, fetch });
}

const good = {
  iss: 'https://one.example',
  sub: 'agent-7',
  aud: 'countersign',
  kind: 'agent',
  iat: start,
  exp: start + 300,
};

function sign(
  claims: Record<string, unknown> = {},
  key: Key = one,
  header: Record<string, unknown> = {},
): Promise<string> {
  const all = Object.fromEntries(Object.entries({ ...good, ...claims }).filter(([, value]) => value !== undefined));
  return new SignJWT(all).setProtectedHeader({ alg: key.jwk.alg!, kid: key.jwk.kid, ...header }).sign(key.secret);
}

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

async function refusal(verifying: Promise<unknown>): Promise<{ code: FaultCode; message: string }> {
  const error: unknown = await verifying.then(
    () => new Error('it was accepted'),
    (cause: unknown) => cause,
  );
  if (!(error instanceof Fault)) throw error;
  return error;
}

describe('a good token', () => {
  test('is a principal with facts of the credential, and never the credential', async () => {
    const token = await sign({ groups: ['agents'], jti: 'j1' });
    const principal = await open([issuerOf(keyFile(one.jwk))]).verify(token);
    expect(principal).toEqual({
      kind: 'agent',
      issuer: 'https://one.example',
      subject: 'agent-7',
      name: 'agent-7',
      groups: ['agents'],
      claims: {},
      delegation: [],
      credential: {
        type: 'jwt',
        alg: 'ES256',
        kid: 'one',
        jti: 'j1',
        audience: ['countersign'],
        issuedAt: start,
        expiresAt: start + 300,
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      },
    });
    expect(JSON.stringify(principal)).not.toContain(token.split('.')[2]);
  });

  test('may be for several, and of any accepted type', async () => {
    const identity = open([issuerOf(keyFile(one.jwk), { audience: ['other', 'countersign'] })]);
    await identity.verify(await sign({ aud: ['x', 'countersign'] }));
    for (const typ of ['JWT', 'at+jwt', 'application/at+jwt', undefined])
      await identity.verify(await sign({}, one, { typ }));
    for (const typ of ['logout+jwt', 'dpop+jwt', 'oauth-id-jag+jwt', 'secevent+jwt', ''])
      expect(await refusal(identity.verify(await sign({}, one, { typ })))).toMatchObject({
        code: 'sign-in.invalid',
        message: expect.stringContaining('typ') as string,
      });
  });

  test('may leave out its key’s name where there is one key to take', async () => {
    await open([issuerOf(keyFile(one.jwk))]).verify(await sign({}, one, { kid: undefined }));
    const both = open([issuerOf(keyFile(one.jwk, two.jwk))]);
    expect((await refusal(both.verify(await sign({}, one, { kid: undefined })))).message).toContain('kid');
  });
});

describe('time', () => {
  const at = (second: number, more: Partial<Issuer> = {}) => open([issuerOf(keyFile(one.jwk), more)], () => second);

  test('expiry and skew, to the second', async () => {
    const token = await sign();
    await at(300 + 59).verify(token);
    expect((await refusal(at(300 + 60).verify(token))).code).toBe('sign-in.expired');
    await at(299, { clockSkewSeconds: 0 }).verify(token);
    expect((await refusal(at(300, { clockSkewSeconds: 0 }).verify(token))).code).toBe('sign-in.expired');
  });

  test('not yet valid, and issued in the future', async () => {
    await at(0).verify(await sign({ nbf: start + 60 }));
    expect((await refusal(at(0).verify(await sign({ nbf: start + 61 })))).code).toBe('sign-in.expired');
    await at(0).verify(await sign({ iat: start + 60 }));
    expect((await refusal(at(0).verify(await sign({ iat: start + 61 })))).code).toBe('sign-in.expired');
  });

  test('a largest age counts from iat, which must then be there', async () => {
    const young = { maxTokenAgeSeconds: 100 };
    const token = await sign();
    await at(160, young).verify(token);
    expect((await refusal(at(161, young).verify(token))).code).toBe('sign-in.expired');
    expect((await refusal(at(0, young).verify(await sign({ iat: undefined })))).message).toContain('iat');
    await at(0).verify(await sign({ iat: undefined }));
  });

  test('exp is demanded, and everything is a number', async () => {
    for (const claims of [{ exp: undefined }, { exp: 'never' }, { exp: null }, { nbf: 'x' }, { iat: 'x' }])
      expect((await refusal(at(0).verify(await sign(claims)))).code).toBe('sign-in.invalid');
  });

  test('a remembered token ends when it ends', async () => {
    let second = 0;
    const identity = open([issuerOf(keyFile(one.jwk))], () => second);
    const token = await sign();
    await identity.verify(token);
    second = 359;
    await identity.verify(token);
    second = 360;
    expect((await refusal(identity.verify(token))).code).toBe('sign-in.expired');
  });
});

describe('whose it is', () => {
  test('another audience', async () => {
    const identity = open([issuerOf(keyFile(one.jwk))]);
    for (const aud of ['other', ['other'], 'countersign2', undefined, '', []])
      expect(await refusal(identity.verify(await sign({ aud })))).toMatchObject({
        code: 'sign-in.audience',
        message: expect.stringContaining('audience countersign') as string,
      });
  });

  test('an issuer that is not configured; those that are get named', async () => {
    const identity = open([
      issuerOf(keyFile(one.jwk)),
      issuerOf(keyFile(two.jwk), { name: 'two', issuer: 'https://two.example' }),
    ]);
    for (const iss of ['https://three.example', 'https://one.example/', 'HTTPS://one.example'])
      expect(await refusal(identity.verify(await sign({ iss })))).toMatchObject({
        code: 'sign-in.issuer',
        message: expect.stringContaining('https://one.example, https://two.example') as string,
      });
    expect((await refusal(identity.verify(await sign({ iss: undefined })))).code).toBe('sign-in.invalid');
  });

  test('one issuer cannot speak for another', async () => {
    const identity = open([
      issuerOf(keyFile(one.jwk)),
      issuerOf(keyFile(two.jwk), { name: 'two', issuer: 'https://two.example' }),
    ]);
    await identity.verify(await sign({ iss: 'https://two.example' }, two));
    expect((await refusal(identity.verify(await sign({ iss: 'https://two.example' }, one)))).code).toBe(
      'sign-in.invalid',
    );
    expect(
      (await refusal(identity.verify(await sign({ iss: 'https://two.example' }, one, { kid: 'two' })))).message,
    ).toContain('signature');
  });

  test('two entries for one issuer are a mistake', () => {
    expect(() => open([issuerOf('a'), issuerOf('b', { name: 'two' })])).toThrow(TypeError);
  });
});

describe('signatures', () => {
  test(verifies('identity.never-defaulted', 'no token, no signature, or a symmetric one: no principal'), async () => {
    const identity = open([issuerOf(keyFile(one.jwk, rsa.jwk), { algorithms: ['ES256', 'RS256', 'HS256', 'none'] })]);
    expect((await refusal(identity.verify(''))).code).toBe('sign-in.missing');
    const unsigned = `${part({ alg: 'none', kid: 'one' })}.${part(good)}.`;
    expect((await refusal(identity.verify(unsigned))).message).toContain('algorithm');
    // The classic: the public key as the secret of an HMAC, in each form in which it might be imported.
    for (const secret of [await exportSPKI(rsa.public), JSON.stringify(rsa.jwk), rsa.jwk.n!]) {
      const signed = `${part({ alg: 'HS256', kid: 'rsa' })}.${part(good)}`;
      const forged = `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
      expect((await refusal(identity.verify(forged))).message).toContain('algorithm');
    }
  });

  test('a shared secret in the key set is not a key', async () => {
    const secret = Buffer.alloc(32, 7);
    const oct: JWK = { kty: 'oct', k: secret.toString('base64url'), kid: 'oct', alg: 'HS256' };
    const identity = open([issuerOf(keyFile(one.jwk, oct), { algorithms: ['ES256', 'HS256'] })]);
    const token = await new SignJWT(good).setProtectedHeader({ alg: 'HS256', kid: 'oct' }).sign(secret);
    expect((await refusal(identity.verify(token))).code).toBe('sign-in.invalid');
    expect((await refusal(open([issuerOf(keyFile(oct))]).verify(await sign()))).code).toBe('sign-in.issuer');
  });

  test('an algorithm that the issuer does not use', async () => {
    const identity = open([issuerOf(keyFile(one.jwk, rsa.jwk), { algorithms: ['ES256'] })]);
    expect(await refusal(identity.verify(await sign({}, rsa)))).toMatchObject({
      message: expect.stringContaining('ES256') as string,
    });
    await open([issuerOf(keyFile(rsa.jwk))]).verify(await sign({}, rsa));
  });

  test('keys that the token brings along are not used', async () => {
    const identity = open([issuerOf(keyFile(one.jwk))]);
    for (const header of [
      { jwk: two.jwk },
      { jwk: two.jwk, kid: undefined },
      { jku: 'https://evil.example/jwks' },
      { x5u: 'https://evil.example' },
    ])
      expect((await refusal(identity.verify(await sign({}, two, header)))).code).toBe('sign-in.invalid');
  });

  test('a key by another’s name, a changed part, extensions that we do not know', async () => {
    const identity = open([issuerOf(keyFile(one.jwk, rsa.jwk))]);
    expect((await refusal(identity.verify(await sign({}, two, { kid: 'one' })))).message).toContain('signature');
    expect((await refusal(identity.verify(await sign({}, one, { kid: 'rsa' })))).code).toBe('sign-in.invalid');
    const [header, , signature] = (await sign()).split('.') as [string, string, string];
    expect(
      (await refusal(identity.verify(`${header}.${part({ ...good, sub: 'dana' })}.${signature}`))).message,
    ).toContain('signature');
    const critical = `${part({ alg: 'ES256', kid: 'one', crit: ['x'], x: 1 })}.${part(good)}.${signature}`;
    expect((await refusal(identity.verify(critical))).code).toBe('sign-in.invalid');
    expect(
      (await refusal(identity.verify(`${part({ alg: 'ES256', kid: 7 })}.${part(good)}.${signature}`))).message,
    ).toContain('kid');
  });

  test('a private key in the set is refused', async () => {
    const jwk = { ...(await exportJWK(one.secret)), kid: 'one', alg: 'ES256' };
    expect((await refusal(open([issuerOf(keyFile(jwk))]).verify(await sign()))).code).toBe('sign-in.invalid');
  });
});

describe('what is not a token', () => {
  test(verifies('bounded', 'a token beyond 16 KiB is refused before it is decoded'), async () => {
    const identity = open([issuerOf(keyFile(one.jwk))]);
    const fits = await sign({ pad: 'x'.repeat(11_900) });
    expect(fits.length).toBeLessThanOrEqual(16_384);
    await identity.verify(fits);
    expect((await refusal(identity.verify(await sign({ pad: 'x'.repeat(12_100) })))).message).toContain('longer than');
    expect((await refusal(identity.verify('x'.repeat(10_000_000)))).message).toContain('longer than');
  });

  test('a password, an encrypted token, an event, rubbish', async () => {
    const identity = open([issuerOf(keyFile(one.jwk))]);
    for (const text of [
      'letmein',
      'a.b',
      'a.b.c',
      '..',
      'a.b.c.d',
      'é.é.é',
      `${part([])}.${part(good)}.x`,
      `${part({ alg: 'ES256' })}.${part([])}.x`,
      `${part({ alg: 'ES256' })}.${part('x')}.x`,
      `${part({})}.${part(good)}.x`,
    ])
      expect((await refusal(identity.verify(text))).code).toBe('sign-in.invalid');
    expect((await refusal(identity.verify('a.b.c.d.e'))).message).toContain('encrypted');
    expect((await refusal(identity.verify(await sign({ events: {} })))).message).toContain('event');
  });

  test('nothing of the token is told', async () => {
    const identity = open([issuerOf(keyFile(one.jwk))]);
    const secret = 'hunter2hunter2';
    const signed = await Promise.all([
      sign({ aud: secret }),
      sign({ iss: secret }),
      sign({ sub: secret, exp: 1 }),
      sign({ sub: secret, kind: secret }),
      sign({ sub: secret }, two, { kid: secret }),
      sign({ sub: secret, nbf: secret }),
      sign({}, one, { typ: secret }),
    ]);
    const tokens = [
      ...signed,
      `${secret}.${secret}.${secret}`,
      `${part({ alg: secret })}.${part({ ...good, sub: secret })}.x`,
      `${part({ alg: 'ES256' })}.${Buffer.from(`{"${secret}`).toString('base64url')}.x`,
    ];
    for (const token of tokens) {
      const fault = (await refusal(identity.verify(token))) as Fault;
      const told = `${fault.message} ${JSON.stringify(fault.cause)} ${String(fault.cause)} ${fault.stack}`;
      expect(told).not.toContain(secret);
      for (const piece of token.split('.')) if (piece.length > 8) expect(told).not.toContain(piece);
    }
  });
});

describe('what is remembered', () => {
  test('the same token is the same principal; another token is another', async () => {
    const identity = open([issuerOf(keyFile(one.jwk))]);
    const token = await sign();
    const [first, second] = await Promise.all([identity.verify(token), identity.verify(token)]);
    expect(second).toBe(first);
    expect(await identity.verify(token)).toBe(first);
    expect(await identity.verify(await sign({ jti: 'other' }))).not.toBe(first);
  });

  test('a key file that changes counts at once, for remembered tokens too', async () => {
    const file = keyFile(one.jwk);
    const identity = open([issuerOf(file)]);
    const token = await sign();
    const before = await identity.verify(token);
    expect((await refusal(identity.verify(await sign({}, two)))).code).toBe('sign-in.invalid');
    writeFileSync(file, JSON.stringify({ keys: [one.jwk, two.jwk] }));
    await identity.verify(await sign({}, two));
    expect(await identity.verify(token)).toBe(before);
    writeFileSync(file, JSON.stringify({ keys: [two.jwk] }));
    expect((await refusal(identity.verify(token))).code).toBe('sign-in.invalid');
  });

  test('a key file that is gone or broken refuses everyone, and mends itself', async () => {
    const file = keyFile(one.jwk);
    const identity = open([issuerOf(file)]);
    const token = await sign();
    await identity.verify(token);
    for (const text of ['{', '{"keys":[]}', '[]', 'null']) {
      writeFileSync(file, text);
      expect((await refusal(identity.verify(token))).code).toBe('sign-in.issuer');
    }
    rmSync(file);
    expect((await refusal(identity.verify(token))).code).toBe('sign-in.issuer');
    writeFileSync(file, JSON.stringify({ keys: [one.jwk] }));
    await identity.verify(token);
  });
});
