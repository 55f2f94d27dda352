import { useMutation } from '@tanstack/react-query';
import { Dialog } from 'radix-ui';
import { useState } from 'react';
import { send } from '../api.ts';
import { Button } from './basics.tsx';
import { Failure } from './failure.tsx';

/** Ends a live session, with a reason that is recorded and told to its client. */
export function KillButton({ session, name }: { session: string; name: string }) {
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const kill = useMutation({
    mutationFn: () => send(`/api/sessions/${session}/kill`, { reason }),
    onSuccess: () => setOpen(false),
  });
  return (
    <Dialog.Root open={open} onOpenChange={setOpen}>
      <Dialog.Trigger asChild>
        <Button look="danger">End session</Button>
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-20 bg-black/50" />
        <Dialog.Content className="fixed top-1/2 left-1/2 z-30 w-[min(28rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 rounded-lg border border-line bg-surface p-5">
          <Dialog.Title className="font-semibold">End the session of {name}?</Dialog.Title>
          <Dialog.Description className="mt-1 text-sm text-soft">
            Its statement in progress is cut, its transaction rolls back, held statements are withdrawn. The reason is
            recorded and told to the client.
          </Dialog.Description>
          <form
            className="mt-4 flex flex-col gap-3"
            onSubmit={(event) => {
              event.preventDefault();
              kill.mutate();
            }}
          >
            <label className="flex flex-col gap-1 text-sm">
              Reason
              <input
                className="min-h-9 rounded-md border border-line bg-page px-2"
                value={reason}
                onChange={(event) => setReason(event.target.value)}
                required
                maxLength={200}
              />
            </label>
            {kill.error && <Failure error={kill.error} />}
            <div className="flex justify-end gap-2">
              <Dialog.Close asChild>
                <Button>Keep it</Button>
              </Dialog.Close>
              <Button look="danger" type="submit" disabled={kill.isPending}>
                End session
              </Button>
            </div>
          </form>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
