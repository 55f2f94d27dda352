import { useInfiniteQuery } from '@tanstack/react-query';
import type { ApprovalRow, Page } from '../../../src/api/contract.ts';
import { read } from '../api.ts';
import { Link } from 'react-router';
import { ApprovalList } from '../parts/approval-list.tsx';
import { Card, EmptyState, link, Loading, More } from '../parts/basics.tsx';
import { Failure } from '../parts/failure.tsx';
import { PageTitle } from '../parts/page-title.tsx';

function useRequests(state: 'pending' | 'resolved') {
  return useInfiniteQuery({
    queryKey: ['approvals', state],
    queryFn: ({ pageParam }) =>
      read<Page<ApprovalRow>>(
        `/api/approvals?state=${state}&limit=50${pageParam ? `&before=${encodeURIComponent(pageParam)}` : ''}`,
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
  });
}

/** The inbox: what waits for a person, then what was decided. */
export default function Approvals() {
  const pending = useRequests('pending');
  const resolved = useRequests('resolved');
  return (
    <>
      <PageTitle
        title="Approvals"
        aside={
          <Link to="/approvals/keys" className={link}>
            Keys for votes
          </Link>
        }
      >
        Approvals
      </PageTitle>
      {pending.isPending || resolved.isPending ? (
        // Both at once, so that neither pushes the other away.
        <Loading tall what="approval requests" />
      ) : (
        <div className="flex flex-col gap-5">
          <Card flush title="Waiting">
            <Requests query={pending}>
              <EmptyState title="Nothing waits">
                When policy holds a statement, it appears here within a second. Its client waits on its open connection
                until someone of the group grants or refuses it, or it expires.
              </EmptyState>
            </Requests>
          </Card>
          <Card flush title="Decided">
            <Requests query={resolved}>
              <EmptyState title="No request was decided yet">
                What was granted, refused, expired or withdrawn stays here, with who decided and why.
              </EmptyState>
            </Requests>
          </Card>
        </div>
      )}
    </>
  );
}

function Requests({ query, children }: { query: ReturnType<typeof useRequests>; children: React.ReactNode }) {
  const rows = query.data?.pages.flatMap((page) => page.items) ?? [];
  if (query.error && !query.data) return <Failure error={query.error} />;
  if (rows.length === 0) return children;
  return (
    <>
      <ApprovalList rows={rows} />
      {query.hasNextPage && (
        <More busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Older requests
        </More>
      )}
    </>
  );
}
