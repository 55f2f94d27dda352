// Entries of traced statements → spans. Pure. Names and attributes are those of OpenTelemetry's semantic conventions for databases;
// no text of a statement is among them (docs/tracing.md).
import type { JournalItem } from '../ledger/read-journal.ts';
import { count, fields, type Fields, list, strings, text } from '../events/ocsf.ts';
import { openSessions, type Sessions } from '../events/sessions.ts';

export interface SpanRecord {
  readonly name: string;
  /** W3C traceparent of what the client began. */
  readonly parent: string;
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Readonly<Record<string, string | number | boolean | string[]>>;
  readonly events: readonly {
    readonly name: string;
    readonly at: number;
    readonly attributes: Readonly<Record<string, string>>;
  }[];
  /** The session's own trace, where the statement has another one. */
  readonly link?: string;
  readonly error?: string;
}

interface Open {
  readonly parent: string;
  readonly start: number;
  readonly span: Omit<SpanRecord, 'end'>;
  readonly events: { name: string; at: number; attributes: Record<string, string> }[];
}

export interface Spans {
  /** The span that this entry ended, where it ended one. Entries come in order. */
  add(item: JournalItem): SpanRecord | undefined;
}

/** Traced statements under way at once; what is above it makes no span. */
const mostOpen = 20_000;
const sampled = /-[0-9a-f][13579bdf]$/;

export function openSpans(origin: string): Spans {
  const sessions: Sessions = openSessions();
  const traces = new Map<string, string>();
  const open = new Map<string, Open>();

  function decided(item: JournalItem): SpanRecord | undefined {
    const { entry, index, payload } = item;
    const key = `${entry.sid}:${entry.sq}`;
    const { x } = entry;
    const ruling = text(x.d) ?? 'deny';
    const before = open.get(key);
    if (before) {
      // The ruling that ends a hold.
      const cause = text(x.cause);
      const name = ruling === 'permit' ? 'countersign.granted' : `countersign.${cause ?? 'denied'}`;
      before.events.push({ name, at: entry.ts, attributes: {} });
      if (ruling !== 'deny') return undefined;
      open.delete(key);
      return { ...before.span, end: entry.ts, error: cause ?? 'denied' };
    }
    const parent = text(x.tr);
    const kind = text(x.k) ?? 'execute';
    if (parent === undefined || !sampled.test(parent)) return undefined;
    if (kind !== 'execute' && (ruling !== 'deny' || kind !== 'prepare')) return undefined;
    const what = payload === undefined || payload === 'shredded' ? {} : fields(payload.what);
    const session = sessions.of(entry.sid);
    const ofSession = traces.get(entry.sid ?? '');
    const { collection, operation, summary } = named(what, strings(x.e));
    const events: Open['events'] = [];
    if (ruling === 'hold')
      events.push({ name: 'countersign.held', at: entry.ts, attributes: { approval: text(x.approval) ?? '' } });
    const span = {
      name: summary,
      parent,
      start: entry.ts,
      events,
      ...(ofSession !== undefined && ofSession !== parent ? { link: ofSession } : {}),
      attributes: {
        'db.system.name': session?.protocol === 'postgres' ? 'postgresql' : (session?.protocol ?? 'other_sql'),
        'db.namespace': session?.database ?? '',
        'db.operation.name': operation,
        'db.query.summary': summary,
        ...(collection === undefined ? {} : { 'db.collection.name': collection }),
        'countersign.target': session?.target ?? '',
        'countersign.session': entry.sid ?? '',
        'countersign.ruling': ruling,
        'countersign.rules': strings(x.r),
        'countersign.ledger.origin': origin,
        'countersign.ledger.index': index,
      },
    };
    if (ruling === 'deny') return { ...span, end: entry.ts, error: 'denied' };
    if (open.size < mostOpen) open.set(key, { parent, start: entry.ts, span, events });
    return undefined;
  }

  function ended({ entry }: JournalItem): SpanRecord | undefined {
    const key = `${entry.sid}:${entry.sq}`;
    const before = open.get(key);
    if (!before) return undefined;
    open.delete(key);
    const { x } = entry;
    const status = text(x.status) ?? 'lost';
    const code = text(x.code);
    const us = count(x.us);
    const masked = list(x.masked).reduce<number>((sum, one) => sum + (count(fields(one).cells) ?? 0), 0);
    return {
      ...before.span,
      // Entries know milliseconds; traced outcomes say how long it took to the microsecond.
      end: us === undefined ? entry.ts : before.start + us / 1_000,
      attributes: {
        ...before.span.attributes,
        'db.response.returned_rows': count(x.rows) ?? 0,
        'countersign.masked_cells': masked,
        'countersign.outcome': status,
        ...(code === undefined ? {} : { 'db.response.status_code': code }),
        ...(status === 'done' ? {} : { 'error.type': code ?? status }),
      },
      ...(status === 'done' || status === 'skipped' ? {} : { error: code ?? status }),
    };
  }

  return {
    add(item) {
      const { entry } = item;
      switch (entry.t) {
        case 'session.open': {
          const session = sessions.open(entry.sid ?? '', item);
          const trace = text(session.claimed.trace);
          if (trace !== undefined) traces.set(entry.sid ?? '', trace);
          return undefined;
        }
        case 'session.seal':
        case 'session.orphaned':
          sessions.close(entry.sid ?? '');
          traces.delete(entry.sid ?? '');
          for (const key of open.keys()) if (key.startsWith(`${entry.sid}:`)) open.delete(key);
          return undefined;
        case 'statement.decision':
          return decided(item);
        case 'statement.outcome':
          return ended(item);
        default:
          return undefined;
      }
    },
  };
}

const words: Readonly<Record<string, string>> = {
  'sql:read': 'SELECT',
  'sql:reveal': 'SELECT',
  'sql:insert': 'INSERT',
  'sql:update': 'UPDATE',
  'sql:delete': 'DELETE',
  'sql:truncate': 'TRUNCATE',
  'sql:create': 'CREATE',
  'sql:alter': 'ALTER',
  'sql:drop': 'DROP',
  'sql:grant': 'GRANT',
  'sql:call': 'CALL',
  'sql:session': 'SET',
  'sql:transaction': 'TRANSACTION',
  'sql:lock': 'LOCK',
  'sql:maintain': 'MAINTAIN',
  'sql:notify': 'NOTIFY',
  'sql:listen': 'LISTEN',
};
/** What changes something names the operation, whatever else is read for it. */
const first = [
  'sql:drop',
  'sql:truncate',
  'sql:delete',
  'sql:alter',
  'sql:create',
  'sql:grant',
  'sql:update',
  'sql:insert',
];

function named(what: Fields, actions: readonly string[]): { operation: string; summary: string; collection?: string } {
  const action = first.find((one) => actions.includes(one)) ?? actions.find((one) => one in words);
  const operation = (action !== undefined && words[action]) || 'QUERY';
  const relations = new Set(
    list(what.effects)
      .map(fields)
      .filter((effect) => effect.action === action)
      .flatMap(({ resource }) => text(resource) ?? []),
  );
  const [only] = relations;
  if (relations.size === 0) return { operation, summary: operation };
  return relations.size === 1
    ? { operation, summary: `${operation} ${only}`, collection: only! }
    : { operation, summary: `${operation} ${[...relations].slice(0, 5).join(' ')}`.slice(0, 255) };
}
