// Certificates of a real authority through a real TLS handshake, then the principal that they stand for.
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Authority, type Issued, newAuthority, type Wish } from '../../test/peers/authority.ts';
import { verifies } from '../../test/requirements.ts';
import { type FaultCode, Fault } from '../domain/fault.ts';
import type { Link, PeerCertificate } from '../domain/link.ts';
import { listen, type Listener } from '../listeners/listen.ts';
import { type CertificateRule, openCertificates } from './certificate.ts';

const day = 86_400_000;
let root: Authority;
let other: Authority;
let middle: Authority;
let stranger: Authority;
let server: Issued;
let listener: Listener;
const links: Link[] = [];

beforeAll(async () => {
  [root, other, stranger] = (await Promise.all(['root', 'other root', 'root'].map(newAuthority))) as [
    Authority,
    Authority,
    Authority,
  ];
  middle = await root.below('middle');
  server = await root.issue({ names: [{ type: 'dns', value: 'localhost' }], usage: 'server' });
  listener = await listen({
    address: '127.0.0.1',
    port: 0,
    plaintext: 'refuse',
    tls: { cert: server.cert, key: server.key, ca: root.cert + other.cert },
    directTls: 'test',
    limits: { links: 10 },
    onLink(link) {
      links.push(link);
      link.open({
        data: (chunk) => void link.write(Buffer.from(chunk)),
        drain: () => undefined,
        end: () => link.end(),
      });
    },
  });
});
afterAll(() => listener?.close());

/** The link of a client that shows this certificate, after the handshake. */
async function shown(mine: { cert: string; key: string } | undefined): Promise<Link> {
  const socket = connectTls({
    port: listener.port,
    host: 'localhost',
    ca: root.cert,
    ALPNProtocols: ['test'],
    ...mine,
  });
  socket.write('x');
  await new Promise((resolve, reject) => {
    socket.once('data', resolve);
    socket.once('error', reject);
  });
  socket.destroy();
  return links.at(-1) as Link;
}

async function presented(wish: Wish, by: Authority = root): Promise<PeerCertificate> {
  const { certificate } = await shown(await by.issue(wish));
  if (!certificate) throw new Error('it was not verified');
  return certificate;
}

const agent: CertificateRule = {
  name: 'workloads',
  match: 'spiffe://example.org/agents/*',
  principal: { kind: 'agent', subject: 'uri', groups: ['agents'], owner: 'dana@example.org' },
};
const spiffe = (path: string) => ({ names: [{ type: 'url' as const, value: `spiffe://example.org/${path}` }] });
const open = (rules: CertificateRule[], now = Date.now) => openCertificates(rules, now);

function refusal(verify: () => unknown): FaultCode {
  try {
    verify();
  } catch (error) {
    if (error instanceof Fault) return error.code;
    throw error;
  }
  return expect.fail('it was accepted');
}

describe('a certificate that verifies', () => {
  test('is a principal with facts of the certificate', async () => {
    const notAfter = Math.floor(Date.now() / 1_000) * 1_000 + day;
    const certificate = await presented({ ...spiffe('agents/reporting'), notAfter });
    expect(open([agent]).verifyCertificate(certificate)).toEqual({
      kind: 'agent',
      issuer: 'mtls:workloads',
      subject: 'spiffe://example.org/agents/reporting',
      name: 'spiffe://example.org/agents/reporting',
      groups: ['agents'],
      owner: 'dana@example.org',
      claims: {},
      delegation: [],
      credential: {
        type: 'mtls',
        issuedAt: expect.any(Number) as number,
        expiresAt: notAfter / 1_000,
        sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
      },
    });
  });

  test.each([
    ['dns', { names: [{ type: 'dns', value: 'ci.example.org' }] }, 'ci.example.org'],
    ['email', { names: [{ type: 'email', value: 'dana@example.org' }] }, 'dana@example.org'],
    ['cn', { name: 'O=Example, CN=nightly job' }, 'nightly job'],
    ['cn', { name: String.raw`CN=a\, URI:spiffe://example.org/agents/x` }, 'a, URI:spiffe://example.org/agents/x'],
  ] as const)('is named by its %s', async (subject, wish, name) => {
    const rule: CertificateRule = { name: 'jobs', principal: { kind: 'service', subject, groups: [] } };
    expect(open([rule]).verifyCertificate(await presented(wish)).subject).toBe(name);
  });

  test('belongs to the first entry that fits', async () => {
    const rest: CertificateRule = { name: 'rest', principal: { kind: 'service', subject: 'uri', groups: [] } };
    const identity = open([agent, rest]);
    expect(identity.verifyCertificate(await presented(spiffe('agents/a'))).issuer).toBe('mtls:workloads');
    expect(identity.verifyCertificate(await presented(spiffe('agents/a/b'))).issuer).toBe('mtls:rest');
    expect(identity.verifyCertificate(await presented(spiffe('agents/'))).issuer).toBe('mtls:rest');
  });

  test('may come by an authority in between, which the client sends', async () => {
    const mine = await middle.issue(spiffe('agents/a'));
    const { certificate } = await shown({ ...mine, cert: mine.cert + middle.cert });
    const narrowed = { ...agent, ca: middle.cert };
    expect(refusal(() => open([{ ...agent, ca: root.cert }]).verifyCertificate(certificate as PeerCertificate))).toBe(
      'sign-in.issuer',
    );
    expect(open([narrowed]).verifyCertificate(certificate as PeerCertificate).issuer).toBe('mtls:workloads');
    const alone = await shown(mine);
    expect([alone.certificate, alone.certificateRefused]).toEqual([undefined, expect.stringMatching(/^UNABLE/)]);
  });
});

