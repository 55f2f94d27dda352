import { Told } from './api.ts';
import type { KeyChallenge, PasskeyAssertion, PasskeyAttestation } from '../../src/api/contract.ts';

/** Why this browser or this address has no passkeys; undefined when it has. */
export function noPasskeys(): string | undefined {
  if (!globalThis.isSecureContext) return 'Passkeys need https.';
  if (/^[\d.]+$|:/.test(location.hostname)) return 'Passkeys need a host name, and this page was opened by an address.';
  return 'credentials' in navigator && 'PublicKeyCredential' in globalThis
    ? undefined
    : 'This browser has no passkeys.';
}

/** Makes a passkey for this site and gives its proof. Rejects when the person or the authenticator says no. */
export async function makePasskey(of: NonNullable<KeyChallenge['passkey']>, name: string): Promise<PasskeyAttestation> {
  const made = await asked(() =>
    navigator.credentials.create({
      publicKey: {
        challenge: bytes(of.challenge),
        rp: { id: of.rpId, name: 'Countersign' },
        user: { id: bytes(of.user), name, displayName: name },
        pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: 'public-key', alg })),
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
        attestation: of.attestation,
        excludeCredentials: of.exclude.map((id) => ({ type: 'public-key', id: bytes(id) })),
        timeout: 120_000,
      },
    }),
  );
  const response = made.response as AuthenticatorAttestationResponse;
  return {
    id: made.id,
    rawId: text(made.rawId),
    type: 'public-key',
    response: {
      clientDataJSON: text(response.clientDataJSON),
      attestationObject: text(response.attestationObject),
      transports: response.getTransports(),
    },
  };
}

/** Signs a ballot with one of these passkeys: what is signed is SHA-256 of its text. */
export async function signBallot(ballot: string, credentialIds: readonly string[]): Promise<PasskeyAssertion> {
  const challenge = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(ballot));
  const got = await asked(() =>
    navigator.credentials.get({
      publicKey: {
        challenge,
        rpId: location.hostname,
        allowCredentials: credentialIds.map((id) => ({ type: 'public-key', id: bytes(id) })),
        userVerification: 'required',
        timeout: 120_000,
      },
    }),
  );
  const response = got.response as AuthenticatorAssertionResponse;
  return {
    credentialId: got.id,
    clientDataJSON: text(response.clientDataJSON),
    authenticatorData: text(response.authenticatorData),
    signature: text(response.signature),
  };
}

/** Whatever a browser says when somebody says no, or nothing in time: in words. */
async function asked(question: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const given = await question();
    if (given) return given as PublicKeyCredential;
  } catch (error) {
    if ((error as Error).name === 'InvalidStateError')
      throw new Told('This authenticator has a passkey for you here already.');
  }
  throw new Told(
    'Nothing was signed: the browser or the authenticator said no, or nobody answered it in time. Try again.',
  );
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  const binary = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function text(buffer: ArrayBuffer): string {
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
