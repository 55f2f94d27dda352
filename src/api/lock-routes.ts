// Routes about locks.
import { z } from 'zod';
import { type Lock, lockKinds } from '../domain/lock.ts';
import type { Principal } from '../domain/principal.ts';
import type { Locks } from '../session/locks.ts';
import type { Access } from './access.ts';
import type { LockRow, LockWish } from './contract.ts';
import { Refused } from './problem.ts';
import { type Route, route } from './route.ts';
import { sessionPath } from './schemas.ts';

export interface LockParts {
  readonly access: Access;
  readonly locks: Locks;
}

const lockRow = z.strictObject({
  id: z.string(),
  kind: z.enum(lockKinds),
  value: z.string(),
  reason: z.string(),
  until: z.number().optional(),
  by: z.string(),
  byName: z.string(),
  at: z.number(),
  entry: z.int(),
}) satisfies z.ZodType<LockRow>;

const lockBody = z.strictObject({
  kind: z.enum(lockKinds),
  value: z.string().trim().min(1).max(500),
  reason: z.string().trim().min(1).max(500),
  seconds: z.int().min(1).max(31_536_000).optional(),
}) satisfies z.ZodType<LockWish>;

export function lockRoutes({ access, locks }: LockParts): Route[] {
  function admin(principal: Principal): void {
    if (!access.mayKill(principal))
      throw new Refused('access.admins', 'Locks are for administrators (console.admins). Ask one of them.');
  }
  const show = ({ id, kind, value, reason, until, by, byName, at, entry }: Lock): LockRow => ({
    id,
    kind,
    value,
    reason,
    ...(until === undefined ? {} : { until }),
    by,
    byName,
    at,
    entry,
  });
  return [
    route({
      method: 'GET',
      path: '/api/locks',
      summary: 'Locks that stand, newest first; for viewers and admins.',
      answer: z.strictObject({ items: z.array(lockRow) }),
      run(principal) {
        if (!access.seesAll(principal))
          throw new Refused('access.viewers', 'Locks are for viewers and administrators. Ask one of them.');
        return { items: locks.list().map(show) };
      },
    }),
    route({
      method: 'POST',
      path: '/api/locks',
      summary:
        'Ends the live sessions of a principal, of an owner’s agents, of a group or at a target, and refuses new ones.',
      status: 201,
      body: lockBody,
      answer: z.strictObject({ lock: lockRow, ended: z.int() }),
      async run(principal, { body: { seconds, ...wish } }) {
        admin(principal);
        const forMs = seconds === undefined ? {} : { forMs: seconds * 1_000 };
        const { lock, ended } = await locks.set({ ...wish, ...forMs }, principal);
        return { lock: show(lock), ended };
      },
    }),
    route({
      method: 'POST',
      path: '/api/locks/:id/lift',
      summary: 'Lifts a lock.',
      params: sessionPath,
      body: z.strictObject({ reason: z.string().trim().max(500).default('') }),
      answer: lockRow,
      async run(principal, { params: { id }, body }) {
        admin(principal);
        const lock = await locks.lift(id, principal, body.reason);
        if (!lock)
          throw new Refused(
            'lock.unknown',
            'There is no such lock: it was lifted, or its time is over. Reload the list.',
          );
        return show(lock);
      },
    }),
  ];
}
