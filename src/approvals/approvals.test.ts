// The pure rules, and the inbox over a real ledger where no session is needed. Holds of whole sessions: src/session.
import { hash } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { ledgerPlace } from '../../test/peers/ledger.ts';
import { verifies } from '../../test/requirements.ts';
import type { Principal } from '../domain/principal.ts';
import { openLedger } from '../ledger/ledger.ts';
import { openBreaker } from './breaker.ts';
import { openApprovals } from './inbox.ts';
import { approvalRequest, type Question, requestDigest, requesterOf } from './request.ts';
import { objection, tally, type Vote } from './vote.ts';

const principal = (of: Partial<Principal>): Principal => ({
  kind: 'human',
  issuer: 'https://id',
  subject: 'x',
  name: 'X',
  groups: ['dba'],
  claims: {},
  delegation: [],
  credential: { type: 'jwt', sha256: '' },
  ...of,
});
const agent = principal({ kind: 'agent', subject: 'bot', name: 'Bot', groups: [], owner: 'omar@corp.example' });
const person = (name: string) => principal({ subject: name, name, email: `${name}@corp.example` });

const question = (id: string, text = 'delete from t'): Question => ({
  id,
  session: 's1',
  sequence: 4,
  requester: agent,
  target: {
    name: 'shop',
    protocol: 'postgres',
    host: 'h',
    port: 1,
    database: 'shop',
    ack: { read: 'written', write: 'synced' },
  },
  database: 'shop',
  statement: {
    kind: 'execute',
    text,
    parameters: ['1', null],
    meaning: { effects: [], results: [] },
    digest: () => hash('sha256', text),
  },
  effects: [{ action: 'sql:delete', resource: 'public.t', attributes: { hasWhere: true } }],
  hold: { ruling: 'hold', rules: ['h'], masks: [], group: 'dba', quorum: 2, ttlSeconds: 60, advice: 'Wait.' },
  policyVersion: 'sha256:00',
});

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
async function inbox(most?: { mostResolved: number }) {
  const place = await ledgerPlace();
  ends.push(() => place.remove());
  const { ledger } = await openLedger(place);
  ends.push(() => ledger.close());
  return openApprovals({
    ledger,
    now: Date.now,
    baseUrl: 'http://c',
    timers: { set: (run, ms) => setTimeout(run, ms), clear: (timer) => clearTimeout(timer as NodeJS.Timeout) },
    ...most,
  });
}
async function pend(approvals: Awaited<ReturnType<typeof inbox>>, of: Question) {
  const held = Promise.withResolvers<void>();
  const leave = new AbortController();
  const resolution = approvals.ask({ ...of, recorded: Promise.resolve() }, leave.signal, () => held.resolve());
  await held.promise;
  ends.push(async () => {
    leave.abort();
    await resolution;
  });
  return { resolution, digest: approvals.get(of.id)!.digest };
}

describe('request', () => {
  const request = approvalRequest(question('a1'), 'n', 0, 60_000);
  test('the digest can be recomputed by hand', () => {
    const sorted = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(sorted)
        : value && typeof value === 'object'
          ? Object.fromEntries(
              Object.entries(value)
                .sort(([a], [b]) => (a < b ? -1 : 1))
                .map(([key, of]) => [key, sorted(of)]),
            )
          : value;
    expect(requestDigest(request)).toBe(hash('sha256', `countersign-approval/v1\n${JSON.stringify(sorted(request))}`));
    expect(request).toMatchObject({
      v: 1,
      kind: 'approval.request',
      uses: 1,
      quorum: { n: 2, of: 'dba' },
      created: '1970-01-01T00:00:00.000Z',
      expires: '1970-01-01T00:01:00.000Z',
    });
  });
  test('every field is bound', () => {
    const digests = new Set([requestDigest(request)]);
    let fields = 0;
    const vary = (value: unknown, path: (string | number)[]): void => {
      if (value !== null && typeof value === 'object')
        return Object.entries(value).forEach(([key, of]) => vary(of, [...path, key]));
      if (value === undefined) return;
      const copy = structuredClone(request) as never;
      let at: Record<string | number, unknown> = copy;
      for (const key of path.slice(0, -1)) at = at[key] as never;
      at[path.at(-1)!] = typeof value === 'number' ? value + 1 : `${value as string}x`;
      digests.add(requestDigest(copy));
      fields++;
    };
    vary(request, []);
    expect(fields).toBeGreaterThan(20);
    expect(digests.size).toBe(fields + 1);
  });
});

