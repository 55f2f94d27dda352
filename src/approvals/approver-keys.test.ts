// Keys of approvers over a real ledger and the stock ssh-keygen; a passkey is played by a key of ours. A browser's own is in test/browser.
import { generateKeyPairSync, hash, sign } from 'node:crypto';
import { afterAll, afterEach, expect, test } from 'vitest';
import { ledgerPlace } from '../../test/peers/ledger.ts';
import { sshFolder } from '../../test/peers/ssh-keygen.ts';
import { verifies } from '../../test/requirements.ts';
import type { Principal } from '../domain/principal.ts';
import { openKeyring } from '../ledger/keyring.ts';
import { openLedger } from '../ledger/ledger.ts';
import { readJournal } from '../ledger/read-journal.ts';
import { openKeptKeys } from '../store/approver-keys.ts';
import type { ApproverKey } from './approver-key.ts';
import { type ApproverKeysOptions, openApproverKeys } from './approver-keys.ts';
import { challengeOf } from './ballot.ts';
import { enrolmentNamespace } from './enrolment.ts';
import { sshNamespace } from './ssh-signature.ts';

const ssh = sshFolder();
afterAll(() => ssh.remove());
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const person = (subject: string, groups: string[] = ['dba'], kind: Principal['kind'] = 'human'): Principal => ({
  kind,
  issuer: 'https://id',
  subject,
  name: subject.toUpperCase(),
  email: `${subject}@corp.example`,
  groups,
  claims: {},
  delegation: [],
  credential: { type: 'jwt', sha256: '' },
});
const [ada, ben] = [person('ada'), person('ben')];

async function place(change: Partial<ApproverKeysOptions> = {}) {
  const at = await ledgerPlace();
  ends.push(() => at.remove());
  const { ledger } = await openLedger(at);
  ends.push(() => ledger.close());
  let passed = 0;
  const open = () => {
    const kept = openKeptKeys(at.state);
    ends.push(() => kept.close());
    const rules = { rpId: 'gate.example', origin: 'https://gate.example', deviceBound: false };
    const now = () => Date.now() + passed;
    return openApproverKeys({ ledger, kept, rules, enrolment: 'vouched', admins: ['dba'], now, ...change });
  };
  return {
    keys: open(),
    again: open,
    pass: (ms: number) => (passed += ms),
    async entries() {
      const keyring = openKeyring(at.state);
      const found: { t: string; x: unknown; payload: unknown }[] = [];
      for await (const { entry, payload } of readJournal(at.folder, 0, keyring))
        if (entry.t.startsWith('approver-key')) found.push({ t: entry.t, x: entry.x, payload });
      keyring.close();
      return found;
    },
  };
}

type Keys = Awaited<ReturnType<typeof place>>['keys'];
async function enrolSsh(keys: Keys, who: Principal, pair = ssh.pair('ed25519')) {
  const challenge = keys.challenge(who);
  const signature = pair.sign(challenge, enrolmentNamespace);
  const proof = { ssh: { publicKey: pair.publicKey, signature } };
  return { pair, key: await keys.enrol(who, { name: 'laptop', challenge, proof }) };
}

test(
  verifies('approval.signed', 'a signature counts once somebody else vouched for its key, and for its owner alone'),
  async () => {
    const { keys, entries } = await place();
    const { pair, key } = await enrolSsh(keys, ada);
    const ballot = Buffer.from('{"answer":"grant"}');
    const signature = { ssh: pair.sign(ballot, sshNamespace) };
    expect(() => keys.verify(ada, ballot, signature)).toThrow('no administrator has vouched');
    await expect(keys.vouch(key.id, ada)).rejects.toThrow('their own key');
    await expect(keys.vouch(key.id, person('carl', ['engineering']))).rejects.toThrow('Only administrators');
    await expect(keys.vouch(key.id, { ...person('ada2'), email: 'ADA@corp.example' })).rejects.toThrow('their own key');
    await keys.vouch(key.id, ben);
    expect(keys.verify(ada, ballot, signature)).toMatchObject({
      grade: 'signed',
      key: key.id,
      enrolled: key.enrolled.entry,
    });
    expect(() => keys.verify(ben, ballot, signature)).toThrow('not one of yours');
    expect(() => keys.verify(ada, Buffer.from('{"answer":"refuse"}'), signature)).toThrow(
      'not a signature of this text',
    );
    await keys.revoke(key.id, ada, 'lost');
    expect(() => keys.verify(ada, ballot, signature)).toThrow('revoked');
    await expect(keys.vouch(key.id, ben)).rejects.toThrow('revoked');
    expect(await entries()).toMatchObject([
      {
        t: 'approver-key.enrol',
        x: { key: key.id, method: 'ssh' },
        payload: { admin: { key: { ssh: key.ssh, person: 'https://id|ada' } } },
      },
      {
        t: 'approver-key.vouch',
        x: { key: key.id },
        payload: { admin: { by: 'https://id|ben', fingerprint: key.fingerprint } },
      },
      { t: 'approver-key.revoke', x: { key: key.id }, payload: { admin: { by: 'https://id|ada', reason: 'lost' } } },
    ]);
  },
);

