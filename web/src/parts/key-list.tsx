import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ApproverKeyRow } from '../../../src/api/contract.ts';
import { send } from '../api.ts';
import { Badge, Button } from './basics.tsx';
import { Copy } from './copy.tsx';
import { Failure } from './failure.tsx';
import { SafeText } from './statement-text.tsx';
import { Moment } from './time.tsx';

const states = {
  waiting: { tone: 'warn', text: 'waits for somebody to vouch' },
  counts: { tone: 'good', text: 'counts' },
  revoked: { tone: 'plain', text: 'revoked' },
} as const;

/** Keys, whose they are, and what can be done with them. */
export function KeyList({ keys }: { keys: readonly ApproverKeyRow[] }) {
  return (
    <ul className="divide-y divide-line">
      {keys.map((key) => (
        <KeyRow key={key.id} of={key} />
      ))}
    </ul>
  );
}

function KeyRow({ of }: { of: ApproverKeyRow }) {
  const queries = useQueryClient();
  const act = useMutation({
    mutationFn: (what: 'vouch' | 'revoke') =>
      send<ApproverKeyRow>(`/api/approver-keys/${of.id}/${what}`, what === 'revoke' ? { reason: '' } : {}),
    onSettled: () => queries.invalidateQueries({ queryKey: ['approver-keys'] }),
  });
  const { tone, text } = states[of.state];
  return (
    <li className="flex flex-wrap items-start gap-x-4 gap-y-2 px-4 py-3">
      <div className="min-w-0 grow basis-72">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <span className="font-medium">
            <SafeText text={of.name} />
          </span>
          <Badge>{of.method === 'ssh' ? 'SSH key' : of.deviceBound ? 'passkey, on one device' : 'passkey'}</Badge>
          <Badge tone={tone}>{text}</Badge>
        </p>
        <p className="text-soft">
          {of.personName} · enrolled <Moment at={of.enrolled.at} short />
          {of.vouched && <> · {of.vouched.byName} vouched for it</>}
          {of.revoked && (
            <>
              {' '}
              · revoked by {of.revoked.byName} <Moment at={of.revoked.at} short />
            </>
          )}
        </p>
        <p className="font-mono text-xs break-all text-soft">
          {of.fingerprint}
          <Copy text={of.fingerprint} what="the fingerprint" />
        </p>
        {act.error && <Failure error={act.error} />}
      </div>
      <div className="flex gap-2">
        {of.mayVouch && (
          <Button
            disabled={act.isPending}
            aria-label={`Vouch for ${of.name} of ${of.personName}`}
            title="Compare the fingerprint with its owner first"
            onClick={() => act.mutate('vouch')}
          >
            Vouch
          </Button>
        )}
        {of.mayRevoke && (
          <Button
            look="danger"
            disabled={act.isPending}
            aria-label={`Revoke ${of.name} of ${of.personName}`}
            onClick={() => act.mutate('revoke')}
          >
            Revoke
          </Button>
        )}
      </div>
    </li>
  );
}
