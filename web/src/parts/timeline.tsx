import { useEffect, useRef } from 'react';
import { Link, useLocation } from 'react-router';
import type { StatementRow } from '../../../src/api/contract.ts';
import { number, plural } from '../words.ts';
import { Badge, link } from './basics.tsx';
import { Ruling, ShadowRuling } from './decision.tsx';
import { Effects } from './effects.tsx';
import { LongText, Parameters, SafeText } from './statement-text.tsx';
import { duration, Moment } from './time.tsx';

/** The sequence number that an address points at: `#7`. */
export function sequenceOf(hash: string): number | undefined {
  return /^#\d{1,9}$/.test(hash) ? Number(hash.slice(1)) : undefined;
}

const edges = { permit: 'border-l-transparent', hold: 'border-l-warn', deny: 'border-l-bad' };

/** Statements in the order they were decided, each with decision, reason, effects and outcome. */
export function Timeline({ statements }: { statements: readonly StatementRow[] }) {
  const { hash, key } = useLocation();
  const wanted = sequenceOf(hash);
  const there = statements.some((row) => row.sequence === wanted);
  const shown = useRef('');
  // Once for each visit of an address: news must not pull the page back.
  useEffect(() => {
    if (wanted === undefined || !there || shown.current === key) return;
    shown.current = key;
    document.getElementById(String(wanted))?.scrollIntoView({ block: 'start' });
  }, [wanted, there, key]);
  return (
    <ol className="divide-y divide-line">
      {statements.map((row) => (
        <Row key={row.entry} row={row} wanted={row.sequence === wanted} />
      ))}
    </ol>
  );
}

function Row({ row, wanted }: { row: StatementRow; wanted: boolean }) {
  return (
    <li
      id={String(row.sequence)}
      aria-current={wanted ? 'location' : undefined}
      className={`grid min-w-0 scroll-mt-24 grid-cols-[minmax(0,1fr)_auto] gap-x-4 gap-y-1 border-l-3 px-4 py-3 sm:scroll-mt-16 sm:grid-cols-[5rem_minmax(0,1fr)_auto] ${edges[row.ruling]} ${wanted ? 'bg-accent-wash' : ''}`}
    >
      <div className="flex items-center gap-2 sm:flex-col sm:items-start sm:gap-1">
        <Link
          to={`#${row.sequence}`}
          className={`${link} font-mono text-xs`}
          aria-label={`Link to statement ${row.sequence}`}
        >
          #{row.sequence}
        </Link>
        <Ruling ruling={row.ruling} />
      </div>
      <div className="text-right text-xs text-soft sm:order-last">
        <Moment at={row.at} short />
        <span className="sm:block">
          <span className="sm:hidden"> · </span>entry {number(row.entry)}
        </span>
      </div>
      <div className="col-span-2 flex min-w-0 flex-col gap-1 sm:col-span-1">
        <pre className="font-mono text-[13.5px] leading-5.5 whitespace-pre-wrap">
          <LongText text={row.text} />
        </pre>
        {row.parameters !== undefined && row.parameters.length > 0 && <Parameters values={row.parameters} />}
        <p className="text-[13px]">
          {row.kind !== 'execute' && row.kind !== 'connect' && <span className="text-soft">{row.kind}: </span>}
          <Effects effects={row.effects} most={3} />
          {row.rules.length > 0 && (
            <span className="ml-2 font-mono text-xs text-soft" title="Rules that decided">
              [{row.rules.join(', ')}]
            </span>
          )}
        </p>
        <ShadowRuling shadow={row.shadow} />
        {row.outcome && <Outcome outcome={row.outcome} took={row.outcome.at - row.at} />}
        {(row.reason !== undefined || row.advice !== undefined || row.approval !== undefined) && <Told row={row} />}
      </div>
    </li>
  );
}

function Outcome({ outcome, took }: { outcome: NonNullable<StatementRow['outcome']>; took: number }) {
  const words =
    outcome.status === 'done'
      ? (outcome.tag ?? 'done')
      : outcome.code === undefined
        ? outcome.status
        : `${outcome.status} with ${outcome.code}`;
  const masked = outcome.masked.reduce((cells, one) => cells + one.cells, 0);
  return (
    <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-xs text-soft">
      <span className={`tabular-nums ${outcome.status === 'failed' || outcome.status === 'lost' ? 'text-bad' : ''}`}>
        {words}
        {outcome.rows > 0 && !outcome.tag?.endsWith(` ${outcome.rows}`) && `, ${plural(outcome.rows, 'row')}`} in{' '}
        {duration(Math.max(0, took))}
      </span>
      {masked > 0 && <span className="sr-only">masked cells:</span>}
      {outcome.masked.map((cells) => (
        <Badge key={cells.label + cells.method} tone="mask">
          {number(cells.cells)} × {cells.label}
          <span className="font-normal">{cells.method}</span>
        </Badge>
      ))}
    </p>
  );
}

/** Why, and what the agent was told to do. */
function Told({ row }: { row: StatementRow }) {
  return (
    <div className="mt-0.5 rounded-md bg-raised px-3 py-2 text-[13px]">
      {row.reason !== undefined && (
        <p>
          <SafeText text={row.reason} />
        </p>
      )}
      {row.advice !== undefined && (
        <p className="text-soft">
          Told to the agent: <SafeText text={row.advice} />
        </p>
      )}
      {row.approval !== undefined && (
        <Link to={`/approvals/${row.approval}`} className={link}>
          Approval request
        </Link>
      )}
    </div>
  );
}
