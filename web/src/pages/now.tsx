import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { ApprovalRow, Overview, Page, SessionSummary } from '../../../src/api/contract.ts';
import { read } from '../api.ts';
import { Badge, Card, Code, EmptyState, Loading, PageTitle } from '../parts/basics.tsx';
import { Failure } from '../parts/failure.tsx';
import { SessionList } from '../parts/session-list.tsx';
import { SafeText } from '../parts/statement-text.tsx';
import { Countdown } from '../parts/time.tsx';
import { number } from '../words.ts';

function Figure({ label, value, to, tone }: { label: string; value: number; to: string; tone?: string }) {
  return (
    <Link to={to} className="rounded-lg border border-line bg-surface px-4 py-3 hover:bg-raised">
      <div className={`text-2xl font-semibold tabular-nums ${value > 0 ? (tone ?? '') : ''}`}>{number(value)}</div>
      <div className="text-sm text-soft">{label}</div>
    </Link>
  );
}

/** What happens at this moment, on one screen. */
export default function Now() {
  const overview = useQuery({ queryKey: ['overview'], queryFn: () => read<Overview>('/api/overview') });
  const held = useQuery({
    queryKey: ['approvals', 'pending'],
    queryFn: () => read<Page<ApprovalRow>>('/api/approvals?state=pending&limit=5'),
  });
  const live = useQuery({
    queryKey: ['sessions', 'live'],
    queryFn: () => read<Page<SessionSummary>>('/api/sessions?state=live&limit=10'),
  });

  if (overview.error) return <Failure error={overview.error} />;
  if (!overview.data) return <Loading what="what happens now" />;
  const { ledger } = overview.data;
  return (
    <>
      <PageTitle aside={<LedgerHealth ledger={ledger} />}>Now</PageTitle>
      <div className="grid grid-cols-2 gap-3 lg:grid-cols-5">
        <Figure label="live sessions" value={overview.data.live} to="/sessions?state=live" />
        <Figure label="held statements" value={overview.data.held} to="/approvals" tone="text-warn" />
        <Figure label="statements, last hour" value={overview.data.statementsLastHour} to="/sessions" />
        <Figure
          label="denials, last hour"
          value={overview.data.denialsLastHour}
          to="/sessions?ruling=deny"
          tone="text-bad"
        />
        <Figure
          label="masked cells, last hour"
          value={overview.data.maskedCellsLastHour}
          to="/sessions"
          tone="text-mask"
        />
      </div>
      <div className="mt-5 grid gap-5 lg:grid-cols-2">
        <Card
          title="Waiting for approval"
          aside={
            <Link to="/approvals" className="text-sm text-accent underline">
              All approvals
            </Link>
          }
        >
          <Shown
            query={held}
            what="held statements"
            empty={
              <EmptyState title="Nothing waits">
                A statement that policy holds appears here within a second, while its client waits.
              </EmptyState>
            }
          >
            {(items) => (
              <ul className="divide-y divide-line">
                {items.map((row) => (
                  <li key={row.id} className="py-2 first:pt-0 last:pb-0">
                    <Link to={`/approvals/${row.id}`} className="block rounded p-1 hover:bg-raised">
                      <div className="line-clamp-2 font-mono text-sm break-all">
                        <SafeText text={row.text} />
                      </div>
                      <div className="mt-0.5 flex flex-wrap gap-x-3 text-xs text-soft">
                        <span>{row.requesterName}</span>
                        <span>{row.target}</span>
                        <Countdown until={row.expires} />
                      </div>
                    </Link>
                  </li>
                ))}
              </ul>
            )}
          </Shown>
        </Card>
        <Card
          title="Live sessions"
          aside={
            <Link to="/sessions" className="text-sm text-accent underline">
              All sessions
            </Link>
          }
        >
          <Shown
            query={live}
            what="live sessions"
            empty={
              <EmptyState title="No agent is connected">
                Point any PostgreSQL client at a listener, with a token of your identity provider as the password and
                the target as the database name: <Code>psql "host=… dbname=shop"</Code>
              </EmptyState>
            }
          >
            {(items) => <SessionList sessions={items} />}
          </Shown>
        </Card>
      </div>
    </>
  );
}

function LedgerHealth({ ledger }: { ledger: Overview['ledger'] }) {
  return (
    <Link to="/ledger" className="flex items-center gap-2 text-sm text-soft">
      {ledger.state === 'healthy' ? (
        <Badge tone="good">ledger healthy</Badge>
      ) : (
        <Badge tone="bad">ledger stopped: nothing is forwarded</Badge>
      )}
      <span className="tabular-nums">{number(ledger.entries)} entries</span>
    </Link>
  );
}

function Shown<T>({
  query,
  what,
  empty,
  children,
}: {
  query: { data?: Page<T>; error: unknown };
  what: string;
  empty: ReactNode;
  children: (items: readonly T[]) => ReactNode;
}) {
  if (query.error) return <Failure error={query.error} />;
  if (!query.data) return <Loading what={what} />;
  return query.data.items.length === 0 ? empty : children(query.data.items);
}
