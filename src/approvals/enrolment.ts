// Enrolling a key: who enrols it shows that they hold it, by signing a text that is good once and for five minutes.
import { createPublicKey, hash, randomBytes, type KeyObject } from 'node:crypto';
import type { Json } from '../domain/entry.ts';
import { type Principal, principalId } from '../domain/principal.ts';
import { canonical } from '../ledger/canonical.ts';
import { type ApproverKey, KeyProblem } from './approver-key.ts';
import { parseSshKey, SshProblem } from './ssh-key.ts';
import { verifySshSignature } from './ssh-signature.ts';

/** Signatures that enrol are for nothing else. */
export const enrolmentNamespace = 'countersign-enrolment';

export interface EnrolmentRules {
  /** Host that people open the console at, and its origin. */
  readonly rpId: string;
  readonly origin: string;
  /** Makers' models of authenticators that are taken; any without it. Their makers' attestation is then demanded. */
  readonly aaguids?: readonly string[];
  /** Only passkeys that cannot leave their device. */
  readonly deviceBound: boolean;
}

/** What a browser gives after `navigator.credentials.create`, as `toJSON` writes it. */
export interface Attestation {
  readonly id: string;
  readonly rawId: string;
  readonly type: 'public-key';
  readonly response: {
    readonly clientDataJSON: string;
    readonly attestationObject: string;
    readonly transports?: readonly string[];
  };
}

export type Proof =
  | { readonly ssh: { readonly publicKey: string; readonly signature: string } }
  | { readonly passkey: Attestation };

export type Enrolled = Pick<ApproverKey, 'method' | 'fingerprint' | 'ssh' | 'passkey'>;

const lifetimeMs = 5 * 60_000;
const mostOpen = 1_000;

/** Challenges that were given out and not used yet. */
export function openChallenges(now: () => number) {
  const open = new Map<string, { readonly person: string; readonly until: number }>();
  return {
    /** A text to sign, for this person alone. */
    give(principal: Principal): string {
      const person = principalId(principal);
      const at = now();
      for (const [text, { until }] of open) if (until < at || open.size >= mostOpen) open.delete(text);
      const nonce = randomBytes(32).toString('base64url');
      const text = canonical({ kind: 'approver-key.enrol', nonce, person, v: 1 } as Json);
      open.set(text, { person, until: at + lifetimeMs });
      return text;
    },
    /** Takes it back. Throws KeyProblem when it is not this person's, or not good any more. */
    take(text: string, principal: Principal): void {
      const found = open.get(text);
      open.delete(text);
      if (!found || found.person !== principalId(principal) || found.until < now())
        throw new KeyProblem(
          'key.challenge',
          'What was signed is not a challenge of yours that is still good. Start again.',
        );
    },
  };
}

/** Checks that whoever sent this holds the key. Throws KeyProblem. */
export async function checkProof(proof: Proof, challenge: string, rules: EnrolmentRules): Promise<Enrolled> {
  return 'ssh' in proof ? sshKey(proof.ssh, challenge) : await passkey(proof.passkey, challenge, rules);
}

function sshKey({ publicKey, signature }: { publicKey: string; signature: string }, challenge: string): Enrolled {
  try {
    const { blob, fingerprint, type } = parseSshKey(publicKey);
    const { key } = verifySshSignature(signature, Buffer.from(challenge), enrolmentNamespace);
    if (!key.blob.equals(blob)) throw new SshProblem('the signature is of another key than the one given');
    return { method: 'ssh', fingerprint, ssh: `${type} ${blob.toString('base64')}` };
  } catch (cause) {
    if (!(cause instanceof SshProblem)) throw cause;
    throw new KeyProblem('key.invalid', `The SSH key cannot be enrolled: ${cause.message}.`, cause);
  }
}

async function passkey(response: Attestation, challenge: string, rules: EnrolmentRules): Promise<Enrolled> {
  const [{ verifyRegistrationResponse }, { decodeCredentialPublicKey }] = await Promise.all([
    import('@simplewebauthn/server'),
    import('@simplewebauthn/server/helpers'),
  ]);
  const invalid = (why: string, cause?: unknown) =>
    new KeyProblem('key.invalid', `The passkey cannot be enrolled: ${why}`, cause);
  let verified: Awaited<ReturnType<typeof verifyRegistrationResponse>>;
  try {
    verified = await verifyRegistrationResponse({
      response: { ...response, clientExtensionResults: {} } as Parameters<
        typeof verifyRegistrationResponse
      >[0]['response'],
      expectedChallenge: hash('sha256', challenge, 'base64url'),
      expectedOrigin: rules.origin,
      expectedRPID: rules.rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: [-7, -8, -257],
    });
  } catch (cause) {
    throw invalid('its proof does not verify. Start again.', cause);
  }
  if (!verified.verified) throw invalid('its proof does not verify. Start again.');
  const { credential, aaguid, fmt, credentialDeviceType } = verified.registrationInfo;
  const deviceBound = credentialDeviceType === 'singleDevice';
  if (rules.deviceBound && !deviceBound)
    throw new KeyProblem(
      'key.not-allowed',
      'Passkeys that can be copied to other devices are not taken here. Use a security key.',
    );
  if (rules.aaguids && (fmt === 'none' || !rules.aaguids.includes(aaguid)))
    throw new KeyProblem(
      'key.not-allowed',
      'This model of authenticator is not taken here. Ask an administrator which ones are.',
    );
  const { key, alg } = coseKey(decodeCredentialPublicKey(credential.publicKey) as unknown as Map<number, unknown>);
  const spki = key.export({ format: 'der', type: 'spki' }).toString('base64');
  const { rpId, origin } = rules;
  return {
    method: 'passkey',
    fingerprint: credential.id,
    passkey: { spki, alg, rpId, origin, aaguid, attestation: fmt, deviceBound },
  };
}

const curves: Readonly<Record<number, string>> = { 1: 'P-256', 2: 'P-384', 3: 'P-521', 6: 'Ed25519', 7: 'Ed448' };
const kinds: Readonly<Record<number, string>> = { 1: 'OKP', 2: 'EC', 3: 'RSA' };

/** RFC 9053 §7 and RFC 8230 §4: public keys as WebAuthn authenticators give them. */
export function coseKey(cose: ReadonlyMap<number, unknown>): { readonly key: KeyObject; readonly alg: number } {
  const text = (label: number) => Buffer.from(cose.get(label) as Uint8Array).toString('base64url');
  const kty = kinds[Number(cose.get(1))] ?? '';
  const crv = curves[Number(cose.get(-1))] ?? '';
  const jwk =
    kty === 'RSA'
      ? { kty, n: text(-1), e: text(-2) }
      : { kty, crv, x: text(-2), ...(kty === 'EC' ? { y: text(-3) } : {}) };
  return { key: createPublicKey({ format: 'jwk', key: jwk }), alg: Number(cose.get(3)) };
}
