// Cases that stand beside policies: a principal and a statement in, what must be decided out. Files and catalogues are the
// caller's; this says how a case reads and where a decision differs from what it expects.
import { z } from 'zod';
import { maskMethods } from '../domain/mask.ts';
import { columnsPattern, typePattern } from '../sql/label-rule.ts';
import type { Explanation } from './explain-statement.ts';

const strings = z.array(z.string());
const kind = z.enum(['agent', 'human', 'service']);

const principal = z.strictObject({
  kind,
  issuer: z.string().optional(),
  subject: z.string().optional(),
  groups: strings.default([]),
  owner: z.string().optional(),
  email: z.string().optional(),
  claims: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), strings])).default({}),
  delegation: z.array(z.strictObject({ issuer: z.string().optional(), subject: z.string() })).default([]),
});

const effect = z.strictObject({
  action: z.string(),
  resource: z.string().default(''),
  parts: z
    .strictObject({
      schema: z.string().optional(),
      relation: z.string().optional(),
      column: z.string().optional(),
      routine: z.string().optional(),
    })
    .optional(),
  labels: strings.optional(),
  attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});

const expected = z.strictObject({
  ruling: z.enum(['permit', 'hold', 'deny']),
  rules: strings.optional().describe('Rules that must be among those that decide.'),
  not: strings.optional().describe('Rules that must not be among them.'),
  masks: z.record(z.string(), z.string()).optional().describe('Every masked column, with its method.'),
  advice: z.string().optional().describe('A part of the advice.'),
  next: z.enum(['final', 'change', 'ask']).optional(),
  group: z.string().optional(),
  quorum: z.int().optional(),
  grade: z.enum(['session', 'signed', 'verified']).optional(),
  shadow: z.enum(['permit', 'hold', 'deny', 'same']).optional(),
});

const oneCase = z
  .strictObject({
    name: z.string().min(1),
    as: z.union([z.string(), principal]).describe('A name of `principals`, or a principal.'),
    target: z.string().optional(),
    database: z.string().optional(),
    kind: z.enum(['connect', 'prepare', 'execute', 'cancel']).default('execute'),
    time: z.iso.datetime({ offset: true }).optional(),
    statement: z.string().optional(),
    effects: z.array(effect).min(1).optional(),
    expect: expected,
  })
  .refine((one) => (one.statement === undefined) !== (one.effects === undefined), {
    error: 'write either a statement or effects',
  });

const mask = z.union([
  z.enum(maskMethods),
  z.strictObject({
    method: z.enum(maskMethods),
    keep: z.int().optional(),
    value: z.string().optional(),
    size: z.number().optional(),
    to: z.enum(['year', 'quarter', 'month', 'day', 'hour']).optional(),
  }),
]);

export const caseFile = z.strictObject({
  catalogue: z.string().optional().describe('A catalogue dump, or SQL, beside this file.'),
  searchPath: strings.optional(),
  target: z.string().default('shop'),
  labels: z
    .array(
      z.strictObject({
        columns: z.string().regex(columnsPattern).optional(),
        type: z.string().regex(typePattern).optional(),
        comment: z.string().optional(),
        label: z.string(),
      }),
    )
    .default([]),
  masks: z.record(z.string(), mask).default({}),
  principals: z.record(z.string(), principal).default({}),
  cases: z.array(oneCase).min(1),
});
export type CaseFile = z.output<typeof caseFile>;
export type PolicyCase = CaseFile['cases'][number];

export interface Difference {
  readonly what: string;
  readonly expected: string;
  readonly found: string;
}

/** Where the decision is not what the case expects; empty when it is. */
export function differences(expect: PolicyCase['expect'], { decision, results }: Explanation): Difference[] {
  const found: Difference[] = [];
  const compare = (what: string, wanted: unknown, is: unknown) => {
    if (wanted !== undefined && wanted !== is)
      found.push({ what, expected: String(wanted), found: String(is ?? 'none') });
  };
  compare('ruling', expect.ruling, decision.ruling);
  const missing = (expect.rules ?? []).filter((rule) => !decision.rules.includes(rule));
  const unwanted = (expect.not ?? []).filter((rule) => decision.rules.includes(rule));
  const rules = decision.rules.join(', ') || 'none';
  if (missing.length > 0) found.push({ what: 'rules', expected: missing.join(', '), found: rules });
  if (unwanted.length > 0) found.push({ what: 'rules', expected: `not ${unwanted.join(', ')}`, found: rules });
  if (expect.masks) {
    const masks = (pairs: Iterable<readonly [string, string]>) =>
      [...pairs]
        .map(([name, method]) => `${name}: ${method}`)
        .sort()
        .join(', ') || 'none';
    const is = results.flat().flatMap(({ name, mask: of }) => (of ? [[name, of.method] as const] : []));
    compare('masks', masks(Object.entries(expect.masks)), masks(is));
  }
  const advice = decision.ruling === 'permit' ? '' : decision.advice;
  if (expect.advice !== undefined && !advice.includes(expect.advice))
    found.push({ what: 'advice', expected: `… ${expect.advice} …`, found: advice || 'none' });
  compare('next', expect.next, decision.ruling === 'deny' ? decision.next : undefined);
  compare('group', expect.group, decision.ruling === 'hold' ? decision.group : undefined);
  compare('quorum', expect.quorum, decision.ruling === 'hold' ? decision.quorum : undefined);
  compare('grade', expect.grade, decision.ruling === 'hold' ? (decision.grade ?? 'session') : undefined);
  compare('shadow', expect.shadow, decision.shadow?.ruling ?? 'same');
  return found;
}

/** Rules without an example in which they decide, and without one that says they do not. */
export function uncovered(rules: Iterable<string>, cases: readonly Pick<PolicyCase, 'expect'>[]) {
  const all = [...rules];
  return {
    positive: all.filter((rule) => !cases.some(({ expect }) => expect.rules?.includes(rule))),
    negative: all.filter((rule) => !cases.some(({ expect }) => expect.not?.includes(rule))),
  };
}
