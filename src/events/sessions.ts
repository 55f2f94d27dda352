// What an event must know of what stood before it: who opened the session and where to, and what its open statements do. A
// function of the entries from `since` on, so that whoever goes on after a crash arrives at the same events (test:
// event.test.ts, "from the middle").
import type { JournalItem } from '../ledger/read-journal.ts';
import { fields, type Fields, list, strings, text } from './ocsf.ts';

export interface OpenSession {
  /** Leaf index of its `session.open`. */
  readonly index: number;
  readonly opened: number;
  /** OCSF objects. */
  readonly user: Fields;
  readonly agent?: Fields;
  readonly idp?: Fields;
  readonly owner?: string;
  readonly delegation: readonly string[];
  readonly claimed: Fields;
  readonly protocol: string;
  readonly target: string;
  readonly database: string;
  /** Statements that were decided and have no outcome yet. */
  readonly statements: Map<number, OpenStatement>;
}

export interface OpenStatement {
  /** Leaf index and time of its first decision. */
  readonly decision: number;
  readonly at: number;
  readonly activity: number;
  readonly kind: string;
  readonly held: boolean;
  readonly trace?: string;
}

export interface Sessions {
  of(session: string | undefined): OpenSession | undefined;
  open(session: string, item: JournalItem): OpenSession;
  close(session: string): void;
  /** The lowest index from which everything that is open now can be known again; `next` when nothing is open. */
  since(next: number): number;
}

export function openSessions(): Sessions {
  // In the order of their opening: the first is the oldest.
  const open = new Map<string, OpenSession>();
  return {
    of: (session) => (session === undefined ? undefined : open.get(session)),
    open(session, item) {
      const one = sessionOf(item);
      open.set(session, one);
      return one;
    },
    close: (session) => void open.delete(session),
    since: (next) => open.values().next().value?.index ?? next,
  };
}

/** Most statements of one session that wait for their outcome; a pipeline cannot hold more open. */
export const mostOpen = 10_000;

function sessionOf({ entry, index, payload }: JournalItem): OpenSession {
  const gone = payload === 'shredded';
  const who = gone || payload === undefined ? {} : fields(payload.who);
  const principal = typeof who.principal === 'object' ? fields(who.principal) : who;
  const issuer = text(principal.issuer);
  const subject = text(principal.subject);
  const kind = text(principal.kind) ?? text(entry.x.kind) ?? 'agent';
  const uid = subject === undefined ? '(erased)' : `${issuer ?? ''}|${subject}`;
  const name = text(principal.name) ?? uid;
  const groups = strings(principal.groups).map((group) => ({ name: group }));
  const email = text(principal.email);
  const isPerson = kind === 'human';
  return {
    index,
    opened: entry.ts,
    user: {
      uid,
      name,
      type_id: isPerson ? 1 : 4,
      type: isPerson ? 'User' : 'Service',
      ...(groups.length > 0 ? { groups } : {}),
      ...(email === undefined ? {} : { email_addr: email }),
    },
    ...(kind === 'agent' ? { agent: { uid, name } } : {}),
    ...(issuer === undefined ? {} : { idp: { uid: issuer } }),
    owner: text(principal.owner),
    delegation: list(principal.delegation).map((actor) => {
      const { issuer: by, subject: whom } = fields(actor);
      return `${text(by) ?? issuer ?? ''}|${text(whom) ?? ''}`;
    }),
    claimed: fields(who.claimed),
    protocol: text(entry.x.protocol) ?? 'postgres',
    target: text(entry.x.target) ?? '',
    database: text(entry.x.database) ?? '',
    statements: new Map(),
  };
}

/** Who acts, as an OCSF actor. */
export function actorOf(session: OpenSession | undefined, id: string | undefined): Fields {
  const held = id === undefined ? {} : { session: { uid: id, ...(session ? { created_time: session.opened } : {}) } };
  if (!session) return { app_name: 'countersign', ...held };
  return {
    user: session.user,
    ...(session.agent ? { app_uid: session.agent.uid, app_name: session.agent.name } : {}),
    ...(session.idp ? { idp: session.idp } : {}),
    ...held,
  };
}

/** Where from, as the gateway saw it: `address:port`, IPv6 without brackets too, or an address alone. */
export function sourceOf(remote: string | undefined): Fields {
  if (remote === undefined) return { name: 'unknown' };
  const at = remote.lastIndexOf(':');
  const [address, port] = [remote.slice(0, at), remote.slice(at + 1)];
  if (isAddress(address) && /^\d{1,5}$/.test(port)) return { ip: address, port: Number(port) };
  return isAddress(remote) ? { ip: remote } : { name: remote.slice(0, 255) || 'unknown' };
}

function isAddress(text: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(text) || /^(?=.*:.*:)[0-9a-f:]{2,39}(\d{1,3}(\.\d{1,3}){3})?$/i.test(text);
}

/** Where to. */
export function targetOf(session: OpenSession | undefined): Fields {
  return { name: session?.target || 'unknown', svc_name: session?.protocol || 'unknown' };
}

/** What stands beside the OCSF actor: who answers for it, and on whose behalf. */
export function behind(session: OpenSession | undefined): Fields {
  if (!session) return {};
  const { delegation, owner } = session;
  const claimed = Object.fromEntries(
    Object.entries(session.claimed).filter(([key, value]) => key !== 'address' && typeof value === 'string'),
  );
  return {
    ...(owner === undefined ? {} : { owner }),
    ...(delegation.length > 0 ? { delegation: [...delegation] } : {}),
    ...(Object.keys(claimed).length > 0 ? { claimed } : {}),
  };
}
