// What entries must say about keys: which one sealed what, which were destroyed and by which entry, and what a hold kept meanwhile.
import type { Json } from '../domain/entry.ts';
import { Damage, meaning } from './damage.ts';
import { type Entry, opaqueId } from './entry.ts';
import { type HeldSession, type HoldScope, keepsSession, keepsTime } from './hold-scope.ts';

/** Ids of the keys in keys.sqlite, looked at before and after the log was read: a live gateway makes and destroys some meanwhile. */
export interface KeysThere {
  readonly before: ReadonlySet<string>;
  readonly after: ReadonlySet<string>;
}

export interface Destruction {
  /** The next entry; Damage when it does not fit. `isOpen` tells of a session. */
  entry(entry: Entry, index: number, isOpen: (session: string) => boolean, wrong: (what: string) => Damage): void;
  readonly sealing: ReadonlyMap<string, Sealing>;
  /** Keys that were destroyed, and by which entry. */
  readonly gone: ReadonlyMap<string, number>;
  /** Keys destroyed, sessions without readable content, and holds in force. */
  summary(): { readonly keys: number; readonly sessions: number; readonly holds: number };
  /** Sessions whose recordings an entry says were deleted. */
  readonly recordingsDeleted: ReadonlySet<string>;
}

/** What one key sealed. */
export interface Sealing {
  readonly session?: string;
  readonly first: number;
  last: number;
  index: number;
}

interface Known extends HeldSession {
  readonly opened: number;
  closed: number;
}

export function openDestruction(): Destruction {
  const sealing = new Map<string, Sealing>();
  const gone = new Map<string, number>();
  const sessions = new Map<string, Known>();
  const holds = new Map<string, HoldScope & { readonly hidden: boolean }>();
  const recordingsDeleted = new Set<string>();
  let shredded = 0;
  /** Keys and holds of the log before are not known here. */
  let continues = false;

  function noteKey(entry: Entry, index: number, wrong: (what: string) => Damage): void {
    const { k, sid, t, ts } = entry;
    if (t === 'session.open' && sid !== undefined)
      sessions.set(sid, {
        id: sid,
        target: typeof entry.x.target === 'string' ? entry.x.target : '',
        opened: ts,
        closed: Number.POSITIVE_INFINITY,
      });
    if (t === 'session.seal' || t === 'session.orphaned') {
      const known = sessions.get(sid ?? '');
      if (known) known.closed = ts;
    }
    if (k === undefined) return;
    if (gone.has(k)) throw wrong(`it is sealed with a key that entry ${gone.get(k)} says was destroyed`);
    const known = sealing.get(k);
    if (known) known.last = ts;
    else
      sealing.set(k, {
        ...(t === 'session.open' && sid !== undefined ? { session: sid } : {}),
        first: ts,
        last: ts,
        index,
      });
  }

  function hold({ x }: Entry, wrong: (what: string) => Damage): void {
    if (typeof x.id !== 'string' || holds.has(x.id)) throw wrong('a hold has no name of its own');
    const word = (value: Json | undefined) => (typeof value === 'string' ? value : undefined);
    const time = (value: Json | undefined) => (typeof value === 'number' ? value : undefined);
    const scope = { session: word(x.session), target: word(x.target), from: time(x.from), to: time(x.to) };
    holds.set(x.id, { ...scope, hidden: x.principal === true });
  }

  function shred({ x }: Entry, index: number, isOpen: (session: string) => boolean, wrong: (what: string) => Damage) {
    if (!Array.isArray(x.keys) || x.keys.length === 0) throw wrong('a shredding names no key');
    for (const key of x.keys as readonly Json[]) {
      if (typeof key !== 'string' || !opaqueId.test(key)) throw wrong('a shredding names a key that is none');
      const of = sealing.get(key);
      if (gone.has(key)) throw wrong(`the key ${key} was shredded before`);
      if (!of && !continues) throw wrong(`the key ${key} that was shredded sealed nothing before`);
      if (!of) {
        gone.set(key, index);
        continue;
      }
      if (of.session !== undefined && isOpen(of.session))
        throw wrong(`the session ${of.session} was shredded while it was open`);
      heldBack(key, of, wrong);
      gone.set(key, index);
      if (of.session === undefined) continue;
      shredded++;
      if (x.recordings === 'deleted') recordingsDeleted.add(of.session);
    }
  }

  /** Of a hold that names a principal nobody without the keys can tell whom it keeps. */
  function heldBack(key: string, of: Sealing, wrong: (what: string) => Damage): void {
    const session = of.session === undefined ? undefined : sessions.get(of.session);
    for (const [id, scope] of holds) {
      if (scope.hidden) continue;
      if (session && keepsSession(scope, session))
        throw wrong(`the session ${session.id} was shredded in spite of the hold ${id}`);
      const meant = scope.session === undefined ? undefined : sessions.get(scope.session);
      if (!of.session && keepsTime(scope, of.first, of.last, meant))
        throw wrong(`the key ${key} was shredded in spite of the hold ${id}`);
    }
  }

  return {
    recordingsDeleted,
    sealing,
    gone,
    entry(entry, index, isOpen, wrong) {
      if (entry.t === 'log.genesis') continues = entry.x.predecessor !== undefined;
      noteKey(entry, index, wrong);
      if (entry.t === 'retention.hold') hold(entry, wrong);
      if (entry.t === 'retention.release' && !holds.delete(String(entry.x.id)) && !continues)
        throw wrong('a hold is released that is not in force');
      if (entry.t === 'retention.shred') shred(entry, index, isOpen, wrong);
    },
    summary: () => ({ keys: gone.size, sessions: shredded, holds: holds.size }),
  };
}

/** Every key that sealed something is there, or an entry of these logs says that it was destroyed; and what was destroyed is not there. */
export function checkKeys(logs: readonly Destruction[], { before, after }: KeysThere): void {
  for (const { sealing } of logs) {
    for (const [key, { session, index }] of sealing) {
      const of = session === undefined ? `the key ${key}` : `the key ${key} of session ${session}`;
      const by = logs.find(({ gone }) => gone.has(key))?.gone.get(key);
      if (by === undefined) {
        if (before.has(key) || after.has(key)) continue;
        throw new Damage(
          'keys.sqlite',
          `${of} is gone, and no entry says that it was destroyed`,
          meaning.destroyed,
          index,
        );
      }
      if (before.has(key) && after.has(key))
        throw new Damage('keys.sqlite', `${of} was destroyed by entry ${by} and is there`, meaning.restored, index);
    }
  }
}
