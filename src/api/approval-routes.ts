// Routes about approval requests: the inbox of this process for what is open or fresh, the store for everything before.
import { alreadyResolved, type Approval, ApprovalProblem } from '../approvals/approval.ts';
import type { Approvals } from '../approvals/inbox.ts';
import { shownVote } from '../approvals/vote.ts';
import { type Principal, principalId } from '../domain/principal.ts';
import { formatCursor } from '../store/cursor.ts';
import { fit } from '../store/page-size.ts';
import type { Reads, StoredApproval } from '../store/reads.ts';
import type { Access } from './access.ts';
import type { ApprovalRow } from './contract.ts';
import { ballot, ballotQuery, voteBody } from './voting-schemas.ts';
import { type Route, route } from './route.ts';
import * as schemas from './schemas.ts';
import { placeOf } from './session-routes.ts';

export type Inbox = Pick<Approvals, 'list' | 'get' | 'vote' | 'ballot' | 'mayVote' | 'onChange'>;

export interface ApprovalParts {
  readonly access: Access;
  readonly inbox: Inbox;
  readonly store: Pick<Reads, 'approvals' | 'approval'>;
}

export function approvalRoutes({ access, inbox, store }: ApprovalParts): Route[] {
  function show(principal: Principal, row: Approval | StoredApproval): ApprovalRow {
    const { may, because } =
      row.state === 'pending'
        ? inbox.mayVote(row.id, principal)
        : { may: false, because: `The request was ${row.state}.` };
    return {
      ...row,
      votes: row.votes.map(shownVote),
      mayVote: may,
      ...(because === undefined ? {} : { mayNotBecause: because }),
    };
  }

  /** What one may not see does not exist. */
  async function visible(principal: Principal, id: string): Promise<Approval | StoredApproval> {
    const row = inbox.get(id) ?? (await store.approval(id));
    if (!row || !access.seesApproval(principal, row)) {
      throw new ApprovalProblem(
        'approval.unknown',
        'There is no such request, or it is not yours to see. Reload the list.',
      );
    }
    return row;
  }

  return [
    route({
      method: 'GET',
      path: '/api/approvals',
      summary: 'Approval requests, newest first.',
      query: schemas.approvalQuery,
      answer: schemas.page(schemas.approvalRow),
      async run(principal, { query: { state, before: cursor, limit } }) {
        const before = placeOf(cursor);
        const older = (row: { created: number; id: string }) =>
          !before || row.created < before.at || (row.created === before.at && row.id < before.id);
        const here = inbox
          .list()
          .filter((row) => access.seesApproval(principal, row) && older(row))
          .filter((row) => state === 'all' || (state === 'pending') === (row.state === 'pending'));
        const groups = access.approvalGroups(principal);
        const stored =
          state === 'pending'
            ? { items: [] }
            : await store.approvals({
                resolved: state === 'resolved',
                visible: groups && { principal: principalId(principal), groups },
                before,
                limit,
              });
        // The inbox knows better than the store, which follows a moment later.
        const rows = new Map<string, Approval | StoredApproval>(stored.items.map((row) => [row.id, row]));
        for (const row of here) rows.set(row.id, row);
        const sorted = [...rows.values()].sort((a, b) => b.created - a.created || (a.id < b.id ? 1 : -1));
        const sizes = sorted.slice(0, limit).map((row) => ({ row, size: row.text.length }));
        const items = fit(sizes).map(({ row }) => row);
        const last = items.at(-1);
        const more = sorted.length > items.length || 'next' in stored;
        return {
          items: items.map((row) => show(principal, row)),
          ...(more && last ? { next: formatCursor({ at: last.created, id: last.id }) } : {}),
        };
      },
    }),
    route({
      method: 'GET',
      path: '/api/approvals/:id',
      summary: 'One approval request.',
      params: schemas.sessionPath,
      answer: schemas.approvalRow,
      run: async (principal, { params: { id } }) => show(principal, await visible(principal, id)),
    }),
    route({
      method: 'GET',
      path: '/api/approvals/:id/ballot',
      summary: 'What is signed for a vote, to the byte.',
      params: schemas.sessionPath,
      query: ballotQuery,
      answer: ballot,
      async run(principal, { params: { id }, query: { answer, reason } }) {
        const { digest } = await visible(principal, id);
        const of = inbox.ballot(id, answer, reason);
        if (!of) throw alreadyResolved();
        return { ballot: of.text, challenge: of.challenge.toString('base64url'), digest };
      },
    }),
    route({
      method: 'POST',
      path: '/api/approvals/:id/votes',
      summary: 'Grants or refuses; needs the group of the hold. Binds the digest that was shown.',
      params: schemas.sessionPath,
      body: voteBody,
      answer: schemas.approvalRow,
      async run(principal, { params: { id }, body }) {
        const row = await visible(principal, id);
        if (!inbox.get(id)) {
          throw new ApprovalProblem(
            'approval.resolved',
            `The request is no longer open: it was ${row.state === 'pending' ? 'withdrawn' : row.state}.`,
          );
        }
        return show(principal, await inbox.vote(id, principal, body));
      },
    }),
  ];
}
