// Routes about the keys that votes are signed with.
import { hash } from 'node:crypto';
import type { ApproverKey } from '../approvals/approver-key.ts';
import type { ApproverKeys } from '../approvals/approver-keys.ts';
import { type Principal, principalId } from '../domain/principal.ts';
import type { Access } from './access.ts';
import type { ApproverKeyRow, KeyChallenge } from './contract.ts';
import { type Route, route } from './route.ts';
import * as schemas from './voting-schemas.ts';
import { sessionPath } from './schemas.ts';

export interface KeyParts {
  readonly access: Access;
  readonly keys: ApproverKeys;
}

export function keyRoutes({ access, keys }: KeyParts): Route[] {
  const show = (principal: Principal, key: ApproverKey): ApproverKeyRow => {
    const mine = key.person === principalId(principal);
    const counts = keys.counts(key);
    const { enrolled, vouched, revoked } = key;
    return {
      id: key.id,
      method: key.method,
      person: key.person,
      personName: key.personName,
      name: key.name,
      fingerprint: key.fingerprint,
      ...(key.ssh === undefined ? {} : { ssh: key.ssh }),
      ...(key.passkey ? { deviceBound: key.passkey.deviceBound } : {}),
      state: revoked ? 'revoked' : counts ? 'counts' : 'waiting',
      enrolled,
      ...(vouched ? { vouched } : {}),
      ...(revoked ? { revoked } : {}),
      mine,
      mayVouch: !mine && !revoked && !vouched && principal.kind === 'human' && access.mayKill(principal),
      mayRevoke: !revoked && (mine || (principal.kind === 'human' && access.mayKill(principal))),
    };
  };
  const { rpId, aaguids } = keys.rules;
  // An address is no name that a passkey could be tied to (WebAuthn Level 3, §5.1.2).
  const named = !/^[\d.]+$/.test(rpId) && !rpId.includes(':');

  return [
    route({
      method: 'GET',
      path: '/api/approver-keys',
      summary: 'Keys that votes are signed with, newest first.',
      answer: schemas.approverKeys,
      run: (principal) => ({
        items: keys
          .list()
          .filter((key) => access.seesAll(principal) || key.person === principalId(principal))
          .map((key) => show(principal, key)),
      }),
    }),
    route({
      method: 'POST',
      path: '/api/approver-keys/challenge',
      summary: 'What to sign to enrol a key; good once, for five minutes.',
      answer: schemas.keyChallenge,
      run(principal): KeyChallenge {
        const challenge = keys.challenge(principal);
        if (!named) return { challenge };
        const mine = keys.list().filter((key) => key.person === principalId(principal) && key.passkey);
        return {
          challenge,
          passkey: {
            rpId,
            challenge: hash('sha256', challenge, 'base64url'),
            // Sixty-four bytes at most, and nothing personal (WebAuthn Level 3, §5.4.3).
            user: hash('sha256', principalId(principal), 'base64url'),
            attestation: aaguids ? 'direct' : 'none',
            exclude: mine.map((key) => key.fingerprint),
          },
        };
      },
    }),
    route({
      method: 'POST',
      path: '/api/approver-keys',
      summary: 'Enrols a key of one’s own.',
      status: 201,
      body: schemas.enrolBody,
      answer: schemas.approverKey,
      run: async (principal, { body }) => show(principal, await keys.enrol(principal, body)),
    }),
    route({
      method: 'POST',
      path: '/api/approver-keys/:id/vouch',
      summary: 'Says that the key is the person’s whose name it bears; needs an admin group and somebody else.',
      params: sessionPath,
      answer: schemas.approverKey,
      run: async (principal, { params: { id } }) => show(principal, await keys.vouch(id, principal)),
    }),
    route({
      method: 'POST',
      path: '/api/approver-keys/:id/revoke',
      summary: 'Ends a key for good: its owner, or an admin group.',
      params: sessionPath,
      body: schemas.revokeBody,
      answer: schemas.approverKey,
      run: async (principal, { params: { id }, body }) =>
        show(principal, await keys.revoke(id, principal, body.reason)),
    }),
  ];
}
