import { useMutation } from '@tanstack/react-query';
import { useId, useRef, useState } from 'react';
import { send } from '../api.ts';
import { Button, field } from './basics.tsx';
import { Failure } from './failure.tsx';

/**
 * Ends a live session, with a reason that is recorded and told to its client. The browser's own dialog keeps the focus and
 * closes by Escape; libraries for that inject style elements, which the content security policy refuses.
 */
export function KillButton({ session, name }: { session: string; name: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  const [reason, setReason] = useState('');
  const kill = useMutation({
    mutationFn: () => send(`/api/sessions/${session}/kill`, { reason }),
    onSuccess: () => dialog.current?.close(),
  });
  return (
    <>
      <Button look="danger" onClick={() => dialog.current?.showModal()}>
        End session
      </Button>
      <dialog
        ref={dialog}
        aria-labelledby={title}
        onClose={() => {
          setReason('');
          kill.reset();
        }}
        className="m-auto w-[min(28rem,calc(100vw-2rem))] rounded-lg border border-line bg-surface p-5 text-ink backdrop:bg-black/50"
      >
        <h2 id={title} className="text-base font-semibold">
          End the session of {name}?
        </h2>
        <p className="mt-1 text-soft">
          Its statement in progress is cut, its transaction rolls back, held statements are withdrawn. The reason is
          recorded and told to the client.
        </p>
        <form
          className="mt-4 flex flex-col gap-3"
          onSubmit={(event) => {
            event.preventDefault();
            kill.mutate();
          }}
        >
          <label className="flex flex-col gap-1">
            Reason
            <input
              className={field}
              value={reason}
              onChange={(event) => setReason(event.target.value)}
              required
              maxLength={200}
            />
          </label>
          {kill.error && <Failure error={kill.error} />}
          <div className="flex justify-end gap-2">
            <Button onClick={() => dialog.current?.close()}>Keep it</Button>
            <Button look="danger" type="submit" disabled={kill.isPending}>
              End session
            </Button>
          </div>
        </form>
      </dialog>
    </>
  );
}
