import 'reflect-metadata';
import { hash, webcrypto } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import * as x509 from '@peculiar/x509';
import { afterEach, describe, expect, test } from 'vitest';
import { freePort } from '../../test/peers/postgres.ts';
import { verifies } from '../../test/requirements.ts';
import { endpointHash } from './channel-binding.ts';
import { dialTarget } from './dial.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function silent(): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => undefined));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}

describe('dialling', () => {
  test('a target that does not run is a fault that says what to check', async () => {
    const dialled = dialTarget({ host: '127.0.0.1', port: await freePort() });
    await expect(dialled).rejects.toThrow(
      expect.objectContaining({ code: 'target.unreachable', message: expect.stringContaining('check') }),
    );
  });

  test(verifies('bounded', 'a target that never answers the TLS handshake is given up'), async () => {
    const stream = await dialTarget({ host: '127.0.0.1', port: await silent(), connectMs: 50 });
    let ends = 0;
    stream.open({ data: () => undefined, drain: () => undefined, end: () => void ends++ });
    await expect(stream.secureNow({ mode: 'require' })).rejects.toThrow(
      expect.objectContaining({ code: 'target.unreachable' }),
    );
    await expect.poll(() => ends).toBe(1);
  });
});

type KeyAlgorithm = Parameters<typeof webcrypto.subtle.generateKey>[0] & webcrypto.Algorithm;

async function certificate(algorithm: KeyAlgorithm, signing: object = algorithm): Promise<Buffer> {
  x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=target',
    notBefore: new Date(0),
    notAfter: new Date(4e12),
    signingAlgorithm: signing as webcrypto.EcdsaParams,
    keys,
  });
  return Buffer.from(made.rawData);
}

describe('tls-server-end-point', () => {
  const rsa = (name: string, digest: string) => ({
    name,
    hash: digest,
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  });
  const curve = { name: 'ECDSA', namedCurve: 'P-256' };
  test.each([
    ['RSA with SHA-256', rsa('RSASSA-PKCS1-v1_5', 'SHA-256'), undefined, 'sha256'],
    ['RSA with SHA-384', rsa('RSASSA-PKCS1-v1_5', 'SHA-384'), undefined, 'sha384'],
    ['RSA with SHA-512', rsa('RSASSA-PKCS1-v1_5', 'SHA-512'), undefined, 'sha512'],
    ['RSA with SHA-1, which is replaced', rsa('RSASSA-PKCS1-v1_5', 'SHA-1'), undefined, 'sha256'],
    ['ECDSA with SHA-256', curve, { ...curve, hash: 'SHA-256' }, 'sha256'],
    ['ECDSA with SHA-512', curve, { ...curve, hash: 'SHA-512' }, 'sha512'],
    ['Ed25519, which names no hash', { name: 'Ed25519' }, undefined, undefined],
  ])('of %s', async (_title, algorithm, signing, expected) => {
    const der = await certificate(algorithm, signing);
    expect(endpointHash(der)).toEqual(expected && hash(expected, der, 'buffer'));
  });

  test('of what is no certificate there is none', () => {
    for (const bytes of [[], [0x30], [0x30, 0x84, 0xff, 0xff, 0xff, 0xff], [0x30, 0x89], [0x30, 3, 0x30, 1, 0]]) {
      expect(endpointHash(Buffer.from(bytes))).toBeUndefined();
    }
  });
});
