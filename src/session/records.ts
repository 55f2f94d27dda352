// What a session's ledger entries say (docs/ledger-format.md). Facts stand in the clear; what could be personal is sealed.
//
//   session.open        facts target, database, kind, p, recording            who     principal, claimed; target labels
//   session.target      facts target, database, pid?, port?, version?, own?      target local?; own connections of the gateway have no session
//   statement.decision  facts d, k, r, e, p, a, s?, met?, approval?, tr?      what    text, parameters?, effects, results?, hold?, rules?, masks?, reason?, advice?, shadow?
//     The ruling that ends a hold is a second decision with the same `sq`: facts the same with approval, cause?; what reason, advice.
//   statement.outcome   facts status, code?, l?, tag?, rows, bytes, masked, us?; `sq` is the statement's
//   session.seal        facts n, cause, recording?, cut?, l?
//   session.orphaned    facts n
//   session.kill        facts session                              admin   by, reason
//
// tr is the trace that the client named (docs/tracing.md), us how long such a statement took, in microseconds.
// met is what the session has asked about labelled columns so far, this statement included: label, matches, probes.
// d is the ruling, k the kind, r rule ids, e the actions, p the first 16 hex digits of the policy version, a the ack level
// that was waited for, l the one reached when the permit was minted (of connect in the seal), n the last sequence number, s what shadow policies would have made of it: d and r. What decides stands in
// session.open (principal, target, labels) and in the decision (effects, results), so that it can be decided again (ADR 0021).
// Approvals name the statement as `of` in their facts (approvals/inbox.ts).
import type { Decision, Shadow } from '../domain/decision.ts';
import { changesState } from '../domain/effect.ts';
import type { Draft, Json } from '../domain/entry.ts';
import { type Claimed, type Principal, principalId } from '../domain/principal.ts';
import { type RecordingRule, ruleInWords } from '../domain/recording-rule.ts';
import type { Meaning, Outcome, Statement, StatementKind } from '../domain/statement.ts';
import type { AckLevel, Target } from '../domain/target.ts';
import type { Backend } from '../protocols/protocol.ts';
import { freezeAll } from '../ledger/canonical.ts';
import type { Label } from '../domain/label.ts';
import type { RecordingSeal } from '../ledger/verify-recordings.ts';
import type { EffectRow } from '../policy/explain.ts';
import { maskSummary } from '../policy/mask-summary.ts';
import { recordMeaning } from '../policy/recorded.ts';
import type { Spending } from './budget.ts';

/** The parts of a decision's record that are the same each time the same meaning gets the same decision. */
export interface Prepared {
  readonly decision: Decision;
  /** What this decision waits for, and what a permit of the same statement would. */
  readonly level: AckLevel;
  readonly demanded: AckLevel;
  readonly effects: readonly EffectRow[];
  readonly facts: Draft['facts'];
  readonly what: { readonly [key: string]: Json | undefined };
}

/** Facts stay short; the full list is in the payload. */
const mostRules = 32;

export function shortVersion(version: string): string {
  return version.replace(/^sha256:/, '').slice(0, 16);
}

/** Preparing a statement that would be held is permitted, and `deferred` says so: running it is what waits. */
export function prepareRecord(
  decision: Decision,
  kind: StatementKind,
  meaning: Meaning,
  target: Target,
  policyVersion: string,
): Prepared {
  // Frozen all the way down: `canonical` writes what is frozen once and remembers it.
  const { effects, results } = freezeAll(recordMeaning(meaning, target.name));
  const { shadow } = decision;
  const demanded = changesState(meaning.effects) ? target.ack.write : target.ack.read;
  const deferred = kind === 'prepare' && decision.ruling === 'hold';
  // What lets nothing act need not wait for another machine.
  const acts = deferred || decision.ruling === 'permit';
  const level = demanded === 'replicated' && !acts ? 'synced' : demanded;
  const masks = decision.ruling === 'deny' ? [] : maskSummary(decision.masks);
  return {
    decision,
    level,
    demanded,
    effects,
    facts: freezeAll({
      a: level,
      d: deferred ? 'permit' : decision.ruling,
      ...(deferred ? { deferred } : {}),
      e: [...new Set(meaning.effects.map((effect) => effect.action))],
      k: kind,
      p: shortVersion(policyVersion),
      r: decision.rules.slice(0, mostRules),
      ...(shadow ? { s: { d: shadow.ruling, r: shadow.rules.slice(0, mostRules) } } : {}),
    }),
    what: freezeAll({
      ...(decision.ruling === 'permit' ? {} : { advice: decision.advice }),
      effects: effects as unknown as Json,
      ...(decision.ruling === 'hold'
        ? { hold: { group: decision.group, quorum: decision.quorum, grade: decision.grade } }
        : {}),
      ...(masks.length > 0 ? { masks: masks as unknown as Json } : {}),
      ...(decision.ruling === 'deny' ? { reason: decision.reason } : {}),
      ...(results ? { results: results as unknown as Json } : {}),
      ...(decision.rules.length > mostRules ? { rules: [...decision.rules] } : {}),
      ...(shadow ? { shadow: shadowRecord(shadow) } : {}),
    }),
  };
}

