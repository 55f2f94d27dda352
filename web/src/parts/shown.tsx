import type { ReactNode } from 'react';
import type { Page } from '../../../src/api/contract.ts';
import { Loading } from './basics.tsx';
import { Failure } from './failure.tsx';

/** A list in whichever state it is: failed, loading, empty, there. */
export function Shown<T>({
  query,
  what,
  empty,
  children,
}: {
  query: { data?: Page<T>; error: unknown };
  what: string;
  empty: ReactNode;
  children: (items: readonly T[]) => ReactNode;
}) {
  // What was there stays there while the gateway is away; the header says so.
  if (query.data) return query.data.items.length === 0 ? empty : children(query.data.items);
  if (query.error) return <Failure error={query.error} />;
  return <Loading what={what} />;
}
