import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Action, actions, type Effect } from '../domain/effect.ts';
import { byStrictness, dateUnits, type Method, maskMethods } from '../domain/mask.ts';
import type { Principal } from '../domain/principal.ts';
import type { Meaning, Output } from '../domain/statement.ts';
import { checkStatement, parseEffect } from './check.ts';
import { resourceEntities, withBroader } from './entities.ts';
import { explain } from './explain.ts';
import { openPolicy, type Standpoint } from './policy.ts';
import { loadPolicies, PolicyErrors } from './policy-set.ts';

const set = (text: string) => loadPolicies([{ name: 'a.cedar', text }]);
const agent: Principal = {
  kind: 'agent',
  issuer: 'https://i',
  subject: 'a',
  name: 'A',
  groups: ['bots'],
  claims: { repo: 'acme/app', level: 3 },
  delegation: [],
  credential: { type: 'jwt', sha256: '' },
};
const orders = { schema: 'public', relation: 'orders' };
const meaning = (...effects: Effect[]): Meaning => ({ effects, results: [] });
const remove: Effect = { action: 'sql:delete', resource: orders };
const read: Effect = { action: 'sql:read', resource: orders };
const ask = (text: string, of: Meaning = meaning(remove), time = 0) =>
  checkStatement(set(text), { principal: agent, target: 'shop', meaning: of, time });
const permitAll = '@id("p") permit (principal, action, resource);\n';

describe('reduction', () => {
  test('nothing permits: denied, and it says what', () => {
    expect(ask('@id("p") permit (principal, action == Action::"sql:read", resource);')).toEqual({
      ruling: 'deny',
      rules: [],
      next: 'final',
      reason: 'No policy permits sql:delete on public.orders.',
      advice: expect.stringContaining('administrator'),
    });
  });
  test('one unpermitted effect among permitted ones denies', () => {
    expect(
      ask('@id("p") permit (principal, action == Action::"sql:read", resource);', meaning(read, remove)).ruling,
    ).toBe('deny');
  });
  test('permit names its rules', () => {
    expect(ask(permitAll)).toEqual({ ruling: 'permit', rules: ['p'], masks: [] });
  });
  test('only a hold: held, with its terms', () => {
    expect(
      ask(
        `${permitAll}@id("h") @hold("dba") @quorum("2") @ttl("90s") @advice("wait") forbid (principal, action == Action::"sql:delete", resource);`,
      ),
    ).toEqual({
      ruling: 'hold',
      rules: ['h'],
      masks: [],
      group: 'dba',
      quorum: 2,
      ttlSeconds: 90,
      advice: 'wait',
    });
  });
  test('a hold without a permit underneath is a denial', () => {
    expect(ask('@id("h") @hold("dba") forbid (principal, action, resource);').ruling).toBe('deny');
  });
  test('a hold and a real forbid on one effect: denied by the forbid alone', () => {
    const text = `${permitAll}@id("h") @hold("dba") forbid (principal, action, resource);\n@id("f") @advice("no") @next("change") forbid (principal, action == Action::"sql:delete", resource);`;
    expect(ask(text)).toMatchObject({
      ruling: 'deny',
      rules: ['f'],
      advice: 'no',
      next: 'change',
      reason: 'f forbids sql:delete on public.orders.',
    });
  });
  test('several holds: the strictest terms; different groups: denied', () => {
    const one =
      '@id("a") @hold("dba") @quorum("3") @ttl("1h") forbid (principal, action == Action::"sql:delete", resource);';
    const two = (group: string) =>
      `@id("b") @hold("${group}") @ttl("5m") forbid (principal, action == Action::"sql:read", resource);`;
    expect(ask(permitAll + one + two('dba'), meaning(read, remove))).toMatchObject({
      ruling: 'hold',
      rules: ['a', 'b'],
      quorum: 3,
      ttlSeconds: 300,
    });
    expect(ask(permitAll + one + two('ops'), meaning(read, remove))).toMatchObject({
      ruling: 'deny',
      next: 'change',
      reason: expect.stringContaining('dba, ops'),
    });
  });
  test('no effect needs no permit', () => {
    expect(ask('@id("f") forbid (principal, action, resource);', meaning()).ruling).toBe('permit');
  });
  test('too many effects are not judged', () => {
    expect(ask(permitAll, meaning(...Array.from({ length: 501 }, () => read)))).toMatchObject({
      ruling: 'deny',
      next: 'change',
    });
  });
});

