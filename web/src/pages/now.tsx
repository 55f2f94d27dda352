import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import type { ApprovalRow, Overview, Page, SessionSummary } from '../../../src/api/contract.ts';
import { read } from '../api.ts';
import { ApprovalList } from '../parts/approval-list.tsx';
import { Card, Code, EmptyState, Loading, link } from '../parts/basics.tsx';
import { FailedPage } from '../parts/failure.tsx';
import { LedgerBadge } from '../parts/ledger-badge.tsx';
import { PageTitle } from '../parts/page-title.tsx';
import { SessionList } from '../parts/session-list.tsx';
import { Shown } from '../parts/shown.tsx';
import { number } from '../words.ts';

function Figure({
  label,
  span,
  value,
  to,
  tone = '',
}: {
  label: string;
  span?: string;
  value: number | undefined;
  to: string;
  tone?: string;
}) {
  return (
    <Link
      to={to}
      className="col-span-2 bg-surface px-3 py-3 -outline-offset-2 hover:bg-raised nth-[-n+2]:col-span-3 sm:col-span-1 sm:px-4 sm:nth-[-n+2]:col-span-1"
    >
      <span className={`block text-2xl leading-8 font-semibold tabular-nums ${value ? tone : ''}`}>
        {value === undefined ? '–' : number(value)}
      </span>
      <span className="text-soft">
        {label}
        {span !== undefined && <span className="block text-xs">{span}</span>}
      </span>
    </Link>
  );
}

/** What happens at this moment, on one screen. */
export default function Now() {
  const overview = useQuery({ queryKey: ['overview'], queryFn: () => read<Overview>('/api/overview') });
  const held = useQuery({
    queryKey: ['approvals', 'pending', 'first'],
    queryFn: () => read<Page<ApprovalRow>>('/api/approvals?state=pending&limit=5'),
  });
  const decided = useQuery({
    queryKey: ['approvals', 'resolved', 'first'],
    queryFn: () => read<Page<ApprovalRow>>('/api/approvals?state=resolved&limit=3'),
  });
  const live = useQuery({
    queryKey: ['sessions', 'live'],
    queryFn: () => read<Page<SessionSummary>>('/api/sessions?state=live&limit=8'),
  });
  const ended = useQuery({
    queryKey: ['sessions', 'ended'],
    queryFn: () => read<Page<SessionSummary>>('/api/sessions?state=ended&limit=6'),
  });

  if (overview.error && !overview.data) return <FailedPage title="Now" error={overview.error} />;
  const { data } = overview;
  return (
    <>
      <PageTitle title="Now" aside={<LedgerHealth ledger={data?.ledger} />}>
        Now
      </PageTitle>
      <div className="grid grid-cols-6 gap-px overflow-clip rounded-lg border border-line bg-line sm:grid-cols-5">
        <Figure label="live sessions" span="now" value={data?.live} to="/sessions?state=live" />
        <Figure label="held statements" span="now" value={data?.held} to="/approvals" tone="text-warn" />
        <Figure label="statements" span="last hour" value={data?.statementsLastHour} to="/sessions" />
        <Figure
          label="denials"
          span="last hour"
          value={data?.denialsLastHour}
          to="/sessions?ruling=deny"
          tone="text-bad"
        />
        <Figure
          label="masked cells"
          span="last hour"
          value={data?.maskedCellsLastHour}
          to="/sessions"
          tone="text-mask"
        />
      </div>
      {[held, decided, live, ended].some((list) => list.isPending) ? (
        // All at once, so that none pushes another away.
        <Loading tall what="what happens now" />
      ) : (
        <div className="mt-5 grid gap-5 lg:grid-cols-2">
          <div className="flex min-w-0 flex-col gap-5">
            <Card flush title="Waiting for approval" aside={<All to="/approvals" of="approvals" />}>
              <Shown
                query={held}
                what="held statements"
                empty={
                  <EmptyState title="Nothing waits">
                    A statement that policy holds appears here within a second, while its client waits.
                  </EmptyState>
                }
              >
                {(items) => <ApprovalList rows={items} />}
              </Shown>
            </Card>
            <Card flush title="Decided last">
              <Shown
                query={decided}
                what="decided requests"
                empty={
                  <EmptyState title="No request was decided yet">
                    Who granted or refused what, and why, is kept here and in the ledger.
                  </EmptyState>
                }
              >
                {(items) => <ApprovalList rows={items} />}
              </Shown>
            </Card>
          </div>
          <div className="flex min-w-0 flex-col gap-5">
            <Card flush title="Live sessions" aside={<All to="/sessions" of="sessions" />}>
              <Shown
                query={live}
                what="live sessions"
                empty={
                  <EmptyState title="No agent is connected">
                    Point any PostgreSQL client at a listener, with a token of your identity provider as the password
                    and the target as the database name: <Code>psql "host=… port=6432 user=me dbname=shop"</Code>
                  </EmptyState>
                }
              >
                {(items) => <SessionList sessions={items} />}
              </Shown>
            </Card>
            <Card flush title="Ended last">
              <Shown
                query={ended}
                what="ended sessions"
                empty={
                  <EmptyState title="No session ended yet">Ended sessions stay readable and replayable.</EmptyState>
                }
              >
                {(items) => <SessionList sessions={items} />}
              </Shown>
            </Card>
          </div>
        </div>
      )}
    </>
  );
}

function All({ to, of }: { to: string; of: string }) {
  return (
    <Link to={to} className={link}>
      All {of}
    </Link>
  );
}

function LedgerHealth({ ledger }: { ledger: Overview['ledger'] | undefined }) {
  if (!ledger) return <span className="text-soft">ledger …</span>;
  return (
    <Link to="/ledger" className="flex items-center gap-2 text-soft hover:text-ink">
      <LedgerBadge ledger={ledger} />
      <span className="tabular-nums">{number(ledger.entries)} entries</span>
    </Link>
  );
}
