// Held statements and the people who answer. Request, vote and resolution are each a synced ledger entry before they take
// effect; what is pending lives in memory only, because its client waits on a connection of this very process (DESIGN §6).
import { randomBytes } from 'node:crypto';
import type { Json } from '../domain/entry.ts';
import { Fault } from '../domain/fault.ts';
import { meetsGrade } from '../domain/grade.ts';
import type { Holding } from '../domain/permit.ts';
import { type Principal, principalId } from '../domain/principal.ts';
import type { Statement } from '../domain/statement.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { SessionKey } from '../ledger/session-key.ts';
import {
  alreadyResolved,
  type Approval,
  ApprovalProblem,
  type ApprovalState,
  showApproval,
  tooWeak,
} from './approval.ts';
import type { ApproverKeys } from './approver-keys.ts';
import { type Answer, ballotOf, challengeOf, reasonOf } from './ballot.ts';
import { openBreaker } from './breaker.ts';
import { type ApprovalRequest, approvalRequest, type Question, requestDigest } from './request.ts';
import type { VoteSignature } from './signed-vote.ts';
import { objection, tally, type Vote, voteRecord } from './vote.ts';

export type { Approval } from './approval.ts';

export interface ApprovalsOptions {
  readonly ledger: Pick<Ledger, 'append'>;
  /** Milliseconds since the epoch. */
  now(): number;
  readonly timers: { set(callback: () => void, ms: number): unknown; clear(timer: unknown): void };
  /** Console address that people open; `/approvals/<id>` is appended. */
  readonly baseUrl: string;
  /** Whose signatures count; without it nobody can sign. */
  readonly keys?: Pick<ApproverKeys, 'verify'>;
  readonly mostPending?: number;
  readonly mostPendingPerPrincipal?: number;
  readonly mostResolved?: number;
}

export interface Asking extends Question {
  /** Seals the content of the entries, so that it is erased with the session's. */
  readonly key?: SessionKey;
  /** Resolves when the decision to hold is durable; the request is recorded after it. */
  readonly recorded: Promise<void>;
}

export interface Resolution {
  readonly state: Exclude<ApprovalState, 'pending'>;
  readonly votes: readonly Vote[];
  /** Leaf index of the resolution. */
  readonly entry: number;
}

export interface Approvals {
  newId(): string;
  /** Why this principal may not ask for this statement now; undefined when it may. */
  mayNotAsk(
    requester: Principal,
    target: string,
    database: string,
    statement: Statement,
  ): { reason: string; advice: string } | undefined;
  /** Puts a held statement to people and waits. `held` is told once the request is durable; aborting withdraws it. Rejects with a Fault when the ledger fails. */
  ask(asking: Asking, signal: AbortSignal, held?: (holding: Holding) => void): Promise<Resolution>;
  /** Records a vote, then lets it take effect. Throws ApprovalProblem. */
  vote(
    id: string,
    voter: Principal,
    vote: { answer: Answer; digest: string; reason?: string; signature?: VoteSignature },
  ): Promise<Approval>;
  /** What is signed for such a vote, and its SHA-256; undefined when there is no such request that is open. */
  ballot(
    id: string,
    answer: Answer,
    reason?: string,
  ): { readonly text: string; readonly challenge: Buffer } | undefined;
  /** Pending ones and the most recently resolved, newest first. */
  list(): Approval[];
  get(id: string): Approval | undefined;
  mayVote(id: string, principal: Principal): { readonly may: boolean; readonly because?: string };
  /** Drops what is remembered of the requests of sessions whose content was shredded. */
  forget(sessions: readonly string[]): void;
  /** Called with an id whenever that request changed; returns what takes the listener away. */
  onChange(listener: (id: string) => void): () => void;
}

interface Open {
  readonly request: ApprovalRequest;
  readonly digest: string;
  readonly key?: SessionKey;
  readonly created: number;
  readonly expires: number;
  readonly votes: Vote[];
  /** Votes whose entries are not durable yet; they bind their voter already. */
  readonly casting: Vote[];
  state: ApprovalState;
  resolved?: number;
  /** Someone is writing the resolution; the first one wins. */
  resolving: boolean;
  settle(resolution: Resolution): void;
  fail(error: unknown): void;
}

