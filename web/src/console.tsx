import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { LiveEvent, Me, Overview } from '../../src/api/contract.ts';
import { ApiError, type Line, listen, read } from './api.ts';
import SignIn from './pages/sign-in.tsx';
import { Loading } from './parts/basics.tsx';
import { Failure } from './parts/failure.tsx';
import { Frame } from './parts/frame.tsx';

const pollMs = 4_000;

/** What an event makes old. Replays are not among it: reading one is itself recorded, so only people ask for that. */
function reload(queries: QueryClient, event: LiveEvent): void {
  const old: string[][] = [['overview']];
  switch (event.kind) {
    case 'session':
      old.push(['sessions'], ['session', event.id]);
      break;
    case 'statements':
      old.push(['sessions'], ['session', event.session]);
      break;
    case 'approval':
      old.push(['approvals'], ['approval', event.id]);
      break;
    case 'ledger':
      old.push(['ledger']);
  }
  for (const queryKey of old) void queries.invalidateQueries({ queryKey });
}

function reloadAll(queries: QueryClient): void {
  void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'replay' });
}

/** Who is signed in, the live line, and the frame around every page. */
export function Console() {
  const queries = useQueryClient();
  const [line, setLine] = useState<Line>('opening');
  const me = useQuery({ queryKey: ['me'], queryFn: () => read<Me>('/api/me'), refetchInterval: 60_000 });
  const overview = useQuery({
    queryKey: ['overview'],
    queryFn: () => read<Overview>('/api/overview'),
    enabled: me.isSuccess,
  });

  useEffect(() => {
    if (!me.isSuccess) return;
    return listen((event) => reload(queries, event), setLine);
  }, [me.isSuccess, queries]);

  // While the line is down: ask often; once it is up again: what happened meanwhile was not told.
  useEffect(() => {
    if (line !== 'lost') return;
    const timer = setInterval(() => reloadAll(queries), pollMs);
    return () => {
      clearInterval(timer);
      reloadAll(queries);
    };
  }, [line, queries]);

  if (me.error instanceof ApiError && me.error.status === 401) return <SignIn />;
  // A gateway that is away for a moment does not take the page away.
  if (me.data) return <Frame me={me.data} overview={overview.data} line={line} />;
  if (me.error)
    return (
      <main className="mx-auto max-w-2xl p-6">
        <Failure error={me.error} />
      </main>
    );
  return <Loading what="console" />;
}
