// Statements as events: a decision says what was asked and what the gateway did about it, an outcome how it ended. Texts are in
// their recorded form; what was masked stays masked (test: event.test.ts, "nothing unmasked").
import type { Json } from '../domain/entry.ts';
import type { JournalItem } from '../ledger/read-journal.ts';
import { count, fields, type Fields, list, type rulings, type Said, strings, text } from './ocsf.ts';
import {
  actorOf,
  behind,
  mostOpen,
  type OpenSession,
  type OpenStatement,
  type Sessions,
  sourceOf,
  targetOf,
} from './sessions.ts';

/** How a recorded text is shown to receivers. */
export type Wording = (recorded: string) => string;

/** Characters of a text in one event; the record holds it whole. */
const longestText = 32_768;
const mostEffects = 50;

const datastoreActivities: Readonly<Record<string, number>> = {
  'sql:insert': 5,
  'sql:file_write': 5,
  'sql:derive': 5,
  'sql:update': 2,
  'sql:alter': 2,
  'sql:delete': 7,
  'sql:truncate': 7,
  'sql:drop': 7,
  'sql:create': 6,
  'sql:grant': 6,
  'sql:read': 4,
  'sql:reveal': 4,
  'sql:probe': 4,
  'sql:match': 4,
  'sql:file_read': 1,
};

/** The gravest of its effects decides: what takes away before what adds, what adds before what reads. */
const gravest = [7, 2, 5, 6, 1, 4];

function activityOf(kind: string, actions: readonly string[]): number {
  if (kind === 'connect') return 3;
  const found = new Set(actions.map((action) => datastoreActivities[action] ?? 99));
  return gravest.find((activity) => found.has(activity)) ?? 99;
}

export function decision(item: JournalItem, sessions: Sessions, wording: Wording): Said {
  const { entry, index } = item;
  const { x } = entry;
  const sequence = entry.sq ?? 0;
  const session = sessions.of(entry.sid);
  const what = opened(item);
  const kind = text(x.k) ?? 'execute';
  const actions = strings(x.e);
  const before = session?.statements.get(sequence);
  const activity = before?.activity ?? activityOf(kind, actions);
  const ruling = text(x.d) ?? 'deny';
  const trace = text(x.tr);
  const open: OpenStatement = {
    decision: before?.decision ?? index,
    at: before?.at ?? entry.ts,
    activity,
    kind,
    held: ruling === 'hold' || before?.held === true,
    trace: trace ?? before?.trace,
  };
  const mayGoOn = ruling !== 'deny' && kind !== 'connect';
  if (session && mayGoOn && session.statements.size < mostOpen) session.statements.set(sequence, open);
  else session?.statements.delete(sequence);

  const masks = list(what.masks);
  const reason = text(what.reason);
  const rules = strings(x.r);
  const did = rulingOf(ruling, before !== undefined, masks.length > 0);
  const query = before || kind === 'connect' ? undefined : queryOf(what, item, wording);
  return {
    of: classOf(session),
    activity: session?.protocol === 'ssh' ? (kind === 'connect' ? 1 : 6) : activity,
    severity: ruling === 'deny' ? 'medium' : ruling === 'hold' ? 'low' : 'informational',
    status: ruling === 'deny' ? 'failure' : ruling === 'hold' ? 'other' : 'success',
    statusCode: text(x.cause),
    statusDetail: reason?.slice(0, 1_000),
    message: `${kind} ${sequence} of session ${entry.sid}: ${ruling}`,
    ruling: did,
    alert: ruling === 'deny',
    attributes: {
      ...about(session, item, query),
      policy: { name: 'policies', uid: text(x.p) ?? 'unknown', version: text(x.p) ?? 'unknown', is_applied: true },
    },
    more: {
      ...behind(session),
      kind,
      rules,
      ack: text(x.a),
      effects: effectsOf(what, actions),
      ...(x.s === undefined ? {} : { shadow: x.s }),
      ...(text(x.approval) === undefined ? {} : { approval: x.approval }),
      ...(masks.length > 0 ? { masks } : {}),
      ...(open.trace === undefined ? {} : { traceparent: open.trace }),
      ...(before ? { decision: before.decision } : {}),
    },
  };
}