/** Opens an empty inbox over a ledger. */
export function openApprovals(options: ApprovalsOptions): Approvals {
  const { ledger, now, timers } = options;
  const { mostPending = 1_000, mostPendingPerPrincipal = 20, mostResolved = 1_000 } = options;
  const pending = new Map<string, Open>();
  const resolved = new Map<string, Open>();
  const breaker = openBreaker();
  const listeners = new Set<(id: string) => void>();
  // Counted from the turn of the asking: a burst must not pass the limit while the disk works.
  const asking = new Map<string, number>();
  let waiting = 0;

  const changed = (id: string) => {
    for (const listener of listeners) {
      try {
        listener(id);
      } catch {
        // A listener only shows; it cannot stop what was decided.
      }
    }
  };

  /** Appends the resolution, then lets it take effect; later causes find `resolving` set and do nothing. */
  async function resolve(open: Open, state: Resolution['state']): Promise<'done' | 'late' | 'failed'> {
    if (open.state !== 'pending' || open.resolving) return 'late';
    open.resolving = true;
    const { id } = open.request;
    try {
      const { index, durable } = ledger.append(
        {
          type: 'approval.resolution',
          facts: { id, digest: open.digest, state, session: open.request.session, of: open.request.sequence },
          payload: { approval: { id, digest: open.digest, state, votes: open.votes.map(voteRecord) } },
        },
        'synced',
        open.key,
      );
      await durable;
      finish(open, state);
      if (state === 'refused') breaker.refused(refusalKey(open.request), now());
      open.settle({ state, votes: [...open.votes], entry: index });
      return 'done';
    } catch (error) {
      finish(open, 'withdrawn');
      open.fail(error);
      return 'failed';
    } finally {
      changed(id);
    }
  }

  function finish(open: Open, state: Resolution['state']): void {
    open.state = state;
    open.resolved = now();
    pending.delete(open.request.id);
    resolved.set(open.request.id, open);
    for (const id of resolved.keys()) {
      if (resolved.size <= mostResolved) break;
      resolved.delete(id);
    }
  }

  function mayNotAsk(
    requester: Principal,
    target: string,
    database: string,
    statement: Statement,
  ): { reason: string; advice: string } | undefined {
    if (requester.kind !== 'human' && requester.owner === undefined) {
      return {
        reason:
          'It needs approval, and the token names no owner, so nobody can be sure not to approve their own agent.',
        advice: 'Ask an operator to map an owner claim for the issuer of this token.',
      };
    }
    const who = principalId(requester);
    if (breaker.isOpen(JSON.stringify([who, target, database, statement.digest()]), now())) {
      return {
        reason: 'The same statement was refused a short while ago.',
        advice: 'Do not ask again; do something else or talk to the people who refused it.',
      };
    }
    if (waiting >= mostPending || (asking.get(who) ?? 0) >= mostPendingPerPrincipal) {
      return {
        reason: 'Too many statements wait for approval already.',
        advice: 'Wait until some of them are answered, or withdraw them.',
      };
    }
    return undefined;
  }

  async function ask(of: Asking, signal: AbortSignal, held?: (holding: Holding) => void): Promise<Resolution> {
    const created = now();
    const expires = created + of.hold.ttlSeconds * 1_000;
    const request = approvalRequest(of, randomBytes(32).toString('base64url'), created, expires);
    const digest = requestDigest(request);
    const who = request.requester.principal;
    asking.set(who, (asking.get(who) ?? 0) + 1);
    waiting++;
    const { promise, resolve: settle, reject: fail } = Promise.withResolvers<Resolution>();
    const open: Open = {
      request,
      digest,
      key: of.key,
      created,
      expires,
      votes: [],
      casting: [],
      state: 'pending',
      resolving: false,
      settle,
      fail,
    };
    const withdraw = () => void resolve(open, 'withdrawn');
    let timer: unknown;
    try {
      await of.recorded;
      const { durable } = ledger.append(
        {
          type: 'approval.request',
          facts: {
            id: of.id,
            digest,
            session: of.session,
            of: of.sequence,
            group: of.hold.group,
            quorum: of.hold.quorum,
            grade: of.hold.grade,
            expires,
          },
          payload: { approval: { request: request as unknown as Json, digest } },
        },
        'synced',
        of.key,
      );
      await durable;
      pending.set(of.id, open);
      changed(of.id);
      timer = timers.set(() => void resolve(open, 'expired'), Math.max(0, expires - now()));
      signal.addEventListener('abort', withdraw, { once: true });
      if (signal.aborted) withdraw();
      else
        held?.({
          id: of.id,
          url: `${options.baseUrl.replace(/\/+$/, '')}/approvals/${of.id}`,
          group: of.hold.group,
          expires,
        });
      return await promise;
    } finally {
      timers.clear(timer);
      signal.removeEventListener('abort', withdraw);
      waiting--;
      const left = asking.get(who)! - 1;
      if (left > 0) asking.set(who, left);
      else asking.delete(who);
    }
  }

  async function vote(
    id: string,
    voter: Principal,
    cast: { answer: Answer; digest: string; reason?: string; signature?: VoteSignature },
  ): Promise<Approval> {
    const open = pending.get(id);
    if (!open) {
      if (resolved.has(id)) throw alreadyResolved(resolved.get(id)!.state);
      throw new ApprovalProblem('approval.unknown', 'There is no such request. Reload the list.');
    }
    const because = objection(open.request.requester, open.request.quorum.of, [...open.votes, ...open.casting], voter);
    if (because) throw new ApprovalProblem(because.code, because.message);
    if (open.resolving || now() >= open.expires) throw alreadyResolved(open.resolving ? undefined : 'expired');
    if (cast.digest !== open.digest)
      throw new ApprovalProblem(
        'approval.digest',
        'The digest is not that of this request. Reload it and read it again before you vote.',
      );
    const reason = reasonOf(cast.reason);
    const signed = cast.signature && verifySignature(open, voter, cast.answer, reason, cast.signature);
    const grade = signed?.grade ?? 'session';
    const demanded = open.request.quorum.grade ?? 'session';
    // A refusal stops something, so any hand may give it.
    if (cast.answer === 'grant' && !meetsGrade(grade, demanded)) throw tooWeak(demanded);
    const one: Vote = {
      voter: principalId(voter),
      voterName: voter.name,
      email: voter.email,
      answer: cast.answer,
      at: now(),
      reason,
      grade,
      ...(signed ? { signed } : {}),
    };
    open.casting.push(one);
    try {
      await ledger.append(
        {
          type: 'approval.vote',
          facts: {
            id,
            digest: open.digest,
            answer: one.answer,
            grade: one.grade,
            session: open.request.session,
            of: open.request.sequence,
          },
          payload: { approval: { id, digest: open.digest, ...voteRecord(one) } },
        },
        'synced',
        open.key,
      ).durable;
    } finally {
      open.casting.splice(open.casting.indexOf(one), 1);
    }
    // Recorded, but the request may have ended while the disk worked.
    if (open.state !== 'pending' || open.resolving || now() >= open.expires)
      throw alreadyResolved(open.state === 'pending' ? undefined : open.state);
    open.votes.push(one);
    changed(id);
    const result = tally(open.votes, open.request.quorum.n);
    if (result !== 'pending') {
      const ended = await resolve(open, result);
      if (ended === 'late') throw alreadyResolved();
      if (ended === 'failed') {
        throw new Fault(
          'ledger.unavailable',
          'The vote could not be recorded. Nothing was executed; tell an operator.',
        );
      }
    }
    return showApproval(open);
  }

  function verifySignature(
    open: Open,
    voter: Principal,
    answer: Answer,
    reason: string | undefined,
    signature: VoteSignature,
  ) {
    if (!options.keys)
      throw new ApprovalProblem('approval.signature', 'Nobody can sign here. Vote without a signature.');
    return options.keys.verify(voter, ballotOf(open.request, answer, reason), signature);
  }

  return {
    newId: () => randomBytes(12).toString('hex'),
    mayNotAsk,
    ask,
    vote,
    list: () => [...pending.values(), ...resolved.values()].sort((a, b) => b.created - a.created).map(showApproval),
    get: (id) => {
      const open = pending.get(id) ?? resolved.get(id);
      return open && showApproval(open);
    },
    mayVote(id, principal) {
      const open = pending.get(id);
      if (!open || open.resolving || now() >= open.expires)
        return { may: false, because: 'The request is no longer open.' };
      const because = objection(
        open.request.requester,
        open.request.quorum.of,
        [...open.votes, ...open.casting],
        principal,
      );
      return because ? { may: false, because: because.message } : { may: true };
    },
    ballot(id, answer, reason) {
      const open = pending.get(id);
      if (!open) return undefined;
      const ballot = ballotOf(open.request, answer, reason);
      return { text: ballot.toString(), challenge: challengeOf(ballot) };
    },
    forget(sessions) {
      const gone = new Set(sessions);
      for (const [id, open] of resolved) if (gone.has(open.request.session)) resolved.delete(id);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function refusalKey(request: ApprovalRequest): string {
  return JSON.stringify([
    request.requester.principal,
    request.target.name,
    request.target.database,
    request.action.digest,
  ]);
}
