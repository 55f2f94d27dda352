import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { Link } from 'react-router';
import type { Replay, ReplayEvent, SessionDetail } from '../../../src/api/contract.ts';
import { read } from '../api.ts';
import { bytes } from '../words.ts';
import { Button, EmptyState, Loading, link } from './basics.tsx';
import { Failure } from './failure.tsx';
import { PlayerBar, usePlayer } from './replay-player.tsx';
import { ResultGrid, Unkept } from './result-grid.tsx';
import { LongText, Parameters, SafeText } from './statement-text.tsx';

/**
 * The recording, as the client saw it: masked values are masked here too, because nothing else was ever kept. It is read once
 * and again only when asked for, since each reading is an entry of the ledger.
 */
export function ReplayView({ session }: { session: SessionDetail }) {
  const replay = useQuery({
    queryKey: ['replay', session.id],
    queryFn: () => read<Replay>(`/api/sessions/${encodeURIComponent(session.id)}/replay`),
    refetchInterval: false,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const again = () => void replay.refetch();
  if (replay.error)
    return (
      <>
        <Failure error={replay.error} />
        <Button className="mt-2" onClick={again}>
          Read again
        </Button>
      </>
    );
  if (!replay.data) return <Loading tall what="recording" />;
  if (replay.data.events.length === 0)
    return (
      <EmptyState title="Nothing was recorded yet">
        <p>Results are here a second after the client received them.</p>
        <Button className="mt-3" onClick={again}>
          Read again
        </Button>
      </EmptyState>
    );
  return <Events replay={replay.data} session={session} again={again} />;
}

function Events({ replay, session, again }: { replay: Replay; session: SessionDetail; again: () => void }) {
  const { events, started, partial } = replay;
  const player = usePlayer(events);
  const last = useRef<HTMLLIElement>(null);
  const { playing, shown } = player;
  useEffect(() => {
    if (playing && shown > 0) last.current?.scrollIntoView({ block: 'nearest' });
  }, [playing, shown]);
  return (
    <>
      <PlayerBar player={player} events={events} started={started} reload={partial ? again : undefined} />
      <ol className="flex flex-col gap-2">
        {events.slice(0, shown).map((event, index) => (
          <li
            key={index}
            ref={index === shown - 1 ? last : undefined}
            className={`grid min-w-0 scroll-mb-4 grid-cols-[3.5rem_minmax(0,1fr)] gap-3 ${event.kind === 'statement' && index > 0 ? 'mt-2 border-t border-line pt-3' : ''}`}
          >
            <span className="pt-0.5 text-right font-mono text-xs text-soft tabular-nums">
              +{((event.at - started) / 1000).toFixed(2)}
            </span>
            <div className="min-w-0">
              <Shown event={event} number={index + 1} masks={session.maskedCells > 0} />
            </div>
          </li>
        ))}
      </ol>
      {shown === 0 && <p className="py-10 text-center text-soft">The session begins.</p>}
      {partial && shown === events.length && (
        <p className="mt-3 text-xs text-soft">
          {session.closed === undefined
            ? 'The session still runs: there may be more by now.'
            : 'The recording ends here, before its seal.'}
        </p>
      )}
    </>
  );
}

function Shown({ event, number, masks }: { event: ReplayEvent; number: number; masks: boolean }) {
  switch (event.kind) {
    case 'statement':
      return (
        <>
          <pre className="font-mono text-[13.5px] leading-5.5 font-semibold whitespace-pre-wrap">
            <LongText text={event.text} />{' '}
            <Link
              to={`?#${event.sequence}`}
              className={`${link} text-xs font-normal`}
              aria-label={`Statement ${event.sequence} in the timeline`}
            >
              #{event.sequence}
            </Link>
          </pre>
          {event.parameters !== undefined && event.parameters.length > 0 && <Parameters values={event.parameters} />}
        </>
      );
    case 'result':
      return (
        <ResultGrid
          label={`Result as the client saw it, event ${number}`}
          columns={event.columns}
          rows={event.rows}
          total={event.total}
          unkept={event.unkept}
          masks={masks}
        />
      );
    case 'done':
      return <p className="pt-0.5 font-mono text-xs text-soft">{event.tag}</p>;
    case 'error':
      return (
        <div className="rounded-md bg-bad-wash px-3 py-2">
          <p className="font-medium text-bad">
            {event.severity} {event.code}: <SafeText text={event.message} />
          </p>
          {event.detail !== undefined && (
            <p>
              <SafeText text={event.detail} />
            </p>
          )}
          {event.hint !== undefined && (
            <p>
              <span className="text-soft">Hint:</span> <SafeText text={event.hint} />
            </p>
          )}
        </div>
      );
    case 'notice':
      return (
        <div className="rounded-md bg-warn-wash px-3 py-2">
          <p className="font-medium text-warn">
            {event.severity}: <SafeText text={event.message} />
          </p>
          {event.hint !== undefined && (
            <p>
              <span className="text-soft">Hint:</span> <SafeText text={event.hint} />
            </p>
          )}
        </div>
      );
    case 'copy':
      return (
        <div>
          <p className="text-soft">
            COPY {event.direction}, {bytes(event.bytes)}
          </p>
          <pre className="mt-1 font-mono text-xs whitespace-pre-wrap">
            <LongText text={event.preview} lines={10} />
          </pre>
          {event.unkept !== undefined && <Unkept of={event.unkept} />}
        </div>
      );
    case 'other':
      return <p className="pt-0.5 text-xs text-soft">{event.name}</p>;
  }
}
