// Each default guardrail, once where it must act and once where it must not.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Effect } from '../domain/effect.ts';
import { checkStatement, type Question } from './check.ts';
import { loadPolicies } from './policy-set.ts';
import { cedarSchema } from './schema.ts';

const folder = new URL('../../policies/', import.meta.url);
const set = loadPolicies(
  readdirSync(folder).map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') })),
);

function decide(effect: Effect | readonly Effect[], principal: Partial<Question['principal']> = {}) {
  const effects = [effect].flat() as Effect[];
  return checkStatement(set, {
    principal: { kind: 'agent', ...principal },
    target: 'shop',
    labels: ['pii.email', 'secret'],
    meaning: { effects, results: [] },
    time: 1_790_000_000_000,
  });
}

const orders = { schema: 'public', relation: 'orders' };
const email = { schema: 'public', relation: 'customers', column: 'email', labels: ['pii.email'] };
const password = { schema: 'pg_catalog', relation: 'pg_authid', column: 'rolpassword', labels: ['secret'] };
const routine = (name: string, attributes?: Effect['attributes']): Effect => ({
  action: 'sql:call',
  resource: { schema: 'pg_catalog', routine: name },
  attributes,
});

describe('held by', () => {
  test.each<[string, Effect]>([
    ['guard.destructive-ddl', { action: 'sql:drop', resource: orders }],
    ['guard.destructive-ddl', { action: 'sql:truncate', resource: orders }],
    ['guard.destructive-ddl', { action: 'sql:alter', resource: orders }],
    [
      'guard.destructive-ddl',
      { action: 'sql:drop', resource: orders, attributes: { temporary: false, cascade: true } },
    ],
    [
      'guard.code',
      { action: 'sql:create', resource: { schema: 'public', routine: 'f' }, attributes: { object: 'function' } },
    ],
    ['guard.code', { action: 'sql:create', resource: orders, attributes: { object: 'trigger' } }],
    ['guard.code', { action: 'sql:create', resource: orders, attributes: { object: 'view', replace: true } }],
    ['guard.fired', { action: 'sql:delete', resource: orders, attributes: { hasWhere: false, fired: true } }],
    ['guard.fired', { action: 'sql:insert', resource: orders, attributes: { unresolved: true, fired: true } }],
    ['guard.large-objects', routine('lo_unlink', { family: 'large-object-write' })],
    ['guard.two-phase', { action: 'sql:transaction', resource: {}, attributes: { prepared: true } }],
    ['guard.unreadable-call', routine('query_to_xml', { unreadable: true })],
    ['guard.maintenance', { action: 'sql:maintain', resource: orders }],
  ])('%s: %o', (rule, effect) => {
    expect(decide(effect)).toMatchObject({ ruling: 'hold', rules: [rule], group: 'dba', quorum: 1, ttlSeconds: 900 });
  });
});

describe('denied by', () => {
  test.each<[string, Effect, 'final' | 'change']>([
    ['guard.unqualified-write', { action: 'sql:delete', resource: orders, attributes: { hasWhere: false } }, 'change'],
    ['guard.unqualified-write', { action: 'sql:update', resource: orders, attributes: { hasWhere: false } }, 'change'],
    [
      'guard.unresolved',
      { action: 'sql:read', resource: { relation: 'nowhere' }, attributes: { unresolved: true } },
      'change',
    ],
    ['guard.unknown', { action: 'sql:unknown', resource: {} }, 'change'],
    ['guard.probe', { action: 'sql:probe', resource: email }, 'change'],
    ['guard.derive', { action: 'sql:derive', resource: email }, 'change'],
    ['guard.privileges', { action: 'sql:grant', resource: orders }, 'final'],
    ['guard.role', { action: 'sql:session', resource: {}, attributes: { role: true } }, 'final'],
    ['guard.system', { action: 'sql:alter', resource: {}, attributes: { system: true } }, 'final'],
    ['guard.program', { action: 'sql:copy_program', resource: {} }, 'final'],
    ['guard.files', { action: 'sql:file_read', resource: {} }, 'final'],
    ['guard.files', { action: 'sql:file_write', resource: {} }, 'final'],
    ['guard.administration', routine('pg_terminate_backend', { family: 'server' }), 'final'],
    ['guard.administration', routine('dblink_exec', { unreadable: true }), 'final'],
  ])('%s: %o', (rule, effect, next) => {
    const decision = decide(effect);
    expect(decision).toMatchObject({ ruling: 'deny', rules: [rule], next });
    expect(decision.ruling === 'deny' && decision.advice.length).toBeGreaterThan(20);
  });
});

