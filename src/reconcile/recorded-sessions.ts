// The ledger as connections to one target and the statements that were sent through them. Pure: entries in, connections out.
import type { Json } from '../domain/entry.ts';
import type { JournalItem } from '../ledger/read-journal.ts';

export interface SentStatement {
  readonly index: number;
  /** When its decision was recorded: it was not sent before. */
  readonly at: number;
  readonly kind: string;
  /** Undefined where its key was destroyed. */
  readonly text: string | undefined;
  readonly reads: boolean;
  status?: string;
  code?: string;
  /** When its outcome was recorded: the target had logged it by then. */
  settled?: number;
}

export interface RecordedSession {
  /** Undefined for a connection of the gateway's own. */
  readonly id: string | undefined;
  readonly database: string;
  readonly boot: string;
  /** Not dialled before, not logged in later than. */
  readonly from: number;
  reached: number;
  ended?: number;
  /** The gateway ended before it did. */
  orphaned: boolean;
  readonly pid: number | undefined;
  readonly port: number | undefined;
  readonly address: string | undefined;
  readonly index: number;
  readonly statements: SentStatement[];
}

export interface RecordedTarget {
  readonly sessions: readonly RecordedSession[];
  /** Sessions that were let in and never got a process of the target: refused there, or recorded by an older version. */
  readonly unserved: number;
  /** Statements that were refused, held or withdrawn: the target was not told of them. */
  readonly notSent: number;
  /** Statements whose text is gone: their key was destroyed. */
  readonly erased: number;
  /** By boot: first 16 hex digits of the SHA-256 of each text that the gateway asks by itself. */
  readonly asks: ReadonlyMap<string, ReadonlySet<string>>;
  readonly entries: number;
  readonly from?: number;
  readonly to?: number;
}

interface Opening {
  readonly at: number;
  readonly boot: string;
  readonly index: number;
  served?: RecordedSession;
  connect?: number;
  readonly decided: Map<number, { text: string | undefined; kind: string; reads: boolean }>;
  readonly sent: Map<number, SentStatement>;
}

const reading: ReadonlySet<string> = new Set(['sql:read', 'sql:reveal', 'sql:match', 'sql:probe', 'sql:session']);

/** Entries of the whole log in order, with their payloads opened. */
export function readRecordedSessions(target: string) {
  const opening = new Map<string, Opening>();
  const sessions: RecordedSession[] = [];
  const asks = new Map<string, ReadonlySet<string>>();
  const own = new Map<string, RecordedSession[]>();
  let unserved = 0;
  let notSent = 0;
  let erased = 0;
  let entries = 0;
  let from: number | undefined;
  let to: number | undefined;

  function close(id: string, at: number, orphaned: boolean): void {
    const of = opening.get(id);
    if (!of) return;
    opening.delete(id);
    notSent += of.decided.size - of.sent.size;
    if (!of.served) {
      unserved++;
      return;
    }
    of.served.ended = at;
    of.served.orphaned = orphaned;
  }

  function reached(item: JournalItem, of: Opening | undefined): void {
    const { entry, index } = item;
    const { pid, port, database } = entry.x;
    const local = item.payload === 'shredded' ? undefined : field(field(item.payload, 'target'), 'local');
    const session: RecordedSession = {
      id: entry.sid,
      database: typeof database === 'string' ? database : '',
      boot: entry.boot,
      from: of?.connect ?? of?.at ?? entry.ts - 60_000,
      reached: entry.ts,
      orphaned: false,
      pid: typeof pid === 'number' ? pid : undefined,
      port: typeof port === 'number' ? port : undefined,
      address: typeof local === 'string' ? local : undefined,
      index,
      statements: [],
    };
    sessions.push(session);
    if (of) of.served = session;
    else own.set(entry.boot, [...(own.get(entry.boot) ?? []), session]);
  }

  function decided(item: JournalItem, of: Opening): void {
    const { entry, index } = item;
    const { d, e, k } = entry.x;
    if (k === 'connect') {
      if (d === 'permit') of.connect = entry.ts;
      return;
    }
    const sq = entry.sq!;
    let known = of.decided.get(sq);
    if (!known) {
      const text = item.payload === 'shredded' ? undefined : field(field(item.payload, 'what'), 'text');
      if (text === undefined) erased++;
      const actions = Array.isArray(e) ? (e as string[]) : [];
      known = {
        text: typeof text === 'string' ? text : undefined,
        kind: String(k),
        reads: actions.every((action) => reading.has(action)),
      };
      of.decided.set(sq, known);
    }
    if (d !== 'permit' || k === 'cancel') return;
    const statement: SentStatement = { index, at: entry.ts, ...known };
    of.sent.set(sq, statement);
    of.served?.statements.push(statement);
  }

  return {
    entry(item: JournalItem): void {
      const { entry } = item;
      entries++;
      from ??= entry.ts;
      to = entry.ts;
      const { sid, t, x } = entry;
      if (t === 'gateway.start') {
        if (Array.isArray(x.asks)) asks.set(entry.boot, new Set(x.asks as string[]));
        // Whatever an earlier boot had open, its process has closed.
        for (const ofBoot of own.values()) for (const one of ofBoot) one.ended ??= entry.ts;
        own.clear();
      } else if (t === 'gateway.stop') {
        for (const one of own.get(entry.boot) ?? []) one.ended ??= entry.ts;
      } else if (t === 'session.target' && x.target === target) {
        if (sid === undefined) reached(item, undefined);
        else if (opening.has(sid)) reached(item, opening.get(sid));
      }
      if (sid === undefined) return;
      if (t === 'session.open' && x.target === target) {
        opening.set(sid, { at: entry.ts, boot: entry.boot, index: item.index, decided: new Map(), sent: new Map() });
        return;
      }
      const of = opening.get(sid);
      if (!of) return;
      if (t === 'statement.decision' && entry.sq !== undefined) decided(item, of);
      if (t === 'statement.outcome' && entry.sq !== undefined) {
        const statement = of.sent.get(entry.sq);
        if (!statement) return;
        statement.status = String(x.status);
        statement.settled = entry.ts;
        if (typeof x.code === 'string') statement.code = x.code;
      }
      if (t === 'session.seal' || t === 'session.orphaned') close(sid, entry.ts, t === 'session.orphaned');
    },
    end(): RecordedTarget {
      for (const of of opening.values()) {
        notSent += of.decided.size - of.sent.size;
        if (!of.served) unserved++;
      }
      return { sessions, unserved, notSent, erased, asks, entries, ...(from === undefined ? {} : { from, to: to! }) };
    },
  };
}

function field(value: unknown, name: string): Json | undefined {
  return typeof value === 'object' && value !== null ? ((value as Record<string, Json>)[name] as Json) : undefined;
}
