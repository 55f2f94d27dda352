// One principal, one target, connect to close: record, decide, wait, record, permit (DESIGN §2, §3).
// Long because the order of these is to be read in one piece.
import { Fault } from '../domain/fault.ts';
import { meetsGrade } from '../domain/grade.ts';
import type { Denial, Permit } from '../domain/permit.ts';
import type { Claimed, Principal } from '../domain/principal.ts';
import { ruleInWords, type Unkept } from '../domain/recording-rule.ts';
import type { Meaning, Outcome, Statement, StatementKind } from '../domain/statement.ts';
import type { AckLevel } from '../domain/target.ts';
import type { Approvals, Resolution } from '../approvals/inbox.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { LevelFault } from '../ledger/replica.ts';
import type { SessionKey } from '../ledger/session-key.ts';
import type { View } from '../policy/policy.ts';
import type { Backend, Session, Wait } from '../protocols/protocol.ts';
import type { FrameKind } from '../recordings/frames.ts';
import type { Recorder } from '../recordings/recorder.ts';
import { type BudgetLimits, openBudget, type Spending, type Spent } from './budget.ts';
import { expiryOf, longestTimer } from './expiry.ts';
import { asFault, hasEnded } from './session-fault.ts';
import { endWords, withdrawn } from './hold-words.ts';
import { demandPermit, mintPermit, type Owner } from './permit.ts';
import type { PolicyHolder } from './policy-holder.ts';
import {
  counted,
  decisionDraft,
  lost,
  metaLine,
  outcomeDraft,
  prepareRecord,
  type Prepared,
  reachedDraft,
  recordingFacts,
  rulingDraft,
  rulingLevel,
  skipped,
} from './records.ts';
import { type GuardedTarget, guardTarget, type RawStream, type TargetEntry } from './target-link.ts';
import { unreachedDenial, unreachedRecord, whenReached } from './unreached.ts';

export interface SessionOptions {
  readonly id: string;
  readonly principal: Principal;
  readonly claimed: Claimed;
  readonly entry: TargetEntry;
  readonly database: string;
  readonly unattended: boolean;
  readonly ledger: Pick<Ledger, 'append' | 'reached'>;
  readonly key: SessionKey;
  readonly recorder: Pick<Recorder, 'write' | 'full' | 'drained' | 'seal' | 'fault'>;
  readonly policy: PolicyHolder;
  readonly approvals: Approvals;
  /** Resolves once the labels of what a permitted statement will copy are kept for good. */
  carry(carries: NonNullable<Meaning['carries']>, entry: number): Promise<void>;
  /** What may be asked about labelled columns. */
  readonly budget?: BudgetLimits | undefined;
  /** Why nothing new may be let through now; the session stays. */
  obstacle?(): LevelFault | undefined;
  /** Milliseconds after which it ends, whatever it does. */
  readonly sessionMs?: number;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Called once, when the session's record has ended. */
  closed(): void;
}

export interface OpenSession extends Session {
  readonly opened: number;
  readonly claimed: Claimed;
  /** Statements so far, and how many of them wait for people now. */
  counts(): { readonly statements: number; readonly waiting: number };
  /** The process of the target that serves it. */
  servedBy(): Backend | undefined;
  /** What was asked about labelled columns, by label. */
  spent(): readonly Spent[];
  /** Ends the session now: `ended` is aborted with the fault and nothing is sent any more. */
  endWith(fault: Fault): void;
}

/** Holds that were not granted stay in it. */
const mostTraced = 10_000;

const neverEnded = new AbortController().signal;

