import { ApiError } from '../api.ts';
import { Code } from './basics.tsx';

/** What went wrong, its stable code, and what to do. */
export function Failure({ error }: { error: unknown }) {
  const api = error instanceof ApiError ? error : undefined;
  const advice =
    api?.status === 403
      ? 'Ask whoever configures the gateway for a group that may see this, then sign in again.'
      : api?.status === 404
        ? 'It may have another id, or belong to someone whose sessions you may not see.'
        : 'The page tries again by itself; if it stays, look at the gateway’s log.';
  return (
    <div role="alert" className="rounded-md border border-line bg-bad-wash px-4 py-3 text-sm text-bad">
      <p className="font-medium">{api?.message ?? 'Something went wrong while showing this.'}</p>
      <p className="mt-1">
        {advice} {api && <Code>{api.problem.code}</Code>}
      </p>
    </div>
  );
}