test('keys are there after a restart, a revoked one included', async () => {
  const { keys, again } = await place({ enrolment: 'self' });
  const { key: kept, pair } = await enrolSsh(keys, ada);
  const { key: gone } = await enrolSsh(keys, ben);
  await keys.revoke(gone.id, ada, '');
  const after = again();
  expect(after.list().map(({ id, revoked }) => [id, revoked !== undefined])).toEqual(
    expect.arrayContaining([
      [kept.id, false],
      [gone.id, true],
    ]),
  );
  const ballot = Buffer.from('b');
  expect(after.verify(ada, ballot, { ssh: pair.sign(ballot, sshNamespace) }).key).toBe(kept.id);
});

test('a challenge is good once, for five minutes, for who asked for it, and signed for enrolment', async () => {
  const { keys, pass } = await place();
  const pair = ssh.pair('ed25519');
  const of = (challenge: string, namespace = enrolmentNamespace) => ({
    name: '',
    challenge,
    proof: { ssh: { publicKey: pair.publicKey, signature: pair.sign(challenge, namespace) } },
  });
  await expect(keys.enrol(ben, of(keys.challenge(ada)))).rejects.toThrow('not a challenge of yours');
  await expect(keys.enrol(ada, of('{"mine":true}'))).rejects.toThrow('not a challenge of yours');
  await expect(keys.enrol(ada, of(keys.challenge(ada), sshNamespace))).rejects.toThrow(
    'made for "countersign-approval"',
  );
  const late = of(keys.challenge(ada));
  pass(5 * 60_000 + 1);
  await expect(keys.enrol(ada, late)).rejects.toThrow('Start again');
  const used = of(keys.challenge(ada));
  await keys.enrol(ada, used);
  await expect(keys.enrol(ada, used)).rejects.toThrow('not a challenge of yours');
  expect(() => keys.challenge(person('bot', ['dba'], 'agent'))).toThrow('Only people');
});

test('one key belongs to one person, also after it was revoked; another key cannot be claimed', async () => {
  const { keys } = await place({ enrolment: 'self' });
  const { pair, key } = await enrolSsh(keys, ada);
  await expect(enrolSsh(keys, ben, pair)).rejects.toThrow('enrolled already');
  await keys.revoke(key.id, ada, '');
  await expect(enrolSsh(keys, ben, pair)).rejects.toThrow('enrolled already');
  const mine = ssh.pair('ed25519');
  const challenge = keys.challenge(ben);
  const signature = mine.sign(challenge, enrolmentNamespace);
  const stolen = { ssh: { publicKey: ssh.pair('ed25519').publicKey, signature } };
  await expect(keys.enrol(ben, { name: '', challenge, proof: stolen })).rejects.toThrow(
    'another key than the one given',
  );
  await expect(keys.revoke('none', ada, '')).rejects.toThrow('no such key');
  await expect(keys.revoke(key.id, person('eve', []), '')).rejects.toThrow('Only its owner');
});

test('a passkey whose counter goes backwards is not taken, nor one of another site', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  const act = { by: 'https://id|ada', byName: 'ADA', at: 0, entry: 1 };
  const key: ApproverKey = {
    id: 'k1',
    method: 'passkey',
    person: 'https://id|ada',
    personName: 'ADA',
    name: 'phone',
    fingerprint: 'credential-1',
    passkey: {
      spki,
      alg: -7,
      rpId: 'gate.example',
      origin: 'https://gate.example',
      aaguid: '',
      attestation: 'none',
      deviceBound: true,
    },
    enrolled: act,
    vouched: act,
  };
  const counters = new Map<string, number>();
  const { keys } = await place({
    kept: {
      all: () => [key],
      put: () => {},
      counter: (id) => counters.get(id) ?? 0,
      count: (id, to) => void counters.set(id, to),
    },
  });
  const ballot = Buffer.from('{"answer":"grant"}');
  const assert = (counter: number, { origin = 'https://gate.example', rpId = 'gate.example', flags = 5 } = {}) => {
    const client = Buffer.from(
      JSON.stringify({
        type: 'webauthn.get',
        challenge: challengeOf(ballot).toString('base64url'),
        origin,
        crossOrigin: false,
      }),
    );
    const data = Buffer.concat([hash('sha256', rpId, 'buffer'), Buffer.from([flags, 0, 0, 0, counter])]);
    const signature = sign('sha256', Buffer.concat([data, hash('sha256', client, 'buffer')]), privateKey);
    const url = (bytes: Buffer) => bytes.toString('base64url');
    return {
      passkey: {
        credentialId: 'credential-1',
        clientDataJSON: url(client),
        authenticatorData: url(data),
        signature: url(signature),
      },
    };
  };
  expect(keys.verify(ada, ballot, assert(3)).grade).toBe('verified');
  expect(() => keys.verify(ada, ballot, assert(3))).toThrow('counter went backwards');
  expect(keys.verify(ada, ballot, assert(4, { flags: 1 })).grade).toBe('signed');
  expect(keys.verify(ada, ballot, assert(0)).grade).toBe('verified');
  expect(() => keys.verify(ada, ballot, assert(9, { origin: 'https://evil.example' }))).toThrow('another site');
  expect(() => keys.verify(ada, ballot, assert(9, { rpId: 'evil.example' }))).toThrow('another site');
  expect(() => keys.verify(ben, ballot, assert(9))).toThrow('not one of yours');
});
