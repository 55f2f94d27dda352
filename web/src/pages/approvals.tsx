import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import type { ApprovalRow, Page } from '../../../src/api/contract.ts';
import { read } from '../api.ts';
import { Badge, Card, EmptyState, Loading, PageTitle } from '../parts/basics.tsx';
import { ApprovalState } from '../parts/decision.tsx';
import { Failure } from '../parts/failure.tsx';
import { SafeText } from '../parts/statement-text.tsx';
import { Countdown, Moment } from '../parts/time.tsx';
import { effectInWords } from '../words.ts';

/** The inbox: what waits for a person, then what was decided. */
export default function Approvals() {
  const pending = useQuery({
    queryKey: ['approvals', 'pending'],
    queryFn: () => read<Page<ApprovalRow>>('/api/approvals?state=pending&limit=100'),
  });
  const resolved = useQuery({
    queryKey: ['approvals', 'resolved'],
    queryFn: () => read<Page<ApprovalRow>>('/api/approvals?state=resolved&limit=50'),
  });
  return (
    <>
      <PageTitle>Approvals</PageTitle>
      <div className="flex flex-col gap-5">
        <Card title="Waiting">
          {pending.error ? (
            <Failure error={pending.error} />
          ) : !pending.data ? (
            <Loading what="held statements" />
          ) : pending.data.items.length === 0 ? (
            <EmptyState title="Nothing waits for you">
              When policy holds a statement of a group that you belong to, it appears here within a second. Its client
              waits on its open connection until someone grants or refuses it, or it expires.
            </EmptyState>
          ) : (
            <Rows rows={pending.data.items} />
          )}
        </Card>
        <Card title="Decided">
          {resolved.error ? (
            <Failure error={resolved.error} />
          ) : !resolved.data ? (
            <Loading what="history" />
          ) : resolved.data.items.length === 0 ? (
            <EmptyState title="No request was decided yet" />
          ) : (
            <Rows rows={resolved.data.items} />
          )}
        </Card>
      </div>
    </>
  );
}

function Rows({ rows }: { rows: readonly ApprovalRow[] }) {
  return (
    <ul className="divide-y divide-line">
      {rows.map((row) => (
        <li key={row.id}>
          <Link to={`/approvals/${row.id}`} className="block rounded px-1 py-2.5 hover:bg-raised">
            <div className="flex flex-wrap items-center gap-x-2 gap-y-1 text-xs text-soft">
              <ApprovalState state={row.state} />
              <span className="font-medium text-ink">{row.requesterName}</span>
              <span>on {row.target}</span>
              <span>asks {row.group}</span>
              {row.state === 'pending' && row.mayVote && <Badge tone="accent">you may vote</Badge>}
              <span className="ml-auto">
                {row.state === 'pending' ? (
                  <Countdown until={row.expires} />
                ) : (
                  <Moment at={row.resolved ?? row.created} short />
                )}
              </span>
            </div>
            <div className="mt-1 line-clamp-3 font-mono text-sm break-all">
              <SafeText text={row.text} />
            </div>
            <div className="mt-0.5 text-sm text-soft">{row.effects.map(effectInWords).join('; ')}</div>
          </Link>
        </li>
      ))}
    </ul>
  );
}
