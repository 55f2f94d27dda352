// Client certificate → verified principal (DESIGN §7: X.509-SVID and others). TLS has verified the chain when the link began;
// here it is checked again that the certificate is valid now, and which entry of the configuration it belongs to.
import { X509Certificate } from 'node:crypto';
import { Fault } from '../domain/fault.ts';
import type { PeerCertificate } from '../domain/link.ts';
import type { Principal, PrincipalKind } from '../domain/principal.ts';
import { alternativeNames, commonName } from './certificate-names.ts';

/** Where the subject stands: the only SAN of that type, or the only common name. */
export type SubjectPlace = 'uri' | 'dns' | 'email' | 'cn';

/** Whose certificates are accepted, and what they mean. Configuration's `certificates` fit (docs/config.md). */
export interface CertificateRule {
  /** Name within the configuration; principals carry it as their issuer, `mtls:name`. */
  readonly name: string;
  /** PEM of the authorities that must have issued the certificate themselves; without it all of the listener count. */
  readonly ca?: string | Buffer;
  /** Pattern of the subject: `*` stands for anything but a slash. */
  readonly match?: string;
  readonly principal: {
    readonly kind: PrincipalKind;
    readonly subject: SubjectPlace;
    readonly groups: readonly string[];
    readonly owner?: string;
  };
}

export interface CertificateIdentity {
  /** Throws a Fault `sign-in.*` that says what is missing and what to do. */
  verifyCertificate(certificate: PeerCertificate): Principal;
}

const longest = 255;

interface Rule extends Omit<CertificateRule, 'ca'> {
  readonly authorities?: readonly X509Certificate[];
  readonly pattern?: RegExp;
}

/** `now` in milliseconds since the epoch. Throws when a `ca` holds no certificate. */
export function openCertificates(rules: readonly CertificateRule[], now: () => number): CertificateIdentity {
  const known = rules.map(prepared);
  return {
    verifyCertificate(presented) {
      const certificate = new X509Certificate(presented.raw);
      checkTimes(certificate, now());
      // An authority's own certificate signs others; it is nobody's name (X509-SVID, 4.1 and 5.2).
      if (certificate.ca)
        throw new Fault('sign-in.invalid', 'The client certificate is that of an authority. Use one issued to you.');
      for (const rule of known) {
        if (rule.authorities && !rule.authorities.some((authority) => hasIssued(authority, certificate))) continue;
        const subject = subjectOf(certificate, rule.principal.subject);
        if (subject === undefined || (rule.pattern && !rule.pattern.test(subject))) continue;
        return principalOf(certificate, subject, rule);
      }
      throw new Fault(
        'sign-in.issuer',
        'The client certificate verifies, but nobody is known by it here. Ask the operator to add it to certificates.',
      );
    },
  };
}

function prepared({ ca, match, ...rest }: CertificateRule): Rule {
  return {
    ...rest,
    ...(ca === undefined ? {} : { authorities: authoritiesOf(ca, rest.name) }),
    ...(match === undefined ? {} : { pattern: patternOf(match) }),
  };
}

function authoritiesOf(pem: string | Buffer, name: string): X509Certificate[] {
  const found = String(pem).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (found.length === 0) throw new TypeError(`the ca of certificates entry ${name} holds no certificate`);
  return found.map((one) => new X509Certificate(one));
}

function patternOf(match: string): RegExp {
  const parts = match.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^/]+')}$`, 'u');
}

/** TLS compares the times once, and not at all when it resumes an earlier session. */
function checkTimes(certificate: X509Certificate, now: number): void {
  if (now >= Date.parse(certificate.validTo))
    throw new Fault('sign-in.expired', 'The client certificate has expired. Get a fresh one and connect again.');
  if (now < Date.parse(certificate.validFrom))
    throw new Fault(
      'sign-in.expired',
      'The client certificate is not valid yet. Wait, or check the clocks of this gateway and of its authority.',
    );
}

/** Narrows what TLS has verified to some authorities; alone it would be too little. */
function hasIssued(authority: X509Certificate, certificate: X509Certificate): boolean {
  return authority.ca && certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

/** `undefined` when there is none; several would let the holder choose who to be, so they are none either. */
function subjectOf(certificate: X509Certificate, place: SubjectPlace): string | undefined {
  const found = place === 'cn' ? commonName(certificate) : alternativeNames(certificate, place);
  const [subject] = found;
  if (found.length !== 1 || subject === undefined || subject === '' || subject.length > longest) return undefined;
  // Control and direction characters have no place in a name that people read.
  return /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(subject) ? undefined : subject;
}

function principalOf(certificate: X509Certificate, subject: string, { name, principal }: Rule): Principal {
  return Object.freeze({
    kind: principal.kind,
    issuer: `mtls:${name}`,
    subject,
    name: subject,
    groups: Object.freeze([...principal.groups]),
    ...(principal.owner === undefined ? {} : { owner: principal.owner }),
    claims: Object.freeze({}),
    delegation: Object.freeze([]),
    credential: Object.freeze({
      type: 'mtls',
      issuedAt: seconds(certificate.validFrom),
      expiresAt: seconds(certificate.validTo),
      sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    }),
  });
}

const seconds = (time: string): number => Math.floor(Date.parse(time) / 1_000);
