import { Bot, Cog, User } from 'lucide-react';
import { Link } from 'react-router';
import type { SessionSummary } from '../../../src/api/contract.ts';
import { number, place, plural } from '../words.ts';
import { Badge } from './basics.tsx';
import { duration, Moment } from './time.tsx';

const icons = { human: User, agent: Bot, service: Cog };

/** Sessions, one a row; in columns where there is room. */
export function SessionList({ sessions }: { sessions: readonly SessionSummary[] }) {
  return (
    <ul className="@container divide-y divide-line">
      {sessions.map((session) => (
        <li key={session.id}>
          <Link
            to={`/sessions/${session.id}`}
            className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1 px-4 py-2.5 -outline-offset-2 hover:bg-raised @3xl:grid-cols-[minmax(0,14rem)_minmax(0,9rem)_minmax(0,1fr)_auto]"
          >
            <Who session={session} />
            <span className="hidden text-soft @3xl:block">{place(session)}</span>
            <span className="text-right text-xs text-soft tabular-nums @3xl:order-last @3xl:w-56">
              {plural(session.statements, 'statement')}
              <Ended session={session} />
            </span>
            <span className="col-span-2 flex flex-wrap items-center gap-1.5 @3xl:col-span-1">
              <span className="mr-1 text-soft @3xl:hidden">{place(session)}</span>
              {session.closed === undefined ? <Badge tone="good">live</Badge> : <Badge>ended</Badge>}
              {session.held > 0 && <Badge tone="warn">{number(session.held)} held</Badge>}
              {session.denied > 0 && <Badge tone="bad">{number(session.denied)} denied</Badge>}
              {session.maskedCells > 0 && <Badge tone="mask">{plural(session.maskedCells, 'masked cell')}</Badge>}
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Who({ session }: { session: SessionSummary }) {
  const Icon = icons[session.principalKind];
  return (
    <span className="flex min-w-0 items-center gap-2 font-medium">
      <Icon size={15} className="shrink-0 text-soft" aria-label={session.principalKind} />
      <span className="min-w-0">{session.principalName}</span>
    </span>
  );
}

function Ended({ session }: { session: SessionSummary }) {
  return (
    <>
      {session.closed !== undefined && (
        <span className="hidden @3xl:inline"> in {duration(session.closed - session.opened)}</span>
      )}{' '}
      · <Moment at={session.closed ?? session.opened} short />
    </>
  );
}
