// Which sessions are open, as the log itself says it: for heartbeats, and for what a start finds.
import type { EntryType } from '../domain/entry.ts';

/** A session that an earlier boot left without an end. */
export interface Orphan {
  readonly session: string;
  /** Last sequence number recorded; 0 when there was none. */
  readonly sequence: number;
  /** Key that sealed its payloads, where it had any. */
  readonly key?: string;
}

export interface OpenSessions {
  /** The next entry of the log; `key` is the one that seals its payload, where it has one. */
  note(type: EntryType, session: string | undefined, sequence: number | undefined, key: string | undefined): void;
  readonly size: number;
  list(): Orphan[];
}

export function trackOpenSessions(before: readonly Orphan[] = []): OpenSessions {
  const open = new Map<string, { sequence: number; key: string | undefined }>();
  for (const { session, sequence, key } of before) open.set(session, { sequence, key });
  return {
    note(type, session, sequence, key) {
      // An outcome's number is never above its decision's.
      if (session === undefined || type === 'statement.outcome') return;
      if (type === 'session.open') open.set(session, { sequence: 0, key });
      else if (type === 'session.seal' || type === 'session.orphaned') open.delete(session);
      else {
        const of = open.get(session);
        if (!of) return;
        if (sequence !== undefined && sequence > of.sequence) of.sequence = sequence;
        of.key ??= key;
      }
    },
    get size() {
      return open.size;
    },
    list: () =>
      [...open].map(([session, { sequence, key }]) => ({ session, sequence, ...(key === undefined ? {} : { key }) })),
  };
}
