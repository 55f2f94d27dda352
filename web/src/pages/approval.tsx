import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import type { ApprovalRow } from '../../../src/api/contract.ts';
import { read } from '../api.ts';
import { Badge, Card, Facts, Loading, link } from '../parts/basics.tsx';
import { Copy } from '../parts/copy.tsx';
import { ApprovalState } from '../parts/decision.tsx';
import { Decide } from '../parts/decide.tsx';
import { FailedPage } from '../parts/failure.tsx';
import { PageTitle } from '../parts/page-title.tsx';
import { SafeText } from '../parts/statement-text.tsx';
import { Countdown, Moment } from '../parts/time.tsx';
import { demandWords, gradeWords, place, shortDigest } from '../words.ts';

/** One held statement, shown whole, and the vote. */
export default function Approval() {
  const { id = '' } = useParams();
  const approval = useQuery({
    queryKey: ['approval', id],
    queryFn: () => read<ApprovalRow>(`/api/approvals/${encodeURIComponent(id)}`),
  });
  if (approval.error && !approval.data) return <FailedPage title="Approval request" error={approval.error} />;
  if (!approval.data) return <Loading what="approval request" />;
  const row = approval.data;
  return (
    <>
      <PageTitle
        title={`${row.requesterName} asks`}
        aside={
          <span className="flex items-center gap-2.5">
            <ApprovalState state={row.state} />
            {row.state === 'pending' && <Countdown until={row.expires} />}
          </span>
        }
      >
        {row.requesterName} {row.state === 'pending' ? 'asks' : 'asked'} to run this on {row.target}
      </PageTitle>
      <div className="grid gap-5 lg:grid-cols-[minmax(0,1fr)_22rem]">
        {/* A new request is a new page: what was seen of another does not count. */}
        <Decide key={row.id} row={row} />
        <div className="flex min-w-0 flex-col gap-5">
          <Request row={row} />
          <Votes row={row} />
        </div>
      </div>
    </>
  );
}

function Request({ row }: { row: ApprovalRow }) {
  return (
    <Card title="Request">
      <Facts
        rows={[
          [
            'Requester',
            <span key="r">
              {row.requesterName}
              <span className="block text-xs text-soft">{row.requester}</span>
            </span>,
          ],
          ['Target', place(row)],
          [
            'Needs',
            `${row.quorum === 1 ? 'one person' : `${row.quorum} different people`} of ${row.group}${row.grade ? `, ${demandWords[row.grade]}` : ''}`,
          ],
          ['Asked', <Moment key="a" at={row.created} />],
          [row.state === 'expired' ? 'Expired' : 'Expires', <Moment key="e" at={row.expires} />],
          [
            'Session',
            <Link key="s" to={`/sessions/${row.session}#${row.sequence}`} className={link}>
              statement {row.sequence}
            </Link>,
          ],
          [
            'Digest',
            <span key="d" className="font-mono text-xs">
              {shortDigest(row.digest)}
              <Copy text={row.digest} what="the digest" />
            </span>,
          ],
        ]}
      />
      <details className="mt-3 text-xs text-soft">
        <summary>What a vote binds</summary>
        <p className="mt-1">
          The digest is SHA-256 over the canonical request: exact statement and parameters, target, requester, policy
          version, expiry and a nonce. Another statement has another digest, and no vote. In full:{' '}
          <span className="font-mono text-ink">{row.digest}</span>
        </p>
      </details>
    </Card>
  );
}

function Votes({ row }: { row: ApprovalRow }) {
  return (
    <Card title="Votes">
      {row.votes.length === 0 ? (
        <p className="text-soft">{row.state === 'pending' ? 'No vote yet.' : 'Nobody voted.'}</p>
      ) : (
        <ul className="flex flex-col gap-2">
          {row.votes.map((vote) => (
            <li key={vote.voter + vote.at}>
              <span className="font-medium">{vote.voterName}</span>{' '}
              {vote.answer === 'grant' ? <Badge tone="good">granted</Badge> : <Badge tone="bad">refused</Badge>}{' '}
              <span className="text-soft">
                <Moment at={vote.at} short />, {gradeWords[vote.grade]}
              </span>
              {vote.reason !== undefined && (
                <p className="text-soft">
                  “<SafeText text={vote.reason} />”
                </p>
              )}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
