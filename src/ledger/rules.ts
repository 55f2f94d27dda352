// What entries must say about each other: time, boots, sessions, segment seals. Fed in order by the verifier.
import type { Json } from '../domain/entry.ts';
import { readRule } from '../domain/recording-rule.ts';
import { ackLevels } from '../domain/target.ts';
import { Damage, meaning } from './damage.ts';
import { type Destruction, openDestruction } from './destruction.ts';
import type { Entry } from './entry.ts';
import type { Cursor } from './journal-reading.ts';
import { segmentFile } from './journal-reading.ts';
import { hexOf } from './platform.ts';
import { type Gaps, openSilence } from './silence.ts';
import { formatVkey, type NoteKey } from './note.ts';
import { parsePredecessor, parseSuccessor, type Predecessor, type Successor } from './succession.ts';
import type { RecordingSeal } from './verify-recordings.ts';
import type { RecordedStamp } from './verify-timestamps.ts';

export interface Rules {
  /** The next entry; Damage when it does not fit those before it. `key` is the key id beside its sealed payload. */
  entry(entry: Entry, index: number, file: string, cursor: Cursor, key: string | undefined): void;
  /** A frame has been read; the cursor stands behind it. */
  frame(cursor: Cursor): void;
  /** Nothing follows. */
  end(): void;
  /** What sealed sessions say of their recordings. */
  readonly recordings: ReadonlyMap<string, { readonly index: number; readonly seal: RecordingSeal }>;
  /** Time stamps that the log recorded. */
  readonly stamps: readonly RecordedStamp[];
  open(): ReadonlySet<string>;
  readonly destruction: Destruction;
  summary(): {
    types: Record<string, number>;
    sessions: { opened: number; open: number; sealed: number; orphaned: number };
    boots: number;
    gaps: Gaps;
    shredded: ReturnType<Destruction['summary']>;
    from?: number;
    to?: number;
    /** What this log continues, and what continues it. */
    predecessor?: Predecessor;
    successor?: Successor;
  };
}

interface Session {
  last: number;
  /** What its opening says that the recording keeps. */
  readonly rule: Json | undefined;
  /** Bytes that its outcomes say the client was sent. */
  sent: number;
  /** Statements whose latest decision is a hold: the only ones that may be decided again. */
  readonly held: Set<number>;
  /** Its `session.target` was recorded, or its boot does not promise one. */
  reached: boolean;
  served: boolean;
  /** Statements that were permitted and have no outcome yet, and the ack level that each asked for. */
  readonly permitted: Map<number, Json | undefined>;
  /** The one that opening the session asked for. */
  connect: Json | undefined;
}

type Wrong = (what: string, why?: string) => Damage;
type Segment = { first: number; entries: number; bytes: number; trailer: string };

/** Logs of before do not say what was reached; one that says it must have reached what was asked for. */
function reaches(reached: Json | undefined, asked: Json | undefined): boolean {
  if (reached === undefined || asked === undefined) return true;
  const rank = (level: Json) => ackLevels.findIndex((one) => one === level);
  return rank(reached) >= Math.max(0, rank(asked));
}

const bindsSession: ReadonlySet<string> = new Set(['session.target', 'session.seal', 'session.orphaned']);

