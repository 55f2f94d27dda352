import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect } from 'react';
import type { Overview } from '../../../src/api/contract.ts';
import { read } from '../api.ts';

/** The text of the browser's tab. */
export function useTabTitle(title: string, held = 0): void {
  useEffect(() => {
    document.title = `${held > 0 ? `(${held}) ` : ''}${title} · Countersign`;
  }, [title, held]);
}

/** The heading of a page. `title` is for the browser's tab, which also counts what waits for someone. */
export function PageTitle({
  title,
  aside,
  under,
  children,
}: {
  title: string;
  aside?: ReactNode;
  under?: ReactNode;
  children: ReactNode;
}) {
  const { data } = useQuery({
    queryKey: ['overview'],
    queryFn: () => read<Overview>('/api/overview'),
    enabled: false,
  });
  useTabTitle(title, data?.held);
  return (
    <div className="mb-4 flex min-h-8 flex-wrap items-start justify-between gap-x-4 gap-y-1.5">
      <div className="min-w-0 grow basis-64">
        <h1 className="flex flex-wrap items-center gap-x-2.5 gap-y-1 text-xl/7 font-semibold sm:text-xl/8">
          {children}
        </h1>
        {under !== undefined && <div className="text-soft">{under}</div>}
      </div>
      {aside !== undefined && <div className="flex min-h-8 items-center">{aside}</div>}
    </div>
  );
}
