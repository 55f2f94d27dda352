import { Bot, User } from 'lucide-react';
import { Link } from 'react-router';
import type { SessionSummary } from '../../../src/api/contract.ts';
import { plural } from '../words.ts';
import { Badge } from './basics.tsx';
import { Moment } from './time.tsx';

export function SessionList({ sessions }: { sessions: readonly SessionSummary[] }) {
  return (
    <ul className="divide-y divide-line">
      {sessions.map((session) => (
        <li key={session.id}>
          <Link
            to={`/sessions/${session.id}`}
            className="flex flex-wrap items-center gap-x-3 gap-y-1 rounded px-1 py-2 hover:bg-raised"
          >
            <span className="flex min-w-0 items-center gap-1.5 font-medium">
              {session.principalKind === 'human' ? (
                <User size={15} aria-label="human" />
              ) : (
                <Bot size={15} aria-label={session.principalKind} />
              )}
              <span className="truncate">{session.principalName}</span>
            </span>
            <span className="text-sm text-soft">
              {session.target}
              {session.database !== session.target && `/${session.database}`}
            </span>
            <span className="flex flex-wrap gap-1.5">
              {session.closed === undefined ? <Badge tone="good">live</Badge> : <Badge>ended</Badge>}
              {session.held > 0 && <Badge tone="warn">{session.held} held</Badge>}
              {session.denied > 0 && <Badge tone="bad">{session.denied} denied</Badge>}
              {session.maskedCells > 0 && <Badge tone="mask">{plural(session.maskedCells, 'masked cell')}</Badge>}
            </span>
            <span className="ml-auto text-xs text-soft tabular-nums">
              {plural(session.statements, 'statement')} · <Moment at={session.opened} short />
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