describe('fail closed', () => {
  test('an erroring policy denies, even where it would only be skipped', () => {
    const text = `${permitAll}@id("f") forbid (principal, action, resource) when { principal.getTag("repo").contains("x") };`;
    expect(() => set(text)).toThrow(PolicyErrors);
    const overflow = `${permitAll}@id("f") forbid (principal, action == Action::"sql:delete", resource) when { context has estimatedRows && context.estimatedRows + 9223372036854775807 > 0 };`;
    expect(ask(overflow, meaning({ ...remove, attributes: { estimatedRows: 1 } }))).toMatchObject({
      ruling: 'deny',
      reason: expect.stringContaining('could not be evaluated'),
    });
    expect(ask(overflow, meaning({ ...remove, attributes: { estimatedRows: 0 } })).ruling).toBe('deny');
    expect(ask(overflow).ruling).toBe('permit');
  });
  test('an attribute of the wrong type denies; an unknown one is invisible', () => {
    expect(ask(permitAll, meaning({ ...remove, attributes: { hasWhere: 'yes' } })).ruling).toBe('deny');
    expect(ask(permitAll, meaning({ ...remove, attributes: { colour: 'red', constructor: 'x' } })).ruling).toBe(
      'permit',
    );
  });
  test('what is not understood is denied, whatever is permitted', () => {
    expect(ask(permitAll, meaning(read, { action: 'sql:unknown', resource: {} })).ruling).toBe('deny');
  });
  test('decide is total: any effects and attributes give a decision', () => {
    const effect = fc.record({
      action: fc.constantFrom(...actions),
      resource: fc.record(
        {
          schema: fc.string({ unit: 'binary' }),
          relation: fc.string(),
          column: fc.string(),
          routine: fc.string(),
          labels: fc.array(fc.string()),
        },
        { requiredKeys: [] },
      ),
      attributes: fc.dictionary(
        fc.constantFrom('hasWhere', 'object', 'estimatedRows', 'x'),
        fc.oneof(fc.boolean(), fc.string(), fc.double()),
      ),
    });
    const opened = openPolicy(set(permitAll), { methodFor: () => ({ method: 'full' }) }).view({
      principal: agent,
      target: 'shop',
      database: 'd',
      unattended: true,
      labels: [],
    });
    fc.assert(
      fc.property(fc.array(effect as fc.Arbitrary<Effect>, { maxLength: 3 }), (effects) => {
        expect(['permit', 'deny']).toContain(opened.decide('execute', { effects, results: [] }, 0).ruling);
      }),
      { numRuns: 100 },
    );
  });
});

describe('context and entities', () => {
  test('claims are tags, numbers as text', () => {
    const text =
      '@id("p") permit (principal is Agent, action, resource) when { principal.hasTag("repo") && principal.getTag("repo").contains("acme/app") && principal.hasTag("level") && principal.getTag("level").contains("3") };';
    expect(ask(text).ruling).toBe('permit');
  });
  test('groups, kind, database and unattended are seen', () => {
    const text =
      '@id("p") permit (principal in Group::"bots", action, resource in Schema::"shop/public") when { context.kind == "execute" && context.database == "shop" && context.unattended };';
    expect(ask(text).ruling).toBe('permit');
  });
  test('a policy of the time of day is asked each time', () => {
    const text = '@id("p") permit (principal, action, resource) when { context.time.toTime() < duration("12h") };';
    const view = openPolicy(set(text), { methodFor: () => ({ method: 'full' }) }).view({
      principal: agent,
      target: 'shop',
      database: 'd',
      unattended: true,
      labels: [],
    });
    const same = meaning(read);
    expect(view.decide('execute', same, 3_600_000).ruling).toBe('permit');
    expect(view.decide('execute', same, 13 * 3_600_000).ruling).toBe('deny');
    expect(view.decide('execute', same, 25 * 3_600_000).ruling).toBe('permit');
  });
  test('names cannot imitate the structure of ids', () => {
    const id = (resource: Effect['resource']) => resourceEntities('t', resource)[0].uid as { id: string };
    expect(id({ schema: 'a.b', relation: 'c' }).id).toBe('t/"a.b".c');
    expect(id({ schema: 'a', relation: 'b.c' }).id).toBe('t/a."b.c"');
    fc.assert(
      fc.property(fc.tuple(fc.string(), fc.string()), fc.tuple(fc.string(), fc.string()), ([a, b], [c, d]) => {
        expect(id({ schema: a, relation: b }).id === id({ schema: c, relation: d }).id).toBe(a === c && b === d);
      }),
    );
  });
  test('a label is also each broader one', () => {
    expect(withBroader(['pii.email.work', 'pci'])).toEqual(['pii.email.work', 'pii.email', 'pii', 'pci']);
  });
});

