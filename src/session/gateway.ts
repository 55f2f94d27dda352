// What protocols see of the gateway: a verified principal and a configured target, or no session (DESIGN §3, ADR 0008).
import { randomBytes } from 'node:crypto';
import type { Approvals } from '../approvals/inbox.ts';
import type { Json } from '../domain/entry.ts';
import { Fault } from '../domain/fault.ts';
import type { Link, PeerCertificate } from '../domain/link.ts';
import { type Claimed, type Principal, principalId } from '../domain/principal.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Orphan } from '../ledger/open-sessions.ts';
import type { SessionKey } from '../ledger/session-key.ts';
import type { Meaning } from '../domain/statement.ts';
import { isUnattended } from '../policy/check.ts';
import type { Backend, Credential, Gateway, Session, Wish } from '../protocols/protocol.ts';
import type { Spent } from './budget.ts';
import { openCancels } from './cancels.ts';
import type { Locks } from './locks.ts';
import type { PolicyHolder } from './policy-holder.ts';
import { openDraft } from './records.ts';
import { openRefusals } from './refusals.ts';
import { type OpenSession, openSession, type SessionOptions } from './session.ts';
import type { TargetEntry } from './target-link.ts';

export interface GatewayOptions {
  readonly ledger: Pick<Ledger, 'append' | 'newKey' | 'reached'>;
  /** Starts the recording of a session. */
  openRecorder(session: string, key: SessionKey): SessionOptions['recorder'];
  readonly policy: PolicyHolder;
  readonly approvals: Approvals;
  readonly identity: {
    verify(token: string): Promise<Principal>;
    /** Absent where no certificate is accepted. Throws a Fault `sign-in.*`. */
    verifyCertificate?(certificate: PeerCertificate): Principal;
  };
  readonly targets: ReadonlyMap<string, TargetEntry>;
  /** Who has no sessions for now. */
  readonly locks?: Pick<Locks, 'against' | 'onSet'>;
  /** Keeps the labels of what a permitted statement will copy; without it such a statement is not let through. */
  carry?(
    place: { readonly target: string; readonly database: string },
    carries: NonNullable<Meaning['carries']>,
    by: { readonly session: string; readonly entry: number },
  ): Promise<void>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly mostSessions?: number;
  readonly mostSessionsPerPrincipal?: number;
  /** Milliseconds after which a session ends, whatever it does. */
  readonly sessionMs?: number;
  /** Why no statement may be let through now, and why no session may begin. */
  readonly obstacle?: SessionOptions['obstacle'];
  readonly mayBegin?: () => Fault | undefined;
  /** What a session may ask about labelled columns. */
  readonly budget?: SessionOptions['budget'];
  /** How long a stopping gateway lets protocols say goodbye, in milliseconds. */
  readonly goodbyeMs?: number;
}

export interface LiveSession {
  readonly id: string;
  readonly principal: Principal;
  readonly claimed: Claimed;
  readonly target: string;
  readonly database: string;
  /** Milliseconds since the epoch. */
  readonly opened: number;
  readonly statements: number;
  /** Statements that wait for people now. */
  readonly waiting: number;
  readonly servedBy: Backend | undefined;
  /** What was asked about labelled columns, by label. */
  readonly spent: readonly Spent[];
}

export interface OpenGateway extends Gateway {
  sessions(): LiveSession[];
  /** Ends a live session now and records who did it; false when there is none. Rejects when the record failed: the session has ended all the same. */
  kill(id: string, by: Principal, reason: string): Promise<boolean>;
  /** Ends the live sessions with a fault; resolves when their records have ended. */
  endAll(fault: Fault): Promise<void>;
  /** Refuses new sessions and ends the live ones; resolves when their records have ended. */
  stop(reason: string): Promise<void>;
}

