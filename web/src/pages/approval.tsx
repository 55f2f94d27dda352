import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useState } from 'react';
import { Link, useParams } from 'react-router';
import type { ApprovalRow, Vote } from '../../../src/api/contract.ts';
import { read, send } from '../api.ts';
import { Badge, Button, Card, Code, Facts, Loading, PageTitle } from '../parts/basics.tsx';
import { ApprovalState } from '../parts/decision.tsx';
import { Failure } from '../parts/failure.tsx';
import { SafeText, StatementText } from '../parts/statement-text.tsx';
import { Countdown, Moment } from '../parts/time.tsx';
import { effectInWords, plural, shortDigest } from '../words.ts';

/** One held statement, shown whole, and the vote. */
export default function Approval() {
  const { id = '' } = useParams();
  const approval = useQuery({ queryKey: ['approval', id], queryFn: () => read<ApprovalRow>(`/api/approvals/${id}`) });
  if (approval.error) return <Failure error={approval.error} />;
  if (!approval.data) return <Loading what="approval request" />;
  const row = approval.data;
  return (
    <>
      <PageTitle aside={row.state === 'pending' ? <Countdown until={row.expires} /> : undefined}>
        <span className="flex flex-wrap items-center gap-2">
          {row.requesterName} asks to act on {row.target}
          <ApprovalState state={row.state} />
        </span>
      </PageTitle>
      <div className="grid gap-5 lg:grid-cols-[minmax(0,1fr)_22rem]">
        {/* A new request is a new page: what was seen of another does not count. */}
        <Decide key={row.id} row={row} />
        <div className="flex min-w-0 flex-col gap-5">
          <Card title="Request">
            <Facts
              rows={[
                ['Requester', row.requesterName],
                [
                  'Principal',
                  <span key="p" className="break-all">
                    {row.requester}
                  </span>,
                ],
                ['Target', row.database === row.target ? row.target : `${row.target}/${row.database}`],
                ['Needs', `${row.quorum === 1 ? 'one person' : `${row.quorum} different people`} of ${row.group}`],
                ['Asked', <Moment key="a" at={row.created} />],
                ['Expires', <Moment key="e" at={row.expires} />],
                ['Rules', row.rules.map((rule) => <Badge key={rule}>{rule}</Badge>)],
                ['Digest', <Code key="d">{shortDigest(row.digest)}</Code>],
                [
                  'Session',
                  <Link key="s" to={`/sessions/${row.session}#s${row.sequence}`} className="text-accent underline">
                    statement {row.sequence}
                  </Link>,
                ],
              ]}
            />
            <details className="mt-3 text-xs text-soft">
              <summary className="cursor-pointer">What a vote binds</summary>
              <p className="mt-1">
                SHA-256 over the canonical request: exact statement and parameters, target, requester, policy version,
                expiry and a nonce. <span className="font-mono break-all">{row.digest}</span>
              </p>
            </details>
          </Card>
          <Card title="Votes">
            {row.votes.length === 0 ? (
              <p className="text-sm text-soft">No vote yet.</p>
            ) : (
              <ul className="flex flex-col gap-2 text-sm">
                {row.votes.map((vote) => (
                  <li key={vote.voter + vote.at}>
                    <span className="font-medium">{vote.voterName}</span>{' '}
                    {vote.answer === 'grant' ? <Badge tone="good">granted</Badge> : <Badge tone="bad">refused</Badge>}{' '}
                    <Moment at={vote.at} short />
                    <span className="text-soft"> · grade: {vote.grade}</span>
                    {vote.reason !== undefined && (
                      <p className="text-soft">
                        <SafeText text={vote.reason} />
                      </p>
                    )}
                  </li>
                ))}
              </ul>
            )}
          </Card>
        </div>
      </div>
    </>
  );
}

function Decide({ row }: { row: ApprovalRow }) {
  const queries = useQueryClient();
  const [seen, setSeen] = useState(false);
  const [reason, setReason] = useState('');
  const onSeen = useCallback(() => setSeen(true), []);
  const vote = useMutation({
    mutationFn: (answer: Vote['answer']) =>
      send<ApprovalRow>(`/api/approvals/${row.id}/votes`, {
        answer,
        digest: row.digest,
        ...(reason ? { reason } : {}),
      } satisfies Vote),
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: ['approval', row.id] }),
        queries.invalidateQueries({ queryKey: ['approvals'] }),
        queries.invalidateQueries({ queryKey: ['overview'] }),
      ]),
  });
  return (
    <div className="flex min-w-0 flex-col gap-5">
      <Card title="What would run">
        <ul className="mb-3 flex flex-col gap-1">
          {row.effects.map((effect, index) => (
            <li key={index} className="font-medium">
              {effectInWords(effect)}
            </li>
          ))}
        </ul>
        <StatementText text={row.text} onSeen={onSeen} />
        {row.parameters !== undefined && row.parameters.length > 0 && (
          <div className="mt-3">
            <h3 className="mb-1 text-xs font-semibold text-soft">{plural(row.parameters.length, 'parameter')}</h3>
            <ol className="font-mono text-sm">
              {row.parameters.map((value, index) => (
                <li key={index} className="break-all">
                  ${index + 1} = {value === null ? 'NULL' : <SafeText text={value} />}
                </li>
              ))}
            </ol>
          </div>
        )}
        <p className="mt-3 text-xs text-soft">
          Values of labelled columns are shown as they are recorded: masked. The digest binds the exact bytes.
        </p>
      </Card>
      {row.state === 'pending' && (
        <Card title="Your vote">
          {row.mayVote ? (
            <form className="flex flex-col gap-3" onSubmit={(event) => event.preventDefault()}>
              <label className="flex flex-col gap-1 text-sm">
                Reason (optional, recorded)
                <input
                  className="min-h-9 rounded-md border border-line bg-page px-2"
                  value={reason}
                  onChange={(event) => setReason(event.target.value)}
                  maxLength={500}
                />
              </label>
              <div className="flex flex-wrap gap-2">
                <Button
                  look="primary"
                  className="grow sm:grow-0"
                  disabled={!seen || vote.isPending}
                  onClick={() => vote.mutate('grant')}
                >
                  Grant: run it once
                </Button>
                <Button
                  look="danger"
                  className="grow sm:grow-0"
                  disabled={vote.isPending}
                  onClick={() => vote.mutate('refuse')}
                >
                  Refuse
                </Button>
              </div>
              {!seen && <p className="text-sm text-warn">Scroll to the end of the statement before you grant it.</p>}
              {vote.error && <Failure error={vote.error} />}
            </form>
          ) : (
            <p className="text-sm">{row.mayNotBecause ?? 'You may not vote on this request.'}</p>
          )}
        </Card>
      )}
      {row.advice !== '' && <p className="text-sm text-soft">Told to the agent: {row.advice}</p>}
    </div>
  );
}