describe('cache', () => {
  const standpoint: Standpoint = { principal: agent, target: 'shop', database: 'd', unattended: true, labels: [] };
  test('the same meaning gives the same decision object; another version does not', () => {
    const one = openPolicy(set(permitAll), { methodFor: () => ({ method: 'full' }) });
    const two = openPolicy(set(`${permitAll}@id("f") forbid (principal, action == Action::"sql:delete", resource);`), {
      methodFor: () => ({ method: 'full' }),
    });
    const same = meaning(remove);
    const first = one.view(standpoint).decide('execute', same, 0);
    expect(one.view(standpoint).decide('execute', same, 1)).toBe(first);
    expect(two.view(standpoint).decide('execute', same, 1).ruling).toBe('deny');
    expect(
      one.view(standpoint).decide('execute', meaning({ action: 'sql:truncate', resource: orders }), 1).ruling,
    ).toBe('permit');
    expect(one.version).not.toBe(two.version);
  });
  test('another principal, kind, target or database is another standpoint', () => {
    const text =
      '@id("p") permit (principal is Agent, action, resource in Target::"shop") when { context.database == "d" && context.kind == "execute" };';
    const policy = openPolicy(set(text), { methodFor: () => ({ method: 'full' }) });
    const same = meaning(read);
    expect(policy.view(standpoint).decide('execute', same, 0).ruling).toBe('permit');
    expect(policy.view(standpoint).decide('prepare', same, 0).ruling).toBe('deny');
    expect(policy.view({ ...standpoint, target: 'other' }).decide('execute', same, 0).ruling).toBe('deny');
    expect(policy.view({ ...standpoint, database: 'e' }).decide('execute', same, 0).ruling).toBe('deny');
    expect(
      policy.view({ ...standpoint, principal: { ...agent, kind: 'human' } }).decide('execute', same, 0).ruling,
    ).toBe('deny');
  });
});

