// What is read from the store: paged, newest first, each through an index. Shapes are those of the API (src/api/contract.ts).
import type {
  ApprovalRow,
  EffectRow,
  SessionDetail,
  SessionSummary,
  StatementRow,
  VoteGrade,
} from '../api/contract.ts';
import { type Kysely, type Selectable, sql } from 'kysely';
import { formatCursor, type Place } from './cursor.ts';
import { fit } from './page-size.ts';
import { given, labelsOf, openRetentionReads, type RetentionReads } from './reads-retention.ts';
import type { ApprovalsTable, Schema, SessionsTable, VotesTable } from './schema.ts';

export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

export interface SessionFilter {
  /** Only sessions of this principal (`issuer|subject`); what an agent may see. */
  readonly only?: string;
  readonly state?: 'live' | 'ended' | 'all';
  readonly target?: string;
  /** A principal's id, or the beginning of its name. */
  readonly principal?: string;
  /** With at least one such decision. */
  readonly ruling?: 'permit' | 'hold' | 'deny';
  /** Words, or beginnings of words, that one of its statements contains. */
  readonly text?: string;
  readonly before?: Place;
  readonly limit: number;
}

export interface ApprovalFilter {
  /** Requests of this principal, or put to one of these groups; everything when absent. */
  readonly visible?: { readonly principal: string; readonly groups: readonly string[] };
  readonly resolved: boolean;
  readonly before?: Place;
  readonly limit: number;
}

export interface StoredSession extends Omit<SessionDetail, 'retention'> {
  /** Labels that decide its retention. */
  readonly labels: readonly string[];
  readonly protocol: string;
  /** A crash ended it, and may have cut its recording. */
  readonly orphaned: boolean;
}

export type StoredApproval = Omit<ApprovalRow, 'mayVote' | 'mayNotBecause'>;

export interface Counters {
  readonly live: number;
  readonly statements: number;
  readonly denials: number;
  readonly maskedCells: number;
}

export interface Reads extends RetentionReads {
  sessions(filter: SessionFilter): Promise<Page<SessionSummary>>;
  session(id: string): Promise<StoredSession | undefined>;
  /** Oldest first, those after `after`. */
  statements(session: string, after: number, limit: number): Promise<Page<StatementRow>>;
  approvals(filter: ApprovalFilter): Promise<Page<StoredApproval>>;
  approval(id: string): Promise<StoredApproval | undefined>;
  /** Open sessions now; the rest since a time in milliseconds since the epoch, to the minute. */
  counters(since: number): Promise<Counters>;
}

