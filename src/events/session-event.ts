// Sign-ins, sessions and what people do about them, as events.
import type { JournalItem } from '../ledger/read-journal.ts';
import { count, fields, type Fields, list, type Said, text } from './ocsf.ts';
import { actorOf, behind, type Sessions, sourceOf } from './sessions.ts';
import { opened } from './statement-event.ts';

const service = { name: 'countersign' };

export function sessionOpen(item: JournalItem, sessions: Sessions): Said {
  const { entry } = item;
  const session = sessions.open(entry.sid ?? '', item);
  const who = opened(item, 'who');
  const credential = fields(fields(who.principal).credential);
  return {
    of: 'authentication',
    activity: 1,
    status: 'success',
    message: `session ${entry.sid} opened`,
    attributes: {
      user: session.user,
      actor: actorOf(session, entry.sid),
      service,
      session: { uid: entry.sid, created_time: entry.ts },
      src_endpoint: sourceOf(text(session.claimed.address)),
      dst_endpoint: { name: session.target || 'unknown', svc_name: session.protocol },
      ...(credential.type === 'jwt' ? { auth_protocol_id: 4, auth_protocol: 'OpenID' } : {}),
      is_remote: true,
    },
    more: {
      ...behind(session),
      target: session.target,
      database: session.database,
      policy: entry.x.p,
      ...(text(credential.jti) === undefined ? {} : { jti: credential.jti }),
      ...(text(credential.sha256) === undefined ? {} : { credential: `sha256:${text(credential.sha256)}` }),
    },
  };
}

export function sessionEnd(item: JournalItem, sessions: Sessions): Said {
  const { entry } = item;
  const session = sessions.of(entry.sid);
  sessions.close(entry.sid ?? '');
  const orphaned = entry.t === 'session.orphaned';
  return {
    of: 'authentication',
    activity: 2,
    severity: orphaned ? 'medium' : 'informational',
    status: orphaned ? 'failure' : 'success',
    statusDetail: text(entry.x.cause),
    message: `session ${entry.sid} ended`,
    attributes: {
      user: session?.user ?? { uid: 'unknown' },
      service,
      session: { uid: entry.sid, ...(session ? { created_time: session.opened } : {}) },
      src_endpoint: sourceOf(text(session?.claimed.address)),
      ...(session ? { start_time: session.opened, end_time: entry.ts, duration: entry.ts - session.opened } : {}),
    },
    more: {
      ...behind(session),
      statements: count(entry.x.n) ?? 0,
      orphaned,
      ...(entry.x.recording === undefined ? {} : { recording: entry.x.recording }),
    },
  };
}

/** Nobody, or somebody who may not: `sign-in.refused` without a verified principal, `session.refused` with one. */
export function refused(item: JournalItem): Said {
  const { entry } = item;
  const who = opened(item, 'who');
  const claimed = fields(who.claimed);
  const principal = text(who.principal);
  const uid = principal ?? text(claimed.user) ?? 'unknown';
  return {
    of: 'authentication',
    activity: 1,
    severity: 'low',
    status: 'failure',
    statusCode: text(entry.x.code),
    message: principal === undefined ? 'a sign-in was refused' : 'a session was refused',
    ruling: 'blocked',
    attributes: {
      user: { uid: uid.slice(0, 300) || 'unknown' },
      service,
      src_endpoint: sourceOf(text(who.remote)),
      dst_endpoint: { name: text(claimed.target) || 'unknown' },
      is_remote: true,
    },
    more: { verified: principal !== undefined, claimed, notRecorded: count(entry.x.notRecorded) ?? 0 },
  };
}

/** An administrator, or a person who reads or decides something through the API. */
export function personOf(id: string | undefined, name: string | undefined): Fields {
  if (id === undefined) return { app_name: 'countersign' };
  return { user: { uid: id, name: name ?? id, type_id: 1, type: 'User' } };
}

export function kill(item: JournalItem): Said {
  const admin = opened(item, 'admin');
  const session = text(item.entry.x.session);
  return {
    of: 'api',
    activity: 4,
    severity: 'high',
    status: 'success',
    statusDetail: text(admin.reason),
    message: `session ${session} was ended by an administrator`,
    ruling: 'revoked',
    alert: true,
    attributes: {
      actor: personOf(text(admin.by), text(admin.byName)),
      api: { operation: 'session.kill', service },
      src_endpoint: { svc_name: 'countersign' },
      resources: [{ uid: session ?? 'unknown', type: 'session' }],
    },
    more: { session },
  };
}

export const lockSet = (item: JournalItem): Said => lockAct(item, 'set', 4);
export const lockLifted = (item: JournalItem): Said => lockAct(item, 'lift', 3);

