// Verified claims → principal (DESIGN §7). Pure. What configuration asks for and the token does not have is a refusal:
// nothing is filled in (guarantee 5; test: identity/claims).
import type { JWTPayload } from 'jose';
import { Fault } from '../domain/fault.ts';
import type { Actor, CredentialFacts, Principal, PrincipalKind } from '../domain/principal.ts';
import type { ClaimMap, ClaimPath } from './issuer.ts';

/** Longest delegation chain; deeper ones are refused, not cut. */
const deepest = 5;
const longest = 255;

/** A principal from claims whose signature was verified. Throws a Fault `sign-in.invalid` that names the claim. */
export function principalOf(claims: JWTPayload, map: ClaimMap, credential: CredentialFacts): Principal {
  const { iss, sub } = claims;
  if (!isName(iss) || !isName(sub)) throw lacks('sub', 'the subject, as a text');
  const kind = kindOf(claims, map);
  const owner = textAt(claims, map.owner, 'the accountable person');
  // An owner may not approve for their agent, so an agent that should have one and has none must not come in.
  if (map.owner !== undefined && owner === undefined && kind !== 'human')
    throw lacks(nameOf(map.owner), 'the accountable person of an agent or service');
  return Object.freeze({
    kind,
    issuer: iss,
    subject: sub,
    name: visible(textAt(claims, map.name, 'the name') ?? sub),
    groups: groupsOf(claims, map.groups),
    ...(owner === undefined ? {} : { owner }),
    ...emailOf(claims, map.email),
    claims: kept(claims, map.keep ?? []),
    delegation: Object.freeze(actorsOf(claims)),
    credential: Object.freeze(credential),
  });
}

function kindOf(claims: JWTPayload, { kind }: ClaimMap): PrincipalKind {
  if (typeof kind === 'string') return kind;
  const value = valueAt(claims, kind.claim);
  const found = (['agent', 'human', 'service'] as const).filter(
    (one) => typeof value === 'string' && kind[one]?.includes(value),
  );
  if (found.length !== 1)
    throw lacks(nameOf(kind.claim), 'one of the values that configuration maps to agent, human or service');
  return found[0]!;
}

function groupsOf(claims: JWTPayload, path: ClaimPath | undefined): readonly string[] {
  const value = path === undefined ? undefined : valueAt(claims, path);
  if (value === undefined || value === null) return Object.freeze([]);
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (!list.every(isName)) throw lacks(nameOf(path!), 'the groups, as a list of texts');
  return Object.freeze([...new Set(list)]);
}

/** An address that the issuer itself calls unverified could keep the wrong people from approving, and let the right ones. */
function emailOf(claims: JWTPayload, path: ClaimPath | undefined): { email?: string } {
  const email = textAt(claims, path, 'the e-mail address');
  if (email === undefined) return {};
  const verified = claims['email_verified'];
  if (path === 'email' && (verified === false || verified === 'false'))
    throw new Fault(
      'sign-in.invalid',
      'The issuer says that your e-mail address is not verified. Verify it there and get a fresh token.',
    );
  return { email };
}

function kept(claims: JWTPayload, paths: readonly ClaimPath[]): Principal['claims'] {
  const found: Record<string, string | number | boolean | readonly string[]> = Object.create(null);
  for (const path of paths) {
    const value = valueAt(claims, path);
    if (value === undefined || value === null) continue;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      found[nameOf(path)] = value;
    else if (Array.isArray(value) && value.every((item) => typeof item === 'string'))
      found[nameOf(path)] = Object.freeze(value);
    else throw lacks(nameOf(path), 'a text, a number, true or false, or a list of texts');
  }
  return Object.freeze(found);
}

/** RFC 8693 §4.1: `act` is the current actor, its own `act` the one before. */
function actorsOf(claims: JWTPayload): Actor[] {
  const actors: Actor[] = [];
  for (let act = claims['act']; act !== undefined; act = (act as Record<string, unknown>)['act']) {
    if (actors.length === deepest)
      throw new Fault(
        'sign-in.invalid',
        `The token was delegated more than ${deepest} times. Use one with a shorter chain.`,
      );
    const { sub, iss } = (act !== null && typeof act === 'object' ? act : {}) as Record<string, unknown>;
    if (!isName(sub) || (iss !== undefined && !isName(iss)))
      throw lacks('act', 'an actor with sub, and iss as a text if any');
    actors.push(Object.freeze({ ...(iss === undefined ? {} : { issuer: iss }), subject: sub }));
  }
  return actors;
}

function textAt(claims: JWTPayload, path: ClaimPath | undefined, meaning: string): string | undefined {
  const value = path === undefined ? undefined : valueAt(claims, path);
  if (value === undefined || value === null) return undefined;
  if (!isName(value)) throw lacks(nameOf(path!), `${meaning}, as a text`);
  return value;
}

function valueAt(claims: JWTPayload, path: ClaimPath): unknown {
  let here: unknown = claims;
  for (const step of typeof path === 'string' ? [path] : path) {
    if (here === null || typeof here !== 'object' || !Object.hasOwn(here, step)) return undefined;
    here = (here as Record<string, unknown>)[step];
  }
  return here;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= longest;
}

/** Control and direction characters must not reach a terminal through a name. */
function visible(name: string): string {
  return name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '�');
}

const nameOf = (path: ClaimPath): string => (typeof path === 'string' ? path : path.join('.'));

function lacks(claim: string, meaning: string): Fault {
  return new Fault(
    'sign-in.invalid',
    `The token needs the claim ${claim}: ${meaning}. Ask the issuer to add it, or the operator to map another claim.`,
  );
}
