import { Link } from 'react-router';
import type { ApprovalRow } from '../../../src/api/contract.ts';
import { Badge } from './basics.tsx';
import { ApprovalState } from './decision.tsx';
import { Effects } from './effects.tsx';
import { SafeText } from './statement-text.tsx';
import { Countdown, Moment } from './time.tsx';

/** Requests, one a row: the statement first, then what it does and who asks. The whole of it is on its page. */
export function ApprovalList({ rows }: { rows: readonly ApprovalRow[] }) {
  return (
    <ul className="divide-y divide-line">
      {rows.map((row) => (
        <li key={row.id}>
          <Link to={`/approvals/${row.id}`} className="block px-4 py-3 -outline-offset-2 hover:bg-raised">
            <div className="line-clamp-4 font-mono text-[13.5px] leading-5.5 whitespace-pre-wrap">
              <SafeText text={row.text} />
            </div>
            <div className="mt-1 line-clamp-2 text-[13px]">
              <Effects effects={row.effects} />
            </div>
            <div className="mt-1.5 flex flex-wrap items-center gap-x-2 gap-y-1 text-xs text-soft">
              <ApprovalState state={row.state} />
              <span>
                <span className="font-medium text-ink">{row.requesterName}</span> on {row.target}
              </span>
              {row.state === 'pending' && row.mayVote ? (
                <Badge tone="accent">you may vote</Badge>
              ) : (
                row.state === 'pending' && <span>asks {row.group}</span>
              )}
              {row.votes.length > 0 && (
                <span>by {[...new Set(row.votes.map((vote) => vote.voterName))].join(', ')}</span>
              )}
              <span className="ml-auto">
                {row.state === 'pending' ? (
                  <Countdown until={row.expires} />
                ) : (
                  <Moment at={row.resolved ?? row.created} short />
                )}
              </span>
            </div>
          </Link>
        </li>
      ))}
    </ul>
  );
}