describe('masks', () => {
  const email = { schema: 'public', relation: 'customers', column: 'email', labels: ['pii.email'] };
  const card = { schema: 'public', relation: 'customers', column: 'card', labels: ['pci.pan', 'pii.card'] };
  const output = (of: Partial<Output>): Output => ({ name: 'x', sources: [], direct: false, opaque: false, ...of });
  const methods = { 'pii.email': 'partial', 'pci.pan': 'hash', 'pii.card': 'full' } as const;
  const masks = (text: string, outputs: Output[], labels: readonly string[] = ['pii.email', 'pci.pan']) => {
    const decision = checkStatement(
      set(text),
      { principal: agent, target: 'shop', labels, meaning: { effects: [read], results: [outputs] }, time: 0 },
      (label) => ({ method: methods[label as keyof typeof methods] }),
    );
    if (decision.ruling === 'deny') throw new Error(decision.reason);
    return decision.masks;
  };
  const noReveal = '@id("p") permit (principal, action == Action::"sql:read", resource);';
  const reveal = (when: string) =>
    `${noReveal}\n@id("r") permit (principal, action == Action::"sql:reveal", resource) when { ${when} };`;

  test('direct: by its method; derived: whole; unlabelled: left', () => {
    expect(
      masks(noReveal, [output({ sources: [email], direct: true }), output({ sources: [email] }), output({})]),
    ).toEqual([
      [
        { label: 'pii.email', method: 'partial', whole: false },
        { label: 'pii.email', method: 'partial', whole: true },
        null,
      ],
    ]);
  });
  test('several labels: the strictest method; several sources: whole', () => {
    expect(masks(noReveal, [output({ sources: [card], direct: true }), output({ sources: [email, card] })])).toEqual([
      [
        { label: 'pii.card', method: 'full', whole: false },
        { label: 'pii.card', method: 'full', whole: true },
      ],
    ]);
  });
  test('strictest: every pair of methods and parameters, in either order of labels', () => {
    const order: readonly Method[] = [
      { method: 'null' },
      { method: 'constant', value: 'a' },
      { method: 'constant', value: 'b' },
      { method: 'full' },
      { method: 'hash' },
      { method: 'token' },
      { method: 'partial', keep: 1 },
      { method: 'partial' },
      { method: 'partial', keep: 8 },
      { method: 'bucket', size: 1_000 },
      { method: 'bucket', size: 0.5 },
      ...dateUnits.map((to) => ({ method: 'date', to }) as const),
      { method: 'detect' },
    ];
    expect(new Set(order.map(({ method }) => method))).toEqual(new Set(maskMethods));
    const visible = { schema: 'public', relation: 'customers', column: 'card', labels: ['one', 'other'] };
    const policies = set(noReveal);
    const decided = (one: Method, other: Method) => {
      const question = { principal: agent, target: 'shop', labels: visible.labels, time: 0 };
      const meaning = { effects: [read], results: [[output({ sources: [visible], direct: true })]] };
      const decision = checkStatement(policies, { ...question, meaning }, (label) => (label === 'one' ? one : other));
      return decision.ruling === 'permit' ? decision.masks[0]![0] : undefined;
    };
    order.forEach((stricter, index) => {
      for (const weaker of order.slice(index + 1)) {
        expect(decided(stricter, weaker)).toEqual({ label: 'one', ...stricter, whole: false });
        expect(decided(weaker, stricter)).toEqual({ label: 'other', ...stricter, whole: false });
      }
      expect(byStrictness(stricter, stricter)).toBe(0);
    });
    expect(byStrictness({ method: 'partial' }, { method: 'partial', keep: 4 })).toBe(0);
  });
  test('what may be revealed is not masked, and the rule is named', () => {
    const text = reveal('resource.labels.contains("pii.email")');
    expect(masks(text, [output({ sources: [email], direct: true }), output({ sources: [email, card] })])).toEqual([
      [null, { label: 'pii.card', method: 'full', whole: true }],
    ]);
    const decision = checkStatement(set(text), {
      principal: agent,
      target: 'shop',
      meaning: { effects: [read], results: [[output({ sources: [email] })]] },
      time: 0,
    });
    expect(decision.rules).toEqual(['p', 'r']);
  });
  test('a hold on reveal hides', () => {
    expect(
      masks(`${reveal('true')}\n@id("h") @hold("dba") forbid (principal, action == Action::"sql:reveal", resource);`, [
        output({ sources: [email], direct: true }),
      ])[0]![0],
    ).not.toBeNull();
  });
  test('opaque: hidden unless every label may be seen, alone and together', () => {
    const opaque = [{ label: 'unresolved', method: 'null', whole: true }];
    expect(masks(noReveal, [output({ opaque: true })])).toEqual([opaque]);
    expect(masks(reveal('resource.labels.contains("pii")'), [output({ opaque: true })])).toEqual([opaque]);
    expect(
      masks(reveal('resource.labels.contains("pii") && resource.labels.contains("pci")'), [output({ opaque: true })]),
    ).toEqual([opaque]);
    expect(
      masks(reveal('resource.labels.contains("pii") || resource.labels.contains("pci")'), [output({ opaque: true })]),
    ).toEqual([[null]]);
    expect(masks(noReveal, [output({ opaque: true })], [])).toEqual([[null]]);
  });
});

describe('shadow policies', () => {
  const shadowed = `${permitAll}@id("no-delete") @shadow @advice("Later.") forbid (principal, action == Action::"sql:delete", resource);`;

  test('say what they would do and change nothing', () => {
    const decision = ask(shadowed);
    expect(decision).toMatchObject({ ruling: 'permit', rules: ['p'] });
    expect(decision.shadow).toMatchObject({ ruling: 'deny', rules: ['no-delete'], advice: 'Later.' });
    // Where they would change nothing there is nothing to say.
    expect(ask(shadowed, meaning(read))).toEqual({ ruling: 'permit', rules: ['p'], masks: [] });
  });

  test('a permit or a reveal of theirs opens nothing', () => {
    const opening = `${permitAll.replace('resource)', 'resource) unless { action == Action::"sql:reveal" }')}
      @id("sees") @shadow permit (principal, action == Action::"sql:reveal", resource);
      @id("grant") forbid (principal, action == Action::"sql:grant", resource);`;
    const email = { schema: 'public', relation: 'c', column: 'email', labels: ['pii.email'] };
    const shown: Output = { name: 'email', sources: [email], direct: true, opaque: false };
    const decision = ask(opening, { effects: [read], results: [[shown]] });
    expect(decision).toMatchObject({ ruling: 'permit', masks: [[{ label: 'pii.email', whole: false }]] });
    expect(decision.shadow).toMatchObject({ ruling: 'permit', masks: [[null]] });
    expect(ask(`@id("p") @shadow permit (principal, action, resource);`).ruling).toBe('deny');
    expect(ask(`${permitAll}@id("h") @shadow @hold("dba") forbid (principal, action, resource);`).ruling).toBe(
      'permit',
    );
  });

  test('decisions beside them are kept as others are, also when they read the time', () => {
    const open = (text: string) =>
      openPolicy(set(text), { methodFor: () => ({ method: 'full' }) }).view({
        principal: agent,
        target: 'shop',
        database: 'shop',
        unattended: true,
        labels: [],
      });
    const of = meaning(remove);
    const view = open(shadowed);
    expect(view.decide('execute', of, 0)).toBe(view.decide('execute', of, 1));
    const timed = open(
      `${permitAll}@id("night") @shadow forbid (principal, action, resource) when { context.time < datetime("1970-01-02") };`,
    );
    expect(timed.decide('execute', of, 0).shadow?.ruling).toBe('deny');
    expect(timed.decide('execute', of, 86_400_000).shadow).toBeUndefined();
  });
});

