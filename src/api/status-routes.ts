// Routes about the gateway itself: who am I, how much happens, how the ledger stands, what can be reached.
import { principalId } from '../domain/principal.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Retention } from '../retention/retention.ts';
import type { Reads } from '../store/reads.ts';
import type { Access } from './access.ts';
import type { Inbox } from './approval-routes.ts';
import type { LedgerStatus, ObjectsStatus, TargetRow } from './contract.ts';
import { Refused } from './problem.ts';
import { type Route, route } from './route.ts';
import * as schemas from './schemas.ts';

export interface StatusParts {
  readonly access: Access;
  readonly ledger: Pick<Ledger, 'origin' | 'vkey' | 'status'>;
  readonly inbox: Pick<Inbox, 'list'>;
  readonly store: Pick<Reads, 'counters'>;
  /** How the ledger's disk and its witnesses stand. */
  health?(): Pick<LedgerStatus, 'disk' | 'witnesses'>;
  /** How the second place of the record stands; absent without one. */
  objects?(): ObjectsStatus;
  readonly targets: readonly TargetRow[];
  readonly retention: Pick<Retention, 'summary'>;
  live(): number;
  now(): number;
}

const hour = 3_600_000;

export function statusRoutes(parts: StatusParts): Route[] {
  const ledger = async (): Promise<LedgerStatus> => {
    const { origin, vkey } = parts.ledger;
    const objects = parts.objects?.();
    return {
      origin,
      vkey,
      retention: await parts.retention.summary(),
      ...parts.ledger.status(),
      ...parts.health?.(),
      ...(objects ? { objects } : {}),
    };
  };
  return [
    route({
      method: 'GET',
      path: '/api/me',
      summary: 'The signed-in principal.',
      answer: schemas.me,
      run: (principal) => ({
        id: principalId(principal),
        name: principal.name,
        kind: principal.kind,
        groups: [...principal.groups],
        mayKill: parts.access.mayKill(principal),
      }),
    }),
    route({
      method: 'GET',
      path: '/api/overview',
      summary: 'Counts of now and of the last hour; for people, and services of a viewer group.',
      answer: schemas.overview,
      async run(principal) {
        if (principal.kind !== 'human' && !parts.access.seesAll(principal)) {
          throw new Refused(
            'access.viewers',
            'The overview is for people and members of a viewer group. Look at /api/sessions for your own sessions.',
          );
        }
        const { statements, denials, maskedCells } = await parts.store.counters(parts.now() - hour);
        return {
          live: parts.live(),
          held: parts.inbox.list().filter((row) => row.state === 'pending').length,
          statementsLastHour: statements,
          denialsLastHour: denials,
          maskedCellsLastHour: maskedCells,
          ledger: await ledger(),
        };
      },
    }),
    route({
      method: 'GET',
      path: '/api/ledger',
      summary: 'How the ledger stands, and the key to verify it with.',
      answer: schemas.ledgerStatus,
      run: ledger,
    }),
    route({
      method: 'GET',
      path: '/api/targets',
      summary: 'Configured targets.',
      answer: schemas.page(schemas.targetRow),
      run: () => ({ items: [...parts.targets] }),
    }),
  ];
}
