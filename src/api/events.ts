// Live events (server-sent): what changed, to whom it may concern. Bounded for each client and in all; a client that is too slow
// is let go, comes back by itself, and reloads.
import type { ServerResponse } from 'node:http';
import { type Principal, principalId } from '../domain/principal.ts';
import type { Store } from '../store/store.ts';
import type { Access } from './access.ts';
import type { Inbox } from './approval-routes.ts';
import type { LiveEvent } from './contract.ts';
import { Refused } from './problem.ts';

export interface EventParts {
  readonly access: Access;
  readonly store: Pick<Store, 'session' | 'approval' | 'onChange'>;
  readonly inbox: Pick<Inbox, 'get' | 'onChange'>;
}

export interface Events {
  /** Refuses beyond the most clients; before anything is written. */
  admit(principal: Principal): void;
  /** Takes over a response. `signedIn` is asked before each send. */
  add(principal: Principal, response: ServerResponse, signedIn: () => boolean): void;
  close(): void;
}

export const eventLimits = {
  clients: 200,
  clientsPerPrincipal: 10,
  bufferedBytes: 256 * 1024,
  queued: 10_000,
  perFlush: 500,
};

/** What people wait for is told at once; what goes by in numbers is gathered. In milliseconds. */
const soonMs = 50;
const gatheredMs = 1_000;
const heartbeatMs = 15_000;

interface Client {
  readonly principal: Principal;
  readonly response: ServerResponse;
  readonly all: boolean;
  readonly signedIn: () => boolean;
}

export function openEvents({ access, store, inbox }: EventParts): Events {
  const clients = new Set<Client>();
  const soon = openQueue(soonMs);
  const gathered = openQueue(gatheredMs);
  /** Session → its principal, for clients that see only their own. */
  const owners = new Map<string, string>();

  function openQueue(ms: number) {
    const events = new Map<string, LiveEvent>();
    let timer: NodeJS.Timeout | undefined;
    const flush = () => {
      timer = undefined;
      const batch = [...events.entries()].slice(0, eventLimits.perFlush);
      for (const [key] of batch) events.delete(key);
      if (events.size > 0) timer = setTimeout(flush, ms);
      void send(batch.map(([, event]) => event));
    };
    return {
      put(key: string, event: LiveEvent): void {
        if (clients.size === 0) return;
        // A later event of the same thing says all that the earlier one did.
        if (!events.has(key) && events.size >= eventLimits.queued) events.delete(events.keys().next().value!);
        events.set(key, event);
        timer ??= setTimeout(flush, ms);
      },
      close: () => clearTimeout(timer),
    };
  }

  async function send(events: readonly LiveEvent[]): Promise<void> {
    for (const event of events) {
      const text = `data: ${JSON.stringify(event)}\n\n`;
      for (const client of clients) {
        if (client.all || (await concerns(client, event).catch(() => false))) write(client, text);
      }
    }
  }

  async function concerns(client: Client, event: LiveEvent): Promise<boolean> {
    if (event.kind === 'ledger') return true;
    if (event.kind === 'approval') {
      const row = inbox.get(event.id) ?? (await store.approval(event.id));
      return row !== undefined && access.seesApproval(client.principal, row);
    }
    const owner = await ownerOf(event.kind === 'session' ? event.id : event.session);
    return owner !== undefined && access.seesSession(client.principal, owner);
  }

  async function ownerOf(session: string): Promise<string | undefined> {
    const known = owners.get(session);
    if (known !== undefined) return known;
    const owner = (await store.session(session))?.principal;
    if (owner === undefined) return undefined;
    if (owners.size >= eventLimits.queued) owners.delete(owners.keys().next().value!);
    owners.set(session, owner);
    return owner;
  }

  function write(client: Client, text: string): void {
    const { response } = client;
    if (!client.signedIn() || response.writableLength > eventLimits.bufferedBytes) {
      clients.delete(client);
      response.destroy();
      return;
    }
    response.write(text);
  }

  const stops = [
    store.onChange(({ sessions, statements, approvals, next }) => {
      for (const id of sessions) soon.put(`session ${id}`, { kind: 'session', id });
      for (const id of approvals) soon.put(`approval ${id}`, { kind: 'approval', id });
      for (const [session, latest] of statements) {
        gathered.put(`statements ${session}`, { kind: 'statements', session, latest });
      }
      gathered.put('ledger', { kind: 'ledger', entries: next });
    }),
    inbox.onChange((id) => soon.put(`approval ${id}`, { kind: 'approval', id })),
  ];
  const heartbeat = setInterval(() => {
    for (const client of clients) write(client, ': still here\n\n');
  }, heartbeatMs);
  heartbeat.unref();

  return {
    admit(principal) {
      const id = principalId(principal);
      const own = [...clients].filter((client) => principalId(client.principal) === id).length;
      if (clients.size < eventLimits.clients && own < eventLimits.clientsPerPrincipal) return;
      throw new Refused(
        'request.limit',
        'Too many windows listen already. Close some; this one keeps asking by itself.',
      );
    },
    add(principal, response, signedIn) {
      const client: Client = { principal, response, all: access.seesAll(principal), signedIn };
      clients.add(client);
      response.on('close', () => clients.delete(client));
      response.on('error', () => clients.delete(client));
      response.write('retry: 2000\n\n');
    },
    close() {
      for (const stop of stops) stop();
      clearInterval(heartbeat);
      soon.close();
      gathered.close();
      for (const client of clients) client.response.destroy();
      clients.clear();
    },
  };
}
