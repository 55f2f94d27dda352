import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import type { Page, SessionSummary, TargetRow } from '../../../src/api/contract.ts';
import { read } from '../api.ts';
import { Card, Code, EmptyState, field, Loading, link, More } from '../parts/basics.tsx';
import { Failure } from '../parts/failure.tsx';
import { PageTitle } from '../parts/page-title.tsx';
import { SessionList } from '../parts/session-list.tsx';

const choices = [
  { name: 'state', label: 'State', options: ['live', 'ended'] },
  { name: 'ruling', label: 'With a decision', options: ['permit', 'hold', 'deny'] },
  { name: 'target', label: 'Target', options: [] },
] as const;
const texts = [
  { name: 'principal', label: 'Principal', example: 'beginning of a name' },
  { name: 'text', label: 'Text of a statement', example: 'words, such as delete orders' },
] as const;
const names = [...choices, ...texts].map(({ name }) => name);

const typingMs = 300;

/** A field whose value is asked for once its typing pauses. */
function TypedField({
  label,
  example,
  value,
  onChange,
}: {
  label: string;
  example: string;
  value: string;
  onChange: (value: string) => void;
}) {
  const [typed, setTyped] = useState<string>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <label className="flex min-w-0 flex-col gap-1 text-xs text-soft">
      {label}
      <input
        type="search"
        className={`${field} placeholder:text-soft`}
        value={typed ?? value}
        onChange={({ target }) => {
          setTyped(target.value);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => {
            onChange(target.value);
            // From here on the address says it, which may also change by itself, such as by going back.
            setTyped(undefined);
          }, typingMs);
        }}
        placeholder={example}
        autoComplete="off"
      />
    </label>
  );
}

/** Every session, found by who, where, what and how it was decided. */
export default function Sessions() {
  const [params, setParams] = useSearchParams();
  const asked = new URLSearchParams();
  for (const name of names) {
    const value = params.get(name);
    if (value) asked.set(name, value);
  }
  const filtered = asked.size > 0;
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
  const targets = useQuery({ queryKey: ['targets'], queryFn: () => read<Page<TargetRow>>('/api/targets') });
  // Also the one of the address, which may not be configured any more.
  const reachable = [...new Set([...(targets.data?.items.map((row) => row.name) ?? []), params.get('target') ?? ''])]
    .filter((name) => name !== '')
    .sort();
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

  return (
    <>
      <PageTitle
        title="Sessions"
        aside={
          filtered ? (
            <Link to="/sessions" className={link}>
              Show all
            </Link>
          ) : undefined
        }
      >
        Sessions
      </PageTitle>
      <search>
        <form
          className="mb-4 grid grid-cols-2 gap-3 sm:grid-cols-[7rem_9rem_9rem_1fr_2fr] *:last:col-span-2 sm:*:last:col-span-1"
          onSubmit={(event) => event.preventDefault()}
        >
          {choices.map(({ name, label, options }) => (
            <label key={name} className="flex min-w-0 flex-col gap-1 text-xs text-soft">
              {label}
              <select
                className={field}
                value={params.get(name) ?? ''}
                onChange={(event) => set(name, event.target.value)}
              >
                <option value="">any</option>
                {(name === 'target' ? reachable : options).map((option) => (
                  <option key={option} value={option}>
                    {option}
                  </option>
                ))}
              </select>
            </label>
          ))}
          {texts.map(({ name, label, example }) => (
            <TypedField
              key={name}
              label={label}
              example={example}
              value={params.get(name) ?? ''}
              onChange={(value) => set(name, value)}
            />
          ))}
        </form>
      </search>
      <Card flush>
        {query.error && !query.data ? (
          <Failure error={query.error} />
        ) : query.isPending ? (
          <Loading what="sessions" />
        ) : sessions.length > 0 ? (
          <>
            <SessionList sessions={sessions} />
            {query.hasNextPage && (
              <More busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                Older sessions
              </More>
            )}
          </>
        ) : filtered ? (
          <EmptyState title="No session matches">
            All filters together must match one session.{' '}
            <Link to="/sessions" className={link}>
              Show all sessions
            </Link>
          </EmptyState>
        ) : (
          <EmptyState title="No session yet">
            Every connection through the gateway appears here, also one that policy refused. Make one:{' '}
            <Code>psql "host=… port=6432 user=me dbname=shop"</Code>, with a token of your identity provider as the
            password.
          </EmptyState>
        )}
      </Card>
    </>
  );
}
