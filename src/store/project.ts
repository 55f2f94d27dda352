// One ledger entry → what it changes in the store. Pure, so that the same ledger always gives the same rows (test:
// follower.test.ts, "rebuilt"). A payload whose key was destroyed leaves rows without content.
import type { Json } from '../domain/entry.ts';
import type { JournalItem } from '../ledger/read-journal.ts';
import { erased } from './erased.ts';
import { type Fields, labelsMet, projectRetention, type RetentionOperation } from './project-retention.ts';

export type Operation =
  | { readonly do: 'open-session'; readonly session: SessionOpened }
  | { readonly do: 'close-session'; readonly session: SessionClosed }
  | { readonly do: 'add-statement'; readonly statement: StatementDecided }
  | { readonly do: 'settle-statement'; readonly outcome: StatementSettled }
  | { readonly do: 'add-approval'; readonly approval: ApprovalRequested }
  | { readonly do: 'add-vote'; readonly vote: VoteCast }
  | { readonly do: 'resolve-approval'; readonly id: string; readonly state: string; readonly at: number }
  | RetentionOperation;

export interface SessionOpened {
  readonly id: string;
  readonly at: number;
  readonly entry: number;
  readonly key?: string;
  readonly principal: string;
  readonly name: string;
  readonly kind: string;
  readonly issuer: string;
  readonly subject: string;
  readonly groups: readonly string[];
  readonly owner?: string;
  readonly claimed: Fields;
  readonly protocol: string;
  readonly target: string;
  readonly database: string;
  /** What its recording keeps. */
  readonly rule?: string;
}

export interface SessionClosed {
  readonly id: string;
  readonly at: number;
  readonly entry: number;
  readonly cause: string;
  /** A crash ended it. */
  readonly orphaned: boolean;
  readonly recordedBytes: number;
  /** What the recording's rule left out. */
  readonly unkept?: { readonly rows: number; readonly bytes: number };
}

export interface StatementDecided {
  readonly session: string;
  readonly sequence: number;
  readonly entry: number;
  readonly at: number;
  readonly kind: string;
  readonly text: string;
  readonly parameters?: Json;
  readonly ruling: string;
  readonly rules: Json;
  readonly reason?: string;
  readonly advice?: string;
  readonly effects: Json;
  readonly approval?: string;
  /** What shadow policies would have decided, where that differs: ruling, rules, reason?, advice?. */
  readonly shadow?: Json;
  /** What the session has asked about labelled columns so far. */
  readonly met?: Json;
  /** Labels of the columns that it named or that its results come from. */
  readonly labels?: readonly string[];
}

export interface StatementSettled {
  readonly session: string;
  readonly sequence: number;
  readonly at: number;
  readonly result: SettledResult;
}

export interface SettledResult {
  /** As the API shows it, but for the time; frozen. */
  readonly shown: Fields;
  readonly maskedCells: number;
}

export interface ApprovalRequested {
  readonly id: string;
  readonly session: string;
  readonly sequence: number;
  readonly requester: string;
  readonly requesterName: string;
  readonly target: string;
  readonly database: string;
  readonly text: string;
  readonly parameters?: Json;
  readonly effects: Json;
  readonly rules: Json;
  readonly advice: string;
  readonly group: string;
  readonly quorum: number;
  readonly created: number;
  /** When its entry was written. */
  readonly asked: number;
  readonly expires: number;
  readonly digest: string;
  readonly grade?: string;
}

export interface VoteCast {
  readonly approval: string;
  readonly voter: string;
  readonly voterName: string;
  readonly answer: string;
  readonly at: number;
  readonly entry: number;
  readonly reason?: string;
  readonly grade: string;
}

/** What one entry changes; nothing for entries that the store does not show. Never throws, whatever the payload looks like. */
export function project(item: JournalItem): readonly Operation[] {
  const { entry, payload } = item;
  const admin = fields(payload === undefined || payload === 'shredded' ? undefined : payload.admin);
  // Of most entries there is nothing to say but what they are.
  const kept = entry.sid === undefined ? projectRetention(item, admin) : [];
  return kept.length === 0 ? shown(item) : [...kept, ...shown(item)];
}

function shown(item: JournalItem): readonly Operation[] {
  const { entry, index } = item;
  const payload: Fields = item.payload === undefined || item.payload === 'shredded' ? {} : item.payload;
  const gone = item.payload === 'shredded' ? erased : '';
  switch (entry.t) {
    case 'session.open':
      return entry.sid === undefined ? [] : [{ do: 'open-session', session: opened(item, fields(payload.who), gone) }];
    case 'session.seal':
    case 'session.orphaned': {
      if (entry.sid === undefined) return [];
      const orphaned = entry.t === 'session.orphaned';
      const cause = text(entry.x.cause) ?? (orphaned ? 'the gateway ended before the session did' : 'closed');
      const recording = fields(entry.x.recording);
      const left = recording.unkept === undefined ? undefined : fields(recording.unkept);
      const session: SessionClosed = {
        id: entry.sid,
        at: entry.ts,
        entry: index,
        cause,
        orphaned,
        recordedBytes: count(recording.bytes),
        ...(left && { unkept: { rows: count(left.rows), bytes: count(left.client) + count(left.target) } }),
      };
      return [{ do: 'close-session', session }];
    }
    case 'statement.decision':
      return entry.sid === undefined || entry.sq === undefined
        ? []
        : [{ do: 'add-statement', statement: decided(item, entry.sid, entry.sq, fields(payload.what), gone) }];
    case 'statement.outcome': {
      const sequence = entry.sq ?? entry.x.entry;
      if (entry.sid === undefined || typeof sequence !== 'number') return [];
      return [
        {
          do: 'settle-statement',
          outcome: { session: entry.sid, sequence, at: entry.ts, result: resultOf(entry.x) },
        },
      ];
    }
    case 'approval.request':
      return typeof entry.x.id === 'string'
        ? [{ do: 'add-approval', approval: requested(item, entry.x.id, fields(payload.approval), gone) }]
        : [];
    case 'approval.vote': {
      const vote = fields(payload.approval);
      // An erased vote keeps its place: distinct entries are distinct voters.
      const voter = text(vote.voter) ?? `${erased} ${index}`;
      if (typeof entry.x.id !== 'string') return [];
      const answer = text(entry.x.answer) ?? 'refuse';
      return [
        {
          do: 'add-vote',
          vote: {
            approval: entry.x.id,
            voter,
            voterName: text(vote.voterName) ?? voter,
            answer,
            at: entry.ts,
            entry: index,
            reason: text(vote.reason),
            grade: text(entry.x.grade) ?? 'session',
          },
        },
      ];
    }
    case 'approval.resolution':
      return typeof entry.x.id === 'string' && typeof entry.x.state === 'string'
        ? [{ do: 'resolve-approval', id: entry.x.id, state: entry.x.state, at: entry.ts }]
        : [];
    default:
      return [];
  }
}

