import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Tabs } from 'radix-ui';
import { useState } from 'react';
import { useLocation, useParams, useSearchParams } from 'react-router';
import type { Me, Page, SessionDetail, StatementRow } from '../../../src/api/contract.ts';
import { read } from '../api.ts';
import { Badge, Button, Card, EmptyState, Facts, Loading, More } from '../parts/basics.tsx';
import { Copy } from '../parts/copy.tsx';
import { FailedPage, Failure } from '../parts/failure.tsx';
import { KillButton } from '../parts/kill-button.tsx';
import { PageTitle } from '../parts/page-title.tsx';
import { ReplayView } from '../parts/replay-view.tsx';
import { SafeText } from '../parts/statement-text.tsx';
import { duration, Moment } from '../parts/time.tsx';
import { sequenceOf, Timeline } from '../parts/timeline.tsx';
import { bytes, lifeInWords, number, place, plural } from '../words.ts';

const tab =
  '-mb-px min-h-10 border-b-2 border-transparent px-3 text-soft hover:text-ink data-[state=active]:border-accent data-[state=active]:font-medium data-[state=active]:text-ink';

/** One session: who, what they did in order, what they saw. */
export default function Session() {
  const { id = '' } = useParams();
  const [params, setParams] = useSearchParams();
  const me = useQuery({ queryKey: ['me'], queryFn: () => read<Me>('/api/me') });
  const session = useQuery({
    queryKey: ['session', id],
    queryFn: () => read<SessionDetail>(`/api/sessions/${encodeURIComponent(id)}`),
  });
  if (session.error && !session.data) return <FailedPage title="Session" error={session.error} />;
  if (!session.data) return <Loading what="session" />;
  const s = session.data;
  const live = s.closed === undefined;
  return (
    <>
      <PageTitle
        title={`${s.principalName} on ${s.target}`}
        aside={live && me.data?.mayKill ? <KillButton session={s.id} name={s.principalName} /> : undefined}
        under={<Summary s={s} />}
      >
        <span>
          {s.principalName} on {place(s)}
        </span>
        {live ? <Badge tone="good">live</Badge> : <Badge>ended</Badge>}
      </PageTitle>
      <div className="grid gap-5 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <Tabs.Root
          value={params.get('view') === 'replay' ? 'replay' : 'timeline'}
          onValueChange={(view) => setParams(view === 'replay' ? { view } : {}, { replace: true })}
          className="min-w-0"
        >
          <Tabs.List aria-label="Views of this session" className="mb-4 flex border-b border-line">
            <Tabs.Trigger value="timeline" className={tab}>
              Timeline
            </Tabs.Trigger>
            <Tabs.Trigger value="replay" className={tab}>
              What the client saw
            </Tabs.Trigger>
          </Tabs.List>
          <Tabs.Content value="timeline">
            <Statements key={s.id} session={s} />
          </Tabs.Content>
          <Tabs.Content value="replay">
            <ReplayView key={s.id} session={s} />
          </Tabs.Content>
        </Tabs.Root>
        <div className="flex min-w-0 flex-col gap-5">
          <Who s={s} />
          <About s={s} />
        </div>
      </div>
    </>
  );
}

function Summary({ s }: { s: SessionDetail }) {
  return (
    <>
      {s.principalKind}
      {s.owner !== undefined && ` of ${s.owner}`} · {plural(s.statements, 'statement')}
      {s.held > 0 && ` · ${number(s.held)} held`}
      {s.denied > 0 && ` · ${number(s.denied)} denied`}
      {s.maskedCells > 0 && ` · ${plural(s.maskedCells, 'masked cell')}`} ·{' '}
      {s.closed === undefined ? 'opened' : `lasted ${duration(s.closed - s.opened)}, ended`}{' '}
      <Moment at={s.closed ?? s.opened} short />
    </>
  );
}

const pageSize = 100;

