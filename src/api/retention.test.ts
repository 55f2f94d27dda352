// Retention over the API: who may, what a session says of itself, what its replay answers once it was shredded.
import { expect, test } from 'vitest';
import { keysIn } from '../ledger/keys-there.ts';
import type { HoldRow, KeysStatus, LedgerStatus, RetentionPlan, RetentionReport, SessionDetail } from './contract.ts';
import { run, world } from './world.suite.ts';

const twoDays = 2 * 86_400_000;

test('a session tells its day, its holds and its end; its replay says in words that it was shredded', async () => {
  const of = await world();
  const session = await of.session();
  await run(session, 'select 1');
  await session.close('bye');
  await of.caughtUp();
  const path = `/api/sessions/${session.id}`;
  const before = (await of.call<SessionDetail>('dana', path)).body;
  expect(before.retention).toEqual({ rule: 'short', until: before.closed! + twoDays / 2 });
  of.pass(twoDays);
  const { body: hold } = await of.call<HoldRow>('dana', '/api/retention/holds', {
    session: session.id,
    reason: 'case 17',
  });
  await of.caughtUp();
  expect((await of.call<SessionDetail>('dana', path)).body.holds).toEqual([hold.id]);
  const plan = (await of.call<RetentionPlan>('dana', '/api/retention/plan')).body;
  expect(plan).toMatchObject({ due: [], held: [{ session: session.id, rule: 'short', holds: [hold.id] }] });
  expect((await of.call<RetentionReport>('dana', '/api/retention/shred', {})).body).toMatchObject({
    sessions: 0,
    held: 1,
  });
  expect((await of.call(`dana`, `/api/retention/holds/${hold.id}/release`, { reason: 'closed' })).status).toBe(200);
  const { body: report } = await of.call<RetentionReport>('dana', '/api/retention/shred', {});
  expect(report).toMatchObject({ sessions: 1, keys: 1, held: 0 });
  await of.caughtUp();
  const after = (await of.call<SessionDetail>('dana', path)).body;
  expect(after).toMatchObject({ principalName: '(erased)', shredded: { rule: 'short', entry: report.entries[0] } });
  expect(after.retention).toBeUndefined();
  const replay = await of.call('dana', `${path}/replay`);
  expect(replay.status).toBe(410);
  expect(replay.body.message).toMatch(
    /shredded on \d{4}-\d\d-\d\d under the rule short \(entry \d+\)\. Its proofs remain/,
  );
  const { body: ledger } = await of.call<LedgerStatus>('dana', '/api/ledger');
  expect(ledger.retention).toMatchObject({ rules: 1, holds: 0, shredded: { sessions: 1 } });
  const { items } = (await of.call<{ items: HoldRow[] }>('dana', '/api/retention/holds')).body;
  expect(items).toMatchObject([{ id: hold.id, reason: 'case 17', released: expect.any(Number) }]);
});

test('acts need an admin group, looking needs a viewer group, and a hold keeps something', async () => {
  const of = await world();
  const acts: [string, object][] = [
    ['/api/retention/shred', {}],
    ['/api/retention/holds', { target: 'shop', reason: 'x' }],
    ['/api/retention/holds/h/release', { reason: 'x' }],
    ['/api/keys/rewrap', {}],
  ];
  for (const [path, body] of acts)
    for (const who of ['omar', 'reporting-agent'])
      expect((await of.call(who, path, body)).body.code, path).toBe('access.admins');
  for (const path of ['/api/retention/plan', '/api/retention/holds', '/api/keys']) {
    expect((await of.call('reporting-agent', path)).body.code, path).toBe('access.viewers');
    expect((await of.call('omar', path)).status, path).toBe(200);
  }
  expect((await of.call('dana', '/api/retention/holds', { reason: 'x' })).body.code).toBe('request.invalid');
  expect((await of.call('dana', '/api/retention/holds/none/release', { reason: 'x' })).body.code).toBe('hold.unknown');
});

test('keys are wrapped anew in the background', async () => {
  const of = await world();
  const session = await of.session();
  await session.close('bye');
  const before = keysIn(of.place.state).size;
  expect((await of.call<KeysStatus>('dana', '/api/keys/rewrap', { fresh: true })).status).toBe(202);
  await expect.poll(async () => (await of.call<KeysStatus>('dana', '/api/keys')).body.state).toBe('done');
  const { body } = await of.call<KeysStatus>('dana', '/api/keys');
  expect(body).toMatchObject({ failed: 0, to: expect.stringMatching(/^file:[0-9a-f]{8}$/) });
  expect(keysIn(of.place.state).size).toBe(before);
  const other = await of.session();
  await other.close('bye');
});
