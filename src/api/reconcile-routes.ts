// What somebody with the target's own log found goes on record: the gateway cannot see that log, and says who says so.
import { z } from 'zod';
import { principalId } from '../domain/principal.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { resultDraft } from '../reconcile/result.ts';
import type { Access } from './access.ts';
import type { ReconcileRecorded } from './contract.ts';
import { Refused } from './problem.ts';
import { type Route, route } from './route.ts';

const number = z.int().min(-1_000_000_000_000_000).max(1_000_000_000_000_000);
const counts = z.record(z.string().regex(/^[a-zA-Z]{1,32}$/), number).optional();

/** src/reconcile/result.ts, ReconcileFacts. */
const facts = z.strictObject({
  ok: z.boolean(),
  sources: z
    .array(z.enum(['log', 'activity', 'calls']))
    .min(1)
    .max(3),
  from: number.optional(),
  to: number.optional(),
  complete: z.boolean().optional(),
  findings: z
    .array(z.string().regex(/^[a-z.]{1,40}$/))
    .max(20)
    .optional(),
  inputs: z
    .array(z.string().regex(/^[0-9a-f]{0,64}$/))
    .max(32)
    .optional(),
  sessions: counts,
  statements: counts,
  live: counts,
  calls: counts,
});
const recorded = z.strictObject({ id: z.int().min(0) }) satisfies z.ZodType<ReconcileRecorded>;

export interface ReconcileParts {
  readonly access: Access;
  readonly ledger: Pick<Ledger, 'append'>;
  readonly targets: readonly { readonly name: string }[];
}

export function reconcileRoutes({ access, ledger, targets }: ReconcileParts): Route[] {
  return [
    route({
      method: 'POST',
      path: '/api/targets/:name/reconciliations',
      summary: 'Records what "countersign reconcile" found, as stated by the caller; needs an admin group.',
      status: 201,
      params: z.strictObject({ name: z.string().min(1).max(63) }),
      body: z.strictObject({ facts, details: z.string().max(48 * 1024) }),
      answer: recorded,
      async run(principal, { params: { name }, body }) {
        if (!access.mayKill(principal))
          throw new Refused('access.admins', 'Only members of an admin group record reconciliations. Ask one of them.');
        if (!targets.some((target) => target.name === name))
          throw new Refused('request.invalid', 'There is no such target here. Take its name from /api/targets.');
        const { index, durable } = ledger.append(resultDraft(name, body, principalId(principal)), 'synced');
        await durable;
        return { id: index };
      },
    }),
  ];
}
