import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ExplainedColumn, Page, PolicyExplanation, TargetRow } from '../../../src/api/contract.ts';
import { read, send } from '../api.ts';
import { Badge, Button, Card, field } from './basics.tsx';
import { Ruling, ShadowRuling } from './decision.tsx';
import { EffectList } from './effects.tsx';
import { Failure } from './failure.tsx';
import { SafeText } from './statement-text.tsx';

/** A statement and a principal in; decision, effects and lineage out. */
export function ExplainBox() {
  const targets = useQuery({ queryKey: ['targets'], queryFn: () => read<Page<TargetRow>>('/api/targets') });
  const [statement, setStatement] = useState('');
  const [kind, setKind] = useState('agent');
  const [groups, setGroups] = useState('');
  const [target, setTarget] = useState<string>();
  const names = targets.data?.items.map((row) => row.name) ?? [];
  const asking = useMutation({
    mutationFn: () =>
      send<PolicyExplanation>('/api/policy/explain', {
        statement,
        target: target ?? names[0] ?? '',
        principal: { kind, groups: groups.split(/[\s,]+/).filter(Boolean) },
      }),
  });
  return (
    <Card title="Explain a statement">
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          asking.mutate();
        }}
      >
        <label className="flex flex-col gap-1">
          <span className="text-soft">Statement; it is read and not run</span>
          <textarea
            className={`${field} min-h-20 py-1.5 font-mono text-[13px]`}
            value={statement}
            onChange={(event) => setStatement(event.target.value)}
            spellCheck={false}
            required
          />
        </label>
        <div className="grid gap-3 sm:grid-cols-3">
          <label className="flex min-w-0 flex-col gap-1">
            <span className="text-soft">Target</span>
            <select
              className={field}
              value={target ?? names[0] ?? ''}
              onChange={(event) => setTarget(event.target.value)}
            >
              {names.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
          <label className="flex min-w-0 flex-col gap-1">
            <span className="text-soft">Principal</span>
            <select className={field} value={kind} onChange={(event) => setKind(event.target.value)}>
              <option value="agent">agent</option>
              <option value="service">service</option>
              <option value="human">human</option>
            </select>
          </label>
          <label className="flex min-w-0 flex-col gap-1">
            <span className="text-soft">Groups</span>
            <input className={field} value={groups} onChange={(event) => setGroups(event.target.value)} />
          </label>
        </div>
        <div>
          <Button type="submit" look="primary" disabled={asking.isPending || statement.trim() === ''}>
            Explain
          </Button>
        </div>
      </form>
      <div aria-live="polite">
        {asking.isError && <Failure error={asking.error} />}
        {asking.data && <Explained of={asking.data} />}
      </div>
    </Card>
  );
}

function Explained({ of }: { of: PolicyExplanation }) {
  return (
    <div className="mt-4 flex flex-col gap-3 border-t border-line pt-4">
      <p className="flex flex-wrap items-center gap-2">
        <Ruling ruling={of.ruling} />
        <span className="font-mono text-xs text-soft">[{of.rules.join(', ') || 'no rule'}]</span>
        {of.group !== undefined && (
          <span>
            by {of.quorum === 1 ? 'a person' : `${of.quorum} people`} of {of.group}
          </span>
        )}
      </p>
      <ShadowRuling shadow={of.shadow} />
      {of.reason !== undefined && (
        <p>
          <SafeText text={of.reason} />
        </p>
      )}
      {of.advice !== undefined && of.advice !== '' && (
        <p className="text-soft">
          Told to the agent: <SafeText text={of.advice} />
        </p>
      )}
      {of.effects.length > 0 && <EffectList effects={of.effects} />}
      {of.results.map((columns, index) => (
        <Columns key={index} columns={columns} />
      ))}
    </div>
  );
}

function Columns({ columns }: { columns: readonly ExplainedColumn[] }) {
  if (columns.length === 0) return null;
  return (
    <section aria-label="Columns of the result">
      <ul className="divide-y divide-line rounded-md border border-line">
        {columns.map((column, index) => (
          <li key={index} className="flex flex-wrap items-center gap-x-2 gap-y-1 px-3 py-1.5 text-[13px]">
            <span className="font-mono">
              <SafeText text={column.name} />
            </span>
            {column.mask ? (
              <Badge tone="mask">
                {column.mask.label} {column.mask.method}
                {column.mask.whole && ', whole'}
              </Badge>
            ) : (
              <span className="text-soft">in clear</span>
            )}
            {(column.sources.length > 0 || column.opaque) && (
              <span className="text-soft">
                {column.opaque ? 'cannot be traced' : column.direct ? 'is' : 'derived from'}{' '}
                <SafeText text={column.sources.map((source) => source.column).join(', ')} />
              </span>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
