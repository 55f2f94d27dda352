import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { Link, useSearchParams } from 'react-router';
import type { Page, SessionSummary } from '../../../src/api/contract.ts';
import { read } from '../api.ts';
import { Button, Card, EmptyState, Loading, PageTitle } from '../parts/basics.tsx';
import { Failure } from '../parts/failure.tsx';
import { SessionList } from '../parts/session-list.tsx';

const filters = [
  { name: 'state', label: 'State', options: ['all', 'live', 'ended'] },
  { name: 'ruling', label: 'With a decision', options: ['', 'permit', 'hold', 'deny'] },
] as const;

const field = 'min-h-9 rounded-md border border-line bg-surface px-2 text-sm';

/** Every session, found by who, where, what and how it was decided. */
export default function Sessions() {
  const [params, setParams] = useSearchParams();
  const asked = new URLSearchParams();
  for (const name of ['state', 'ruling', 'target', 'principal', 'text']) {
    const value = params.get(name);
    if (value) asked.set(name, value);
  }
  if (!asked.has('state')) asked.set('state', 'all');
  const query = useInfiniteQuery({
    queryKey: ['sessions', asked.toString()],
    queryFn: ({ pageParam }) =>
      read<Page<SessionSummary>>(
        `/api/sessions?${asked}&limit=50${pageParam ? `&before=${encodeURIComponent(pageParam)}` : ''}`,
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
  });
  const set = (name: string, value: string) =>
    setParams(
      (before) => {
        const next = new URLSearchParams(before);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: true },
    );
  const sessions = query.data?.pages.flatMap((page) => page.items) ?? [];
  const filtered = [...params.keys()].length > 0;

  return (
    <>
      <PageTitle>Sessions</PageTitle>
      <search>
        <form
          className="mb-4 grid grid-cols-2 gap-2 sm:flex sm:flex-wrap sm:items-end"
          onSubmit={(event) => event.preventDefault()}
        >
          {filters.map((filter) => (
            <label key={filter.name} className="flex flex-col gap-1 text-xs text-soft">
              {filter.label}
              <select
                className={`${field} text-ink`}
                value={params.get(filter.name) ?? filter.options[0]}
                onChange={(event) => set(filter.name, event.target.value)}
              >
                {filter.options.map((option) => (
                  <option key={option} value={option}>
                    {option === '' ? 'any' : option}
                  </option>
                ))}
              </select>
            </label>
          ))}
          {(['principal', 'target'] as const).map((name) => (
            <label key={name} className="flex min-w-0 flex-col gap-1 text-xs text-soft capitalize">
              {name}
              <input
                className={`${field} min-w-0 text-ink`}
                value={params.get(name) ?? ''}
                onChange={(event) => set(name, event.target.value)}
              />
            </label>
          ))}
          <label className="col-span-2 flex min-w-0 grow flex-col gap-1 text-xs text-soft">
            Text of a statement
            <input
              type="search"
              className={`${field} min-w-0 text-ink`}
              value={params.get('text') ?? ''}
              onChange={(event) => set('text', event.target.value)}
              placeholder="delete orders"
            />
          </label>
        </form>
      </search>
      <Card>
        {query.error ? (
          <Failure error={query.error} />
        ) : query.isPending ? (
          <Loading what="sessions" />
        ) : sessions.length === 0 ? (
          <EmptyState title={filtered ? 'No session matches' : 'No session yet'}>
            {filtered ? (
              <Link to="/sessions" className="text-accent underline">
                Show all sessions
              </Link>
            ) : (
              'Every connection of an agent through the gateway appears here, also those that were refused by policy.'
            )}
          </EmptyState>
        ) : (
          <>
            <SessionList sessions={sessions} />
            {query.hasNextPage && (
              <div className="mt-3 text-center">
                <Button onClick={() => void query.fetchNextPage()} disabled={query.isFetchingNextPage}>
                  Older sessions
                </Button>
              </div>
            )}
          </>
        )}
      </Card>
    </>
  );
}
