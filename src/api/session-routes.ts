// Routes about sessions: find, read, replay, end.
import { type Principal, principalId } from '../domain/principal.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { RecordedFrame } from '../recordings/frames.ts';
import type { Retention } from '../retention/retention.ts';
import { parseCursor, type Place } from '../store/cursor.ts';
import type { Reads } from '../store/reads.ts';
import type { Access } from './access.ts';
import type { ReplayEvent, SessionDetail } from './contract.ts';
import { Refused } from './problem.ts';
import { type Route, route } from './route.ts';
import * as schemas from './schemas.ts';

/** Decodes recorded frames of one protocol; at most `rows` rows of each result. */
export type Replayer = (
  frames: AsyncIterable<RecordedFrame>,
  limits: { readonly rows: number },
) => Promise<readonly ReplayEvent[]>;

export interface SessionParts {
  readonly access: Access;
  readonly store: Pick<Reads, 'sessions' | 'session' | 'statements'>;
  readonly ledger: Pick<Ledger, 'append'>;
  kill(id: string, by: Principal, reason: string): Promise<boolean>;
  /** Recorded frames of a session, as far as they are written. */
  readRecording(session: string): AsyncIterable<RecordedFrame>;
  readonly replayers: ReadonlyMap<string, Replayer>;
  readonly retention: Pick<Retention, 'of'>;
}

/** What one replay decodes at most, and how many are decoded at once: decoding shares the gateway's thread. */
const mostReplayBytes = 16 * 1024 * 1024;
const mostReplays = 2;

export function sessionRoutes(parts: SessionParts): Route[] {
  const { access, store } = parts;
  let replays = 0;

  /** What one may not see does not exist. */
  async function visible(principal: Principal, id: string) {
    const session = await store.session(id);
    if (!session || !access.seesSession(principal, session.principal)) throw unknownSession();
    return session;
  }

  return [
    route({
      method: 'GET',
      path: '/api/sessions',
      summary: 'Sessions, newest first.',
      query: schemas.sessionQuery,
      answer: schemas.page(schemas.sessionSummary),
      run: (principal, { query: { before, ...filter } }) =>
        store.sessions({
          ...filter,
          before: placeOf(before),
          only: access.seesAll(principal) ? undefined : principalId(principal),
        }),
    }),
    route({
      method: 'GET',
      path: '/api/sessions/:id',
      summary: 'One session: who, where, how it ended.',
      params: schemas.sessionPath,
      answer: schemas.sessionDetail,
      async run(principal, { params: { id } }) {
        const found = await visible(principal, id);
        const { protocol: _, orphaned: __, labels: ___, ...session } = found;
        return { ...session, ...(await parts.retention.of(found)) } satisfies SessionDetail;
      },
    }),
    route({
      method: 'GET',
      path: '/api/sessions/:id/statements',
      summary: 'Statements of a session, oldest first.',
      params: schemas.sessionPath,
      query: schemas.statementQuery,
      answer: schemas.page(schemas.statementRow),
      async run(principal, { params: { id }, query: { after, limit } }) {
        await visible(principal, id);
        return store.statements(id, after, limit);
      },
    }),
    route({
      method: 'GET',
      path: '/api/sessions/:id/replay',
      summary: 'What the client saw. Reading it is itself recorded.',
      params: schemas.sessionPath,
      query: schemas.replayQuery,
      answer: schemas.replay,
      async run(principal, { params: { id }, query: { limit } }) {
        const session = await visible(principal, id);
        if (session.shredded) throw shreddedSession(session.shredded);
        const replayer = parts.replayers.get(session.protocol);
        if (!replayer)
          throw new Refused(
            'replay.protocol',
            `Sessions of ${session.protocol || 'this protocol'} cannot be replayed.`,
          );
        if (replays >= mostReplays)
          throw new Refused('replay.busy', 'Other replays are being read. Try again in a moment.');
        replays++;
        try {
          await recordAccess(principal, id);
          let cut = false;
          const events = await replayer(
            bounded(parts.readRecording(id), () => (cut = true)),
            { rows: limit },
          );
          const partial = cut || session.closed === undefined || session.orphaned;
          return { session: id, started: session.opened, partial, events };
        } finally {
          replays--;
        }
      },
    }),
    route({
      method: 'POST',
      path: '/api/sessions/:id/kill',
      summary: 'Ends a live session; needs an admin group.',
      status: 202,
      params: schemas.sessionPath,
      body: schemas.killBody,
      answer: schemas.nothing,
      async run(principal, { params: { id }, body: { reason } }) {
        if (!access.mayKill(principal)) {
          throw new Refused('access.admins', 'Only members of an admin group end sessions. Ask one of them.');
        }
        if (await parts.kill(id, principal, reason)) return {};
        if (await store.session(id)) throw new Refused('session.ended', 'The session has ended already.');
        throw unknownSession();
      },
    }),
  ];

  /** Durable before anything is shown: who replayed what is evidence as well. */
  async function recordAccess(principal: Principal, session: string): Promise<void> {
    const payload = { admin: { by: principalId(principal), byName: principal.name } };
    await parts.ledger.append({ type: 'evidence.access', facts: { what: 'replay', session }, payload }, 'written')
      .durable;
  }
}

/** A cursor of a request. Refuses one that this API did not give out. */
export function placeOf(cursor: string | undefined): Place | undefined {
  if (cursor === undefined) return undefined;
  const place = parseCursor(cursor);
  if (!place)
    throw new Refused('request.invalid', 'The cursor is not one of this API. Begin with the first page again.');
  return place;
}

async function* bounded(frames: AsyncIterable<RecordedFrame>, cut: () => void): AsyncGenerator<RecordedFrame> {
  let bytes = 0;
  for await (const frame of frames) {
    bytes += frame.bytes.length;
    if (bytes > mostReplayBytes) return cut();
    yield frame;
  }
}

function shreddedSession({ at, rule, entry }: NonNullable<SessionDetail['shredded']>): Refused {
  const day = new Date(at).toISOString().slice(0, 10);
  return new Refused(
    'session.shredded',
    `The content of this session was shredded on ${day} under the rule ${rule} (entry ${entry}). Its proofs remain.`,
  );
}

function unknownSession(): Refused {
  return new Refused('session.unknown', 'There is no such session, or it is not yours to see. Reload the list.');
}