/** Rules of the log that `key` signs. */
export function openRules(key: NoteKey): Rules {
  const origin = key.name;
  const types: Record<string, number> = {};
  const sessions = new Map<string, Session>();
  const ended = new Set<string>();
  const recordings = new Map<string, { index: number; seal: RecordingSeal }>();
  const quiet = openSilence();
  const stamps: RecordedStamp[] = [];
  const destruction = openDestruction();
  const count = { opened: 0, sealed: 0, orphaned: 0, boots: 0 };
  /** The present boot records which process of a target serves a session before its first statement. */
  let joins = false;
  let from: number | undefined;
  let before: Entry | undefined;
  let segment: Segment | undefined;
  let predecessor: Predecessor | undefined;
  let successor: Successor | undefined;
  /** The segment that ended and is not yet sealed. */
  let unsealed: Segment | undefined;

  function boots(entry: Entry, index: number, wrong: Wrong): void {
    if (index === 0) {
      if (entry.t !== 'log.genesis') throw wrong('the log does not begin with log.genesis', meaning.missing);
      if (entry.x.origin !== origin) throw wrong('log.genesis names another log');
      if (entry.x.vkey !== formatVkey(origin, key.key)) throw wrong('log.genesis names another key');
      const before = parsePredecessor(entry.x);
      if (typeof before === 'string') throw wrong(`log.genesis ${before}`);
      predecessor = before;
      return;
    }
    if (successor) {
      if (entry.t === 'log.successor') throw wrong('a second log.successor', meaning.forked);
      throw wrong('an entry stands after log.successor', meaning.afterEnd);
    }
    if (entry.t === 'log.genesis') throw wrong('log.genesis stands a second time');
    if (entry.t !== 'gateway.start') {
      if (entry.boot !== before!.boot) throw wrong('a gateway wrote without recording its start', meaning.missing);
      if (before!.t === 'gateway.stop') throw wrong('a gateway wrote after recording its stop');
      if (entry.t === 'log.successor') succeed(entry, wrong);
      return;
    }
    count.boots++;
    joins = Array.isArray(entry.x.asks);
    const previous = entry.x.previous as { readonly [key: string]: Json | undefined } | undefined;
    if (entry.x.boot !== entry.boot || entry.boot === before!.boot) throw wrong('gateway.start names the wrong boot');
    if (previous?.last !== index - 1 || previous.boot !== before!.boot) {
      throw wrong('gateway.start does not continue the boot before', meaning.missing);
    }
    const how = before!.t === 'gateway.stop' ? 'stopped' : before!.t === 'log.genesis' ? 'created' : 'crashed';
    if (previous.ended !== how) throw wrong('gateway.start says the boot before ended otherwise than it did');
  }

  /** Whoever continues a log does so under another name, and no session of it is left open. */
  function succeed(entry: Entry, wrong: Wrong): void {
    const named = parseSuccessor(entry.x);
    if (typeof named === 'string') throw wrong(`log.successor ${named}`);
    if (named.origin === origin) throw wrong('log.successor names the log itself');
    if (sessions.size > 0) throw wrong('the log ended while a session was open', meaning.missing);
    successor = named;
  }

  function statement(session: Session, t: string, sq: number, entry: Entry, wrong: Wrong): void {
    const known = sq <= session.last;
    if (t !== 'statement.decision') {
      if (!known) throw wrong(`statement ${sq} of the session has no decision`, meaning.missing);
      if (t !== 'statement.outcome') return;
      const asked = session.permitted.get(sq);
      if (!session.permitted.delete(sq)) {
        throw wrong(`statement ${sq} of the session has an outcome without a permit, or a second one`);
      }
      if (!reaches(entry.x.l, asked))
        throw wrong(`statement ${sq} of the session was let through before its record was ${String(asked)}`);
      // Of what was lost nobody knows how much left.
      if (entry.x.status !== 'lost' && typeof entry.x.bytes === 'number') session.sent += entry.x.bytes;
      return;
    }
    if (!session.reached && entry.x.d === 'permit' && entry.x.k !== 'connect')
      throw wrong('a statement was permitted before the process that serves the session was recorded', meaning.missing);
    if (sq > session.last + 1)
      throw wrong(`sequence number ${session.last + 1} of the session is missing`, meaning.missing);
    if (known && !session.held.delete(sq)) throw wrong(`statement ${sq} of the session is decided twice`);
    if (entry.x.d === 'permit') {
      session.permitted.set(sq, entry.x.a);
      if (entry.x.k === 'connect') session.connect = entry.x.a;
    }
    if (entry.x.d === 'hold') session.held.add(sq);
    session.last = Math.max(session.last, sq);
  }

  function inSession(entry: Entry, index: number, wrong: Wrong): void {
    const { sid, sq, t } = entry;
    if (sid === undefined) return;
    if (t === 'session.open') {
      if (sessions.has(sid) || ended.has(sid)) throw wrong('a session is opened a second time');
      count.opened++;
      sessions.set(sid, {
        last: 0,
        rule: entry.x.recording,
        sent: 0,
        reached: !joins,
        served: false,
        held: new Set(),
        permitted: new Map(),
        connect: undefined,
      });
    }
    const session = sessions.get(sid);
    if (!session) {
      const bound = t.startsWith('statement.') || bindsSession.has(t);
      if (bound && ended.has(sid)) throw wrong('something happened in a session after its end');
      if (bound) throw wrong('something happened in a session that was not opened', meaning.missing);
      return;
    }
    if (t === 'session.target') {
      if (session.served) throw wrong('a second process of the target is recorded for one session');
      session.served = session.reached = true;
    }
    if (t === 'statement.decision' && sq === undefined) throw wrong('a decision has no sequence number');
    if (sq !== undefined) statement(session, t, sq, entry, wrong);
    if (t !== 'session.seal' && t !== 'session.orphaned') return;
    if (!reaches(entry.x.l, session.connect))
      throw wrong(`the session was let through before its record was ${String(session.connect)}`);
    const n = entry.x.n;
    if (n !== undefined && n !== session.last) {
      throw wrong(
        `the session is sealed with ${Number(n)} statements and ${session.last} are recorded`,
        meaning.missing,
      );
    }
    const seal = entry.x.recording as unknown as RecordingSeal | undefined;
    if (seal && t === 'session.seal') stamp(session, seal, wrong);
    if (seal) recordings.set(sid, { index, seal });
    else unrecorded.add(sid);
    sessions.delete(sid);
    ended.add(sid);
    if (t === 'session.seal') count.sealed++;
    else count.orphaned++;
  }
  const unrecorded = new Set<string>();

  /** The seal says which rule the recording was kept under, the one of the opening, and what it holds fits the rule. */
  function stamp({ rule, sent }: Session, seal: RecordingSeal, wrong: Wrong): void {
    if (seal.rule !== rule) {
      const words = (of: Json | undefined) => (typeof of === 'string' ? `the rule ${of}` : 'no rule');
      throw wrong(`the recording was opened under ${words(rule)} and sealed under ${words(seal.rule)}`);
    }
    if (rule === undefined) return;
    if (readRule(rule) === undefined) throw wrong('the recording is kept under no rule that there is');
    const { kept, unkept } = seal;
    if (!kept) throw wrong('the seal does not say what its recording holds', meaning.missing);
    if (rule === 'full' && unkept) throw wrong('the recording holds less than its rule says', meaning.missing);
    if (kept.target + (unkept?.target ?? 0) < sent) {
      throw wrong(`the recording accounts for less than the ${sent} bytes that the client was sent`, meaning.missing);
    }
  }

  function seals(entry: Entry, wrong: Wrong): void {
    if (entry.t !== 'journal.seal') return;
    const { first, entries, bytes, sha256 } = entry.x;
    const is = unsealed;
    if (!is) throw wrong('a segment is sealed that did not end');
    if (first !== is.first || entries !== is.entries || bytes !== is.bytes || sha256 !== is.trailer) {
      throw wrong(`the seal does not fit ${segmentFile(is.first)}`);
    }
    unsealed = undefined;
  }

  function stamped(entry: Entry, index: number, wrong: Wrong): void {
    if (entry.t !== 'checkpoint.timestamp') return;
    const { size, sha256 } = entry.x;
    if (typeof size !== 'number' || size > index || typeof sha256 !== 'string')
      throw wrong('a time stamp is recorded of entries that were not there yet');
    stamps.push({ index, size, sha256 });
  }

  /** A receipt cannot be for what stands behind it (test: verify.test.ts, "a receipt"). */
  function receipts(entry: Entry, index: number, wrong: Wrong): void {
    // Of an earlier log the indices are its own.
    if (entry.t !== 'export.receipt' || entry.x.log !== undefined) return;
    const { first, next, events } = entry.x;
    const isWhole = [first, next, events].every((one) => Number.isSafeInteger(one) && Number(one) >= 0);
    if (
      !isWhole ||
      Number(first) >= Number(next) ||
      Number(next) > index ||
      Number(events) > Number(next) - Number(first)
    )
      throw wrong('a receipt of events is for entries that do not stand before it');
  }

  return {
    recordings,
    stamps,
    destruction,
    open: () => new Set([...sessions.keys(), ...unrecorded]),
    entry(entry, index, file, cursor, key) {
      const wrong = (what: string, why: string = meaning.changed) => new Damage(file, what, why, index);
      if (segment && cursor.segment !== segment.first) {
        unsealed = segment;
        segment = undefined;
      }
      if (before && entry.ts < before.ts) throw wrong('time runs backwards');
      if (entry.k !== key) throw wrong('the sealed payload does not belong to the entry');
      boots(entry, index, wrong);
      inSession(entry, index, wrong);
      seals(entry, wrong);
      stamped(entry, index, wrong);
      receipts(entry, index, wrong);
      destruction.entry(entry, index, (session) => sessions.has(session), wrong);
      const { open } = entry.x;
      if (entry.t === 'heartbeat' && typeof open === 'number' && open !== sessions.size)
        throw wrong(`a heartbeat counts ${open} open sessions and the log has ${sessions.size}`, meaning.missing);
      quiet.entry(entry, index);
      types[entry.t] = (types[entry.t] ?? 0) + 1;
      from ??= entry.ts;
      before = entry;
    },
    frame(cursor) {
      // The seal of a segment stands in the first frame after it.
      if (unsealed) throw new Damage(segmentFile(cursor.segment), 'the segment before is not sealed', meaning.missing);
      segment = {
        first: cursor.segment,
        entries: cursor.next - cursor.segment,
        bytes: cursor.offset,
        trailer: hexOf(cursor.trailer),
      };
    },
    end() {
      if (unsealed) throw new Damage(segmentFile(unsealed.first), 'the segment is not sealed', meaning.missing);
    },
    summary: () => ({
      types,
      sessions: { opened: count.opened, open: sessions.size, sealed: count.sealed, orphaned: count.orphaned },
      boots: count.boots,
      gaps: quiet.gaps(),
      shredded: destruction.summary(),
      ...(from === undefined ? {} : { from, to: before!.ts }),
      ...(predecessor === undefined ? {} : { predecessor }),
      ...(successor === undefined ? {} : { successor }),
    }),
  };
}
