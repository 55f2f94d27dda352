// One ledger entry → one OCSF event. Pure: the same entries give the same events, byte for byte, so that a receiver that gets one
// twice knows it by `metadata.uid` (docs/events.md).
import { hash } from 'node:crypto';
import type { EntryType } from '../domain/entry.ts';
import { canonical } from '../ledger/canonical.ts';
import { leafHash } from '../ledger/hash.ts';
import type { JournalItem } from '../ledger/read-journal.ts';
import * as log from './log-event.ts';
import { classified, type Fields, type Said, schemaVersion, text } from './ocsf.ts';
import * as session from './session-event.ts';
import type { Sessions } from './sessions.ts';
import { decision, outcome, type Wording } from './statement-event.ts';

export type { Wording } from './statement-event.ts';

export interface EventOptions {
  /** Name of the log. */
  readonly origin: string;
  /** Version of the program. */
  readonly version: string;
  /** How texts are shown; as they are recorded where absent. */
  readonly wording?: Wording;
}

type Mapping = (item: JournalItem, sessions: Sessions, product: log.Product, wording: Wording) => Said;

/** Every type of entry (test: event.test.ts, "every type"). */
const mappings: Readonly<Record<string, Mapping>> = {
  'log.genesis': log.genesis,
  'log.successor': log.successor,
  'gateway.start': log.start,
  'gateway.stop': log.stop,
  heartbeat: log.heartbeat,
  'journal.seal': log.segment,
  'checkpoint.timestamp': log.timestamp,
  'checkpoint.receipt': log.shown,
  'export.receipt': log.delivered,
  'policy.version': log.policy,
  'config.snapshot': log.configuration,
  'sign-in.refused': session.refused,
  'session.open': session.sessionOpen,
  'session.refused': session.refused,
  'session.target': log.reached,
  'session.seal': session.sessionEnd,
  'session.orphaned': session.sessionEnd,
  'session.kill': session.kill,
  'lock.set': session.lockSet,
  'lock.lift': session.lockLifted,
  'statement.decision': (item, sessions, _product, wording) => decision(item, sessions, wording),
  'statement.outcome': outcome,
  'approval.request': session.approvalRequest,
  'approval.vote': session.vote,
  'approval.resolution': session.resolution,
  'approver-key.enrol': session.keyEnrolled,
  'approver-key.vouch': session.keyVouched,
  'approver-key.revoke': session.keyRevoked,
  'evidence.access': session.access,
  'keys.rewrap': log.rewrap,
  'retention.hold': log.hold,
  'retention.release': log.release,
  'retention.shred': log.shred,
  'storage.probe': log.probe,
  'reconcile.result': log.reconciled,
} satisfies Readonly<Record<EntryType, Mapping>> & Readonly<Record<string, Mapping>>;

export function isMapped(type: string): boolean {
  return Object.hasOwn(mappings, type);
}

const asRecorded: Wording = (recorded) => recorded;

/** Entries must come in order: sessions are remembered from one to the next. */
export function eventOf(item: JournalItem, sessions: Sessions, options: EventOptions): Fields {
  const { entry, index } = item;
  const product = { name: 'Countersign', version: options.version };
  const said = (mappings[entry.t] ?? log.unknown)(item, sessions, product, options.wording ?? asRecorded);
  const bytes = Buffer.from(canonical(entry as unknown as Fields));
  const correlation = entry.sid ?? text(entry.x.session);
  return {
    ...classified(said),
    time: entry.ts,
    ...said.attributes,
    metadata: {
      version: schemaVersion,
      uid: `${options.origin}#${index}`,
      ...(correlation === undefined ? {} : { correlation_uid: correlation }),
      sequence: index,
      event_code: entry.t,
      log_name: options.origin,
      product: { ...product, vendor_name: 'Countersign' },
      profiles: said.ruling || said.alert ? ['security_control'] : [],
    },
    unmapped: {
      countersign: { type: entry.t, gateway: entry.gw, sequence: entry.sq, ...said.more },
      // Points back at the evidence: `countersign ledger proof <index>` proves exactly this leaf.
      transparency: {
        origin: options.origin,
        index,
        leaf_hash: leafHash(bytes).toString('base64'),
        boot: entry.boot,
        ...(entry.c === undefined ? {} : { commitments: entry.c }),
        ...(entry.k === undefined ? {} : { key: entry.k }),
      },
    },
  };
}

/** Texts that leave the gateway as their hash only. */
export const asDigest: Wording = (recorded) => `sha256:${hash('sha256', recorded)}`;