describe(verifies('identity.never-defaulted', 'a certificate is refused'), () => {
  test('when TLS does not verify it', async () => {
    const wrong: [Issued, string | RegExp][] = [
      [await stranger.issue(spiffe('agents/a')), /^(UNABLE|CERT_SIGNATURE_FAILURE)/],
      [await root.issue({ ...spiffe('agents/a'), notAfter: Date.now() - 60_000 }), 'CERT_HAS_EXPIRED'],
      [await root.issue({ ...spiffe('agents/a'), notBefore: Date.now() + day / 2 }), 'CERT_NOT_YET_VALID'],
      [await root.issue({ ...spiffe('agents/a'), usage: 'server' }), 'INVALID_PURPOSE'],
    ];
    for (const [mine, reason] of wrong) {
      const link = await shown(mine);
      expect(link.certificate).toBeUndefined();
      expect(link.certificateRefused).toMatch(reason);
    }
    const none = await shown(undefined);
    expect([none.certificate, none.certificateRefused]).toEqual([undefined, undefined]);
  });

  test('when it has expired since, or the clock says so', async () => {
    const certificate = await presented(spiffe('agents/a'));
    expect(refusal(() => open([agent], () => Date.now() + day).verifyCertificate(certificate))).toBe('sign-in.expired');
    expect(refusal(() => open([agent], () => Date.now() - 2 * day).verifyCertificate(certificate))).toBe(
      'sign-in.expired',
    );
  });

  test('when TLS resumes a session of the time when it was still valid', async () => {
    const mine = await root.issue({ ...spiffe('agents/a'), notAfter: Date.now() + 1_500 });
    const wish = { port: listener.port, host: 'localhost', ca: root.cert, ALPNProtocols: ['test'], ...mine };
    const first = connectTls(wish);
    const session = await new Promise<Buffer>((resolve, reject) => {
      first.once('session', resolve);
      first.once('error', reject);
    });
    first.destroy();
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    const again = connectTls({ ...wish, session });
    again.write('x');
    await new Promise((resolve, reject) => {
      again.once('data', resolve);
      again.once('error', reject);
    });
    expect(again.isSessionReused()).toBe(true);
    again.destroy();
    // TLS still calls it verified.
    const { certificate } = links.at(-1) as Link;
    expect(refusal(() => open([agent]).verifyCertificate(certificate as PeerCertificate))).toBe('sign-in.expired');
  });

  test.each<[string, Wish]>([
    ['no name of the kind', { name: 'CN=spiffe://example.org/agents/a' }],
    ['two names of the kind', { names: [...spiffe('agents/a').names, ...spiffe('agents/b').names] }],
    ['a name that no entry matches', spiffe('jobs/a')],
    ['a name with another one inside', spiffe('agents/a, URI:spiffe://example.org/agents/b')],
    ['a name that only ends like one', { names: [{ type: 'url', value: 'x-spiffe://example.org/agents/a' }] }],
    ['a name with a direction character', { names: [{ type: 'url', value: 'spiffe://example.org/agents/%E2%80%AE' }] }],
  ])('when it has %s', async (title, wish) => {
    const identity = open([agent]);
    const certificate = await presented(wish);
    if (title.includes('direction')) {
      // As text of the certificate it is harmless, and stays what it is.
      expect(identity.verifyCertificate(certificate).subject).toContain('%E2');
      return;
    }
    expect(refusal(() => identity.verifyCertificate(certificate))).toBe('sign-in.issuer');
  });

  test('when its authority does not count for any entry', async () => {
    const identity = open([{ ...agent, ca: root.cert }]);
    const certificate = await presented(spiffe('agents/a'), other);
    expect(refusal(() => identity.verifyCertificate(certificate))).toBe('sign-in.issuer');
    expect(open([agent]).verifyCertificate(certificate).kind).toBe('agent');
  });

  test('when it is an authority’s own, or no entry is there', async () => {
    const certificate = await presented({ ...spiffe('agents/a'), authority: true });
    expect(refusal(() => open([agent]).verifyCertificate(certificate))).toBe('sign-in.invalid');
    const usual = await presented(spiffe('agents/a'));
    expect(refusal(() => open([]).verifyCertificate(usual))).toBe('sign-in.issuer');
    expect(() => open([{ ...agent, ca: 'no certificate' }])).toThrow('workloads');
  });
});
