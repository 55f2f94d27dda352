// History through a draft, over real ledgers that were written the way sessions write them.
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { type LedgerPlace, ledgerPlace } from '../../test/peers/ledger.ts';
import { actions, type Effect, type Resource } from '../domain/effect.ts';
import type { Principal } from '../domain/principal.ts';
import type { Meaning, Output, StatementKind } from '../domain/statement.ts';
import type { Target } from '../domain/target.ts';
import { openKeyring } from '../ledger/keyring.ts';
import { destroyKeys } from '../ledger/keys-destruction.ts';
import { type Ledger, openLedger } from '../ledger/ledger.ts';
import { isUnattended } from '../policy/check.ts';
import { openPolicy, type Policy, type PolicyOptions } from '../policy/policy.ts';
import { loadPolicies } from '../policy/policy-set.ts';
import { decisionDraft, openDraft, outcomeDraft, prepareRecord, rulingDraft, skipped } from '../session/records.ts';
import { backtestLedger, type BacktestWish } from './backtest.ts';

const folder = new URL('../../policies/', import.meta.url);
const shipped = readdirSync(folder)
  .filter((name) => name.endsWith('.cedar'))
  .map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }));
/** Looks at all that a principal, a resource and the circumstances have. */
const curious = {
  name: 'curious.cedar',
  text: `@id("by.claim") forbid (principal, action, resource) when { principal.hasTag("repo") && principal.getTag("repo").contains("acme/app") && action == Action::"sql:notify" };
@id("by.owner") forbid (principal, action == Action::"sql:lock", resource) when { principal has owner && principal.owner == "omar@corp.example" };
@id("by.delegation") forbid (principal, action == Action::"sql:listen", resource) when { principal.delegation.contains("https://id|planner") };
@id("by.database") forbid (principal, action == Action::"sql:insert", resource) when { context.database == "other" };
@id("by.place") forbid (principal, action == Action::"sql:update", resource) when { resource in Schema::"shop/a.b" || resource == Target::"shop" };
@id("by.attended") @hold("dba") @quorum("2") forbid (principal, action == Action::"sql:session", resource) unless { context.unattended };
@id("by.hour") @shadow forbid (principal, action == Action::"sql:read", resource) when { context.unattended };
@id("service.reveals") permit (principal is Service, action == Action::"sql:reveal", resource) when { resource.labels.contains("pii.email") };`,
};
const methods: PolicyOptions = {
  methodFor: (label) => (label.startsWith('pci') ? { method: 'partial', keep: 2 } : { method: 'full' }),
};
const policyOf = (...files: { name: string; text: string }[]) => openPolicy(loadPolicies(files), methods);

const target = (name: string): Target => ({
  name,
  protocol: 'postgres',
  host: 'db',
  port: 5432,
  database: name,
  ack: { read: 'written', write: 'written' },
});
const labels = ['pii.email', 'pci.pan', 'secret'];
const principal = (kind: Principal['kind'], subject: string, more: Partial<Principal> = {}): Principal => ({
  kind,
  issuer: 'https://id',
  subject,
  name: subject,
  groups: [],
  claims: {},
  delegation: [],
  credential: { type: 'jwt', sha256: 'ab' },
  ...more,
});
const people = [
  principal('agent', 'bot', { owner: 'omar@corp.example', claims: { repo: ['acme/app', 'x'], level: 3 } }),
  principal('agent', 'helper', { delegation: [{ subject: 'planner' }], claims: { unattended: false } }),
  principal('service', 'ci'),
  principal('human', 'dana', { groups: ['pii-readers', 'dba'], email: 'dana@corp.example' }),
];

/** The same numbers each time (mulberry32). */
function chance(seed: number) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (most: number) => Math.floor(next() * most);
  return { next, below, one: <T>(list: readonly T[]): T => list[below(list.length)]! };
}
type Chance = ReturnType<typeof chance>;

