// `retention`: when the keys of sessions die. Without a rule nothing ever does.
import { z } from 'zod';

const days = z.int().min(1).max(36_500);
const id = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, {
  error: 'write up to 63 letters, digits, dots, dashes and underscores',
});
const label = z.string().regex(/^[a-z0-9_-]+(\.[a-z0-9_-]+)*(\.\*)?$/, {
  error: 'write a label such as pii.email, or pii.* for all below it',
});

export const retentionPart = z.strictObject({
  rules: z
    .array(
      z.strictObject({
        id: id.describe('Name of the rule; the record of each shredding carries it.'),
        targets: z.array(id).min(1).max(10_000).optional().describe('Sessions on these targets. Default: on any.'),
        labels: z
          .array(label)
          .min(1)
          .max(1_000)
          .optional()
          .describe(
            'Sessions that named columns of these labels, or were shown any: `pii` is the label and all below it. Default: whatever the session met.',
          ),
        days: days.describe('Days after the end of a session on which its keys are destroyed.'),
        recordings: z
          .enum(['keep', 'delete'])
          .default('keep')
          .describe(
            'What becomes of the recording’s ciphertext: kept, it proves the root in the seal; deleted, it frees its space.',
          ),
      }),
    )
    .max(1_000)
    .default([])
    .describe('The first rule that fits a session counts. A session that none fits is kept for ever.'),
  gatewayDays: days
    .optional()
    .describe(
      'Days after which what was recorded outside sessions (refused sign-ins, who read or ended what) is shredded, a day at a time. Default: never.',
    ),
  dailyAt: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: 'write a time such as 03:30' })
    .optional()
    .describe(
      'Time of day, UTC, at which the gateway shreds what is due. Default: only `countersign retention shred` does.',
    ),
});
