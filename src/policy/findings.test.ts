// What is reported is so, and the shipped policies have nothing to report.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { actions } from '../domain/effect.ts';
import { checkStatement } from './check.ts';
import { findingsOf, type Surroundings } from './findings.ts';
import { loadPolicies } from './policy-set.ts';

const found = (text: string, around?: Surroundings) =>
  findingsOf(loadPolicies([{ name: 'a.cedar', text }]), around).map(({ kind, rule }) => `${rule} ${kind}`);
const all = '@id("all") permit (principal, action, resource);\n';

describe('unused', () => {
  test.each([
    [
      '@id("x") permit (principal, action == Action::"sql:read", resource) when { resource is Routine && resource is Column };',
    ],
    ['@id("x") permit (principal, action == Action::"connect", resource is Column);'],
  ])('%s', (text) => {
    expect(found(text)).toEqual(['x unused']);
  });
  test('a target or a label that there is not', () => {
    const around = { targets: ['shop'], labels: ['pii.email'] };
    const on = (resource: string, when = '') =>
      found(`@id("x") permit (principal, action == Action::"sql:reveal", ${resource}) ${when};`, around);
    expect(on('resource in Target::"shpo"')).toEqual(['x unused']);
    expect(on('resource in Schema::"shpo/public"')).toEqual(['x unused']);
    expect(on('resource in Schema::"shop/public"')).toEqual([]);
    expect(on('resource', 'when { resource.labels.contains("pii.e-mail") }')).toEqual(['x unused']);
    expect(on('resource', 'when { resource.labels.contains("pii") }')).toEqual([]);
    // Asked for under a condition, or for its absence, it says nothing.
    expect(on('resource', 'unless { resource.labels.contains("secret") }')).toEqual([]);
    expect(on('resource', 'when { resource.labels.contains("x") || resource.labels.contains("pii") }')).toEqual([]);
    expect(found('@id("x") permit (principal, action, resource in Target::"shpo");')).toEqual([]);
  });
});

describe('shadowed', () => {
  test.each([
    [
      'a permit that another includes',
      `${all}@id("x") permit (principal is Agent, action == Action::"sql:read", resource);`,
    ],
    [
      'the later of two that are equal',
      `@id("y") permit (principal, action, resource);\n@id("x") permit (principal, action, resource);`,
    ],
    [
      'a permit that is always taken back',
      '@id("x") permit (principal is Agent, action == Action::"sql:drop", resource);\n@id("f") forbid (principal, action in Action::"sql:ddl", resource);',
    ],
    [
      'a hold under a forbid',
      '@id("x") @hold("dba") forbid (principal is Agent, action == Action::"sql:drop", resource) when { context.unattended };\n@id("f") forbid (principal, action == Action::"sql:drop", resource);',
    ],
    [
      'a hold under one as strict',
      '@id("x") @hold("dba") forbid (principal is Agent, action == Action::"sql:drop", resource);\n@id("h") @hold("dba") @quorum("2") forbid (principal, action == Action::"sql:drop", resource);',
    ],
    [
      'conditions in another order and form',
      `@id("y") permit (principal, action, resource) when { context.unattended } unless { context.database == "a" };
@id("x") permit (principal is Agent, action, resource) when { !(context.database == "a") && context.unattended };`,
    ],
    [
      'a place inside the other',
      '@id("y") permit (principal, action, resource in Target::"shop");\n@id("x") permit (principal, action, resource == Relation::"shop/public.orders");',
    ],
    ['a shadow permit that adds nothing', `${all}@id("x") @shadow permit (principal is Agent, action, resource);`],
  ])('%s', (_, text) => {
    expect(found(text)).toEqual(['x shadowed']);
  });
  test.each([
    [
      'another kind',
      `@id("y") permit (principal is Agent, action, resource);\n@id("x") permit (principal is Human, action, resource);`,
    ],
    [
      'a condition more',
      `@id("y") permit (principal, action, resource) when { context.unattended };\n@id("x") permit (principal, action, resource);`,
    ],
    ['a hold does not take back', `${all}@id("h") @hold("dba") forbid (principal, action, resource);`],
    [
      'a larger quorum',
      '@id("x") @hold("dba") @quorum("3") forbid (principal is Agent, action, resource);\n@id("h") @hold("dba") forbid (principal, action, resource);',
    ],
    [
      'a name that only begins alike',
      '@id("y") permit (principal, action, resource in Target::"shop");\n@id("x") permit (principal, action, resource in Target::"shop2");',
    ],
    [
      'a resource is not what lies in it',
      '@id("y") permit (principal, action, resource == Target::"shop");\n@id("x") permit (principal, action, resource in Target::"shop");',
    ],
    ['a shadow forbid takes nothing back', `${all}@id("f") @shadow forbid (principal, action, resource);`],
  ])('not: %s', (_, text) => {
    expect(found(text).filter((line) => line.startsWith('x '))).toEqual([]);
  });
});