describe('votes', () => {
  const requester = requesterOf(agent);
  const vote = (voter: Principal, answer: Vote['answer'] = 'grant'): Vote => ({
    voter: `${voter.issuer}|${voter.subject}`,
    voterName: voter.name,
    email: voter.email,
    answer,
    at: 0,
    grade: 'session',
  });
  test(
    verifies('approval.not-own', 'owner by id and by e-mail, in any case, and everyone in the delegation chain'),
    () => {
      expect(objection(requester, 'dba', [], person('dana'))).toBeUndefined();
      for (const owner of ['HTTPS://ID|Dana', 'DANA@corp.example', ' dana@CORP.example']) {
        expect(objection({ ...requester, owner }, 'dba', [], person('dana'))?.code).toBe('approval.own-agent');
      }
      expect(
        objection(requesterOf({ ...agent, delegation: [{ subject: 'dana' }] }), 'dba', [], person('dana'))?.code,
      ).toBe('approval.own-request');
      expect(objection(requesterOf(person('dana')), 'dba', [], person('dana'))?.code).toBe('approval.own-request');
      expect(
        objection(requesterOf(person('dana')), 'dba', [], { ...person('dana'), issuer: 'https://second' })?.code,
      ).toBe('approval.own-request');
      expect(objection(requesterOf({ ...agent, owner: undefined }), 'dba', [], person('dana'))?.code).toBe(
        'approval.unknown-owner',
      );
    },
  );
  test('agents and services never, whatever their groups', () => {
    fc.assert(
      fc.property(fc.constantFrom('agent' as const, 'service' as const), fc.array(fc.string()), (kind, groups) => {
        expect(
          objection(requester, 'dba', [], principal({ kind, subject: 'z', email: 'z@z', groups: [...groups, 'dba'] }))
            ?.code,
        ).toBe('approval.not-human');
      }),
    );
  });
  test('tally: any refusal refuses, a quorum grants', () => {
    const [a, b] = [vote(person('a')), vote(person('b'))];
    expect([tally([], 1), tally([a], 2), tally([a, b], 2), tally([a, vote(person('c'), 'refuse')], 1)]).toEqual([
      'pending',
      'pending',
      'granted',
      'refused',
    ]);
  });
});

describe('inbox', () => {
  test('one person voting twice at once counts once', async () => {
    const approvals = await inbox();
    const { digest } = await pend(approvals, question('a1'));
    const cast = () =>
      approvals.vote('a1', person('dana'), { answer: 'grant', digest }).then(
        () => 'taken',
        (error: { code: string }) => error.code,
      );
    expect(await Promise.all([cast(), cast()])).toEqual(['taken', 'approval.voted']);
    expect(approvals.get('a1')).toMatchObject({ state: 'pending', votes: [{ voter: 'https://id|dana' }] });
  });
  test('a refusal beside the deciding grant: one resolution, whichever was recorded first', async () => {
    const approvals = await inbox();
    const { digest, resolution } = await pend(approvals, question('a1'));
    await approvals.vote('a1', person('dana'), { answer: 'grant', digest });
    const both = await Promise.allSettled([
      approvals.vote('a1', person('erin'), { answer: 'refuse', digest, reason: 'no \ud800' }),
      approvals.vote('a1', person('finn'), { answer: 'grant', digest }),
    ]);
    expect(both.map((one) => one.status)).toEqual(['fulfilled', 'rejected']);
    expect((await resolution).state).toBe('refused');
    expect(approvals.get('a1')!.state).toBe('refused');
  });
  test(verifies('bounded', 'resolved requests are forgotten in order, pending ones never'), async () => {
    const approvals = await inbox({ mostResolved: 2 });
    const first = await pend(approvals, question('p'));
    for (const id of ['a', 'b', 'c']) {
      const { digest, resolution } = await pend(approvals, question(id, id));
      await approvals.vote(id, person('dana'), { answer: 'refuse', digest });
      await resolution;
    }
    expect(
      approvals
        .list()
        .map((one) => one.id)
        .sort(),
    ).toEqual(['b', 'c', 'p']);
    await expect(approvals.vote('a', person('dana'), { answer: 'grant', digest: first.digest })).rejects.toMatchObject({
      code: 'approval.unknown',
    });
  });
  test('listeners hear of each change, and one that throws harms nobody', async () => {
    const approvals = await inbox();
    const heard: string[] = [];
    approvals.onChange(() => {
      throw new Error('broken');
    });
    const off = approvals.onChange((id) => heard.push(`${id} ${approvals.get(id)!.state}`));
    const { digest, resolution } = await pend(approvals, question('a1'));
    await approvals.vote('a1', person('dana'), { answer: 'refuse', digest });
    await resolution;
    off();
    await pend(approvals, question('a2', 'other'));
    expect(heard).toEqual(['a1 pending', 'a1 pending', 'a1 refused']);
  });
});

test(verifies('bounded', 'the breaker forgets the oldest refusals'), () => {
  const breaker = openBreaker(3);
  for (let n = 0; n < 5; n++) breaker.refused(`k${n}`, n);
  expect([0, 1, 2, 3, 4].map((n) => breaker.isOpen(`k${n}`, 5))).toEqual([false, false, true, true, true]);
  expect(breaker.isOpen('k4', 600_004)).toBe(false);
});
