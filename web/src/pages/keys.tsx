import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { ApproverKeyRow, EnrolKey, KeyChallenge } from '../../../src/api/contract.ts';
import { read, send, Told } from '../api.ts';
import { Button, Card, Code, EmptyState, field, Loading } from '../parts/basics.tsx';
import { Failure, FailedPage } from '../parts/failure.tsx';
import { KeyList } from '../parts/key-list.tsx';
import { PageTitle } from '../parts/page-title.tsx';
import { makePasskey, noPasskeys } from '../passkey.ts';

/** The keys that people sign votes with: one's own, and those of others for whoever may see them. */
export default function Keys() {
  const keys = useQuery({
    queryKey: ['approver-keys'],
    queryFn: () => read<{ items: ApproverKeyRow[] }>('/api/approver-keys'),
  });
  if (keys.error && !keys.data) return <FailedPage title="Keys" error={keys.error} />;
  if (!keys.data) return <Loading what="keys" />;
  const mine = keys.data.items.filter((key) => key.mine);
  const others = keys.data.items.filter((key) => !key.mine);
  return (
    <>
      <PageTitle title="Keys">Keys for votes</PageTitle>
      <div className="flex flex-col gap-5">
        <Card flush title="Yours">
          {mine.length === 0 ? (
            <EmptyState title="You have no key yet">
              Some policies take a grant only when it is signed. A passkey or an SSH key of your own binds your vote to
              exactly what runs, and nobody who runs the gateway can make one up.
            </EmptyState>
          ) : (
            <KeyList keys={mine} />
          )}
        </Card>
        <AddPasskey />
        <Card title="Add an SSH key">
          <p>
            On the machine that has it: <Code>countersign approvals keys add ~/.ssh/id_ed25519</Code>. A hardware key
            made with <Code>-O verify-required</Code> counts as one that checks who is there.
          </p>
        </Card>
        {others.length > 0 && (
          <Card flush title="Of others">
            <KeyList keys={others} />
          </Card>
        )}
      </div>
    </>
  );
}

function AddPasskey() {
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const add = useMutation({
    async mutationFn() {
      const { challenge, passkey } = await send<KeyChallenge>('/api/approver-keys/challenge', {});
      if (!passkey) throw new Told('This gateway is opened by an address, and passkeys need a host name.');
      const proof = { passkey: await makePasskey(passkey, name) };
      return send<ApproverKeyRow>('/api/approver-keys', { name, challenge, proof } satisfies EnrolKey);
    },
    onSuccess: () => setName(''),
    onSettled: () => queries.invalidateQueries({ queryKey: ['approver-keys'] }),
  });
  const without = noPasskeys();
  return (
    <Card title="Add a passkey">
      {without === undefined ? (
        <form
          className="flex flex-wrap items-end gap-3"
          onSubmit={(event) => {
            event.preventDefault();
            add.mutate();
          }}
        >
          <label className="flex grow flex-col gap-1 sm:max-w-80">
            What you call it
            <input
              className={field}
              value={name}
              onChange={(event) => setName(event.target.value)}
              placeholder="phone, security key"
              required
              maxLength={100}
              autoComplete="off"
            />
          </label>
          <Button type="submit" look="primary" className="min-h-9" disabled={add.isPending}>
            Add passkey
          </Button>
          {add.error && <Failure error={add.error} />}
        </form>
      ) : (
        <p className="text-soft">{without}</p>
      )}
    </Card>
  );
}