describe('contradictory', () => {
  test.each([
    ['@id("x") forbid (principal, action, resource) when { context.unattended } unless { context.unattended };'],
    [
      '@id("x") @hold("security") forbid (principal is Agent, action == Action::"sql:drop", resource);\n@id("h") @hold("dba") forbid (principal, action == Action::"sql:drop", resource);',
    ],
  ])('%s', (text) => {
    expect(found(text)).toEqual(['x contradictory']);
  });
});

test('the shipped policies make sense', () => {
  const folder = new URL('../../policies/', import.meta.url);
  const files = readdirSync(folder).map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }));
  expect(findingsOf(loadPolicies(files), { targets: ['shop'], labels: ['pii.email', 'secret'] })).toEqual([]);
});

test('a rule that is reported as pointless changes no decision when it goes', () => {
  const scopes = ['principal', 'principal is Agent', 'principal in Group::"ops"', 'principal is Human in Group::"ops"'];
  const acts = [
    'action',
    'action == Action::"sql:read"',
    'action in Action::"sql:write"',
    'action in [Action::"sql:read", Action::"sql:drop"]',
  ];
  const places = ['resource', 'resource in Target::"shop"', 'resource in Schema::"shop/public"', 'resource is Column'];
  const whens = [
    '',
    'when { context.unattended }',
    'unless { context.database == "shop" }',
    'when { context.unattended && context.database == "shop" }',
  ];
  let state = 11;
  const below = (most: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * most);
  };
  const one = (list: readonly string[]) => list[below(list.length)]!;
  let reported = 0;
  for (let round = 0; round < 45; round++) {
    const rules = Array.from({ length: 5 }, (_, index) => {
      const effect = below(3) === 0 ? 'forbid' : 'permit';
      return `@id("r${index}") ${effect} (${one(scopes)}, ${one(acts)}, ${one(places)}) ${one(whens)};`;
    });
    const load = (list: readonly string[]) => loadPolicies([{ name: 'a.cedar', text: list.join('\n') }]);
    const whole = load(rules);
    for (const { rule, kind } of findingsOf(whole)) {
      if (kind === 'contradictory') continue;
      reported++;
      const without = load(rules.filter((text) => !text.startsWith(`@id("${rule}")`)));
      for (const action of actions.filter((name) => !['connect', 'cancel', 'sql:unknown'].includes(name)).slice(0, 9)) {
        for (const principal of [
          { kind: 'agent' },
          { kind: 'human', groups: ['ops'] },
          { kind: 'agent', groups: ['ops'] },
        ] as const) {
          for (const database of ['shop', 'other']) {
            const resource =
              action === 'sql:reveal'
                ? { schema: 'public', relation: 'o', column: 'c' }
                : { schema: 'public', relation: 'o' };
            const ask = (set: typeof whole) =>
              checkStatement(set, {
                principal,
                target: 'shop',
                database,
                meaning: { effects: [{ action, resource }], results: [] },
                time: 0,
              }).ruling;
            expect(ask(without)).toBe(ask(whole));
          }
        }
      }
    }
  }
  expect(reported).toBeGreaterThan(20);
}, 120_000);