export function openReads(db: Kysely<Schema>): Reads {
  return {
    ...openRetentionReads(db),
    async sessions(filter) {
      let query = db
        .selectFrom('sessions')
        .selectAll()
        .orderBy('opened', 'desc')
        .orderBy('id', 'desc')
        .limit(filter.limit + 1);
      if (filter.before) query = query.where(sql<boolean>`(opened, id) < (${filter.before.at}, ${filter.before.id})`);
      if (filter.only !== undefined) query = query.where('principal', '=', filter.only);
      if (filter.state === 'live') query = query.where('closed', 'is', null);
      if (filter.state === 'ended') query = query.where('closed', 'is not', null);
      if (filter.target) query = query.where('target', '=', filter.target);
      if (filter.principal) {
        const { principal } = filter;
        query = query.where((of) =>
          of.or([
            of('principal', '=', principal),
            sql<boolean>`principal_name LIKE ${beginning(principal)} ESCAPE '\\'`,
          ]),
        );
      }
      if (filter.ruling === 'deny') query = query.where('denied', '>', 0);
      if (filter.ruling === 'hold') query = query.where('held', '>', 0);
      if (filter.ruling === 'permit') query = query.where(sql<boolean>`statements > held + denied`);
      if (filter.text?.trim()) {
        const words = match(filter.text);
        if (words === undefined) return { items: [] };
        query = query.where(
          sql<boolean>`id IN (SELECT session FROM statements WHERE text IN (SELECT rowid FROM texts_index WHERE texts_index MATCH ${words}))`,
        );
      }
      return page(await query.execute(), filter.limit, summary, (row) => ({ at: row.opened, id: row.id }));
    },

    async session(id) {
      const row = await db.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst();
      if (!row) return undefined;
      return {
        ...summary(row),
        issuer: row.issuer,
        subject: row.subject,
        groups: JSON.parse(row.groups) as string[],
        ...given('owner', row.owner),
        claimed: claims(row.claimed),
        ...given('log', row.log),
        openEntry: row.open_entry,
        ...given('sealEntry', row.seal_entry),
        recordedBytes: row.recorded_bytes,
        ...(row.rule !== null && {
          recording: {
            rule: row.rule,
            ...(row.unkept !== null && { unkept: JSON.parse(row.unkept) as { rows: number; bytes: number } }),
          },
        }),
        met: JSON.parse(row.met) as SessionDetail['met'],
        protocol: row.protocol,
        orphaned: row.orphaned === 1,
        labels: (await labelsOf(db, [row.id])).get(row.id) ?? [],
        ...(row.shredded !== null && {
          shredded: { at: row.shredded, rule: row.shred_rule ?? '', entry: row.shred_entry ?? 0 },
        }),
      };
    },

    async statements(session, after, limit) {
      // Texts may be a mebibyte each: how many fit is known before they are read.
      const sizes = await db
        .selectFrom('statements')
        .innerJoin('texts', 'texts.id', 'statements.text')
        .select(['sequence', sql<number>`length(texts.text) + coalesce(length(parameters), 0)`.as('size')])
        .where('session', '=', session)
        .where('sequence', '>', after)
        .orderBy('sequence')
        .limit(limit + 1)
        .execute();
      const fitting = fit(sizes.slice(0, limit));
      if (fitting.length === 0) return { items: [] };
      const last = fitting.at(-1)!.sequence;
      const rows = await db
        .selectFrom('statements')
        .innerJoin('texts', 'texts.id', 'statements.text')
        .selectAll('statements')
        .select('texts.text as content')
        .where('session', '=', session)
        .where('sequence', '>', after)
        .where('sequence', '<=', last)
        .orderBy('sequence')
        .execute();
      const items = rows.map(
        (row): StatementRow => ({
          session,
          sequence: row.sequence,
          entry: row.entry,
          at: row.at,
          kind: row.kind,
          text: row.content,
          ...(row.parameters === null ? {} : { parameters: JSON.parse(row.parameters) as (string | null)[] }),
          ruling: row.ruling as StatementRow['ruling'],
          rules: JSON.parse(row.rules) as string[],
          ...given('reason', row.reason),
          ...given('advice', row.advice),
          effects: JSON.parse(row.effects) as EffectRow[],
          ...given('approval', row.approval),
          ...(row.shadow === null ? {} : { shadow: JSON.parse(row.shadow) as NonNullable<StatementRow['shadow']> }),
          ...(row.outcome === null ? {} : { outcome: JSON.parse(row.outcome) as NonNullable<StatementRow['outcome']> }),
        }),
      );
      return sizes.length > fitting.length ? { items, next: String(last) } : { items };
    },

    async approvals(filter) {
      let query = db
        .selectFrom('approvals')
        .select(['id', 'created', sql<number>`length(text) + coalesce(length(parameters), 0)`.as('size')])
        .orderBy('created', 'desc')
        .orderBy('id', 'desc')
        .limit(filter.limit + 1);
      if (filter.before) query = query.where(sql<boolean>`(created, id) < (${filter.before.at}, ${filter.before.id})`);
      if (filter.resolved) query = query.where('state', '!=', 'pending');
      if (filter.visible) {
        const { principal, groups } = filter.visible;
        query = query.where((of) =>
          of.or([of('requester', '=', principal), ...(groups.length > 0 ? [of('group', 'in', groups)] : [])]),
        );
      }
      const found = await query.execute();
      const fitting = fit(found.slice(0, filter.limit));
      const ids = fitting.map((row) => row.id);
      if (ids.length === 0) return { items: [] };
      const rows = await db.selectFrom('approvals').selectAll().where('id', 'in', ids).execute();
      const votes = await votesOn(ids);
      const byId = new Map(rows.map((row) => [row.id, approvalOf(row, votes)]));
      const items = ids.flatMap((id) => byId.get(id) ?? []);
      const { created: at, id } = fitting.at(-1)!;
      return found.length > fitting.length ? { items, next: formatCursor({ at, id }) } : { items };
    },

    async approval(id) {
      const row = await db.selectFrom('approvals').selectAll().where('id', '=', id).executeTakeFirst();
      return row && approvalOf(row, await votesOn([id]));
    },

    async counters(since) {
      const { live } = await db
        .selectFrom('sessions')
        .select((of) => of.fn.countAll<number>().as('live'))
        .where('closed', 'is', null)
        .executeTakeFirstOrThrow();
      const sums = await db
        .selectFrom('minutes')
        .select((of) => [
          of.fn.sum<number | null>('statements').as('statements'),
          of.fn.sum<number | null>('denials').as('denials'),
          of.fn.sum<number | null>('masked_cells').as('maskedCells'),
        ])
        .where('minute', '>=', Math.floor(since / 60_000))
        .executeTakeFirstOrThrow();
      return { live, statements: sums.statements ?? 0, denials: sums.denials ?? 0, maskedCells: sums.maskedCells ?? 0 };
    },
  };

  function votesOn(ids: readonly string[]): Promise<Selectable<VotesTable>[]> {
    return db.selectFrom('votes').selectAll().where('approval', 'in', ids).orderBy('at').orderBy('voter').execute();
  }
}

