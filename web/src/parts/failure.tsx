import { ApiError, Told } from '../api.ts';
import { Code } from './basics.tsx';
import { PageTitle } from './page-title.tsx';

function adviceFor(status: number | undefined): string {
  if (status === 403)
    return 'Ask whoever configures the gateway for a group that may see or do this, then sign in again.';
  if (status === 404) return 'It may have another id, or belong to someone whose sessions you may not see.';
  if (status !== undefined && status >= 400 && status < 500) return '';
  return 'The page tries again by itself; if it stays, look at the gateway’s log.';
}

/** What went wrong, what to do, and its stable code. */
export function Failure({ error }: { error: unknown }) {
  const api = error instanceof ApiError ? error : undefined;
  return (
    <div role="alert" className="m-1 rounded-md bg-bad-wash px-4 py-3 text-bad">
      <p className="font-medium">
        {api?.message ??
          (error instanceof Told ? error.message : undefined) ??
          'Something went wrong while showing this.'}
      </p>
      {!(error instanceof Told) && (
        <p className="mt-1 text-ink">
          {adviceFor(api?.status)} {api && <Code>{api.problem.code}</Code>}
        </p>
      )}
    </div>
  );
}

/** A page that has nothing else to show. */
export function FailedPage({ title, error }: { title: string; error: unknown }) {
  return (
    <>
      <PageTitle title={title}>{title}</PageTitle>
      <Failure error={error} />
    </>
  );
}
