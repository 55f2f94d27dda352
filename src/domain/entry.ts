/** Ledger entry types and the groups of their sealed payloads. Format: docs/ledger-format.md. */
export const entryTypes = [
  'log.genesis',
  'log.successor',
  'gateway.start',
  'gateway.stop',
  'heartbeat',
  'journal.seal',
  'policy.version',
  'config.snapshot',
  'sign-in.refused',
  'session.open',
  'session.refused',
  'session.target',
  'reconcile.result',
  'session.seal',
  'session.orphaned',
  'session.kill',
  'lock.set',
  'lock.lift',
  'statement.decision',
  'statement.outcome',
  'approval.request',
  'approval.vote',
  'approval.resolution',
  'approver-key.enrol',
  'approver-key.vouch',
  'approver-key.revoke',
  'evidence.access',
  'checkpoint.timestamp',
  'checkpoint.receipt',
  'storage.probe',
  'export.receipt',
  'keys.rewrap',
  'retention.hold',
  'retention.release',
  'retention.shred',
] as const;
export type EntryType = (typeof entryTypes)[number];

/** Acts that other entries are judged by: what they sealed is never shredded (docs/retention.md, "Keys"). */
export const lastingTypes: ReadonlySet<EntryType> = new Set([
  'policy.version',
  'config.snapshot',
  'approver-key.enrol',
  'approver-key.vouch',
  'approver-key.revoke',
  'keys.rewrap',
  'retention.hold',
  'retention.release',
  'retention.shred',
]);

/** Payload groups: disclosed one by one, each with its own salted commitment in the plain header. */
export type PayloadGroup = 'who' | 'what' | 'target' | 'result' | 'approval' | 'admin';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** What a part of the gateway asks the ledger to append. Facts stand in the clear: enumerations, counts, opaque ids, no personal data. */
export interface Draft {
  readonly type: EntryType;
  readonly session?: string;
  /** Position in the session's dense sequence, from 1. */
  readonly sequence?: number;
  readonly facts: { readonly [key: string]: Json | undefined };
  readonly payload?: Partial<Record<PayloadGroup, Json>>;
}
