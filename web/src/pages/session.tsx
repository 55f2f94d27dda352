import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Tabs } from 'radix-ui';
import { useParams } from 'react-router';
import type { Me, Page, SessionDetail, StatementRow } from '../../../src/api/contract.ts';
import { read } from '../api.ts';
import { Badge, Button, Card, EmptyState, Facts, Loading, PageTitle } from '../parts/basics.tsx';
import { Failure } from '../parts/failure.tsx';
import { KillButton } from '../parts/kill-button.tsx';
import { ReplayView } from '../parts/replay-view.tsx';
import { SafeText } from '../parts/statement-text.tsx';
import { Moment } from '../parts/time.tsx';
import { Timeline } from '../parts/timeline.tsx';
import { bytes, number, plural } from '../words.ts';

const tab =
  'min-h-9 border-b-2 border-transparent px-3 text-sm text-soft data-[state=active]:border-accent data-[state=active]:font-medium data-[state=active]:text-ink';

/** One session: who, what they did in order, what they saw. */
export default function Session() {
  const { id = '' } = useParams();
  const me = useQuery({ queryKey: ['me'], queryFn: () => read<Me>('/api/me') });
  const session = useQuery({ queryKey: ['session', id], queryFn: () => read<SessionDetail>(`/api/sessions/${id}`) });
  const statements = useInfiniteQuery({
    queryKey: ['session', id, 'statements'],
    queryFn: ({ pageParam }) =>
      read<Page<StatementRow>>(
        `/api/sessions/${id}/statements?limit=100${pageParam ? `&after=${encodeURIComponent(pageParam)}` : ''}`,
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
  });
  if (session.error) return <Failure error={session.error} />;
  if (!session.data) return <Loading what="session" />;
  const s = session.data;
  const rows = statements.data?.pages.flatMap((page) => page.items) ?? [];
  const live = s.closed === undefined;
  return (
    <>
      <PageTitle aside={live && me.data?.mayKill ? <KillButton session={s.id} name={s.principalName} /> : undefined}>
        <span className="flex flex-wrap items-center gap-2">
          {s.principalName} on {s.target}
          {live ? <Badge tone="good">live</Badge> : <Badge>ended</Badge>}
        </span>
      </PageTitle>
      <div className="grid gap-5 lg:grid-cols-[20rem_minmax(0,1fr)]">
        <div className="flex min-w-0 flex-col gap-5">
          <Card title="Who, verified">
            <Facts
              rows={[
                ['Kind', s.principalKind],
                ['Subject', s.subject],
                ['Issuer', s.issuer],
                ['Groups', s.groups.join(', ') || 'none'],
                ['Owner', s.owner ?? 'none named'],
              ]}
            />
            <h3 className="mt-4 mb-1.5 text-xs font-semibold text-soft">Claimed by the client, not verified</h3>
            <Facts
              rows={[
                ['User', s.claimed.user === undefined ? '–' : <SafeText text={s.claimed.user} />],
                ['Application', s.claimed.application === undefined ? '–' : <SafeText text={s.claimed.application} />],
                ['Address', s.claimed.address ?? '–'],
              ]}
            />
          </Card>
          <Card title="Session">
            <Facts
              rows={[
                ['Opened', <Moment key="o" at={s.opened} />],
                ['Closed', s.closed === undefined ? 'still open' : <Moment key="c" at={s.closed} />],
                ...(s.cause === undefined ? [] : ([['Cause', s.cause]] as const)),
                ['Database', s.database],
                ['Statements', `${number(s.statements)}, ${plural(s.denied, 'denial')}, ${plural(s.held, 'hold')}`],
                ['Masked', plural(s.maskedCells, 'cell')],
                ['Recorded', bytes(s.recordedBytes)],
                [
                  'Ledger',
                  `entry ${number(s.openEntry)}${s.sealEntry === undefined ? ', not sealed yet' : ` to seal ${number(s.sealEntry)}`}`,
                ],
                [
                  'Id',
                  <span key="i" className="font-mono text-xs break-all">
                    {s.id}
                  </span>,
                ],
              ]}
            />
          </Card>
        </div>
        <Tabs.Root defaultValue="timeline" className="min-w-0">
          <Tabs.List aria-label="Views of this session" className="mb-4 flex border-b border-line">
            <Tabs.Trigger value="timeline" className={tab}>
              Timeline
            </Tabs.Trigger>
            <Tabs.Trigger value="replay" className={tab}>
              What the client saw
            </Tabs.Trigger>
          </Tabs.List>
          <Tabs.Content value="timeline">
            {statements.error ? (
              <Failure error={statements.error} />
            ) : statements.isPending ? (
              <Loading what="timeline" />
            ) : rows.length === 0 ? (
              <EmptyState title="No statement yet">
                The connection is open; what it runs appears here as it happens.
              </EmptyState>
            ) : (
              <>
                <Timeline statements={rows} />
                {statements.hasNextPage && (
                  <div className="mt-3 text-center">
                    <Button onClick={() => void statements.fetchNextPage()} disabled={statements.isFetchingNextPage}>
                      Later statements
                    </Button>
                  </div>
                )}
              </>
            )}
          </Tabs.Content>
          <Tabs.Content value="replay">
            <ReplayView session={id} />
          </Tabs.Content>
        </Tabs.Root>
      </div>
    </>
  );
}
