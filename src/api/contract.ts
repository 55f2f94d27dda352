// What the API answers and takes, as types. Long because it is the one file that the console may import.
import type { ReplayEvent } from '../domain/replay-event.ts';

export type { ReplayEvent };

/**
 * The HTTP API as types: all that the console may import. Times are milliseconds since the epoch, ids are opaque.
 * Every error body is `Problem`. Reads need a signed-in principal; votes and kills say which group they need.
 */
export interface Problem {
  /** Stable code, such as `approval.own-request`. */
  readonly code: string;
  readonly message: string;
}

/** GET /api/me */
export interface Me {
  readonly id: string;
  readonly name: string;
  readonly kind: 'agent' | 'human' | 'service';
  readonly groups: readonly string[];
  readonly mayKill: boolean;
}

/** GET /api/overview */
export interface Overview {
  readonly live: number;
  readonly held: number;
  readonly statementsLastHour: number;
  readonly denialsLastHour: number;
  readonly maskedCellsLastHour: number;
  readonly ledger: LedgerStatus;
}

/** GET /api/sessions?state=live|ended|all&target=&principal=&ruling=&text=&before=<cursor>&limit= → Page<SessionSummary> */
export interface Page<T> {
  readonly items: readonly T[];
  /** Pass as `before` for the next page; absent on the last. */
  readonly next?: string;
}

export interface SessionSummary {
  readonly id: string;
  readonly principal: string;
  readonly principalName: string;
  readonly principalKind: 'agent' | 'human' | 'service';
  readonly target: string;
  readonly database: string;
  readonly opened: number;
  readonly closed?: number;
  /** Why it ended, in words. */
  readonly cause?: string;
  readonly statements: number;
  readonly held: number;
  readonly denied: number;
  readonly maskedCells: number;
}

/** GET /api/sessions/:id */
export interface SessionDetail extends SessionSummary {
  readonly issuer: string;
  readonly subject: string;
  readonly groups: readonly string[];
  readonly owner?: string;
  readonly claimed: { readonly user?: string; readonly application?: string; readonly address?: string };
  /** The log that it stands in, by name, and the leaf indices of its opening and its seal there. */
  readonly log?: string;
  readonly openEntry: number;
  readonly sealEntry?: number;
  readonly recordedBytes: number;
  /** What the recording keeps: `full`, `rows <n>` or `digest`, and what it left out; absent for records from before there were rules. */
  readonly recording?: {
    readonly rule: string;
    readonly unkept?: { readonly rows: number; readonly bytes: number };
  };
  /** What was asked about labelled columns, by label: values of its own, and statements that order or search them. */
  readonly met: readonly { readonly label: string; readonly matches: number; readonly probes: number }[];
  /** Its content was destroyed: when, under which rule, by which entry. Every proof of it remains. */
  readonly shredded?: { readonly at: number; readonly rule: string; readonly entry: number };
  /** Which rule will destroy its content, and when; absent where none does, and while it runs. `holds` keep it all the same. */
  readonly retention?: { readonly rule: string; readonly until: number };
  readonly holds?: readonly string[];
}

/** GET /api/sessions/:id/statements?after=<sequence>&limit= → Page<StatementRow>, oldest first, as the timeline shows them; pass `next` as `after`. */
export interface StatementRow {
  readonly session: string;
  readonly sequence: number;
  readonly entry: number;
  readonly at: number;
  readonly kind: string;
  /** Recorded form: values of labelled columns are already masked. */
  readonly text: string;
  readonly parameters?: readonly (string | null)[];
  readonly ruling: 'permit' | 'hold' | 'deny';
  readonly rules: readonly string[];
  readonly reason?: string;
  readonly advice?: string;
  readonly effects: readonly EffectRow[];
  readonly approval?: string;
  /** What the decision would be if shadow policies counted; absent where it would be the same. */
  readonly shadow?: {
    readonly ruling: 'permit' | 'hold' | 'deny';
    readonly rules: readonly string[];
    readonly reason?: string;
    readonly advice?: string;
    /** Columns that would be masked. */
    readonly masks?: number;
  };
  readonly outcome?: {
    readonly status: 'done' | 'failed' | 'skipped' | 'cancelled' | 'lost';
    readonly at: number;
    readonly code?: string;
    readonly tag?: string;
    readonly rows: number;
    readonly bytes: number;
    readonly masked: readonly { readonly label: string; readonly method: string; readonly cells: number }[];
  };
}

