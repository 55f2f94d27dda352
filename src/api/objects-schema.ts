// How the second place of the record stands, as the API answers it.
import { z } from 'zod';
import type { ObjectsStatus } from './contract.ts';

const count = z.int().min(0);
const time = z.int().min(0);

export const objectsStatus = z.strictObject({
  store: z.string(),
  state: z.enum(['up', 'down', 'conflict']),
  since: time,
  why: z.string().optional(),
  copied: count,
  backlog: count,
  checkpoint: count,
  roundFailed: z.string().optional(),
  probe: z
    .strictObject({ at: time, ok: z.boolean(), attempts: z.record(z.string(), z.enum(['refused', 'done', 'unknown'])) })
    .optional(),
}) satisfies z.ZodType<ObjectsStatus>;
