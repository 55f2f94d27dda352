import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { KeyRound } from 'lucide-react';
import { useCallback, useState } from 'react';
import { Link } from 'react-router';
import type { ApprovalRow, ApproverKeyRow, Vote } from '../../../src/api/contract.ts';
import { read, send } from '../api.ts';
import { ballotFor } from '../ballot.ts';
import { noPasskeys, signBallot } from '../passkey.ts';
import { demandWords, plural } from '../words.ts';
import { Button, Card, Code, field, link } from './basics.tsx';
import { EffectList } from './effects.tsx';
import { Failure } from './failure.tsx';
import { Parameters, SafeText, StatementText } from './statement-text.tsx';
import { Moment } from './time.tsx';

/** What would run, whole; and the vote, or what came of it. */
export function Decide({ row }: { row: ApprovalRow }) {
  const [seen, setSeen] = useState(false);
  const onSeen = useCallback(() => setSeen(true), []);
  return (
    <div className="flex min-w-0 flex-col gap-5">
      <Card title={row.state === 'pending' ? 'What would run' : 'What was asked'}>
        <EffectList effects={row.effects} />
        <div className="mt-3">
          <StatementText text={row.text} onSeen={onSeen} />
        </div>
        {row.parameters !== undefined && row.parameters.length > 0 && (
          <div className="mt-2">
            <h3 className="mb-1 text-xs font-semibold text-soft">{plural(row.parameters.length, 'parameter')}</h3>
            <Parameters values={row.parameters} />
          </div>
        )}
        {[row.text, ...(row.parameters ?? [])].some((text) => text?.includes('***')) && (
          <p className="mt-2 text-xs text-mask">
            Values compared with labelled columns are masked here, as they are in the record. The vote binds the
            statement as it was sent.
          </p>
        )}
        <div className="mt-3 border-t border-line pt-3">
          <h3 className="text-xs font-semibold text-soft">Why it is held</h3>
          <p className="mt-1">
            {row.rules.map((rule) => (
              <span key={rule}>
                <Code>{rule}</Code>{' '}
              </span>
            ))}
            {row.advice !== '' && (
              <span className="text-soft">
                The agent was told: <SafeText text={row.advice} />
              </span>
            )}
          </p>
        </div>
      </Card>
      {row.state === 'pending' ? <Ballot row={row} seen={seen} /> : <Resolution row={row} />}
    </div>
  );
}

/** Credential ids of one's own passkeys that count, where this browser can use them. */
function usePasskeys(): readonly string[] {
  const keys = useQuery({
    queryKey: ['approver-keys'],
    queryFn: () => read<{ items: ApproverKeyRow[] }>('/api/approver-keys'),
  });
  if (noPasskeys() !== undefined) return [];
  return (keys.data?.items ?? [])
    .filter((key) => key.mine && key.method === 'passkey' && key.state === 'counts')
    .map((key) => key.fingerprint);
}

function Ballot({ row, seen }: { row: ApprovalRow; seen: boolean }) {
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  const passkeys = usePasskeys();
  const vote = useMutation({
    async mutationFn({ answer, signed }: { answer: Vote['answer']; signed: boolean }) {
      const signature = signed
        ? { passkey: await signBallot(await ballotFor(row, answer, reason), passkeys) }
        : undefined;
      return send<ApprovalRow>(`/api/approvals/${encodeURIComponent(row.id)}/votes`, {
        answer,
        digest: row.digest,
        ...(reason ? { reason } : {}),
        ...(signature ? { signature } : {}),
      } satisfies Vote);
    },
    onSuccess: (after) => queries.setQueryData(['approval', row.id], after),
    onSettled: () =>
      Promise.all(
        [['approval', row.id], ['approvals'], ['overview']].map((queryKey) => queries.invalidateQueries({ queryKey })),
      ),
  });
  if (!row.mayVote)
    return (
      <Card title="Your vote">
        <p>{row.mayNotBecause ?? 'You may not vote on this request.'}</p>
      </Card>
    );
  return (
    <Card title="Your vote">
      <form className="flex flex-col gap-3" onSubmit={(event) => event.preventDefault()}>
        <label className="flex flex-col gap-1">
          Reason (optional, recorded)
          <input
            className={field}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
            maxLength={500}
            autoComplete="off"
          />
        </label>
        <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
          {row.grade === undefined && (
            <Button
              look="primary"
              className="min-h-10 grow px-4 sm:grow-0"
              disabled={!seen || vote.isPending}
              onClick={() => vote.mutate({ answer: 'grant', signed: false })}
            >
              Grant: run it once
            </Button>
          )}
          {passkeys.length > 0 && (
            <Button
              look={row.grade === undefined ? 'plain' : 'primary'}
              className="min-h-10 grow px-4 sm:grow-0"
              disabled={!seen || vote.isPending}
              onClick={() => vote.mutate({ answer: 'grant', signed: true })}
            >
              <KeyRound size={15} aria-hidden />
              Sign and grant
            </Button>
          )}
          <Button
            look="danger"
            className="min-h-10 grow px-4 sm:grow-0"
            disabled={vote.isPending}
            onClick={() => vote.mutate({ answer: 'refuse', signed: false })}
          >
            Refuse
          </Button>
          {!seen && <p className="text-warn">Scroll to the end of the statement before you grant it.</p>}
        </div>
        {row.grade !== undefined && passkeys.length === 0 && (
          <p className="text-warn">
            A grant must be {demandWords[row.grade]}, and no passkey of yours counts here.{' '}
            <Link to="/approvals/keys" className={link}>
              Add one
            </Link>
            , or sign with {row.grade === 'verified' ? 'a hardware SSH key that asks for a PIN' : 'an SSH key'}:{' '}
            <Code>countersign approvals approve {row.id} --ssh-key FILE</Code>
          </p>
        )}
        {vote.error && <Failure error={vote.error} />}
      </form>
    </Card>
  );
}

const outcomes: Record<Exclude<ApprovalRow['state'], 'pending'>, { title: string; text: string }> = {
  granted: { title: 'Granted', text: 'The statement was released once, on the connection that waited for it.' },
  refused: { title: 'Refused', text: 'The statement did not run. The agent was told not to ask for it again.' },
  expired: { title: 'Expired', text: 'Nobody decided in time. The statement did not run, and the agent was told so.' },
  withdrawn: { title: 'Withdrawn', text: 'The client left before anyone decided. The statement did not run.' },
};

function Resolution({ row }: { row: ApprovalRow }) {
  if (row.state === 'pending') return null;
  const { title, text } = outcomes[row.state];
  return (
    <Card title={title} aside={<span className="text-soft">{row.resolved && <Moment at={row.resolved} short />}</span>}>
      <p role="status">
        {text}{' '}
        <Link to={`/sessions/${row.session}#${row.sequence}`} className={link}>
          See it in its session
        </Link>
      </p>
    </Card>
  );
}
