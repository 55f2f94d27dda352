// What the gateway says of itself and of its record, as events.
import type { JournalItem } from '../ledger/read-journal.ts';
import { count, type Fields, type Said, text } from './ocsf.ts';
import type { Sessions } from './sessions.ts';
import { actorOf, behind, sourceOf, targetOf } from './sessions.ts';

export interface Product {
  readonly name: string;
  readonly version: string;
}

/** Facts are opaque ids, counts and hashes; receivers get them as they are. */
const plain = ({ entry: { x } }: JournalItem): Fields => x;

function ofLog(activity: number, message: string, severity: Said['severity'] = 'informational') {
  return (item: JournalItem): Said => ({
    of: 'log',
    activity,
    severity,
    status: 'success',
    message,
    attributes: { log_name: 'countersign ledger', log_type_id: 2, log_type: 'Application' },
    more: plain(item),
  });
}

export const genesis = ofLog(9, 'the ledger was created');
export const segment = ofLog(5, 'a segment of the journal was sealed');
export const timestamp = ofLog(3, 'a checkpoint was stamped by a time authority');
export const shown = ofLog(3, 'a checkpoint was given to somebody outside');
export const delivered = ofLog(3, 'events were delivered');
export const unknown = ofLog(3, 'an entry of a newer kind');

function ofProcess(activity: number, message: string) {
  return (item: JournalItem, _sessions: Sessions, product: Product): Said => ({
    of: 'lifecycle',
    activity,
    status: 'success',
    message,
    attributes: { app: { name: product.name, version: text(item.entry.x.version) ?? product.version } },
    more: plain(item),
  });
}

export const start = ofProcess(3, 'the gateway started');
export const stop = ofProcess(4, 'the gateway stopped');
export const heartbeat = ofProcess(99, 'the gateway is alive');

function ofEntity(activity: number, type: string, message: string, severity: Said['severity'] = 'informational') {
  return (item: JournalItem): Said => {
    const { x } = item.entry;
    const uid = text(x.version) ?? text(x.id) ?? text(x.key) ?? text(x.vkey) ?? type;
    const isPolicy = type === 'policy set';
    return {
      of: 'entity',
      activity,
      severity,
      status: 'success',
      message,
      attributes: {
        entity: {
          name: type,
          uid,
          ...(isPolicy
            ? { type_id: 5, type: 'Policy', policy: { uid, name: 'policies', version: uid } }
            : { type_id: 99, type }),
        },
      },
      more: plain(item),
    };
  };
}

export const policy = ofEntity(10, 'policy set', 'a set of policies was put in force', 'low');
export const configuration = ofEntity(10, 'configuration', 'a configuration was put in force', 'low');
export const successor = ofEntity(3, 'log key', 'the ledger continues under another key', 'high');
export const hold = ofEntity(1, 'retention hold', 'records were put on hold', 'low');
export const release = ofEntity(4, 'retention hold', 'a hold on records was lifted', 'medium');
export const rewrap = ofEntity(3, 'data keys', 'data keys were wrapped anew', 'low');
export const shred = ofEntity(4, 'data keys', 'records were erased by destroying their keys', 'medium');

/** A look at something that must be so: the result is a finding, good or bad. */
function ofCheck(control: string) {
  return (item: JournalItem): Said => {
    const { entry, index } = item;
    const { x } = entry;
    const failed = isBad(x);
    const uid = `${entry.gw}:${index}`;
    return {
      of: failed ? 'detection' : 'compliance',
      activity: 1,
      severity: failed ? 'high' : 'informational',
      status: 'other',
      message: failed ? `${control}: something is wrong` : `${control}: as it should be`,
      alert: failed,
      attributes: {
        finding_info: { uid, title: control, created_time: entry.ts },
        ...(failed ? {} : { compliance: { control, status_id: 1, status: 'Pass' } }),
      },
      more: plain(item),
    };
  };
}

/** Whether the facts of a check say that it failed: a word for it, or something that only the target knows. */
function isBad(x: Fields): boolean {
  const word = text(x.result) ?? text(x.state) ?? text(x.status) ?? '';
  if (/^(?:fail|failed|bad|wrong|bypass|deleted|writable|mismatch)/.test(word) || x.ok === false) return true;
  return Object.entries(x).some(([key, value]) => /^only.?in.?target/i.test(key) && (count(value) ?? 0) > 0);
}

export const probe = ofCheck('storage refuses deletion');
export const reconciled = ofCheck('every act at the target is in the ledger');

/** Which process of the target serves a session, or the gateway's own reading of the catalogue. */
export function reached(item: JournalItem, sessions: Sessions): Said {
  const { entry } = item;
  const session = sessions.of(entry.sid ?? text(entry.x.session));
  const isSsh = session?.protocol === 'ssh';
  const database = session?.database || text(entry.x.database) || 'unknown';
  const target = session?.target || text(entry.x.target) || 'unknown';
  const who = session ? `session ${entry.sid}` : 'the gateway itself';
  return {
    of: isSsh ? 'ssh' : 'datastore',
    activity: isSsh ? 1 : 3,
    status: 'success',
    message: `${who} reached ${target}`,
    attributes: {
      src_endpoint: sourceOf(text(session?.claimed.address)),
      dst_endpoint: session ? targetOf(session) : { name: target },
      ...(isSsh
        ? {}
        : {
            actor: actorOf(session, entry.sid),
            database: {
              name: database,
              uid: `${target}/${database}`,
              type_id: 1,
              type: 'Relational',
            },
          }),
    },
    more: { ...behind(session), ...plain(item) },
  };
}