export function openGateway(options: GatewayOptions): OpenGateway {
  const { ledger, targets, carry, now = Date.now, mostSessions = 5_000, mostSessionsPerPrincipal = 500 } = options;
  const live = new Map<string, OpenSession>();
  const perPrincipal = new Map<string, number>();
  const refusals = openRefusals(ledger, now);
  const cancels = openCancels();
  let stopping: Fault | undefined;

  async function verified(credential: Credential, link: Link): Promise<Principal> {
    if (!credential)
      throw new Fault(
        'sign-in.missing',
        'A token is needed. Send an OpenID Connect token of a configured issuer as the password.',
      );
    if (typeof credential === 'string') return options.identity.verify(credential);
    if (link.certificateRefused !== undefined) throw refusedCertificate(link.certificateRefused);
    if (!link.certificate)
      throw new Fault(
        'sign-in.missing',
        'A client certificate is needed. Connect with TLS and a certificate of an authority that is accepted here.',
      );
    if (!options.identity.verifyCertificate)
      throw new Fault('sign-in.issuer', 'No client certificate is accepted here. Ask the operator how to sign in.');
    return options.identity.verifyCertificate(link.certificate);
  }

  async function signIn(credential: Credential, wish: Wish, link: Link): Promise<Session> {
    let principal: Principal | undefined;
    try {
      if (stopping) throw stopping;
      const full = options.mayBegin?.();
      if (full) throw full;
      principal = await verified(credential, link);
      if (stopping) throw stopping;
      const session = await open(principal, wish);
      link.signedIn?.();
      return session;
    } catch (error) {
      const fault =
        error instanceof Fault ? error : new Fault('gateway.internal', 'The gateway failed. Tell an operator.', error);
      refusals.record(fault, wish, principal, link.remote);
      throw fault;
    }
  }

  async function open(principal: Principal, wish: Wish): Promise<Session> {
    const entry = targets.get(wish.target);
    const database = wish.database ?? entry?.target.database ?? '';
    if (!entry || !(entry.databases ?? [entry.target.database]).includes(database)) {
      throw new Fault(
        'target.unknown',
        'There is no such target, or it has no such database. Name one as target or target/database.',
      );
    }
    const locked = options.locks?.against(principal, wish.target);
    if (locked) throw locked;
    const { expiresAt } = principal.credential;
    if (expiresAt !== undefined && expiresAt * 1_000 <= now())
      throw new Fault('sign-in.expired', 'The credential has expired. Get a fresh one.');
    const who = principalId(principal);
    if (live.size >= mostSessions)
      throw new Fault(
        'client.limit',
        `At most ${mostSessions} sessions are open at once. Close some and connect again.`,
      );
    if ((perPrincipal.get(who) ?? 0) >= mostSessionsPerPrincipal) {
      throw new Fault(
        'client.limit',
        `At most ${mostSessionsPerPrincipal} sessions of one principal are open at once. Close some and connect again.`,
      );
    }
    const id = randomBytes(12).toString('hex');
    const key = ledger.newKey();
    const { version } = options.policy.current;
    const draft = openDraft(
      id,
      principal,
      wish.claimed,
      wish.target,
      database,
      version,
      entry.labels,
      entry.target.recording,
    );
    const opened = ledger.append(
      { ...draft, facts: { ...draft.facts, protocol: entry.target.protocol } },
      entry.target.ack.read,
      key,
    );
    const session = openSession({
      id,
      principal,
      claimed: wish.claimed,
      entry,
      database,
      unattended: isUnattended(principal),
      ledger,
      key,
      recorder: options.openRecorder(id, key),
      policy: options.policy,
      approvals: options.approvals,
      async carry(carries, decision) {
        if (!carry) throw new Fault('gateway.internal', 'Labels of what is copied have no place here.');
        await carry({ target: wish.target, database }, carries, { session: id, entry: decision });
      },
      obstacle: options.obstacle,
      sessionMs: options.sessionMs,
      budget: options.budget,
      now,
      closed: () => {
        live.delete(id);
        const left = perPrincipal.get(who)! - 1;
        if (left > 0) perPrincipal.set(who, left);
        else perPrincipal.delete(who);
      },
    });
    live.set(id, session);
    perPrincipal.set(who, (perPrincipal.get(who) ?? 0) + 1);
    try {
      await opened.durable;
    } catch (error) {
      await session.close('its opening could not be recorded');
      throw error;
    }
    return session;
  }

  async function endSessions(fault: Fault, cause: string): Promise<void> {
    const ending = [...live.values()];
    for (const session of ending) session.endWith(fault);
    const deadline = Date.now() + (options.goodbyeMs ?? 2_000);
    const left = () => ending.filter((session) => live.has(session.id));
    while (left().length > 0 && Date.now() < deadline) await new Promise((done) => setTimeout(done, 10));
    await Promise.all(left().map((session) => session.close(cause)));
  }

  options.locks?.onSet((match, fault) => {
    const ending = [...live.values()].filter((session) => match(session.principal, session.target.name));
    for (const session of ending) session.endWith(fault);
    return ending.length;
  });

  return {
    signIn,
    cancels,
    endAll: (fault) => endSessions(fault, 'the gateway could not record'),
    sessions: () =>
      [...live.values()].map((session) => ({
        id: session.id,
        principal: session.principal,
        claimed: session.claimed,
        target: session.target.name,
        database: session.database,
        opened: session.opened,
        ...session.counts(),
        servedBy: session.servedBy(),
        spent: session.spent(),
      })),
    async kill(id, by, reason) {
      const session = live.get(id);
      if (!session) return false;
      const why = reason.slice(0, 500).toWellFormed();
      try {
        const payload = { admin: { by: principalId(by), byName: by.name, reason: why } };
        const recorded = ledger.append({ type: 'session.kill', facts: { session: id }, payload }, 'synced').durable;
        // In the same turn as the entry: whoever is killed sends nothing more while the disk works.
        session.endWith(
          new Fault('session.killed', `The session was ended by an administrator: ${why || 'no reason was given'}`),
        );
        await recorded;
      } finally {
        session.endWith(new Fault('session.killed', 'The session was ended by an administrator.'));
      }
      return true;
    },
    async stop(reason) {
      stopping ??= new Fault('gateway.stopping', `The gateway is stopping: ${reason}. Connect again in a moment.`);
      await endSessions(stopping, 'the gateway stopped');
    },
  };
}

/** What OpenSSL said of a certificate, in words of ours. */
function refusedCertificate(reason: string): Fault {
  if (reason === 'CERT_HAS_EXPIRED')
    return new Fault(
      'sign-in.expired',
      'The client certificate, or one above it, has expired. Get a fresh one and connect again.',
    );
  if (reason === 'CERT_NOT_YET_VALID')
    return new Fault(
      'sign-in.expired',
      'The client certificate is not valid yet. Wait, or check the clocks of this gateway and of its authority.',
    );
  return new Fault(
    'sign-in.invalid',
    'The client certificate does not verify. Use one for clients, of an authority that is accepted here, and send the certificates between the two.',
    { code: reason },
  );
}

/**
 * States the end of sessions that an earlier life of the gateway left open, with what is left of their recordings. Resolves when
 * that is durable.
 */
export async function recordOrphans(
  ledger: Pick<Ledger, 'append'>,
  orphans: readonly Orphan[],
  recordingOf?: (session: string) => Promise<Json>,
): Promise<void> {
  const cause = 'the gateway ended before the session did';
  const written: Promise<void>[] = [];
  for (const { session, sequence } of orphans) {
    const recording = await recordingOf?.(session);
    written.push(
      ledger.append({ type: 'session.orphaned', session, facts: { n: sequence, cause, recording } }, 'synced').durable,
    );
  }
  await Promise.all(written);
}
