// Routes about event export: how far each receiver is, and a test event on demand.
import { z } from 'zod';
import type { Exports } from '../exports/exports.ts';
import type { Access } from './access.ts';
import type { ExportRow, ExportTested } from './contract.ts';
import { Refused } from './problem.ts';
import { type Route, route } from './route.ts';
import * as schemas from './schemas.ts';

const exportRow = z.strictObject({
  name: z.string(),
  to: z.enum(['file', 'syslog', 'http', 'otlp']),
  state: z.enum(['idle', 'sending', 'failing', 'stopped']),
  next: z.int().min(0),
  receipted: z.int().min(0),
  lag: z.int().min(0),
  lagSeconds: z.number(),
  events: z.int().min(0),
  failures: z.int().min(0),
  error: z.string().optional(),
}) satisfies z.ZodType<ExportRow>;

const exportTested = z.strictObject({
  delivered: z.boolean(),
  error: z.string().optional(),
}) satisfies z.ZodType<ExportTested>;

const exportPath = z.strictObject({ name: z.string().min(1).max(63) });

export interface ExportParts {
  readonly access: Access;
  /** Absent where nothing is exported. */
  readonly exports?: Pick<Exports, 'status' | 'test'> | undefined;
}

export function exportRoutes({ access, exports }: ExportParts): Route[] {
  const rows = (): ExportRow[] => (exports?.status() ?? []).map((row) => ({ ...row }));
  return [
    route({
      method: 'GET',
      path: '/api/exports',
      summary: 'Receivers of events, and how far each is; for viewers and admins.',
      answer: schemas.page(exportRow),
      run(principal) {
        if (!access.seesAll(principal))
          throw new Refused('access.viewers', 'Exports are for members of a viewer group. Ask one of them.');
        return { items: rows() };
      },
    }),
    route({
      method: 'POST',
      path: '/api/exports/:name/test',
      summary: 'Sends a test event to one receiver; needs an admin group.',
      params: exportPath,
      answer: exportTested,
      async run(principal, { params: { name } }) {
        if (!access.mayKill(principal))
          throw new Refused('access.admins', 'Only members of an admin group send test events. Ask one of them.');
        if (!exports || !rows().some((row) => row.name === name))
          throw new Refused('export.unknown', 'No receiver has this name. Look at /api/exports.');
        const error = await exports.test(name);
        return { delivered: error === undefined, ...(error === undefined ? {} : { error }) };
      },
    }),
  ];
}
