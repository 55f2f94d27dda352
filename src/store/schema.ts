// Tables of the projection (DESIGN §8). Everything here is rebuilt from the ledger; times are milliseconds since the epoch.
import type { Generated } from 'kysely';

export interface Schema {
  readonly sessions: SessionsTable;
  readonly statements: StatementsTable;
  readonly texts: { readonly id: Generated<number>; readonly hash: string | null; readonly text: string };
  /** Full-text index over `texts`; `rowid` is the id of the text. */
  readonly texts_index: { readonly rowid: number; readonly texts_index: string };
  readonly approvals: ApprovalsTable;
  readonly votes: VotesTable;
  readonly minutes: MinutesTable;
  readonly progress: ProgressTable;
  readonly session_labels: { readonly session: string; readonly label: string };
  readonly process_keys: ProcessKeysTable;
  readonly holds: HoldsTable;
}

export interface SessionsTable {
  readonly id: string;
  /** `issuer|subject`. */
  readonly principal: string;
  readonly principal_name: string;
  readonly principal_kind: string;
  readonly issuer: string;
  readonly subject: string;
  /** JSON list. */
  readonly groups: string;
  readonly owner: string | null;
  /** JSON object: what the client said of itself. */
  readonly claimed: string;
  readonly protocol: string;
  readonly target: string;
  readonly database: string;
  readonly opened: number;
  readonly closed: number | null;
  /** 1 when a crash ended it. */
  readonly orphaned: number;
  readonly cause: string | null;
  readonly open_entry: number;
  readonly seal_entry: number | null;
  /** Id of the key that seals its content. */
  readonly key: string | null;
  readonly recorded_bytes: number;
  /** When its key was destroyed, by which rule and entry; 1 where its recording was deleted too. */
  readonly shredded: number | null;
  readonly shred_rule: string | null;
  readonly shred_entry: number | null;
  readonly shred_deleted: Generated<number>;
  /** The recording's rule. */
  readonly rule: string | null;
  /** JSON: rows and bytes that the rule left out. */
  readonly unkept: string | null;
  readonly statements: number;
  readonly held: number;
  readonly denied: number;
  readonly masked_cells: number;
  /** JSON list: what was asked about labelled columns, by label. */
  readonly met: Generated<string>;
  /** Name of the log that its entries stand in. */
  readonly log: string | null;
}

export interface StatementsTable {
  readonly session: string;
  readonly sequence: number;
  readonly entry: number;
  readonly at: number;
  readonly kind: string;
  readonly text: number;
  readonly parameters: string | null;
  readonly ruling: string;
  readonly rules: string;
  readonly reason: string | null;
  readonly advice: string | null;
  readonly effects: string;
  readonly approval: string | null;
  /** JSON of the outcome as the API shows it. */
  readonly outcome: string | null;
  /** JSON of what shadow policies would have decided, where that differs. */
  readonly shadow: string | null;
}

export interface ApprovalsTable {
  readonly id: string;
  readonly session: string;
  readonly sequence: number;
  readonly requester: string;
  readonly requester_name: string;
  readonly target: string;
  readonly database: string;
  readonly text: string;
  readonly parameters: string | null;
  readonly effects: string;
  readonly rules: string;
  readonly advice: string;
  readonly group: string;
  readonly quorum: number;
  readonly created: number;
  readonly asked: number;
  readonly expires: number;
  readonly digest: string;
  readonly state: string;
  readonly resolved: number | null;
  readonly grade: string | null;
}

export interface VotesTable {
  readonly approval: string;
  readonly voter: string;
  readonly voter_name: string;
  readonly answer: string;
  readonly at: number;
  readonly entry: number;
  readonly reason: string | null;
  readonly grade: string;
}

/** Counters of one minute. */
export interface MinutesTable {
  readonly minute: number;
  readonly statements: number;
  readonly denials: number;
  readonly masked_cells: number;
}

/** One row: how far the ledger was followed, and how to tell that it is still the same ledger. */
export interface ProgressTable {
  readonly id: number;
  /** Which log of the chain `next` counts in, from 0. */
  readonly log: Generated<number>;
  readonly next: number;
  /** SHA-256, hex, of the first and of the last entry that were followed. */
  readonly first_entry: string | null;
  readonly last_entry: string | null;
  readonly scrub: Generated<number>;
}

/** Keys of what was said outside sessions. */
export interface ProcessKeysTable {
  readonly key: string;
  /** Times of the first and the last entry that it seals. */
  readonly first: number;
  readonly last: number;
  /** 1 when it seals an entry that others are judged by. */
  readonly lasting: number;
}

export interface HoldsTable {
  readonly id: string;
  readonly at: number;
  readonly entry: number;
  readonly session: string | null;
  readonly principal: string | null;
  /** 1 when it names a principal that cannot be read any more. */
  readonly lost: number;
  readonly target: string | null;
  readonly from: number | null;
  readonly to: number | null;
  readonly reason: string;
  readonly by: string;
  readonly released: number | null;
  readonly release_entry: number | null;
}