export function openSession(options: SessionOptions): OpenSession {
  const { id, principal, entry, database, ledger, key, recorder, approvals, now } = options;
  const { target } = entry;
  const owner: Owner = { id };
  const controller = new AbortController();
  const ended = controller.signal;
  /** The client has left: holds withdraw. */
  const leaving = new AbortController();
  const standpoint = { principal, target: target.name, database, unattended: options.unattended, labels: entry.labels };
  const opened = now();
  const expiry = expiryOf(principal, opened, options.sessionMs);
  const budget = openBudget(options.budget ?? { matches: 1_000, probes: 100 });
  const towards = { owner, credential: entry.credential, tls: entry.tls };
  const links = new Set<GuardedTarget>();
  /** Permits whose outcome has not been told yet. */
  const open = new Map<Permit, { readonly position: number; readonly level: AckLevel }>();
  /** Those whose rows are values that meet labelled columns. */
  const writing = new WeakMap<Permit, Spending>();
  const holds = new Set<Promise<unknown>>();
  /** Bytes recorded, and what the target's rule left out, for the seal. */
  const kept: Record<FrameKind, number> = { client: 0, target: 0, meta: 0 };
  const left = { rows: 0, bytes: { client: 0, target: 0 } };
  const rule = ruleInWords(target.recording ?? 'full');
  /** Statements that belong to a trace, and when they were decided. */
  const traced = new Map<number, number>();
  let sequence = 0;
  let connectedAt: AckLevel | undefined;
  let watched: Promise<void> | undefined;
  let heldBack = false;
  let closing: Promise<void> | undefined;
  let sealed = false;
  let lastDecision: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let stop: Parameters<Session['onCut']>[0] | undefined;
  /** When it was told to end, on a clock that is not set. */
  let cutAt: number | undefined;

  let view: View | undefined;
  let version = '';
  let prepared: Record<StatementKind, WeakMap<Meaning, Prepared>>;

  /** The decision with the constant parts of its record; a map look-up where policy and meaning are as before. */
  function judge(kind: StatementKind, meaning: Meaning, at: number): Prepared {
    const policy = options.policy.current;
    if (view === undefined || policy.version !== version) {
      view = policy.view(standpoint);
      version = policy.version;
      prepared = { connect: new WeakMap(), prepare: new WeakMap(), execute: new WeakMap(), cancel: new WeakMap() };
    }
    const decision = view.decide(kind, meaning, at);
    const before = prepared[kind].get(meaning);
    if (before && before.decision === decision) return before;
    const fresh = prepareRecord(decision, kind, meaning, target, version);
    prepared[kind].set(meaning, fresh);
    return fresh;
  }

  function endWith(fault: Fault): void {
    if (ended.aborted) return;
    clearTimeout(timer);
    cutAt = performance.now();
    const interrupt = stop?.();
    controller.abort(fault);
    // What runs would go on to its end and be kept: the target notices a lost client only when it answers (test: e2e/cut-off).
    interrupt?.(async () => guardTarget(await entry.dial(), { ...towards, ended: neverEnded, closed: () => {} })).catch(
      () => {},
    );
    // The protocol says goodbye first; then whatever it left open is closed for it.
    setImmediate(() => {
      for (const link of links) link.destroy();
    });
  }

  const expired = () => endWith(expiry.fault());
  function armExpiry(): void {
    if (expiry.at === Number.POSITIVE_INFINITY) return;
    const left = expiry.at - now();
    timer = setTimeout(left <= longestTimer ? expired : armExpiry, Math.max(0, Math.min(left, longestTimer)));
    timer.unref();
  }

  /** Anything that goes wrong while recording ends the session: what it did could not be shown. */
  function failed(error: unknown): Fault {
    const fault = asFault(error);
    if (fault.code !== 'client.limit') endWith(fault);
    return fault;
  }

  /** For entries that nothing waits for; one look at each group of them is enough. */
  function watch(durable: Promise<void>): void {
    if (durable === watched) return;
    watched = durable;
    durable.catch(failed);
  }

  function record(side: FrameKind, bytes: Uint8Array): void {
    if (closing) return;
    try {
      kept[side] += bytes.length;
      if (!recorder.write(side, now(), bytes) && !heldBack) void catchUp();
    } catch (error) {
      failed(error);
    }
  }

  function recordUnkept(of: Unkept): void {
    left.bytes[of.of === 'copy-in' ? 'client' : 'target'] += of.bytes - of.keptBytes;
    left.rows += of.rows - of.keptRows;
    record('meta', metaLine({ unkept: { ...of } }));
  }

  async function catchUp(): Promise<void> {
    heldBack = true;
    for (const link of links) link.holdBack(true);
    try {
      await recorder.drained();
    } catch (error) {
      failed(error);
    }
    heldBack = false;
    for (const link of links) link.holdBack(false);
  }

  function submit(statement: Statement, wait?: Wait): Promise<Permit | Denial> {
    const at = now();
    if (at >= expiry.at) expired();
    if (ended.aborted) return Promise.reject(ended.reason);
    if (closing) return Promise.reject(hasEnded());
    try {
      if (recorder.fault) throw recorder.fault;
      const spending = budget.weigh(statement);
      const of = counted(judge(statement.kind, spending.meaning, at), spending);
      const ruling = of.decision.ruling;
      const position = sequence + 1;
      const obstacle = options.obstacle?.();
      if (obstacle && ruling !== 'deny') return refuseNow(statement, of, position, obstacle);
      if (ruling === 'hold' && statement.kind !== 'prepare') return hold(statement, of, spending, position, wait);
      let appended: ReturnType<typeof appendDecision>;
      try {
        appended = appendDecision(statement, of, position);
      } catch (error) {
        if (!(error instanceof LevelFault)) throw error;
        return refuseNow(statement, of, position, error);
      }
      const { index, durable } = appended;
      if (ruling === 'deny') return durable.then(() => denial(index, of));
      spending.commit();
      return whenReached<Permit | Denial>(
        durable,
        () => permitted(index, position, of, statement, spending),
        (fault) => unreached(index, position, statement.kind, fault),
      );
    } catch (error) {
      return Promise.reject(failed(error));
    }
  }

  /** Nothing is wrong with the statement: its record cannot get where it must be, now. */
  function refuseNow(statement: Statement, of: Prepared, position: number, fault: LevelFault): Promise<Denial> {
    const { of: refused, facts } = unreachedRecord(of, fault);
    const { index, durable } = appendDecision(statement, refused, position, facts);
    return durable.then(() => unreachedDenial(index, fault));
  }

  function appendDecision(statement: Statement, of: Prepared, position: number, facts = of.facts) {
    const trace = statement.trace ?? options.claimed.trace;
    const all = trace === undefined ? facts : { ...facts, tr: trace };
    const appended = ledger.append(decisionDraft(id, position, of, statement, all), of.level, key);
    if (trace !== undefined && facts.d !== 'deny' && traced.size < mostTraced) traced.set(position, performance.now());
    // Numbers stay dense: one is used only when its entry stands.
    sequence = position;
    lastDecision = appended.durable;
    const { text, parameters } = statement;
    record('client', Buffer.from(`${JSON.stringify({ sequence: position, text, parameters })}\n`));
    return appended;
  }

  /** Labels follow what is copied before anything is (test: session/session "carried labels"). */
  function permitted(index: number, position: number, of: Prepared, { kind, meaning }: Statement, spending: Spending) {
    const now = () => permit(index, position, of, kind, spending);
    if (kind !== 'execute' || !meaning.carries) return now();
    return options.carry(meaning.carries, index).then(now, (error: unknown) => {
      if (!sealed) append(() => ledger.append(outcomeDraft(id, position, skipped), 'written', key).durable);
      throw failed(error);
    });
  }

  function permit(index: number, position: number, of: Prepared, kind: StatementKind, spending: Spending): Permit {
    if (ended.aborted || closing) {
      // Decided, but nothing will be sent: the record says so.
      if (!sealed && kind !== 'connect')
        append(() => ledger.append(outcomeDraft(id, position, skipped), 'written', key).durable);
      throw ended.aborted ? ended.reason : hasEnded();
    }
    const granted = mintPermit(owner, index, position, of.decision.ruling === 'deny' ? [] : of.decision.masks);
    // Measured at the moment from which on it may be sent.
    const level = ledger.reached(index);
    if (kind === 'connect') connectedAt = level;
    else open.set(granted, { position, level });
    if (spending.totals) writing.set(granted, spending);
    return granted;
  }

  /** It was permitted, but its record did not get where it must be in time. */
  function unreached(index: number, position: number, kind: StatementKind, fault: LevelFault): Denial {
    if (!sealed && kind !== 'connect')
      append(() => ledger.append(outcomeDraft(id, position, skipped), 'written', key).durable);
    return unreachedDenial(index, fault);
  }

  function denial(index: number, of: Prepared): Denial {
    if (of.decision.ruling !== 'deny') throw new Error('not a denial');
    const { reason, advice, next } = of.decision;
    const understood = !of.effects.some((effect) => effect.action === 'sql:unknown');
    return { granted: false, entry: index, reason, advice, next, cause: understood ? 'policy' : 'not-understood' };
  }

  /** A hold: recorded as such, put to people, judged again when they grant it, recorded again, and only then permitted. */
  function hold(
    statement: Statement,
    of: Prepared,
    spending: Spending,
    position: number,
    wait?: Wait,
  ): Promise<Permit | Denial> {
    if (of.decision.ruling !== 'hold') throw new Error('not a hold');
    const terms = of.decision;
    const refusal = approvals.mayNotAsk(principal, target.name, database, statement);
    if (refusal) {
      const facts = { ...of.facts, d: 'deny', cause: 'refused' };
      const what = { ...of.what, ...refusal };
      const { index, durable } = appendDecision(statement, { ...of, what }, position, facts);
      return durable.then(() => ({ granted: false, entry: index, ...refusal, next: 'final', cause: 'refused' }));
    }
    const approval = approvals.newId();
    const { durable } = appendDecision(statement, of, position, { ...of.facts, approval });
    const signal = AbortSignal.any(wait?.signal ? [wait.signal, ended, leaving.signal] : [ended, leaving.signal]);
    const work = (async () => {
      const asking = {
        recorded: durable,
        id: approval,
        session: id,
        sequence: position,
        key,
        requester: principal,
        target,
        database,
        statement,
        effects: of.effects,
        hold: terms,
        policyVersion: options.policy.current.version,
      };
      const resolution = await approvals.ask(asking, signal, (holding) => wait?.held?.(holding));
      const left = resolution.state === 'granted' && signal.aborted;
      return resolution.state === 'granted' && !left
        ? await grant(statement, of, spending, position, approval, signal)
        : await refuse(of, position, approval, resolution);
    })();
    holds.add(work);
    const done = () => holds.delete(work);
    work.then(done, (error) => {
      done();
      failed(error);
    });
    return work.catch((error) => {
      throw asFault(error);
    });
  }

  /** Granted: the policy of now must still let it happen, on terms no stricter than those that were met. */
  async function grant(
    statement: Statement,
    before: Prepared,
    spending: Spending,
    position: number,
    approval: string,
    signal: AbortSignal,
  ): Promise<Permit | Denial> {
    const of = counted(judge(statement.kind, spending.meaning, now()), spending);
    const { decision } = of;
    const met = before.decision;
    const stricter =
      decision.ruling === 'hold' &&
      met.ruling === 'hold' &&
      (decision.group !== met.group ||
        decision.quorum > met.quorum ||
        !meetsGrade(met.grade ?? 'session', decision.grade ?? 'session'));
    if (decision.ruling === 'deny' || stricter) {
      const reason =
        decision.ruling === 'deny'
          ? decision.reason
          : 'The policy changed while it waited, and now asks for more than was granted.';
      const advice = decision.ruling === 'deny' ? decision.advice : 'Send it again to ask under the new policy.';
      const { index, durable } = ledger.append(
        rulingDraft(id, position, 'deny', approval, of, { cause: 'policy', reason, advice }),
        rulingLevel('deny', of),
        key,
      );
      await durable;
      return {
        granted: false,
        entry: index,
        reason,
        advice,
        next: decision.ruling === 'deny' ? decision.next : 'ask',
        cause: 'policy',
      };
    }
    let appended: ReturnType<typeof ledger.append>;
    try {
      appended = ledger.append(rulingDraft(id, position, 'permit', approval, of), of.demanded, key);
    } catch (error) {
      if (!(error instanceof LevelFault)) throw error;
      const { reason, advice } = unreachedDenial(0, error);
      const refused = rulingDraft(id, position, 'deny', approval, of, { cause: 'unavailable', reason, advice });
      const { index, durable } = ledger.append(refused, rulingLevel('deny', of), key);
      await durable;
      return unreachedDenial(index, error);
    }
    const { index, durable } = appended;
    const late = await whenReached<Denial | undefined>(
      durable,
      () => undefined,
      (fault) => unreached(index, position, statement.kind, fault),
    );
    if (late) return late;
    // Whoever left meanwhile gets nothing, and the record says that nothing was sent.
    if (signal.aborted) {
      append(() => ledger.append(outcomeDraft(id, position, skipped), 'written', key).durable);
      return { granted: false, entry: index, ...withdrawn, next: 'ask', cause: 'withdrawn' };
    }
    spending.commit();
    return permitted(index, position, of, statement, spending);
  }

  async function refuse(of: Prepared, position: number, approval: string, resolution: Resolution): Promise<Denial> {
    const cause = resolution.state === 'granted' ? 'withdrawn' : resolution.state;
    const words = endWords(resolution, of.decision.ruling === 'hold' ? of.decision.group : 'the group');
    const { index, durable } = ledger.append(
      rulingDraft(id, position, 'deny', approval, of, { cause, ...words }),
      rulingLevel('deny', of),
      key,
    );
    await durable;
    return { granted: false, entry: index, ...words, next: cause === 'refused' ? 'final' : 'ask', cause };
  }

  async function dial(granted: Permit) {
    demandPermit(owner, granted);
    if (ended.aborted) throw ended.reason;
    let stream: RawStream;
    try {
      stream = await entry.dial();
    } catch (error) {
      throw error instanceof Fault
        ? error
        : new Fault('target.unreachable', `The target ${target.name} cannot be reached. Tell an operator.`, error);
    }
    if (ended.aborted) {
      stream.destroy();
      throw ended.reason;
    }
    const link: GuardedTarget = guardTarget(stream, {
      ...towards,
      ended,
      closed: () => links.delete(link),
    });
    links.add(link);
    if (heldBack) link.holdBack(true);
    return link;
  }

  let servedBy: Backend | undefined;
  async function reached(backend: Backend): Promise<void> {
    if (ended.aborted) throw ended.reason;
    servedBy = backend;
    try {
      await ledger.append(reachedDraft(backend, { target: target.name, database }, id), target.ack.read, key).durable;
    } catch (error) {
      throw failed(error);
    }
  }

  function settle(granted: Permit, outcome: Outcome): void {
    const permitted = open.get(granted);
    if (closing) return;
    if (permitted === undefined) throw new Error('settled twice, or without a permit of this session');
    open.delete(granted);
    writing.get(granted)?.wrote(outcome.rows);
    const since = traced.size > 0 ? traced.get(permitted.position) : undefined;
    const draft = outcomeDraft(id, permitted.position, outcome, permitted.level);
    if (since === undefined) return append(() => ledger.append(draft, 'written', key).durable);
    traced.delete(permitted.position);
    const us = Math.round((performance.now() - since) * 1_000);
    append(() => ledger.append({ ...draft, facts: { ...draft.facts, us } }, 'written', key).durable);
  }

  function append(write: () => Promise<void>): void {
    try {
      watch(write());
    } catch (error) {
      failed(error);
    }
  }

  async function close(cause: string): Promise<void> {
    return (closing ??= finish(cause));
  }

  async function finish(cause: string): Promise<void> {
    clearTimeout(timer);
    // Holds withdraw and have their rulings recorded before the seal counts.
    leaving.abort();
    await Promise.allSettled([...holds, lastDecision]);
    for (const link of links) link.destroy();
    for (const { position, level } of open.values()) {
      append(() => ledger.append(outcomeDraft(id, position, lost, level), 'written', key).durable);
    }
    open.clear();
    try {
      const sealedAs = await recorder.seal().catch(() => undefined);
      const recording = sealedAs && recordingFacts(sealedAs, rule, kept, left);
      sealed = true;
      // How long it took from being told to end to the last word, in milliseconds.
      const cut = cutAt === undefined ? {} : { cut: Math.round(performance.now() - cutAt) };
      const facts = { n: sequence, cause: cause.slice(0, 200).toWellFormed(), recording, l: connectedAt, ...cut };
      await ledger.append({ type: 'session.seal', session: id, facts }, 'written', key).durable;
    } catch {
      // The ledger has stopped: the next start finds the session without its seal and says so.
    } finally {
      options.closed();
    }
  }

  record('meta', metaLine({ rule }));
  armExpiry();
  return {
    id,
    principal,
    target,
    database,
    ended,
    opened,
    claimed: options.claimed,
    counts: () => ({ statements: sequence, waiting: holds.size }),
    spent: () => budget.spent(),
    submit,
    onCut(how) {
      stop = how;
    },
    preview: (meaning) => judge('execute', meaning, now()).decision.ruling,
    dial,
    reached,
    servedBy: () => servedBy,
    settle,
    record,
    recordUnkept,
    close,
    endWith,
  };
}
