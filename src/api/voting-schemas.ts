// Schemas of the routes about signed votes and the keys for them.
import { z } from 'zod';
import type { ApproverKeyRow, Ballot, EnrolKey, KeyChallenge, Vote } from './contract.ts';

const time = z.number();
const strings = z.array(z.string());
const base64url = z.string().regex(/^[A-Za-z0-9_-]{1,8192}$/);
export const ballotQuery = z.strictObject({
  answer: z.enum(['grant', 'refuse']),
  reason: z.string().max(2_000).optional(),
});
export const voteBody = z.strictObject({
  answer: z.enum(['grant', 'refuse']),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  reason: z.string().max(2_000).optional(),
  signature: z
    .union([
      z.strictObject({ ssh: z.string().min(1).max(16_384) }),
      z.strictObject({
        passkey: z.strictObject({
          credentialId: base64url,
          clientDataJSON: base64url,
          authenticatorData: base64url,
          signature: base64url,
        }),
      }),
    ])
    .optional(),
}) satisfies z.ZodType<Vote>;
const keyAct = z.strictObject({ by: z.string(), byName: z.string(), at: time, entry: z.int() });
export const approverKey = z.strictObject({
  id: z.string(),
  method: z.enum(['ssh', 'passkey']),
  person: z.string(),
  personName: z.string(),
  name: z.string(),
  fingerprint: z.string(),
  ssh: z.string().optional(),
  deviceBound: z.boolean().optional(),
  state: z.enum(['waiting', 'counts', 'revoked']),
  enrolled: keyAct,
  vouched: keyAct.optional(),
  revoked: keyAct.extend({ reason: z.string() }).optional(),
  mine: z.boolean(),
  mayVouch: z.boolean(),
  mayRevoke: z.boolean(),
}) satisfies z.ZodType<ApproverKeyRow>;
export const approverKeys = z.strictObject({ items: z.array(approverKey) });

export const keyChallenge = z.strictObject({
  challenge: z.string(),
  passkey: z
    .strictObject({
      rpId: z.string(),
      challenge: z.string(),
      user: z.string(),
      attestation: z.enum(['none', 'direct']),
      exclude: strings,
    })
    .optional(),
}) satisfies z.ZodType<KeyChallenge>;

const long = z.string().regex(/^[A-Za-z0-9_-]{1,32768}$/);
export const enrolBody = z.strictObject({
  name: z.string().max(100),
  challenge: z.string().min(1).max(1_000),
  proof: z.union([
    z.strictObject({
      ssh: z.strictObject({ publicKey: z.string().min(1).max(8_192), signature: z.string().min(1).max(16_384) }),
    }),
    z.strictObject({
      passkey: z.strictObject({
        id: base64url,
        rawId: base64url,
        type: z.literal('public-key'),
        response: z.strictObject({
          clientDataJSON: base64url,
          attestationObject: long,
          transports: z.array(z.string().max(40)).max(10).optional(),
        }),
      }),
    }),
  ]),
}) satisfies z.ZodType<EnrolKey>;
export const revokeBody = z.strictObject({ reason: z.string().max(500).default('') });

export const ballot = z.strictObject({
  ballot: z.string(),
  challenge: z.string(),
  digest: z.string(),
}) satisfies z.ZodType<Ballot>;