function anyResource({ one, next }: Chance): Resource {
  const resource: { -readonly [Key in keyof Resource]: Resource[Key] } = {};
  if (next() < 0.8) resource.schema = one(['public', 'a.b', 'shop', 'x"y']);
  if (next() < 0.7) resource.relation = one(['orders', 'Ä "q".t', 'customers', '?']);
  if (next() < 0.4) resource.column = one(['email', 'a.b', '?']);
  if (resource.column !== undefined && next() < 0.6)
    resource.labels = one([['pii.email'], ['secret', 'pii'], ['pci.pan']]);
  if (resource.relation === undefined && next() < 0.5) resource.routine = one(['refund', 'dblink_exec', 'f.g']);
  return resource;
}

function anyMeaning(by: Chance): { kind: StatementKind; meaning: Meaning } {
  const { one, next, below } = by;
  if (next() < 0.05)
    return {
      kind: one(['connect', 'cancel']),
      meaning: { effects: [{ action: 'connect', resource: {} }], results: [] },
    };
  const effects = Array.from({ length: 1 + below(3) }, (): Effect => {
    const action = one(actions.filter((name) => name.startsWith('sql:') && (name !== 'sql:unknown' || next() < 0.1)));
    const resource =
      action === 'sql:reveal'
        ? { schema: 'public', relation: 'c', column: 'e', labels: ['pii.email'] }
        : anyResource(by);
    const attributes = one<Effect['attributes']>([
      undefined,
      undefined,
      { hasWhere: false },
      { hasWhere: true },
      { unreadable: true },
      { object: 'function', replace: true },
      { prepared: true, name: 'ü' },
    ]);
    return attributes ? { action, resource, attributes } : { action, resource };
  });
  const results = Array.from({ length: below(3) }, () =>
    Array.from({ length: below(4) }, (): Output => {
      const sources = Array.from({ length: next() < 0.4 ? 1 + below(2) : 0 }, () => ({
        schema: 'public',
        relation: one(['customers', 'cards']),
        column: one(['email', 'pan']),
        labels: one([['pii.email'], ['pci.pan'], ['pii.email', 'secret']]),
      }));
      return { name: one(['email', 'n']), sources, direct: next() < 0.5, opaque: next() < 0.1 };
    }),
  );
  return { kind: one(['execute', 'execute', 'prepare']), meaning: { effects, results } };
}

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A ledger of sessions with mixed statements, decided by a policy and recorded as sessions do. */
async function recorded(policy: Policy, sessions: number, statements: number) {
  const place = await ledgerPlace({ segmentEntries: 4_000 });
  ends.push(() => place.remove());
  const { ledger } = await openLedger(place);
  ends.push(() => ledger.close());
  const by = chance(7);
  // Agents repeat themselves.
  const pool = Array.from({ length: 120 }, () => anyMeaning(by));
  const keys: string[] = [];
  for (let index = 0; index < sessions; index++) {
    const who = people[index % people.length]!;
    keys.push(await oneSession(ledger, policy, `s-${index}`, who, by, pool, statements));
  }
  return { place, keys };
}

async function oneSession(
  ledger: Ledger,
  policy: Policy,
  id: string,
  who: Principal,
  by: Chance,
  pool: readonly ReturnType<typeof anyMeaning>[],
  statements: number,
) {
  const key = ledger.newKey();
  const to = target(by.one(['shop', 'a.b']));
  const database = by.one(['shop', 'other']);
  ledger.append(openDraft(id, who, {}, to.name, database, policy.version, labels), 'written', key);
  const view = policy.view({ principal: who, target: to.name, database, unattended: isUnattended(who), labels });
  let last: Promise<void> = Promise.resolve();
  for (let sequence = 1; sequence <= statements; sequence++) {
    const { kind, meaning } = by.one(pool);
    const of = prepareRecord(view.decide(kind, meaning, Date.now()), kind, meaning, to, policy.version);
    const held = of.facts['d'] === 'hold';
    const refused = held && by.next() < 0.2;
    const facts = refused
      ? { ...of.facts, d: 'deny', cause: 'refused' }
      : held
        ? { ...of.facts, approval: 'a' }
        : of.facts;
    const statement = { kind, text: `select ${sequence}`, digest: () => '', meaning };
    ledger.append(decisionDraft(id, sequence, of, statement, facts), 'written', key);
    if (held && !refused) ledger.append(rulingDraft(id, sequence, 'permit', 'a', of), 'written', key);
    last = ledger.append(outcomeDraft(id, sequence, skipped), 'written', key).durable;
  }
  await last;
  await ledger.append({ type: 'session.seal', session: id, facts: { n: statements, cause: 'closed' } }, 'written', key)
    .durable;
  return key.id;
}

