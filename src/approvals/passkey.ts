// A passkey's signature over a ballot (WebAuthn Level 3, §7.2), with nothing but the platform, so that it verifies offline. Pure.
import { createPublicKey, hash, verify } from 'node:crypto';

/** What a browser gives after `navigator.credentials.get`; all base64url. */
export interface Assertion {
  readonly credentialId: string;
  readonly clientDataJSON: string;
  readonly authenticatorData: string;
  readonly signature: string;
}

export interface PasskeyKey {
  /** SubjectPublicKeyInfo, DER, base64. */
  readonly spki: string;
  /** COSE algorithm: one of `digests`. */
  readonly alg: number;
  /** Relying party id and origins at which it was enrolled. */
  readonly rpId: string;
  readonly origin: string;
}

export interface Asserted {
  /** The authenticator checked who was there (PIN, finger, face). */
  readonly verified: boolean;
  /** It can leave the device that made it: a synced passkey. */
  readonly backedUp: boolean;
  /** Grows with each use where the authenticator counts; 0 where it does not. */
  readonly counter: number;
}

/** Why an assertion is not one. */
export class PasskeyProblem extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PasskeyProblem';
  }
}

/** COSE algorithms: ES256, ES384, ES512, RS256, EdDSA, Ed448. */
const digests: Readonly<Record<number, string | null>> = {
  [-7]: 'sha256',
  [-35]: 'sha384',
  [-36]: 'sha512',
  [-257]: 'sha256',
  [-8]: null,
  [-53]: null,
};
const flag = { present: 0x01, verified: 0x04, eligible: 0x08, backedUp: 0x10 };
const longest = 8_192;

/** Verifies an assertion over `challenge`. Throws PasskeyProblem. */
export function verifyAssertion(assertion: Assertion, challenge: Uint8Array, key: PasskeyKey): Asserted {
  const client = bytesOf(assertion.clientDataJSON);
  const data = bytesOf(assertion.authenticatorData);
  const said = clientData(client);
  if (said.type !== 'webauthn.get') throw new PasskeyProblem('it was made for something else than signing');
  if (said.challenge !== Buffer.from(challenge).toString('base64url'))
    throw new PasskeyProblem('it signs another ballot');
  if (said.origin !== key.origin) throw new PasskeyProblem('it was made on another site');
  if (said.crossOrigin === true || said.topOrigin !== undefined)
    throw new PasskeyProblem('it was made inside a page of another site');
  if (data.length < 37) throw new PasskeyProblem('its authenticator data is cut short');
  if (!data.subarray(0, 32).equals(hash('sha256', key.rpId, 'buffer')))
    throw new PasskeyProblem('it was made for another site');
  const flags = data[32]!;
  const has = (bit: number) => (flags & bit) !== 0;
  if (!has(flag.present)) throw new PasskeyProblem('nobody touched the authenticator');
  if (has(flag.backedUp) && !has(flag.eligible)) throw new PasskeyProblem('its flags contradict each other');
  const digest = digests[key.alg];
  if (digest === undefined) throw new PasskeyProblem('the algorithm of the key is not taken');
  const message = Buffer.concat([data, hash('sha256', client, 'buffer')]);
  const spki = createPublicKey({ key: Buffer.from(key.spki, 'base64'), format: 'der', type: 'spki' });
  if (!verify(digest, message, spki, bytesOf(assertion.signature)))
    throw new PasskeyProblem('it is not a signature of this key');
  return { verified: has(flag.verified), backedUp: has(flag.backedUp), counter: data.readUInt32BE(33) };
}

function clientData(bytes: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new PasskeyProblem('its client data is not JSON');
  }
  if (typeof value !== 'object' || value === null) throw new PasskeyProblem('its client data is not an object');
  return value as Record<string, unknown>;
}

function bytesOf(text: string): Buffer {
  if (text.length > longest || !/^[A-Za-z0-9_-]*$/.test(text)) throw new PasskeyProblem('it is not base64url');
  return Buffer.from(text, 'base64url');
}
