// Routes about how long content lives, and who wraps its keys. Acts need an admin group, and are entries before they take effect.
import type { Principal } from '../domain/principal.ts';
import type { RewrapReport } from '../ledger/keys-rewrapping.ts';
import type { Retention } from '../retention/retention.ts';
import type { StoredHold } from '../store/reads-retention.ts';
import type { Access } from './access.ts';
import type { HoldRow, KeysStatus, RetentionPlan } from './contract.ts';
import { Refused } from './problem.ts';
import { type Route, route } from './route.ts';
import * as schemas from './retention-schemas.ts';

export interface RetentionParts {
  readonly retention: Retention;
  /** Moves wrapped keys to the provider that wraps now; goes on by itself. */
  rewrap(
    wish: { readonly all: boolean; readonly fresh: boolean },
    by: Principal,
    told: (progress: { readonly keys: number; readonly of: number }) => void,
  ): Promise<RewrapReport>;
}

/** Sessions of one rule that a plan lists. */
const mostListed = 1_000;

export function retentionRoutes({ access, retention, rewrap }: RetentionParts & { readonly access: Access }): Route[] {
  let moving: KeysStatus = { state: 'idle' };

  function mayAct(principal: Principal): void {
    if (!access.mayKill(principal))
      throw new Refused('access.admins', 'Only members of an admin group do that. Ask one of them.');
  }

  function maySee(principal: Principal): void {
    if (!access.seesAll(principal))
      throw new Refused('access.viewers', 'This is for members of a viewer or admin group. Ask one of them.');
  }

  return [
    route({
      method: 'GET',
      path: '/api/retention/plan',
      summary: 'What would be shredded now, under which rule, and what is due and held.',
      answer: schemas.plan,
      async run(principal): Promise<RetentionPlan> {
        maySee(principal);
        const { due, process, held, heldSessions, heldDays } = await retention.plan();
        return {
          due: due.map(({ rule, sessions }) => ({
            rule: rule.id,
            days: rule.days,
            recordings: rule.recordings,
            count: sessions.length,
            sessions: sessions
              .slice(0, mostListed)
              .map(({ id, target, closed, labels }) => ({ id, target, closed, labels })),
          })),
          days: process.length,
          held: held.map((one) => ({ ...one })),
          heldSessions,
          heldDays,
        };
      },
    }),
    route({
      method: 'POST',
      path: '/api/retention/shred',
      summary: 'Shreds what is due now; needs an admin group.',
      body: schemas.nothingAsked,
      answer: schemas.shredReport,
      async run(principal) {
        mayAct(principal);
        return retention.shred(principal);
      },
    }),
    route({
      method: 'GET',
      path: '/api/retention/holds',
      summary: 'Legal holds, those that are over too, newest first.',
      answer: schemas.holds,
      async run(principal): Promise<{ items: HoldRow[] }> {
        maySee(principal);
        return { items: (await retention.holds()).map(shown) };
      },
    }),
    route({
      method: 'POST',
      path: '/api/retention/holds',
      summary: 'Keeps what fits, whatever the rules say; needs an admin group.',
      body: schemas.holdBody,
      answer: schemas.hold,
      async run(principal, { body: { reason, ...scope } }): Promise<HoldRow> {
        mayAct(principal);
        if (Object.values(scope).every((part) => part === undefined))
          throw new Refused('request.invalid', 'Name a session, a principal, a target or a time.');
        return shown(await retention.hold(scope, reason.toWellFormed(), principal));
      },
    }),
    route({
      method: 'POST',
      path: '/api/retention/holds/:id/release',
      summary: 'Ends a hold; needs an admin group.',
      params: schemas.holdPath,
      body: schemas.releaseBody,
      answer: schemas.nothing,
      async run(principal, { params: { id }, body: { reason } }) {
        mayAct(principal);
        if (await retention.release(id, reason.toWellFormed(), principal)) return {};
        throw new Refused('hold.unknown', 'There is no such hold in force. Reload the list.');
      },
    }),
    route({
      method: 'GET',
      path: '/api/keys',
      summary: 'How the moving of wrapped keys stands.',
      answer: schemas.keys,
      run(principal): KeysStatus {
        maySee(principal);
        return moving;
      },
    }),
    route({
      method: 'POST',
      path: '/api/keys/rewrap',
      summary: 'Wraps keys by the provider that is configured now; needs an admin group.',
      status: 202,
      body: schemas.rewrapBody,
      answer: schemas.keys,
      run(principal, { body }): KeysStatus {
        mayAct(principal);
        if (moving.state === 'running') return moving;
        moving = { state: 'running', keys: 0, of: 0 };
        rewrap(body, principal, (progress) => (moving = { state: 'running', ...progress })).then(
          (report) => (moving = { state: 'done', ...report }),
          (error: Error) => (moving = { state: 'failed', why: error.message }),
        );
        return moving;
      },
    }),
  ];
}

function shown(hold: StoredHold): HoldRow {
  const { id, at, entry, session, principal, target, from, to, reason, by, released } = hold;
  return { id, at, entry, session, principal, target, from, to, reason, by, released };
}