/** A lock takes access away for a while, which is a deletion of it here, and lifting it changes that back. */
function lockAct(item: JournalItem, act: 'set' | 'lift', activity: 3 | 4): Said {
  const admin = opened(item, 'admin');
  const { lock, ended } = item.entry.x;
  return {
    of: 'api',
    activity,
    ...(act === 'set' ? { severity: 'high', ruling: 'revoked', alert: true } : {}),
    status: 'success',
    statusDetail: text(admin.reason),
    message: act === 'set' ? `access was locked by ${text(item.entry.x.kind)}` : 'a lock was lifted',
    attributes: {
      actor: personOf(text(admin.by), text(admin.byName)),
      api: { operation: `lock.${act}`, service },
      src_endpoint: { svc_name: 'countersign' },
      resources: [{ uid: text(lock) ?? 'unknown', type: 'lock' }],
    },
    more: { kind: text(admin.kind), value: text(admin.value), ended: count(ended) },
  };
}

export function access(item: JournalItem): Said {
  const admin = opened(item, 'admin');
  const { what, session } = item.entry.x;
  return {
    of: 'api',
    activity: 2,
    status: 'success',
    message: `evidence was read: ${text(what) ?? 'unknown'}`,
    attributes: {
      actor: personOf(text(admin.by), text(admin.byName)),
      api: { operation: `evidence.${text(what) ?? 'access'}`, service },
      src_endpoint: { svc_name: 'countersign' },
      resources: [{ uid: text(session) ?? 'unknown', type: 'recording' }],
    },
    more: { session },
  };
}

export function approvalRequest(item: JournalItem): Said {
  const { x } = item.entry;
  const request = fields(opened(item, 'approval').request);
  const requester = fields(request.requester);
  const target = fields(request.target);
  const uid = text(requester.principal) ?? '(erased)';
  return {
    of: 'api',
    activity: 1,
    severity: 'low',
    status: 'success',
    message: `approval ${text(x.id)} was asked for`,
    ruling: 'held',
    attributes: {
      actor: { user: { uid, name: text(requester.name) ?? uid } },
      api: { operation: 'approval.request', service },
      src_endpoint: { svc_name: 'countersign' },
      resources: [{ uid: text(x.id) ?? 'unknown', type: 'approval request' }],
    },
    more: {
      ...statementOf(item),
      group: text(x.group),
      quorum: count(x.quorum) ?? 1,
      expires: count(x.expires) ?? 0,
      target: text(target.name),
      database: text(target.database),
      owner: text(requester.owner),
    },
  };
}

export function vote(item: JournalItem): Said {
  const { x } = item.entry;
  const said = opened(item, 'approval');
  const answer = text(x.answer) ?? 'refuse';
  return {
    of: 'api',
    activity: 3,
    status: 'success',
    statusDetail: text(said.reason),
    message: `a vote on approval ${text(x.id)}: ${answer}`,
    attributes: {
      actor: personOf(text(said.voter), text(said.voterName)),
      api: { operation: 'approval.vote', service },
      src_endpoint: { svc_name: 'countersign' },
      resources: [{ uid: text(x.id) ?? 'unknown', type: 'approval request' }],
    },
    more: { ...statementOf(item), answer, grade: text(x.grade) },
  };
}

/** A granted request is a privilege for one statement of one session. */
export function resolution(item: JournalItem, sessions: Sessions): Said {
  const { x } = item.entry;
  const state = text(x.state) ?? 'withdrawn';
  const session = sessions.of(text(x.session));
  const votes = list(opened(item, 'approval').votes);
  return {
    of: 'authorization',
    activity: 1,
    severity: state === 'granted' ? 'informational' : 'low',
    status: state === 'granted' ? 'success' : 'failure',
    statusCode: state,
    message: `approval ${text(x.id)} was ${state}`,
    ruling: state === 'granted' ? 'approved' : 'rejected',
    attributes: {
      user: session?.user ?? { uid: 'unknown' },
      privileges: [`statement ${count(x.of) ?? 0} of session ${text(x.session) ?? ''}`],
      session: { uid: text(x.session) ?? 'unknown' },
    },
    more: { ...statementOf(item), state, votes: votes.length },
  };
}

function ofKey(activity: number, message: string, severity: Said['severity']) {
  return (item: JournalItem): Said => {
    const { x } = item.entry;
    const admin = opened(item, 'admin');
    const by = text(admin.by) ?? text(fields(admin.key).person);
    const uid = text(x.key) ?? text(x.id) ?? 'unknown';
    return {
      of: 'entity',
      activity,
      severity,
      status: 'success',
      statusDetail: text(admin.reason),
      message,
      attributes: { actor: personOf(by, by), entity: { name: 'approver key', uid, type_id: 99, type: 'approver key' } },
      more: x,
    };
  };
}

export const keyEnrolled = ofKey(1, 'a key for signing votes was enrolled', 'low');
export const keyVouched = ofKey(10, 'a key for signing votes was vouched for', 'low');
export const keyRevoked = ofKey(4, 'a key for signing votes was revoked', 'medium');

function statementOf({ entry: { x } }: JournalItem): Fields {
  return { approval: text(x.id), digest: text(x.digest), session: text(x.session), statement: count(x.of) };
}