async function backtest(place: LedgerPlace, draft: Policy, wish: Partial<BacktestWish> = {}) {
  const keys = openKeyring(place.state);
  try {
    return await backtestLedger({ ledger: place.folder, keys, draft, sessionMs: 86_400_000, since: 0, ...wish });
  } finally {
    keys.close();
  }
}

describe('backtest', () => {
  test('own version: of thousands of mixed statements none changes, and none is decided by other rules', async () => {
    const policy = policyOf(...shipped, curious);
    const { place } = await recorded(policy, 24, 250);
    const report = await backtest(place, policyOf(...shipped, curious));
    expect(report).toMatchObject({
      version: policy.version,
      statements: 6_000,
      changed: 0,
      otherRules: 0,
      changes: [],
      lost: { erased: 0, unknown: 0, unreadable: 0 },
      cut: false,
    });
    // Every ruling was there, or the comparison would have shown little.
    const none = await backtest(
      place,
      policyOf({ name: 'a.cedar', text: '@id("p") permit (principal, action, resource);' }),
    );
    expect(new Set(none.changes.map((change) => change.from))).toEqual(new Set(['deny', 'hold', 'permit']));
    expect(none.changes.some(({ masks }) => masks.removed.length > 0)).toBe(true);
  }, 120_000);

  test('a draft: what would change, by agent and rule, with examples', async () => {
    const before = policyOf(...shipped);
    const { place } = await recorded(before, 4, 100);
    const draft = policyOf(...shipped, {
      name: 'draft.cedar',
      text: '@id("draft.no-reads") @advice("Do not.") forbid (principal is Agent, action == Action::"sql:read", resource);',
    });
    const report = await backtest(place, draft);
    expect(report.changed).toBeGreaterThan(0);
    expect(report.changed).toBe(report.changes.reduce((sum, change) => sum + change.count, 0));
    for (const change of report.changes) {
      expect(change.to).toBe('deny');
      expect(change.after).toContain('draft.no-reads');
      expect(change.examples.length).toBeLessThanOrEqual(3);
      expect(change.examples[0]).toMatchObject({ session: expect.stringMatching(/^s-/), agent: expect.any(String) });
    }
    expect(report.rules.find(({ rule }) => rule === 'draft.no-reads')).toMatchObject({
      before: 0,
      after: report.changed,
    });
    expect(
      report.agents
        .filter((agent) => agent.changed > 0)
        .map((agent) => agent.name)
        .sort(),
    ).toEqual(['bot', 'helper']);
  });

  test('only what is asked for: time, target, agent and number', async () => {
    const policy = policyOf(...shipped);
    const { place } = await recorded(policy, 4, 20);
    expect((await backtest(place, policy, { since: Date.now() + 1_000 })).statements).toBe(0);
    expect((await backtest(place, policy, { until: 1 })).statements).toBe(0);
    expect((await backtest(place, policy, { agent: 'da' })).statements).toBe(20);
    expect((await backtest(place, policy, { agent: 'https://id|bot' })).statements).toBe(20);
    expect((await backtest(place, policy, { target: 'nowhere' })).statements).toBe(0);
    expect(await backtest(place, policy, { most: 7 })).toMatchObject({ statements: 7, cut: true });
  });

  test('what cannot be decided again is counted, never guessed', async () => {
    const policy = policyOf(...shipped);
    const { place, keys } = await recorded(policy, 2, 10);
    destroyKeys(place.state, [keys[0]!]);
    expect(await backtest(place, policy)).toMatchObject({ statements: 10, changed: 0, lost: { erased: 10 } });
  });
});
