// Key services against doubles that check what they are sent: Vault's transit engine, AWS KMS (signatures computed again),
// Google Cloud KMS (the service account's JWT verified by jose).
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { newAuthority } from '../../test/peers/authority.ts';
import { startAwsKms, startGcp, startVault } from '../../test/peers/key-services.ts';
import { fillLedger } from '../../test/peers/ledger.ts';
import type { Fault } from '../domain/fault.ts';
import { createLedger, openLedger } from '../ledger/ledger.ts';
import type { KeyProvider } from '../ledger/key-provider.ts';
import { openKeyring } from '../ledger/keyring.ts';
import { createMasterKey } from '../ledger/master-key.ts';
import { readJournal } from '../ledger/read-journal.ts';
import { type KeySettings, openKeyProvider } from './open-provider.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});
const closing = <T extends { close?(): unknown }>(of: T): T => {
  closers.push(() => of.close?.());
  return of;
};

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'providers-'));
  closers.push(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

function environment(name: string, value: string): { env: string } {
  process.env[name] = value;
  closers.push(() => delete process.env[name]);
  return { env: name };
}

const opened = (keys: Partial<KeySettings>, state = folder(), origin = 'example.test/log'): KeyProvider =>
  closing(openKeyProvider({ state, origin, keys: { provider: 'file', timeoutSeconds: 1, ...keys } }));

const some = (count: number) => Array.from({ length: count }, (_, at) => ({ id: `key-${at}`, dek: randomBytes(32) }));

async function roundTrip(provider: KeyProvider, count = 40) {
  const keys = some(count);
  const wrapped = await provider.wrap(keys);
  const stored = keys.map(({ id }, at) => ({ id, wrapped: wrapped[at]! }));
  expect(await provider.unwrap(stored)).toEqual(keys.map(({ dek }) => dek));
  for (const [at, { dek }] of keys.entries()) expect(wrapped[at]!.includes(dek)).toBe(false);
  return { keys, stored };
}

/** What a failing provider throws, and that neither it nor its cause quotes a secret. */
async function refusal(what: Promise<unknown>, ...secrets: string[]): Promise<string> {
  const fault = await what.then(
    () => expect.fail('it did not refuse'),
    (error: Fault) => error,
  );
  expect(fault).toMatchObject({ name: 'Fault', code: 'ledger.unavailable' });
  const words = `${fault.message} ${(fault.cause as Error | undefined)?.message ?? ''}`;
  for (const secret of secrets) expect(`${words} ${fault.stack} ${JSON.stringify(fault)}`).not.toContain(secret);
  return words;
}

describe('environment', () => {
  test('wraps and opens; an earlier key only opens', async () => {
    const one = environment('TEST_KEY_ONE', randomBytes(32).toString('base64'));
    const two = environment('TEST_KEY_TWO', randomBytes(32).toString('base64'));
    const { keys, stored } = await roundTrip(opened({ provider: 'env', env: { key: one, former: [] } }));
    const later = opened({ provider: 'env', env: { key: two, former: [one] } });
    expect(await later.unwrap(stored)).toEqual(keys.map(({ dek }) => dek));
    expect((await later.wrap(keys))[0]!.includes(stored[0]!.wrapped.subarray(0, 10))).toBe(false);
    const alone = await opened({ provider: 'env', env: { key: two, former: [] } }).unwrap(stored);
    expect(alone[0]).toContain('is not there');
  });

  test('what is not 32 bytes in base64 is refused without being quoted', () => {
    for (const value of ['', 'c2hvcnQ=', `${randomBytes(32).toString('base64')}x`, '!'.repeat(44)]) {
      const key = environment('TEST_KEY_BAD', value);
      expect(() => opened({ provider: 'env', env: { key, former: [] } })).toThrow(
        'TEST_KEY_BAD does not hold 32 bytes',
      );
    }
  });
});

describe('Vault', () => {
  const token = 'hvs.CAESIJ-not-for-logs';
  async function vault(more: Parameters<typeof startVault>[0] = {}) {
    const server = closing(await startVault({ token, ...more }));
    const where = join(folder(), 'token');
    writeFileSync(where, `${token}\n`);
    const settings = {
      address: server.url,
      mount: more.mount ?? 'transit',
      key: 'countersign',
      token: { file: where },
      ...(more.namespace ? { namespace: more.namespace } : {}),
    };
    return { server, where, settings, provider: opened({ provider: 'vault', vault: settings }) };
  }

  test('many keys in one request, in a namespace and a mount of their own', async () => {
    const { server, provider } = await vault({ mount: 'team/crypt', namespace: 'eu/prod' });
    expect(provider.label).toBe('vault:eu/prod/team/crypt/countersign');
    await roundTrip(provider, 300);
    expect(server.received.map(({ path }) => path)).toEqual([
      '/v1/team/crypt/encrypt/countersign',
      '/v1/team/crypt/decrypt/countersign',
    ]);
  });

  test('keys of earlier versions open after a rotation, until Vault disallows them', async () => {
    const { server, provider } = await vault();
    const { keys, stored } = await roundTrip(provider, 3);
    server.rotate();
    const [again] = await provider.wrap([keys[0]!]);
    expect(stored[0]!.wrapped.toString('latin1')).toContain('vault:v1:');
    expect(again!.toString('latin1')).toContain('vault:v2:');
    expect(await provider.unwrap([...stored, { id: keys[0]!.id, wrapped: again! }])).toEqual(
      [...keys, keys[0]!].map(({ dek }) => dek),
    );
    server.minDecryptionVersion = 2;
    const mixed = await provider.unwrap([stored[1]!, { id: keys[0]!.id, wrapped: again! }]);
    expect(mixed).toEqual([expect.stringContaining('does not open it'), keys[0]!.dek]);
  });

  test('a wrapped key opens under its own id and log only', async () => {
    const { provider, settings } = await vault();
    const { stored } = await roundTrip(provider, 2);
    const swapped = [{ id: stored[0]!.id, wrapped: stored[1]!.wrapped }];
    expect((await provider.unwrap(swapped))[0]).toContain('belongs to another key or log');
    const other = opened({ provider: 'vault', vault: settings }, folder(), 'example.test/other');
    expect((await other.unwrap(stored))[0]).toContain('belongs to another key or log');
  });

  test('every way to fail is told apart, without a secret', async () => {
    const { server, provider, where, settings } = await vault();
    const [key] = some(1);
    const secrets = [token, key!.dek.toString('base64'), 'hvs.'];
    server.sealed = true;
    expect(await refusal(provider.wrap([key!]), ...secrets)).toContain('sealed');
    // Asked again, and not for ever.
    expect(server.received).toHaveLength(3);
    server.sealed = false;
    writeFileSync(where, 'hvs.another');
    expect(await refusal(provider.wrap([key!]), ...secrets)).toContain('403');
    writeFileSync(where, '');
    expect(await refusal(provider.wrap([key!]), ...secrets)).toContain('is empty');
    rmSync(where);
    expect(await refusal(provider.wrap([key!]), ...secrets)).toContain('cannot be read');
    writeFileSync(where, token);
    const elsewhere = opened({ provider: 'vault', vault: { ...settings, key: 'unknown' } });
    expect(await refusal(elsewhere.wrap([key!]), ...secrets)).toContain('400');
    const nowhere = opened({ provider: 'vault', vault: { ...settings, mount: 'nothing' } });
    expect(await refusal(nowhere.wrap([key!]), ...secrets)).toContain('404');
    server.failing = { status: 200, body: '<html>' };
    expect(await refusal(provider.wrap([key!]), ...secrets)).toContain('200');
    server.failing = { status: 200, body: JSON.stringify({ data: { batch_results: [{ ciphertext: 'plain' }] } }) };
    expect(await refusal(provider.wrap([key!]), ...secrets)).toContain('does not encrypt');
    server.failing = 'silent';
    expect(await refusal(provider.wrap([key!]), ...secrets)).toContain('no answer in time');
    await server.close();
    expect(await refusal(provider.wrap([key!]), ...secrets)).toMatch(/ECONN/);
  }, 30_000);

  test('over TLS only an authority that is named is believed', async () => {
    const authority = await newAuthority('Vault CA');
    const tls = await authority.issue({ usage: 'server', names: [{ type: 'dns', value: 'localhost' }] });
    const server = closing(await startVault({ token, tls }));
    const place = folder();
    writeFileSync(join(place, 'ca.pem'), authority.cert);
    writeFileSync(join(place, 'token'), token);
    const settings = {
      address: server.url.replace('127.0.0.1', 'localhost'),
      mount: 'transit',
      key: 'countersign',
      token: { file: join(place, 'token') },
    };
    await roundTrip(opened({ provider: 'vault', vault: { ...settings, ca: { file: join(place, 'ca.pem') } } }));
    const words = await refusal(opened({ provider: 'vault', vault: settings }).wrap(some(1)), token);
    expect(words).toMatch(/SELF_SIGNED|UNABLE_TO/);
    const byAddress = { ...settings, address: server.url, ca: { file: join(place, 'ca.pem') } };
    expect(await refusal(opened({ provider: 'vault', vault: byAddress }).wrap(some(1)), token)).toMatch(/ALTNAME/);
  });

  test('a ledger whose keys Vault wraps: created, written, read by others, never with a key on this machine', async () => {
    const { server, provider } = await vault();
    const root = folder();
    const place = { folder: join(root, 'ledger'), state: join(root, 'state'), gateway: 'gw', provider };
    await createLedger({ ...place, origin: 'example.test/log' });
    const { ledger } = await openLedger(place);
    await fillLedger(ledger, 3, 20);
    expect(ledger.status().keys.provider).toBe('vault:transit/countersign');
    const asked = server.received.length;
    server.failing = 'silent';
    for (let n = 0; n < 300; n++) ledger.newKey();
    expect(server.received.length).toBeLessThanOrEqual(asked + 1);
    server.failing = undefined;
    const keyring = openKeyring(place.state, provider);
    let read = 0;
    for await (const { entry, payload } of readJournal(place.folder, 0, keyring)) {
      if (entry.t !== 'statement.decision') continue;
      expect(payload).toEqual({ what: { text: `select ${entry.sq}` } });
      read++;
    }
    expect(read).toBe(60);
    await ledger.close();
  });
});

describe('AWS KMS', () => {
  const account = {
    region: 'eu-central-1',
    key: '1234abcd-12ab-34cd-56ef-1234567890ab',
    accessKeyId: 'AKIDEXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
    sessionToken: 'IQoJb3JpZ2luX2VjE-session',
  };
  async function kms(change: Partial<typeof account> = {}) {
    const server = closing(await startAwsKms(account));
    const of = { ...account, ...change };
    const settings = {
      region: of.region,
      key: of.key,
      endpoint: server.url,
      accessKeyId: environment('TEST_AWS_ID', of.accessKeyId),
      secretAccessKey: environment('TEST_AWS_SECRET', of.secretAccessKey),
      sessionToken: environment('TEST_AWS_SESSION', of.sessionToken),
    };
    return { server, provider: opened({ provider: 'aws-kms', 'aws-kms': settings }), settings };
  }

  test('requests are signed as the rules say, and bound to the log and the key’s id', async () => {
    const { server, provider, settings } = await kms();
    const { stored } = await roundTrip(provider);
    const body = JSON.parse(server.received[0]!.body) as { EncryptionContext: object };
    expect(Object.keys(body.EncryptionContext).sort()).toEqual(['countersign:key', 'countersign:log']);
    const swapped = [{ id: stored[0]!.id, wrapped: stored[1]!.wrapped }];
    expect((await provider.unwrap(swapped))[0]).toContain('does not open it');
    const other = opened({ provider: 'aws-kms', 'aws-kms': settings }, folder(), 'example.test/other');
    expect((await other.unwrap(stored))[0]).toContain('does not open it');
  });

  test('a wrong secret, another region, another key and a throttled service are told apart, without a secret', async () => {
    const [key] = some(1);
    const secrets = [account.secretAccessKey, account.sessionToken, key!.dek.toString('base64')];
    const refused = async (change: Partial<typeof account>) =>
      refusal((await kms(change)).provider.wrap([key!]), ...secrets);
    expect(await refused({ secretAccessKey: 'another' })).toContain('InvalidSignatureException');
    expect(await refused({ region: 'us-east-1' })).toContain('InvalidSignatureException');
    expect(await refused({ sessionToken: 'stale' })).toContain('InvalidClientTokenId');
    expect(await refused({ key: 'another' })).toContain('NotFoundException');
    const { server, provider } = await kms();
    server.failing = { status: 400, body: JSON.stringify({ __type: 'com.amazonaws.kms#KMSInvalidStateException' }) };
    expect(await refusal(provider.wrap([key!]), ...secrets)).toContain('KMSInvalidStateException');
    server.failing = { status: 500, body: key!.dek.toString('base64') };
    expect(await refusal(provider.wrap([key!]), ...secrets)).toContain('500');
  }, 30_000);
});

describe('Google Cloud KMS', () => {
  const key = 'projects/p/locations/europe-west3/keyRings/r/cryptoKeys/countersign';
  async function gcp(by: 'account' | 'machine', change: object = {}) {
    const server = closing(await startGcp({ key }));
    const credentials = join(folder(), 'account.json');
    writeFileSync(credentials, JSON.stringify({ ...(JSON.parse(server.credentials) as object), ...change }));
    const settings = {
      key,
      endpoint: server.url,
      metadata: server.url,
      ...(by === 'account' ? { credentials: { file: credentials } } : {}),
    };
    return { server, settings, provider: opened({ provider: 'gcp-kms', 'gcp-kms': settings }) };
  }

  test('a service account’s JWT buys one token for many keys; the log and the id are bound', async () => {
    const { server, provider, settings } = await gcp('account');
    const { stored } = await roundTrip(provider);
    expect(server.tokens).toEqual({ byAccount: 1, byMachine: 0 });
    const other = opened({ provider: 'gcp-kms', 'gcp-kms': settings }, folder(), 'example.test/other');
    expect((await other.unwrap(stored))[0]).toContain('does not open it');
    const swapped = [{ id: stored[0]!.id, wrapped: stored[1]!.wrapped }];
    expect((await provider.unwrap(swapped))[0]).toContain('does not open it');
  });

  test('on a machine of Google’s the metadata server gives the token', async () => {
    const { server, provider } = await gcp('machine');
    await roundTrip(provider, 5);
    expect(server.tokens).toEqual({ byAccount: 0, byMachine: 1 });
  });

  test('another account’s key, a broken file and a denied key are told apart, without a secret', async () => {
    const other = await startGcp({ key });
    await other.close();
    const foreign = (JSON.parse(other.credentials) as { private_key: string }).private_key;
    const secrets = [foreign.slice(40, 90), 'BEGIN'];
    const words = async (change: object) => refusal((await gcp('account', change)).provider.wrap(some(1)), ...secrets);
    expect(await words({ private_key: foreign })).toContain('no access token: 401');
    expect(await words({ private_key: 'not a key' })).toContain('cannot be read');
    expect(await words({ token_uri: 'http://token.example' })).toContain('not the key of a service account');
    const { server, provider } = await gcp('machine');
    await roundTrip(provider, 1);
    server.failing = { status: 403, body: JSON.stringify({ error: { code: 403, status: 'PERMISSION_DENIED' } }) };
    expect(await refusal(provider.wrap(some(1)), ...secrets)).toContain('PERMISSION_DENIED');
  });
});

test('what one provider wrapped opens beside another one that wraps now', async () => {
  const state = folder();
  createMasterKey(state);
  const { keys, stored } = await roundTrip(opened({ provider: 'file' }, state), 3);
  const env = { key: environment('TEST_KEY_ONE', randomBytes(32).toString('base64')), former: [] };
  const both = opened({ provider: 'env', env }, state);
  expect(both.label).toMatch(/^env:/);
  const [fresh] = await both.wrap([keys[0]!]);
  expect(await both.unwrap([...stored, { id: keys[0]!.id, wrapped: fresh! }])).toEqual(
    [...keys, keys[0]!].map(({ dek }) => dek),
  );
});
