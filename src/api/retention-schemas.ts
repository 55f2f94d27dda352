// The contract of retention and keys as schemas, beside schemas.ts.
import { z } from 'zod';
import type { HoldRow, KeysStatus, RetentionPlan, RetentionReport } from './contract.ts';

const count = z.int().min(0);
const time = count.describe('Milliseconds since the epoch.');
const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const strings = z.array(z.string());
const text = z.string().min(1).max(1_000);

/** What the ledger's status says of keys and of how long content lives. */
export const ledgerKeys = {
  keys: z.strictObject({ provider: z.string(), ready: count, failing: z.string().optional() }),
  retention: z.strictObject({
    rules: count,
    holds: count,
    shredded: z.strictObject({ sessions: count, last: time.optional() }),
  }),
};

/** What a session's detail says of it. */
export const sessionRetention = {
  shredded: z.strictObject({ at: time, rule: z.string(), entry: count }).optional(),
  retention: z.strictObject({ rule: z.string(), until: time }).optional(),
  holds: strings.optional(),
};

export const nothing = z.strictObject({});
export const nothingAsked = z.strictObject({});

export const plan = z.strictObject({
  due: z.array(
    z.strictObject({
      rule: z.string(),
      days: count,
      recordings: z.enum(['keep', 'delete']),
      count,
      sessions: z.array(z.strictObject({ id: z.string(), target: z.string(), closed: time, labels: strings })),
    }),
  ),
  days: count,
  held: z.array(z.strictObject({ session: z.string(), rule: z.string(), holds: strings })),
  heldSessions: count,
  heldDays: count,
}) satisfies z.ZodType<RetentionPlan>;

export const shredReport = z.strictObject({
  sessions: count,
  days: count,
  keys: count,
  rules: z.array(z.strictObject({ rule: z.string(), sessions: count })),
  held: count,
  entries: z.array(count),
}) satisfies z.ZodType<RetentionReport>;

const scope = {
  session: id.optional(),
  principal: text.optional().describe('`issuer|subject`.'),
  target: z.string().min(1).max(63).optional(),
  from: time.optional(),
  to: time.optional(),
};

export const hold = z.strictObject({
  id: z.string(),
  at: time,
  entry: count,
  ...scope,
  session: z.string().optional(),
  target: z.string().optional(),
  reason: z.string(),
  by: z.string(),
  released: time.optional(),
}) satisfies z.ZodType<HoldRow>;
export const holds = z.strictObject({ items: z.array(hold) });
export const holdBody = z.strictObject({ ...scope, reason: text });
export const holdPath = z.strictObject({ id });
export const releaseBody = z.strictObject({ reason: text });

export const keys = z.strictObject({
  state: z.enum(['idle', 'running', 'done', 'failed']),
  keys: count.optional(),
  of: count.optional(),
  to: z.string().optional(),
  failed: count.optional(),
  why: z.string().optional(),
}) satisfies z.ZodType<KeysStatus>;
export const rewrapBody = z.strictObject({ all: z.boolean().default(false), fresh: z.boolean().default(false) });