export interface EffectRow {
  readonly action: string;
  readonly resource: string;
  /** Where the name alone would be read as something else. */
  readonly parts?: {
    readonly schema?: string;
    readonly relation?: string;
    readonly column?: string;
    readonly routine?: string;
  };
  readonly labels?: readonly string[];
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

/** GET /api/sessions/:id/replay → Replay: what the client saw, decoded; at most `limit` rows a result, and it says so. */
export interface Replay {
  readonly session: string;
  readonly started: number;
  /** True while the session still runs, or when the recording was cut by a crash. */
  readonly partial: boolean;
  readonly events: readonly ReplayEvent[];
}

/** POST /api/sessions/:id/kill {reason} → 202; needs an admin group. */

/** GET /api/locks → {items}; POST /api/locks LockWish → {lock, ended}; POST /api/locks/:id/lift {reason} → LockRow */
export interface LockRow {
  readonly id: string;
  readonly kind: 'principal' | 'owner' | 'group' | 'target';
  readonly value: string;
  readonly reason: string;
  /** Absent when it stands until it is lifted. */
  readonly until?: number;
  readonly by: string;
  readonly byName: string;
  readonly at: number;
  readonly entry: number;
}

export interface LockWish {
  readonly kind: LockRow['kind'];
  readonly value: string;
  readonly reason: string;
  readonly seconds?: number;
}

/** GET /api/approvals?state=pending|resolved|all&before=&limit= → Page<ApprovalRow>; GET /api/approvals/:id */
export interface ApprovalRow {
  readonly id: string;
  readonly session: string;
  readonly sequence: number;
  readonly requester: string;
  readonly requesterName: string;
  readonly target: string;
  readonly database: string;
  readonly text: string;
  readonly parameters?: readonly (string | null)[];
  readonly effects: readonly EffectRow[];
  readonly rules: readonly string[];
  readonly advice: string;
  readonly group: string;
  readonly quorum: number;
  /** How strong each grant must be; absent where a signed-in session is enough. */
  readonly grade?: Exclude<VoteGrade, 'session'>;
  readonly created: number;
  readonly expires: number;
  /** Hex SHA-256 over the canonical request (docs/ledger-format.md); what a vote binds. */
  readonly digest: string;
  readonly state: 'pending' | 'granted' | 'refused' | 'expired' | 'withdrawn';
  readonly resolved?: number;
  readonly votes: readonly {
    readonly voter: string;
    readonly voterName: string;
    readonly answer: 'grant' | 'refuse';
    readonly at: number;
    readonly reason?: string;
    readonly grade: VoteGrade;
  }[];
  /** Whether the signed-in principal may vote, and why not. */
  readonly mayVote: boolean;
  readonly mayNotBecause?: string;
}

/** By a signed-in session; by a signature with a key of one's own; by a key that checked who is there. */
export type VoteGrade = 'session' | 'signed' | 'verified';

/** POST /api/approvals/:id/votes {answer, digest, reason?, signature?} → ApprovalRow. 409 when already resolved or the digest differs. */
export interface Vote {
  readonly answer: 'grant' | 'refuse';
  readonly digest: string;
  readonly reason?: string;
  /** Over the ballot: an armoured signature of `ssh-keygen -Y sign`, or what a passkey gave, in base64url. */
  readonly signature?: { readonly ssh: string } | { readonly passkey: PasskeyAssertion };
}

export interface PasskeyAssertion {
  readonly credentialId: string;
  readonly clientDataJSON: string;
  readonly authenticatorData: string;
  readonly signature: string;
}

/** GET /api/approvals/:id/ballot?answer=&reason= → what is signed for such a vote, to the byte. */
export interface Ballot {
  readonly ballot: string;
  /** SHA-256 of the ballot, base64url: what a passkey signs. */
  readonly challenge: string;
  readonly digest: string;
}

/** GET /api/approver-keys → {items}: keys that votes are signed with, newest first; one's own, and all for viewers and admins. */
export interface ApproverKeyRow {
  readonly id: string;
  readonly method: 'ssh' | 'passkey';
  readonly person: string;
  readonly personName: string;
  readonly name: string;
  readonly fingerprint: string;
  /** Its line in a .pub file, for SSH keys. */
  readonly ssh?: string;
  readonly deviceBound?: boolean;
  readonly state: 'waiting' | 'counts' | 'revoked';
  readonly enrolled: KeyAct;
  readonly vouched?: KeyAct;
  readonly revoked?: KeyAct & { readonly reason: string };
  readonly mine: boolean;
  /** What the signed-in principal may do with it. */
  readonly mayVouch: boolean;
  readonly mayRevoke: boolean;
}

export interface KeyAct {
  readonly by: string;
  readonly byName: string;
  readonly at: number;
  readonly entry: number;
}

/** POST /api/approver-keys/challenge → what to sign to enrol a key; good once, for five minutes. */
export interface KeyChallenge {
  readonly challenge: string;
  /** For `navigator.credentials.create`; absent where the console has no host name that passkeys can be tied to. */
  readonly passkey?: {
    readonly rpId: string;
    /** SHA-256 of `challenge`, base64url. */
    readonly challenge: string;
    readonly user: string;
    readonly attestation: 'none' | 'direct';
    /** Credential ids that are enrolled already. */
    readonly exclude: readonly string[];
  };
}

/** POST /api/approver-keys → ApproverKeyRow; POST /api/approver-keys/:id/vouch; POST /api/approver-keys/:id/revoke {reason} */
export interface EnrolKey {
  readonly name: string;
  readonly challenge: string;
  readonly proof:
    | { readonly ssh: { readonly publicKey: string; readonly signature: string } }
    | { readonly passkey: PasskeyAttestation };
}

export interface PasskeyAttestation {
  readonly id: string;
  readonly rawId: string;
  readonly type: 'public-key';
  readonly response: {
    readonly clientDataJSON: string;
    readonly attestationObject: string;
    readonly transports?: readonly string[];
  };
}

/** GET /api/ledger */
export interface LedgerStatus {
  readonly origin: string;
  readonly vkey: string;
  /** Entries durable in the journal. */
  readonly entries: number;
  readonly checkpoint?: { readonly size: number; readonly root: string; readonly at: number };
  readonly state: 'healthy' | 'stopped';
  readonly fault?: string;
  /** Who wraps data keys, how many wait for sessions, and what the provider said when it does not wrap more. */
  readonly keys: { readonly provider: string; readonly ready: number; readonly failing?: string };
  readonly retention: {
    readonly rules: number;
    readonly holds: number;
    readonly shredded: { readonly sessions: number; readonly last?: number };
  };
  /** The second place of the record; absent without one. */
  readonly objects?: ObjectsStatus;
  /** Its disk: bytes free and kept free; `low` means that no session begins, `slow` says why nothing new is forwarded. */
  readonly disk?: { readonly free?: number; readonly reserve: number; readonly low: boolean; readonly slow?: string };
  /** What each configured witness signed last, and when; neither before the first time. */
  readonly witnesses?: readonly { readonly name: string; readonly at?: number; readonly size?: number }[];
}

export interface ObjectsStatus {
  /** `s3://bucket/prefix`. */
  readonly store: string;
  /** `conflict`: what lies there is not this log's; it stays so until somebody has looked. */
  readonly state: 'up' | 'down' | 'conflict';
  readonly since: number;
  readonly why?: string;
  /** Entries that are there, and those that are only here. */
  readonly copied: number;
  readonly backlog: number;
  /** Entries under the newest checkpoint there. */
  readonly checkpoint: number;
  readonly roundFailed?: string;
  /** The last attempts to destroy what lies there; each must be `refused`. */
  readonly probe?: {
    readonly at: number;
    readonly ok: boolean;
    readonly attempts: { readonly [attempt: string]: 'refused' | 'done' | 'unknown' };
  };
}

/** GET /api/exports → Page<ExportRow>: for viewers and admins. Indices are of ledger entries. */
export interface ExportRow {
  readonly name: string;
  readonly to: 'file' | 'syslog' | 'http' | 'otlp';
  readonly state: 'idle' | 'sending' | 'failing' | 'stopped';
  /** The next entry to send, and entries that have a receipt in the ledger. */
  readonly next: number;
  readonly receipted: number;
  /** Entries under the checkpoint that the receiver has not taken yet, and how long the oldest has waited. */
  readonly lag: number;
  readonly lagSeconds: number;
  /** Events taken since the gateway started. */
  readonly events: number;
  /** Attempts that failed in a row, and why the last one did. */
  readonly failures: number;
  readonly error?: string;
}

/** POST /api/exports/:name/test */
export interface ExportTested {
  readonly delivered: boolean;
  readonly error?: string;
}

/** GET /api/retention/plan: for viewers and admins. */
export interface RetentionPlan {
  readonly due: readonly {
    readonly rule: string;
    readonly days: number;
    readonly recordings: 'keep' | 'delete';
    readonly count: number;
    /** The first thousand. */
    readonly sessions: readonly {
      readonly id: string;
      readonly target: string;
      readonly closed: number;
      readonly labels: readonly string[];
    }[];
  }[];
  /** Days of what was recorded outside sessions. */
  readonly days: number;
  /** Due, and kept by holds; the first thousand. */
  readonly held: readonly { readonly session: string; readonly rule: string; readonly holds: readonly string[] }[];
  readonly heldSessions: number;
  readonly heldDays: number;
}

/** POST /api/retention/shred → RetentionReport; needs an admin group. */
export interface RetentionReport {
  readonly sessions: number;
  readonly days: number;
  readonly keys: number;
  readonly rules: readonly { readonly rule: string; readonly sessions: number }[];
  readonly held: number;
  /** Leaf indices of what was recorded. */
  readonly entries: readonly number[];
}

/** GET /api/retention/holds → {items}; POST {session?, principal?, target?, from?, to?, reason} → HoldRow; POST …/:id/release {reason}. */
export interface HoldRow {
  readonly id: string;
  readonly at: number;
  readonly entry: number;
  readonly session?: string;
  readonly principal?: string;
  readonly target?: string;
  readonly from?: number;
  readonly to?: number;
  readonly reason: string;
  readonly by: string;
  readonly released?: number;
}

/** GET /api/keys; POST /api/keys/rewrap {all?, fresh?} → 202, needs an admin group. */
export interface KeysStatus {
  readonly state: 'idle' | 'running' | 'done' | 'failed';
  readonly keys?: number;
  readonly of?: number;
  readonly to?: string;
  readonly failed?: number;
  readonly why?: string;
}

/** GET /api/policy: for viewers and admins, as what follows. */
export interface PolicyStatus {
  readonly version: string;
  readonly rules: readonly PolicyRule[];
  readonly findings: readonly PolicyFinding[];
}

export interface PolicyRule {
  readonly id: string;
  readonly effect: 'permit' | 'forbid';
  readonly file: string;
  readonly line: number;
  /** Cedar text. */
  readonly text: string;
  readonly hold?: {
    readonly group: string;
    readonly quorum: number;
    readonly grade?: Exclude<VoteGrade, 'session'>;
    readonly ttlSeconds: number;
  };
  readonly advice?: string;
  readonly shadow?: boolean;
}

export interface PolicyFinding {
  readonly kind: 'unused' | 'shadowed' | 'contradictory';
  readonly rule: string;
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** POST /api/policy/explain {statement, target, database?, principal: {kind, groups, claims?}} → PolicyExplanation */
export interface PolicyExplanation {
  readonly policy: string;
  readonly ruling: 'permit' | 'hold' | 'deny';
  readonly rules: readonly string[];
  readonly reason?: string;
  readonly advice?: string;
  readonly next?: 'final' | 'change' | 'ask';
  readonly group?: string;
  readonly quorum?: number;
  readonly grade?: Exclude<VoteGrade, 'session'>;
  readonly shadow?: { readonly ruling: 'permit' | 'hold' | 'deny'; readonly rules: readonly string[] };
  readonly effects: readonly EffectRow[];
  readonly results: readonly (readonly ExplainedColumn[])[];
  /** As it would be recorded. */
  readonly text?: string;
}

export interface ExplainedColumn {
  readonly name: string;
  readonly sources: readonly { readonly column: string; readonly labels: readonly string[] }[];
  readonly direct: boolean;
  readonly opaque: boolean;
  readonly mask?: { readonly label: string; readonly method: string; readonly whole: boolean };
}

/** POST /api/policy/backtest {days, policies?: [{name, text}], target?, agent?} → BacktestReport. Without policies: those in force. */
export interface BacktestReport {
  readonly version: string;
  readonly statements: number;
  readonly changed: number;
  readonly otherRules: number;
  readonly lost: { readonly erased: number; readonly unknown: number; readonly unreadable: number };
  readonly changes: readonly {
    readonly from: 'permit' | 'hold' | 'deny';
    readonly to: 'permit' | 'hold' | 'deny';
    readonly before: readonly string[];
    readonly after: readonly string[];
    readonly masks: {
      readonly added: readonly string[];
      readonly removed: readonly string[];
      readonly changed: readonly string[];
    };
    readonly reason?: string;
    readonly count: number;
    readonly examples: readonly {
      readonly entry: number;
      readonly session: string;
      readonly sequence: number;
      readonly at: number;
      readonly agent: string;
      readonly text: string;
    }[];
  }[];
  readonly unlisted: number;
  readonly agents: readonly {
    readonly id: string;
    readonly name: string;
    readonly statements: number;
    readonly changed: number;
  }[];
  /** `decided` counts what is recorded; `before` and `after` what would change. */
  readonly rules: readonly {
    readonly rule: string;
    readonly decided: number;
    readonly before: number;
    readonly after: number;
  }[];
  readonly entries: number;
  readonly from: number;
  /** There was more than one backtest looks at. */
  readonly cut: boolean;
}

/** GET /api/targets */
export interface TargetRow {
  readonly name: string;
  readonly protocol: string;
  readonly labelledColumns: number;
  readonly ack: { readonly read: string; readonly write: string };
  /** The last look for sessions that did not come through the gateway, where the target is configured so. */
  readonly reconciled?: { readonly at: number; readonly ok: boolean; readonly onlyInTarget: number } | undefined;
}

/** POST /api/targets/{name}/reconciliations: index of the entry. */
export interface ReconcileRecorded {
  readonly id: number;
}

/** GET /api/events: server-sent events; `data` is one of these. A client reloads what it shows when told. */
export type LiveEvent =
  | { readonly kind: 'session'; readonly id: string }
  | { readonly kind: 'approval'; readonly id: string }
  | { readonly kind: 'statements'; readonly session: string; readonly latest: number }
  | { readonly kind: 'ledger'; readonly entries: number };
