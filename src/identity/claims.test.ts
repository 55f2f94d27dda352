import { describe, expect, test } from 'vitest';
import { verifies } from '../../test/requirements.ts';
import { Fault } from '../domain/fault.ts';
import type { CredentialFacts } from '../domain/principal.ts';
import { principalOf } from './claims.ts';
import type { ClaimMap } from './issuer.ts';

const credential: CredentialFacts = { type: 'jwt', sha256: 'ab' };
const base = { iss: 'https://one.example', sub: 'agent-7' };
const of = (claims: Record<string, unknown>, map: ClaimMap) =>
  principalOf({ ...base, ...claims }, map, { ...credential });

function refusal(claims: Record<string, unknown>, map: ClaimMap): string {
  try {
    of(claims, map);
  } catch (error) {
    expect(error).toBeInstanceOf(Fault);
    expect((error as Fault).code).toBe('sign-in.invalid');
    return (error as Fault).message;
  }
  throw new Error('it was accepted');
}

const byClaim: ClaimMap = { kind: { claim: 'kind', agent: ['agent', 'bot'], human: ['person'] } };

describe('kind', () => {
  test('is what the claim maps to', () => {
    expect(of({ kind: 'bot' }, byClaim).kind).toBe('agent');
    expect(of({ kind: 'person' }, byClaim).kind).toBe('human');
    expect(of({}, { kind: 'service' }).kind).toBe('service');
  });

  test(verifies('identity.never-defaulted', 'a kind that is missing or not mapped is refused'), () => {
    for (const kind of [undefined, null, '', 'service', 'Agent', ['agent'], true, { agent: 1 }])
      expect(refusal({ kind }, byClaim)).toContain('claim kind');
    // A name that every object has is no mapping.
    expect(refusal({ kind: 'toString' }, byClaim)).toContain('claim kind');
    expect(refusal({}, { kind: { claim: ['constructor', 'name'], human: ['Object'] } })).toContain('constructor.name');
  });
});

describe('groups', () => {
  test('are a list, or one, or none', () => {
    const map: ClaimMap = { kind: 'human', groups: 'groups' };
    expect(of({ groups: ['dba', 'dba', 'eng'] }, map).groups).toEqual(['dba', 'eng']);
    expect(of({ groups: 'dba' }, map).groups).toEqual(['dba']);
    expect(of({}, map).groups).toEqual([]);
    expect(refusal({ groups: { dba: true } }, map)).toContain('claim groups');
    expect(refusal({ groups: ['dba', 7] }, map)).toContain('claim groups');
  });

  test('are nobody’s when configuration names no claim', () => {
    expect(of({ groups: ['dba'] }, { kind: 'human' }).groups).toEqual([]);
  });

  test('may lie deeper', () => {
    const map: ClaimMap = { kind: 'human', groups: ['realm_access', 'roles'] };
    expect(of({ realm_access: { roles: ['dba'] } }, map).groups).toEqual(['dba']);
    expect(of({ realm_access: 'dba' }, map).groups).toEqual([]);
  });
});

describe('owner', () => {
  const map: ClaimMap = { kind: { claim: 'kind', agent: ['agent'], human: ['human'] }, owner: 'owner', email: 'email' };

  test('comes with the agent, and an agent without one is refused', () => {
    expect(of({ kind: 'agent', owner: 'dana@shop.example' }, map).owner).toBe('dana@shop.example');
    for (const owner of [undefined, null, '', ['dana'], 'x'.repeat(256)])
      expect(refusal({ kind: 'agent', owner }, map)).toContain('claim owner');
  });

  test('is not demanded of people', () => {
    expect(of({ kind: 'human', email: 'dana@shop.example' }, map)).toMatchObject({ email: 'dana@shop.example' });
  });

  test('an e-mail address that the issuer calls unverified is refused', () => {
    for (const email_verified of [false, 'false'])
      expect(refusal({ kind: 'human', email: 'omar@shop.example', email_verified }, map)).toContain('not verified');
    expect(of({ kind: 'human', email: 'omar@shop.example', email_verified: true }, map).email).toBe(
      'omar@shop.example',
    );
  });
});

describe('name', () => {
  test('is the subject unless a claim is named, and shows what it hides', () => {
    expect(of({ name: 'Seven' }, { kind: 'agent' }).name).toBe('agent-7');
    expect(of({ name: 'Seven' }, { kind: 'agent', name: 'name' }).name).toBe('Seven');
    expect(of({ name: 'a\u001b[31mb\u202ec' }, { kind: 'agent', name: 'name' }).name).toBe('a�[31mb�c');
  });

  test('of a subject that is missing or too long is none', () => {
    for (const sub of [undefined, '', 7, 'x'.repeat(256)])
      expect(refusal({ sub }, { kind: 'agent' })).toContain('claim sub');
  });
});

describe('kept claims', () => {
  test('are those that configuration names, and no others', () => {
    const map: ClaimMap = {
      kind: 'service',
      keep: ['run', 'ok', 'list', ['kubernetes.io', 'namespace'], 'absent', '__proto__'],
    };
    const claims = { run: 7, ok: true, list: ['a'], secret: 'x', 'kubernetes.io': { namespace: 'ci' } };
    expect({ ...of(claims, map).claims }).toEqual({ run: 7, ok: true, list: ['a'], 'kubernetes.io.namespace': 'ci' });
    expect(refusal({ run: { a: 1 } }, map)).toContain('claim run');
  });
});

describe('delegation', () => {
  const chain = (depth: number): unknown =>
    depth === 0 ? undefined : { sub: `actor-${depth}`, iss: 'https://two.example', act: chain(depth - 1) };

  test('is the chain of actors, the current one first', () => {
    expect(
      of({ act: { sub: 'b', act: { sub: 'a', iss: 'https://x.example' } } }, { kind: 'agent' }).delegation,
    ).toEqual([{ subject: 'b' }, { subject: 'a', issuer: 'https://x.example' }]);
    expect(of({}, { kind: 'agent' }).delegation).toEqual([]);
  });

  test(verifies('bounded', 'a delegation chain deeper than five is refused, not cut'), () => {
    expect(of({ act: chain(5) }, { kind: 'agent' }).delegation).toHaveLength(5);
    expect(refusal({ act: chain(6) }, { kind: 'agent' })).toContain('more than 5');
  });

  test('that is malformed is refused', () => {
    for (const act of [null, 'a', {}, { sub: 7 }, { sub: '' }, { sub: 'a', iss: 7 }, { sub: 'a', act: null }, []])
      expect(refusal({ act }, { kind: 'agent' })).toContain('claim act');
  });
});

test('a principal cannot be changed', () => {
  const principal = of({ groups: ['a'], act: { sub: 'b' } }, { kind: 'agent', groups: 'groups', keep: ['groups'] });
  for (const part of [
    principal,
    principal.groups,
    principal.claims,
    principal.claims['groups'],
    principal.delegation,
    principal.delegation[0],
    principal.credential,
  ])
    expect(Object.isFrozen(part)).toBe(true);
});
