import { useQuery } from '@tanstack/react-query';
import type { ExportRow, Page } from '../../../src/api/contract.ts';
import { read } from '../api.ts';
import { number, plural } from '../words.ts';
import { Badge, Card } from './basics.tsx';

/** Who gets events of the record, and how far behind each is. Shown to those who may see it, where there are any. */
export function Receivers() {
  const found = useQuery({
    queryKey: ['exports'],
    queryFn: () => read<Page<ExportRow>>('/api/exports'),
    refetchInterval: 5_000,
    retry: false,
  });
  const rows = found.data?.items ?? [];
  if (rows.length === 0) return null;
  return (
    <div className="min-w-0 lg:col-span-2">
      <Card title="Receivers of events">
        <ul className="grid gap-3">
          {rows.map((row) => (
            <li key={row.name} className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
              <span className="font-medium">{row.name}</span>
              <span className="text-soft">{row.to}</span>
              <Badge tone={row.state === 'failing' ? 'bad' : 'good'}>{row.state}</Badge>
              <span className="text-soft">
                {row.lag === 0
                  ? `has all ${number(row.next)} entries`
                  : `${plural(row.lag, 'entry', 'entries')} behind, for ${Math.round(row.lagSeconds)} s`}
                ; receipts up to {number(row.receipted)}
              </span>
              {row.error !== undefined && <span className="basis-full text-bad">{row.error}</span>}
            </li>
          ))}
        </ul>
      </Card>
    </div>
  );
}