function summary(row: Selectable<SessionsTable>): SessionSummary {
  return {
    id: row.id,
    principal: row.principal,
    principalName: row.principal_name,
    principalKind: row.principal_kind as SessionSummary['principalKind'],
    target: row.target,
    database: row.database,
    opened: row.opened,
    ...given('closed', row.closed),
    ...given('cause', row.cause),
    statements: row.statements,
    held: row.held,
    denied: row.denied,
    maskedCells: row.masked_cells,
  };
}

function approvalOf(row: Selectable<ApprovalsTable>, votes: readonly Selectable<VotesTable>[]): StoredApproval {
  return {
    id: row.id,
    session: row.session,
    sequence: row.sequence,
    requester: row.requester,
    requesterName: row.requester_name,
    target: row.target,
    database: row.database,
    text: row.text,
    ...(row.parameters === null ? {} : { parameters: JSON.parse(row.parameters) as (string | null)[] }),
    effects: JSON.parse(row.effects) as EffectRow[],
    rules: JSON.parse(row.rules) as string[],
    advice: row.advice,
    group: row.group,
    quorum: row.quorum,
    created: row.created,
    expires: row.expires,
    digest: row.digest,
    ...given('grade', row.grade as 'signed' | 'verified' | null),
    state: row.state as StoredApproval['state'],
    ...given('resolved', row.resolved),
    votes: votes
      .filter((vote) => vote.approval === row.id)
      .map((vote) => ({
        voter: vote.voter,
        voterName: vote.voter_name,
        answer: vote.answer as 'grant' | 'refuse',
        at: vote.at,
        ...given('reason', vote.reason),
        grade: vote.grade as VoteGrade,
      })),
  };
}

/** One row more than the page was read, to know whether another page follows. */
function page<Row, T>(rows: readonly Row[], limit: number, show: (row: Row) => T, place: (row: Row) => Place): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items: items.map(show), ...(rows.length > limit && last ? { next: formatCursor(place(last)) } : {}) };
}

function claims(json: string): SessionDetail['claimed'] {
  const all = JSON.parse(json) as Record<string, unknown>;
  const kept = (['user', 'application', 'address'] as const).filter((name) => typeof all[name] === 'string');
  return Object.fromEntries(kept.map((name) => [name, all[name] as string]));
}

/** `LIKE` pattern for what begins with a text, its own wildcards taken literally. */
function beginning(text: string): string {
  return `${text.replace(/[\\%_]/g, '\\$&')}%`;
}

/** Full-text expression: every word as the beginning of a word. Undefined without any word. At most 16 words. */
function match(text: string): string | undefined {
  const words = text.match(/[\p{L}\p{N}\p{Co}_]+/gu);
  return words
    ?.slice(0, 16)
    .map((word) => `"${word}"*`)
    .join(' AND ');
}
