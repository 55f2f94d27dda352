// W3C's test vectors for Web Authentication: passkeys' signatures verify as the standard says, and changed ones do not.
import {
  decodeAttestationObject,
  decodeCredentialPublicKey,
  parseAuthenticatorData,
} from '@simplewebauthn/server/helpers';
import { describe, expect, test } from 'vitest';
import { coseKey } from '../../src/approvals/enrolment.ts';
import { PasskeyProblem, verifyAssertion } from '../../src/approvals/passkey.ts';
import { text, vectors } from './folder.ts';

interface Case {
  readonly name: string;
  readonly registration: Record<'credential_id' | 'attestationObject', string>;
  readonly authentication: Record<'challenge' | 'authenticatorData' | 'clientDataJSON' | 'signature', string>;
}
const { rpId, origin, cases } = JSON.parse(text(vectors('webauthn', 'vectors.json'))) as {
  rpId: string;
  origin: string;
  cases: Case[];
};
const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const url = (hex: string) => Buffer.from(hex, 'hex').toString('base64url');

function keyOf({ registration }: Case) {
  const authData = decodeAttestationObject(bytes(registration.attestationObject)).get('authData');
  const { credentialPublicKey } = parseAuthenticatorData(authData);
  const { key, alg } = coseKey(decodeCredentialPublicKey(credentialPublicKey!) as unknown as Map<number, unknown>);
  return { spki: key.export({ format: 'der', type: 'spki' }).toString('base64'), alg, rpId, origin };
}

describe('passkeys', () => {
  test('there are cases', () => expect(cases.length).toBeGreaterThanOrEqual(15));
  test.for(cases.map((one) => [one.name, one] as const))('%s', ([name, one]) => {
    const { challenge, authenticatorData, clientDataJSON, signature } = one.authentication;
    const assertion = {
      credentialId: url(one.registration.credential_id),
      clientDataJSON: url(clientDataJSON),
      authenticatorData: url(authenticatorData),
      signature: url(signature),
    };
    const verify = (change: Partial<typeof assertion> = {}, to = bytes(challenge)) =>
      verifyAssertion({ ...assertion, ...change }, to, keyOf(one));
    // A page inside another site's page may show anything around the button.
    if (/crossOrigin|topOrigin/.test(name)) {
      expect(() => verify()).toThrow('inside a page of another site');
      return;
    }
    const flags = bytes(authenticatorData)[32]!;
    expect(verify()).toMatchObject({ verified: (flags & 4) !== 0, backedUp: (flags & 16) !== 0 });
    expect(() => verify({}, bytes('00'.repeat(32)))).toThrow('another ballot');
    for (const at of [0, 10, 33, 36]) {
      const changed = bytes(authenticatorData);
      changed[at]! ^= 1;
      expect(() => verify({ authenticatorData: Buffer.from(changed).toString('base64url') })).toThrow(PasskeyProblem);
    }
    const short = Buffer.from(signature, 'hex').subarray(0, -1).toString('base64url');
    expect(() => verify({ signature: short })).toThrow('not a signature of this key');
  });
});
