// The policies over the API: for viewers and admins only, drafts are checked before history is read, one backtest at a time.
import { describe, expect, test } from 'vitest';
import type { BacktestReport, PolicyExplanation, PolicyStatus } from './contract.ts';
import * as schemas from './schemas.ts';
import { run, statement, world } from './world.suite.ts';

const draft = [
  { name: 'a.cedar', text: '@id("all") permit (principal, action, resource);' },
  { name: 'b.cedar', text: '@id("no-reads") forbid (principal, action == Action::"sql:read", resource);' },
];
const question = { statement: 'drop table orders', target: 'shop', principal: { kind: 'agent' } };

describe('policies', () => {
  test('the rules in force, with what makes no sense in them', async () => {
    const of = await world();
    const { status, body } = await of.call<PolicyStatus>('dana', '/api/policy');
    expect(status).toBe(200);
    expect(schemas.policyStatus.parse(body).rules.map((rule) => rule.id)).toEqual([
      'all',
      'no-drop',
      'hold-delete',
      'hold-truncate',
    ]);
    expect(body.rules[2]).toMatchObject({
      effect: 'forbid',
      file: 'test.cedar',
      line: 3,
      hold: { group: 'dba', quorum: 1 },
    });
    expect(body.findings).toEqual([]);
  });

  test('a statement is explained and nothing is run', async () => {
    const of = await world();
    const { status, body } = await of.call<PolicyExplanation>('omar', '/api/policy/explain', question);
    expect(status).toBe(200);
    expect(schemas.policyExplanation.parse(body)).toMatchObject({
      ruling: 'deny',
      rules: ['no-drop'],
      advice: 'Ask a dba.',
      effects: [{ action: 'sql:drop', resource: 'public.orders' }],
    });
    expect((await of.call('omar', '/api/policy/explain', { ...question, target: 'elsewhere' })).status).toBe(400);
  });

  test('a draft goes through recorded history; the own version changes nothing', async () => {
    const of = await world();
    const session = await of.session();
    await run(session, 'select 1 from orders');
    await session.submit(statement('drop table orders', 'sql:drop'));
    await session.close('done');
    const own = await of.call<BacktestReport>('dana', '/api/policy/backtest', { days: 1 });
    expect(own.status).toBe(200);
    expect(schemas.backtestReport.parse(own.body)).toMatchObject({ statements: 2, changed: 0, otherRules: 0 });
    expect(own.body.rules).toContainEqual({ rule: 'no-drop', decided: 1, before: 0, after: 0 });
    const { body } = await of.call<BacktestReport>('dana', '/api/policy/backtest', { days: 1, policies: draft });
    expect(schemas.backtestReport.parse(body)).toMatchObject({
      changed: 2,
      changes: expect.arrayContaining([
        expect.objectContaining({ from: 'permit', to: 'deny', after: ['no-reads'] }),
        expect.objectContaining({ from: 'deny', to: 'permit', before: ['no-drop'] }),
      ]),
    });
  });

  test('a draft that is not right is told with its place, and two at once are one too many', async () => {
    const of = await world();
    const wrong = await of.call('dana', '/api/policy/backtest', {
      policies: [{ name: 'a.cedar', text: 'permit (principal' }],
    });
    expect(wrong).toMatchObject({
      status: 400,
      body: { code: 'policy.invalid', message: expect.stringContaining('a.cedar:1') },
    });
    const both = await Promise.all([1, 2].map(() => of.call('dana', '/api/policy/backtest', { policies: draft })));
    expect(both.map((one) => one.status).sort()).toEqual([200, 503]);
    expect((await of.call('dana', '/api/policy/backtest', { policies: draft })).status).toBe(200);
  });

  test('agents, and people outside viewer and admin groups, learn nothing', async () => {
    const of = await world({ viewers: ['nobody'], admins: ['dba'] });
    for (const who of ['omar', 'reporting-agent']) {
      for (const [path, body] of [
        ['/api/policy', undefined],
        ['/api/policy/explain', question],
        ['/api/policy/backtest', { policies: draft }],
      ] as const)
        expect(await of.call(who, path, body)).toMatchObject({ status: 403, body: { code: 'access.viewers' } });
    }
  });
});
