import { Link, useLocation } from 'react-router';
import type { StatementRow } from '../../../src/api/contract.ts';
import { effectInWords, number, plural } from '../words.ts';
import { Badge } from './basics.tsx';
import { OutcomeBadge, Ruling } from './decision.tsx';
import { SafeText } from './statement-text.tsx';
import { duration, Moment } from './time.tsx';

/** Statements in the order they were decided, each with decision, reason, effects and outcome. */
export function Timeline({ statements }: { statements: readonly StatementRow[] }) {
  const { hash } = useLocation();
  return (
    <ol className="flex flex-col gap-3">
      {statements.map((row) => (
        <li
          key={row.entry}
          id={`s${row.sequence}`}
          className={`min-w-0 rounded-lg border bg-surface p-3 ${hash === `#s${row.sequence}` ? 'border-accent' : 'border-line'}`}
        >
          <div className="flex flex-wrap items-center gap-x-2 gap-y-1 text-xs text-soft">
            <Link
              to={`#s${row.sequence}`}
              className="font-mono text-accent underline"
              aria-label={`Link to statement ${row.sequence}`}
            >
              #{row.sequence}
            </Link>
            <Ruling ruling={row.ruling} />
            {row.kind !== 'execute' && <Badge>{row.kind}</Badge>}
            {row.outcome && <OutcomeBadge outcome={row.outcome} />}
            {row.outcome && <span className="tabular-nums">{plural(row.outcome.rows, 'row')}</span>}
            {row.outcome?.masked.map((cells) => (
              <Badge key={cells.label + cells.method} tone="mask">
                {number(cells.cells)} × {cells.label} {cells.method}
              </Badge>
            ))}
            {row.outcome && <span className="tabular-nums">{duration(row.outcome.at - row.at)}</span>}
            <span className="ml-auto">
              <Moment at={row.at} short /> · entry {number(row.entry)}
            </span>
          </div>
          <pre
            className="mt-2 max-h-64 overflow-auto font-mono text-sm break-words whitespace-pre-wrap"
            tabIndex={0}
            role="region"
            aria-label={`Text of statement ${row.sequence}`}
          >
            <SafeText text={row.text} />
          </pre>
          {row.parameters !== undefined && row.parameters.length > 0 && (
            <p className="mt-1 font-mono text-xs break-all text-soft">
              {row.parameters.map((value, index) => (
                <span key={index} className="mr-3">
                  ${index + 1} = {value === null ? 'NULL' : <SafeText text={value} />}
                </span>
              ))}
            </p>
          )}
          <p className="mt-1.5 text-sm text-soft">{row.effects.map(effectInWords).join('; ')}</p>
          {(row.reason !== undefined || row.advice !== undefined) && (
            <p className="mt-1.5 text-sm">
              {row.reason} {row.advice !== undefined && <span className="text-soft">{row.advice}</span>}
            </p>
          )}
          {(row.rules.length > 0 || row.approval !== undefined) && (
            <p className="mt-1.5 flex flex-wrap items-center gap-1.5 text-xs text-soft">
              {row.rules.map((rule) => (
                <Badge key={rule}>{rule}</Badge>
              ))}
              {row.approval !== undefined && (
                <Link to={`/approvals/${row.approval}`} className="text-accent underline">
                  approval request
                </Link>
              )}
            </p>
          )}
        </li>
      ))}
    </ol>
  );
}