function Statements({ session }: { session: SessionDetail }) {
  const wanted = sequenceOf(useLocation().hash);
  // An address of a statement far inside begins a little before it.
  const [from, setFrom] = useState(wanted !== undefined && wanted > pageSize ? wanted - 10 : 0);
  const query = useInfiniteQuery({
    queryKey: ['session', session.id, 'statements', from],
    queryFn: ({ pageParam }) =>
      read<Page<StatementRow>>(
        `/api/sessions/${encodeURIComponent(session.id)}/statements?limit=${pageSize}${pageParam ? `&after=${encodeURIComponent(pageParam)}` : ''}`,
      ),
    initialPageParam: from === 0 ? '' : String(from),
    getNextPageParam: (page) => page.next,
  });
  const rows = query.data?.pages.flatMap((page) => page.items) ?? [];
  if (query.error && !query.data) return <Failure error={query.error} />;
  if (query.isPending) return <Loading tall what="timeline" />;
  return (
    <Card flush>
      {from > 0 && (
        <div className="border-b border-line p-2 text-center">
          <Button look="quiet" onClick={() => setFrom(0)}>
            Statements before #{from + 1}
          </Button>
        </div>
      )}
      {rows.length === 0 ? (
        <EmptyState title="No statement here">
          {session.closed === undefined
            ? 'The connection is open; what it runs appears here as it happens.'
            : 'The session ended before it ran anything.'}
        </EmptyState>
      ) : (
        <Timeline statements={rows} />
      )}
      {query.hasNextPage && (
        <More busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Later statements
        </More>
      )}
    </Card>
  );
}

function Who({ s }: { s: SessionDetail }) {
  const claim = (text: string | undefined) =>
    text === undefined || text === '' ? <span className="text-soft">none</span> : <SafeText text={text} />;
  return (
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
      <h3 className="mt-4 mb-1.5 text-xs font-semibold text-warn">Claimed by the client, not verified</h3>
      <Facts
        rows={[
          ['User', claim(s.claimed.user)],
          ['Application', claim(s.claimed.application)],
          ['Address', claim(s.claimed.address)],
        ]}
      />
    </Card>
  );
}

/** What the recording keeps, and what it does not hold. */
function kept({ rule, unkept }: NonNullable<SessionDetail['recording']>): (readonly [string, string])[] {
  const rows = /^rows (\d+)$/.exec(rule)?.[1];
  const what =
    rows === undefined
      ? rule === 'full'
        ? 'everything, as the client saw it'
        : 'statements; of results counts and digests'
      : `statements; the first ${plural(Number(rows), 'row')} of each result, and digests`;
  return [
    ['Recording rule', `${rule}: ${what}`],
    ...(unkept === undefined ? [] : [['Not kept', `${plural(unkept.rows, 'row')}, ${bytes(unkept.bytes)}`] as const]),
  ];
}

function About({ s }: { s: SessionDetail }) {
  return (
    <Card title="Session">
      <Facts
        rows={[
          ['Opened', <Moment key="o" at={s.opened} />],
          ['Closed', s.closed === undefined ? 'still open' : <Moment key="c" at={s.closed} />],
          ...(s.cause === undefined ? [] : ([['Cause', <SafeText key="w" text={s.cause} />]] as const)),
          ['Target', place(s)],
          ['Statements', `${number(s.statements)}: ${number(s.held)} held, ${number(s.denied)} denied`],
          ['Masked', plural(s.maskedCells, 'cell')],
          ...s.met.map(({ label, matches, probes }): [string, string] => [
            `Asked about ${label}`,
            `${plural(matches, 'value')}, ${plural(probes, 'probe')}`,
          ]),
          // Counted by the seal.
          ['Recorded', s.sealEntry === undefined ? 'counted when it ends' : bytes(s.recordedBytes)],
          ...(s.recording === undefined ? [] : kept(s.recording)),
          ...lifeInWords(s),
          [
            'Ledger',
            `entry ${number(s.openEntry)}${s.sealEntry === undefined ? ', not sealed yet' : ` to seal ${number(s.sealEntry)}`}${s.log === undefined ? '' : ` of ${s.log}`}`,
          ],
          [
            'Id',
            <span key="i" className="font-mono text-xs">
              {s.id}
              <Copy text={s.id} what="the id" />
            </span>,
          ],
        ]}
      />
    </Card>
  );
}
