// Reconciliation while the gateway runs: `targets[].reconcile` (docs/reconcile.md).
import { z } from 'zod';

export const reconcileSchema = z
  .strictObject({
    everyMinutes: z.int().min(1).max(10_080).default(15).describe('Time between looks.'),
    source: z
      .literal('activity')
      .default('activity')
      .describe('What is looked at: pg_stat_activity, for sessions that are not of this gateway.'),
    expected: z
      .array(z.string().min(1).max(200))
      .max(1_000)
      .default([])
      .describe('Roles, `role` or `role@database`, that may sign in beside the gateway.'),
  })
  .optional()
  .describe('Look for sessions at the target that did not come through the gateway, and record what is found.');
