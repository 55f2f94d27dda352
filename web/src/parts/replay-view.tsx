import { useQuery } from '@tanstack/react-query';
import type { Replay, ReplayEvent } from '../../../src/api/contract.ts';
import { read } from '../api.ts';
import { bytes, plural } from '../words.ts';
import { Badge, EmptyState, Loading } from './basics.tsx';
import { Failure } from './failure.tsx';
import { SafeText } from './statement-text.tsx';

/** The recording, as the client saw it: masked values are masked here too, because nothing else was ever kept. */
export function ReplayView({ session }: { session: string }) {
  const replay = useQuery({
    queryKey: ['session', session, 'replay'],
    queryFn: () => read<Replay>(`/api/sessions/${session}/replay`),
    refetchInterval: false,
  });
  if (replay.error) return <Failure error={replay.error} />;
  if (!replay.data) return <Loading what="recording" />;
  const { events, started, partial } = replay.data;
  if (events.length === 0)
    return (
      <EmptyState title="Nothing was recorded yet">
        Results appear here a second after the client received them.
      </EmptyState>
    );
  return (
    <div className="flex flex-col gap-3">
      {partial && (
        <p className="text-sm text-soft">The session still runs, or ended without a seal: there may be more.</p>
      )}
      {events.map((event, index) => (
        <div key={index} className="flex min-w-0 gap-3">
          <span className="w-14 shrink-0 pt-0.5 text-right font-mono text-xs text-soft tabular-nums">
            +{((event.at - started) / 1000).toFixed(2)}
          </span>
          <div className="min-w-0 grow">
            <Shown event={event} />
          </div>
        </div>
      ))}
    </div>
  );
}

function Shown({ event }: { event: ReplayEvent }) {
  switch (event.kind) {
    case 'statement':
      return (
        <pre className="font-mono text-sm break-words whitespace-pre-wrap">
          <SafeText text={event.text} />
        </pre>
      );
    case 'result':
      return <Grid columns={event.columns} rows={event.rows} total={event.total} />;
    case 'done':
      return <Badge>{event.tag}</Badge>;
    case 'error':
      return (
        <p className="rounded-md bg-bad-wash px-3 py-2 text-sm text-bad">
          {event.severity} {event.code}: <SafeText text={event.message} />
          {event.detail !== undefined && (
            <>
              {' '}
              <SafeText text={event.detail} />
            </>
          )}
          {event.hint !== undefined && (
            <>
              {' '}
              <SafeText text={event.hint} />
            </>
          )}
        </p>
      );
    case 'notice':
      return (
        <p className="rounded-md bg-warn-wash px-3 py-2 text-sm text-warn">
          {event.severity}: <SafeText text={event.message} />{' '}
          {event.hint !== undefined && <SafeText text={event.hint} />}
        </p>
      );
    case 'copy':
      return (
        <p className="text-sm text-soft">
          COPY {event.direction}, {bytes(event.bytes)}
          <span className="mt-1 block max-h-40 overflow-auto font-mono text-xs whitespace-pre-wrap">
            <SafeText text={event.preview} />
          </span>
        </p>
      );
    case 'other':
      return <p className="text-xs text-soft">{event.name}</p>;
  }
}

function Grid({
  columns,
  rows,
  total,
}: {
  columns: readonly string[];
  rows: readonly (readonly (string | null)[])[];
  total: number;
}) {
  return (
    <div>
      <div
        className="max-h-96 overflow-auto rounded-md border border-line"
        tabIndex={0}
        role="region"
        aria-label="Result as the client saw it"
      >
        <table className="w-full border-collapse text-sm">
          <thead className="sticky top-0 bg-raised text-left">
            <tr>
              {columns.map((name, index) => (
                <th key={index} scope="col" className="px-2 py-1 font-medium whitespace-nowrap">
                  <SafeText text={name} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, index) => (
              <tr key={index} className="border-t border-line">
                {row.map((cell, column) => (
                  <td key={column} className="max-w-80 truncate px-2 py-1 font-mono text-xs" title={cell ?? 'NULL'}>
                    {cell === null ? <span className="text-soft italic">NULL</span> : <SafeText text={cell} />}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="mt-1 text-xs text-soft">
        {total > rows.length
          ? `the first ${plural(rows.length, 'row')} of ${plural(total, 'row')}`
          : plural(total, 'row')}
      </p>
    </div>
  );
}