function shadowRecord(shadow: Shadow): Json {
  const masks = shadow.ruling === 'deny' ? [] : maskSummary(shadow.masks);
  return {
    ...(shadow.ruling === 'permit' ? {} : { advice: shadow.advice }),
    ...(masks.length > 0 ? { masks: masks as unknown as Json } : {}),
    ...(shadow.ruling === 'deny' ? { reason: shadow.reason } : {}),
  };
}

/** The record of a statement that met labelled columns says what the session has asked so far. */
export function counted(of: Prepared, { totals }: Spending): Prepared {
  return totals ? { ...of, facts: { ...of.facts, met: totals as unknown as Json } } : of;
}

/** The first decision of a statement; it takes the sequence number. */
export function decisionDraft(
  session: string,
  sequence: number,
  prepared: Prepared,
  statement: Statement,
  facts: Draft['facts'] = prepared.facts,
): Draft {
  const { text, parameters } = statement;
  const what = parameters === undefined ? { ...prepared.what, text } : { ...prepared.what, parameters, text };
  return { type: 'statement.decision', session, sequence, facts, payload: { what } };
}

/** What the ruling that ends a hold waits for. */
export function rulingLevel(ruling: 'permit' | 'deny', { demanded }: Prepared): AckLevel {
  return ruling === 'deny' && demanded === 'replicated' ? 'synced' : demanded;
}

/** The ruling that ends a hold. */
export function rulingDraft(
  session: string,
  sequence: number,
  ruling: 'permit' | 'deny',
  approval: string,
  prepared: Prepared,
  denial?: { cause: string; reason: string; advice: string },
): Draft {
  const { p, e, k, met, r } = prepared.facts;
  const a = rulingLevel(ruling, prepared);
  return {
    type: 'statement.decision',
    session,
    sequence,
    facts: { a, approval, cause: denial?.cause, d: ruling, e, k, met, p, r },
    payload: denial ? { what: { advice: denial.advice, reason: denial.reason } } : undefined,
  };
}

/** Decided, and nothing was sent. */
export const skipped: Outcome = { status: 'skipped', rows: 0, bytes: 0, masked: [] };
/** Sent, and nobody saw how it ended. */
export const lost: Outcome = { ...skipped, status: 'lost' };

const nothingMasked: Json = Object.freeze([]);

/** `reached` is where the record of the decision was when its permit was minted; absent when there was none. */
export function outcomeDraft(session: string, sequence: number, outcome: Outcome, reached?: AckLevel): Draft {
  const { bytes, code, masked, rows, status, tag } = outcome;
  return {
    type: 'statement.outcome',
    session,
    sequence,
    facts: {
      bytes,
      code: code?.slice(0, 32),
      l: reached,
      masked:
        masked.length === 0
          ? nothingMasked
          : masked
              .slice(0, mostRules)
              .map((cells) => ({ cells: cells.cells, label: cells.label, method: cells.method })),
      rows,
      status,
      tag: tag?.slice(0, 128),
    },
  };
}

export function openDraft(
  session: string,
  principal: Principal,
  claimed: Claimed,
  target: string,
  database: string,
  policyVersion: string,
  labels: readonly Label[],
  recording: RecordingRule = 'full',
): Draft {
  const who = {
    principal: {
      id: principalId(principal),
      kind: principal.kind,
      issuer: principal.issuer,
      subject: principal.subject,
      name: principal.name,
      groups: principal.groups,
      owner: principal.owner,
      email: principal.email,
      claims: principal.claims,
      delegation: principal.delegation,
      credential: principal.credential,
    },
    // The client's own word, kept apart from what is verified.
    claimed,
  };
  return {
    type: 'session.open',
    session,
    facts: {
      database,
      kind: principal.kind,
      p: shortVersion(policyVersion),
      recording: ruleInWords(recording),
      target,
    },
    payload: { who: who as unknown as Json, target: { labels: [...labels] } },
  };
}

/** Without a session it is a connection of the gateway's own, which reads the catalogue. */
export function reachedDraft(
  { pid, local, version }: Backend,
  place: { readonly target: string; readonly database: string },
  session: string | undefined,
): Draft {
  const port = Number(/:(\d{1,5})$/.exec(local ?? '')?.[1]);
  return {
    type: 'session.target',
    ...(session === undefined ? {} : { session }),
    facts: {
      ...place,
      ...(session === undefined ? { own: 'catalogue' } : {}),
      pid,
      // Process ids come again, and so do ports; both at one time do not.
      port: Number.isSafeInteger(port) ? port : undefined,
      version: version?.slice(0, 64).toWellFormed(),
    },
    payload: local === undefined ? undefined : { target: { local } },
  };
}

/** A frame of our own in a recording: what is no traffic. */
export function metaLine(of: { readonly rule: string } | { readonly unkept: object }): Buffer {
  return Buffer.from(`${JSON.stringify(of)}\n`);
}

/** What a seal says of its recording: the file, the rule it was kept under, and what it holds and does not hold under that. */
export function recordingFacts(
  { chunks, bytes, root }: RecordingSeal,
  rule: string,
  kept: { readonly client: number; readonly target: number },
  left: { readonly rows: number; readonly bytes: { readonly client: number; readonly target: number } },
): Json {
  const { client, target } = left.bytes;
  return {
    bytes,
    chunks,
    kept: { client: kept.client, target: kept.target },
    root,
    rule,
    ...(client + target > 0 ? { unkept: { client, rows: left.rows, target } } : {}),
  };
}
