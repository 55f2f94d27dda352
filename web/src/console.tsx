import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { Me, Overview } from '../../src/api/contract.ts';
import { ApiError, listen, read } from './api.ts';
import { Loading } from './parts/basics.tsx';
import { Failure } from './parts/failure.tsx';
import { Frame } from './parts/frame.tsx';
import SignIn from './pages/sign-in.tsx';

/** Who is signed in, the live line, and the frame around every page. */
export function Console() {
  const queries = useQueryClient();
  const [live, setLive] = useState(false);
  const me = useQuery({ queryKey: ['me'], queryFn: () => read<Me>('/api/me'), refetchInterval: 60_000 });
  const overview = useQuery({
    queryKey: ['overview'],
    queryFn: () => read<Overview>('/api/overview'),
    enabled: me.isSuccess,
  });

  useEffect(() => {
    if (!me.isSuccess) return;
    return listen((event) => {
      void queries.invalidateQueries({ queryKey: ['overview'] });
      if (event.kind === 'session') void queries.invalidateQueries({ queryKey: ['sessions'] });
      if (event.kind === 'session') void queries.invalidateQueries({ queryKey: ['session', event.id] });
      if (event.kind === 'statements') void queries.invalidateQueries({ queryKey: ['session', event.session] });
      if (event.kind === 'approval') void queries.invalidateQueries({ queryKey: ['approvals'] });
      if (event.kind === 'approval') void queries.invalidateQueries({ queryKey: ['approval', event.id] });
      if (event.kind === 'ledger') void queries.invalidateQueries({ queryKey: ['ledger'] });
    }, setLive);
  }, [me.isSuccess, queries]);

  if (me.error instanceof ApiError && me.error.status === 401) return <SignIn />;
  if (me.error)
    return (
      <div className="mx-auto max-w-2xl p-6">
        <Failure error={me.error} />
      </div>
    );
  if (!me.data) return <Loading what="console" />;
  return <Frame me={me.data} overview={overview.data} live={live} />;
}