function rulingOf(ruling: string, again: boolean, masked: boolean): keyof typeof rulings {
  if (ruling === 'hold') return 'held';
  if (ruling === 'deny') return again ? 'rejected' : 'blocked';
  return again ? 'approved' : masked ? 'masked' : 'allowed';
}

export function outcome(item: JournalItem, sessions: Sessions): Said {
  const { entry } = item;
  const { x } = entry;
  const session = sessions.of(entry.sid);
  const sequence = entry.sq ?? 0;
  const before = session?.statements.get(sequence);
  session?.statements.delete(sequence);
  const status = text(x.status) ?? 'lost';
  const masked = list(x.masked);
  const cells = masked.reduce<number>((sum, one) => sum + (count(fields(one).cells) ?? 0), 0);
  return {
    of: classOf(session),
    activity: session?.protocol === 'ssh' ? 6 : (before?.activity ?? 99),
    severity: status === 'lost' ? 'low' : 'informational',
    status: status === 'done' ? 'success' : status === 'skipped' ? 'other' : 'failure',
    statusCode: text(x.code) ?? status,
    message: `statement ${sequence} of session ${entry.sid}: ${status}`,
    attributes: {
      ...about(session, item, undefined),
      ...(before ? { start_time: before.at, end_time: entry.ts, duration: Math.max(0, entry.ts - before.at) } : {}),
    },
    more: {
      ...behind(session),
      status,
      tag: text(x.tag),
      rows: count(x.rows) ?? 0,
      bytes: count(x.bytes) ?? 0,
      maskedCells: cells,
      ...(masked.length > 0 ? { masked } : {}),
      ...(before?.trace === undefined ? {} : { traceparent: before.trace }),
      ...(before ? { decision: before.decision } : {}),
    },
  };
}

export function classOf(session: OpenSession | undefined): 'datastore' | 'ssh' {
  return session?.protocol === 'ssh' ? 'ssh' : 'datastore';
}

/** Who, from where, to what: of a statement. */
function about(session: OpenSession | undefined, { entry }: JournalItem, query: Fields | undefined): Fields {
  const ends = { src_endpoint: sourceOf(text(session?.claimed.address)), dst_endpoint: targetOf(session) };
  // SSH has no place for an actor but below.
  if (classOf(session) === 'ssh') return { ...ends };
  const name = session?.database || 'unknown';
  return {
    ...ends,
    actor: actorOf(session, entry.sid),
    database: { name, uid: `${session?.target ?? 'unknown'}/${name}`, type_id: 1, type: 'Relational' },
    type_id: 1,
    type: 'Database',
    ...(query ? { query_info: query } : {}),
  };
}

function queryOf(what: Fields, { entry, payload }: JournalItem, wording: Wording): Fields {
  const uid = `${entry.sid}:${entry.sq}`;
  const recorded = text(what.text);
  if (recorded === undefined) return { uid, query_string: payload === 'shredded' ? '(erased)' : '(not recorded)' };
  const words = wording(recorded);
  return { uid, query_string: words.slice(0, longestText).toWellFormed(), bytes: Buffer.byteLength(recorded) };
}

function effectsOf(what: Fields, actions: readonly string[]): Json {
  const effects = list(what.effects)
    .slice(0, mostEffects)
    .map((effect) => {
      const { action, resource, labels } = fields(effect);
      return { action, resource, ...(labels === undefined ? {} : { labels }) };
    });
  return effects.length > 0 ? effects : actions.map((action) => ({ action }));
}

export function opened({ payload }: JournalItem, group: 'what' | 'approval' | 'admin' | 'who' = 'what'): Fields {
  return payload === undefined || payload === 'shredded' ? {} : fields(payload[group]);
}
