// The looks that the configuration asks for, over connections like those of the catalogues.
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { openOwnConnection, ownLink } from '../protocols/postgres/own-connection.ts';
import type { Backend } from '../protocols/protocol.ts';
import type { OpenGateway } from '../session/gateway.ts';
import { reachedDraft } from '../session/records.ts';
import type { TargetEntry } from '../session/target-link.ts';
import { dialTarget } from '../targets/dial.ts';
import type { OwnConnections } from './joining.ts';
import { type Looking, openLooking } from './looking.ts';

export interface LookingParts {
  readonly ledger: Pick<Ledger, 'append'>;
  readonly gateway: Pick<OpenGateway, 'sessions'>;
  readonly own: OwnConnections;
  readonly targets: ReadonlyMap<string, TargetEntry>;
  readonly log: Logger;
}

export function startLooking(config: Config, { ledger, gateway, own, targets, log }: LookingParts): Looking {
  return openLooking({
    ledger,
    now: Date.now,
    targets: config.targets.flatMap(({ name, credential, databases, reconcile }) =>
      reconcile
        ? [
            {
              name,
              role: credential.user,
              databases,
              expected: reconcile.expected,
              everyMs: reconcile.everyMinutes * 60_000,
            },
          ]
        : [],
    ),
    connect(name) {
      const { target, credential, tls } = targets.get(name)!;
      const { database } = target;
      const reached = async (backend: Backend) =>
        ledger.append(reachedDraft(backend, { target: name, database }, undefined), 'written').durable;
      return openOwnConnection(async () => ownLink(await dialTarget(target), credential, tls), { database, reached });
    },
    ours(name) {
      const sessions = gateway.sessions().filter((session) => session.target === name);
      const all = [...sessions.map(({ servedBy }) => servedBy), ...own.of(name)];
      return new Map(
        all.flatMap((one) => (one?.pid === undefined ? [] : [[one.pid, portOf(one)] as [number, number | undefined]])),
      );
    },
    found: (target, foreign) =>
      log.error({ target, sessions: foreign.length }, 'sessions at the target did not come through this gateway'),
    failed: (target, cause) =>
      log.warn({ target, code: (cause as { code?: unknown }).code }, 'the target could not be looked at'),
  });
}

function portOf({ local }: Backend): number | undefined {
  const port = /:(\d{1,5})$/.exec(local ?? '')?.[1];
  return port === undefined ? undefined : Number(port);
}