describe('permitted', () => {
  test.each<[string, Effect, Partial<Question['principal']>?]>([
    ['connect', { action: 'connect', resource: {} }],
    ['cancel', { action: 'cancel', resource: {} }],
    ['read', { action: 'sql:read', resource: orders }],
    ['read of a resolved relation', { action: 'sql:read', resource: orders, attributes: { unresolved: false } }],
    ['insert', { action: 'sql:insert', resource: orders }],
    ['delete with a condition', { action: 'sql:delete', resource: orders, attributes: { hasWhere: true } }],
    [
      'a delete that a key cascades to',
      { action: 'sql:delete', resource: orders, attributes: { hasWhere: true, fired: true } },
    ],
    ['update with a condition', { action: 'sql:update', resource: orders, attributes: { hasWhere: true } }],
    ['drop of a temporary table', { action: 'sql:drop', resource: orders, attributes: { temporary: true } }],
    ['a comment', { action: 'sql:alter', resource: orders, attributes: { object: 'table', command: 'Comment' } }],
    ['create of a view', { action: 'sql:create', resource: orders, attributes: { object: 'view' } }],
    ['create of a table', { action: 'sql:create', resource: orders, attributes: { object: 'table' } }],
    ['a readable call', { action: 'sql:call', resource: { schema: 'public', routine: 'refund' } }],
    ['a setting', { action: 'sql:session', resource: {} }],
    ['a transaction', { action: 'sql:transaction', resource: {} }],
    ['a lock', { action: 'sql:lock', resource: orders }],
    ['listen', { action: 'sql:listen', resource: {} }],
    ['notify', { action: 'sql:notify', resource: {} }],
    ['a probe of an unlabelled column', { action: 'sql:probe', resource: { ...orders, column: 'amount', labels: [] } }],
    ['maintenance by a person', { action: 'sql:maintain', resource: orders }, { kind: 'human' }],
    ['privileges by a dba', { action: 'sql:grant', resource: orders }, { kind: 'human', groups: ['dba'] }],
    [
      'reveal to a reader of personal data',
      { action: 'sql:reveal', resource: email },
      { kind: 'human', groups: ['pii-readers'] },
    ],
    [
      'probe by a reader of personal data',
      { action: 'sql:probe', resource: email },
      { kind: 'human', groups: ['pii-readers'] },
    ],
  ])('%s', (_, effect, principal) => {
    expect(decide(effect, principal)).toMatchObject({ ruling: 'permit' });
  });
});

test('an agent in the right group is still an agent', () => {
  expect(decide({ action: 'sql:reveal', resource: email }, { groups: ['pii-readers'] })).toMatchObject({
    ruling: 'deny',
  });
  expect(decide({ action: 'sql:grant', resource: orders }, { groups: ['dba'] })).toMatchObject({ ruling: 'deny' });
});

test('nobody reveals or probes a secret by the permit for personal data', () => {
  const reader = { kind: 'human' as const, groups: ['pii-readers'] };
  expect(decide({ action: 'sql:reveal', resource: password }, reader)).toMatchObject({ ruling: 'deny' });
  expect(decide({ action: 'sql:probe', resource: password }, reader)).toMatchObject({ ruling: 'deny' });
});

test('a hold beside a real denial is a denial', () => {
  const drop: Effect = { action: 'sql:drop', resource: orders };
  expect(decide([drop, { action: 'sql:grant', resource: orders }])).toMatchObject({
    ruling: 'deny',
    rules: ['guard.privileges'],
  });
});

test('the published schema is the one that is validated against', () => {
  expect(readFileSync(new URL('schema.cedarschema', folder), 'utf8')).toBe(cedarSchema);
});

test('default guardrails do not depend on the time, so that their decisions can be kept', () => {
  expect(set.reads?.has('time')).toBe(false);
});

describe('questions about labelled columns', () => {
  const match = (attributes?: Effect['attributes']): Effect => ({ action: 'sql:match', resource: email, attributes });
  test.each<[string, Effect['attributes']]>([
    ['guard.match-budget', { overBudget: true }],
    ['guard.match-open', { open: true }],
  ])('%s holds for pii-approvers', (rule, attributes) => {
    expect(decide(match())).toMatchObject({ ruling: 'permit' });
    expect(decide(match(attributes))).toMatchObject({ ruling: 'hold', rules: [rule], group: 'pii-approvers' });
    expect(decide(match(attributes), { kind: 'human', groups: ['pii-readers'] })).toMatchObject({ ruling: 'permit' });
    expect(decide(match(attributes), { kind: 'human' })).toMatchObject({ ruling: 'hold' });
  });

  test('services look people up', () => {
    expect(decide(match({ overBudget: true }), { kind: 'service' })).toMatchObject({ ruling: 'permit' });
    expect(decide(match({ open: true }), { kind: 'service' })).toMatchObject({ ruling: 'hold' });
  });
});