describe('loading', () => {
  const problems = (text: string) => {
    try {
      set(text);
    } catch (error) {
      if (error instanceof PolicyErrors) return error.message;
      throw error;
    }
    return 'loaded';
  };
  test.each([
    ['permit (principal, action, resource);', 'a.cedar:1:1: a policy needs a name'],
    [
      '// é\n@id("a")\npermit (principal, action, resource) when { "é" == "é" && context.hasWhat };',
      'a.cedar:3:59: attribute `hasWhat`',
    ],
    ['@id("a")\npermit (principal, action, resource', 'a.cedar:2:36: unexpected end of input'],
    ['@id("a") permit (principal, action == Action::"sql:raed", resource);', 'did you mean'],
    [
      '@id("a") permit (principal, action, resource);\n@id("a") forbid (principal, action, resource);',
      'a.cedar:2:1: @id("a") is taken by a.cedar:1',
    ],
    ['@id("a") @hold("dba") permit (principal, action, resource);', '@hold belongs on a forbid'],
    ['@id("a") @hold("") forbid (principal, action, resource);', '@hold names the group'],
    ['@id("a") @hold("dba") @qourum("2") forbid (principal, action, resource);', '@qourum is not an annotation'],
    ['@id("a") @hold("dba") @quorum("0") forbid (principal, action, resource);', 'a number of people'],
    ['@id("a") @hold("dba") @ttl("soon") forbid (principal, action, resource);', '@ttl("soon"): write seconds'],
    ['@id("a") @quorum("2") forbid (principal, action, resource);', 'belong to a @hold'],
    ['@id("a") @next("later") forbid (principal, action, resource);', 'write final, change or ask'],
    ['@id("a") @hold("dba") @signed("webauthn") forbid (principal, action, resource);', 'write any, or verified'],
    ['@id("a") permit (principal == ?principal, action, resource);', 'templates are not used here'],
  ])('%s', (text, message) => {
    expect(problems(text)).toContain(message);
  });
  test('no policy at all is refused', () => {
    expect(() => loadPolicies([{ name: 'schema.cedarschema', text: 'entity X;' }])).toThrow('no .cedar file');
  });
  test('version covers names and texts, not the order of files', () => {
    const a = { name: 'a.cedar', text: permitAll };
    const b = { name: 'b.cedar', text: '@id("q") permit (principal, action, resource);' };
    const { version } = loadPolicies([a, b]);
    expect(version).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(loadPolicies([b, a]).version).toBe(version);
    expect(loadPolicies([a, { ...b, text: `${b.text} ` }]).version).not.toBe(version);
  });
});

test('words for people', () => {
  expect(explain(ask(permitAll))).toBe('Permitted by p.');
  expect(explain(ask(`${permitAll}@id("h") @hold("dba") @advice("Wait.") forbid (principal, action, resource);`))).toBe(
    'Held by h.\n1 person of group dba must grant it within 900 seconds.\nWait.',
  );
  expect(explain(ask('@id("p") permit (principal, action == Action::"connect", resource);'))).toContain(
    'No policy permits sql:delete on public.orders.',
  );
  expect(parseEffect('sql:drop public.orders')).toEqual({ action: 'sql:drop' satisfies Action, resource: orders });
  expect(parseEffect('sql:call public.refund')).toEqual({
    action: 'sql:call',
    resource: { schema: 'public', routine: 'refund' },
  });
  expect(parseEffect('sql:explode')).toBeUndefined();
});