function opened({ entry, index }: JournalItem, who: Fields, gone: string): SessionOpened {
  const principal = typeof who.principal === 'object' ? fields(who.principal) : who;
  const issuer = text(principal.issuer) ?? gone;
  const subject = text(principal.subject) ?? gone;
  return {
    id: entry.sid!,
    at: entry.ts,
    entry: index,
    key: entry.k,
    principal: `${issuer}|${subject}`,
    name: text(principal.name) ?? subject,
    kind: text(principal.kind) ?? text(entry.x.kind) ?? 'agent',
    issuer,
    subject,
    groups: strings(principal.groups),
    owner: text(principal.owner),
    claimed: fields(who.claimed),
    protocol: text(entry.x.protocol) ?? '',
    target: text(entry.x.target) ?? '',
    database: text(entry.x.database) ?? '',
    rule: text(entry.x.recording),
  };
}

function decided(
  { entry, index }: JournalItem,
  session: string,
  sequence: number,
  what: Fields,
  gone: string,
): StatementDecided {
  return {
    session,
    sequence,
    entry: index,
    at: entry.ts,
    kind: text(entry.x.k) ?? 'execute',
    text: text(what.text) ?? gone,
    parameters: Array.isArray(what.parameters) ? what.parameters : undefined,
    ruling: text(entry.x.d) ?? 'deny',
    rules: rulesOf(entry.x),
    reason: text(what.reason),
    advice: text(what.advice),
    // Without content the actions still stand in the clear.
    effects: Array.isArray(what.effects)
      ? what.effects
      : strings(entry.x.e).map((action) => ({ action, resource: gone })),
    approval: text(entry.x.approval),
    ...(Array.isArray(entry.x.met) ? { met: entry.x.met } : {}),
    labels: text(entry.x.d) === 'deny' ? undefined : labelsMet(what),
    shadow: entry.x.s === undefined ? undefined : shadowOf(fields(entry.x.s), fields(what.shadow)),
  };
}

function shadowOf(facts: Fields, what: Fields): Json {
  return {
    ruling: text(facts.d) ?? 'deny',
    rules: strings(facts.r),
    reason: text(what.reason),
    advice: text(what.advice),
    masks: Array.isArray(what.masks) ? what.masks.length : undefined,
  };
}

const rules = new WeakMap<Fields, readonly string[]>();

function rulesOf(facts: Fields): readonly string[] {
  const known = rules.get(facts);
  if (known) return known;
  const found = Object.freeze(strings(facts.r));
  rules.set(facts, found);
  return found;
}

const results = new WeakMap<Fields, SettledResult>();

/** Entries with the same facts share their object, so that most results are worked out once. */
function resultOf(facts: Fields): SettledResult {
  const known = results.get(facts);
  if (known) return known;
  const masked = Array.isArray(facts.masked) ? (facts.masked as readonly Json[]) : [];
  const result = {
    shown: Object.freeze({
      status: text(facts.status) ?? 'lost',
      code: text(facts.code),
      tag: text(facts.tag),
      rows: count(facts.rows),
      bytes: count(facts.bytes),
      masked,
    }),
    maskedCells: masked.reduce<number>((sum, cells) => sum + count(fields(cells).cells), 0),
  };
  results.set(facts, result);
  return result;
}

function requested({ entry }: JournalItem, id: string, payload: Fields, gone: string): ApprovalRequested {
  const request = fields(payload.request);
  const requester = fields(request.requester);
  const target = fields(request.target);
  const action = fields(request.action);
  const policy = fields(request.policy);
  return {
    id,
    session: text(entry.x.session) ?? entry.sid ?? '',
    sequence: count(entry.x.of ?? entry.sq),
    requester: text(requester.principal) ?? gone,
    requesterName: text(requester.name) ?? gone,
    target: text(target.name) ?? gone,
    database: text(target.database) ?? gone,
    text: text(action.text) ?? gone,
    parameters: Array.isArray(action.parameters) ? action.parameters : undefined,
    effects: Array.isArray(action.effects) ? action.effects : [],
    rules: strings(policy.rules),
    advice: text(policy.advice) ?? '',
    group: text(entry.x.group) ?? text(fields(request.quorum).of) ?? '',
    quorum: count(entry.x.quorum) || 1,
    created: Date.parse(text(request.created) ?? '') || entry.ts,
    asked: entry.ts,
    expires: count(entry.x.expires),
    digest: text(entry.x.digest) ?? '',
    grade: text(entry.x.grade),
  };
}

function fields(value: Json | undefined): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function count(value: Json | undefined): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

function strings(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}
