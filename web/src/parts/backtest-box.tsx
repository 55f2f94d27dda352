import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import type { BacktestReport, PolicyRule } from '../../../src/api/contract.ts';
import { send } from '../api.ts';
import { number, plural } from '../words.ts';
import { Badge, Button, Card, field, link } from './basics.tsx';
import { Ruling } from './decision.tsx';
import { Failure } from './failure.tsx';
import { SafeText } from './statement-text.tsx';

/** Recorded history through a draft; without one, through the rules in force, which counts whom they hit. */
export function BacktestBox({ rules }: { rules: readonly PolicyRule[] }) {
  const [days, setDays] = useState('7');
  const [draft, setDraft] = useState('');
  const [whole, setWhole] = useState(false);
  const running = useMutation({
    mutationFn: () => {
      const policies = draftFiles(draft, whole, rules);
      return send<BacktestReport>('/api/policy/backtest', { days: Number(days), ...(policies ? { policies } : {}) });
    },
  });
  return (
    <Card title="Backtest">
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          running.mutate();
        }}
      >
        <label className="flex flex-col gap-1">
          <span className="text-soft">Draft in Cedar; empty counts what the rules in force decided</span>
          <textarea
            className={`${field} min-h-28 py-1.5 font-mono text-[13px]`}
            value={draft}
            onChange={(event) => setDraft(event.target.value)}
            spellCheck={false}
          />
        </label>
        <div className="flex flex-wrap items-end gap-3">
          <label className="flex flex-col gap-1">
            <span className="text-soft">Or a file</span>
            <input
              type="file"
              accept=".cedar"
              className="max-w-56 text-[13px]"
              onChange={(event) => void event.target.files?.[0]?.text().then(setDraft)}
            />
          </label>
          <label className="flex flex-col gap-1">
            <span className="text-soft">Last days</span>
            <select className={field} value={days} onChange={(event) => setDays(event.target.value)}>
              {['1', '7', '30', '90'].map((value) => (
                <option key={value}>{value}</option>
              ))}
            </select>
          </label>
          <label className="flex min-h-9 items-center gap-2">
            <input type="checkbox" checked={whole} onChange={(event) => setWhole(event.target.checked)} />
            instead of the rules in force
          </label>
          <Button type="submit" look="primary" disabled={running.isPending}>
            {running.isPending ? 'Running …' : 'Run'}
          </Button>
        </div>
      </form>
      <div aria-live="polite">
        {running.isError && <Failure error={running.error} />}
        {running.data && <Report of={running.data} />}
      </div>
    </Card>
  );
}

/** The draft beside the rules in force, or instead of them; a rule of the same name is replaced. */
function draftFiles(draft: string, whole: boolean, rules: readonly PolicyRule[]) {
  if (draft.trim() === '') return undefined;
  const named = new Set([...draft.matchAll(/@id\("([^"]+)"\)/g)].map(([, id]) => id));
  const kept = whole ? [] : rules.filter((rule) => !named.has(rule.id));
  return [
    { name: 'draft.cedar', text: draft },
    ...(kept.length > 0 ? [{ name: 'in-force.cedar', text: kept.map((rule) => rule.text).join('\n') }] : []),
  ];
}

function Report({ of }: { of: BacktestReport }) {
  const hits = of.rules
    .filter((rule) => rule.decided > 0)
    .sort((one, other) => other.decided - one.decided)
    .slice(0, 12);
  const lost = of.lost.erased + of.lost.unknown + of.lost.unreadable;
  return (
    <div className="mt-4 flex flex-col gap-4 border-t border-line pt-4">
      <p className="font-medium">
        {plural(of.statements, 'statement')}: {of.changed === 0 ? 'none' : number(of.changed)} would change
        {of.cut && ' (there are more than were looked at)'}
      </p>
      {lost > 0 && <p className="text-soft">{plural(lost, 'statement')} could not be decided again.</p>}
      {of.changes.length > 0 && (
        <ul className="divide-y divide-line rounded-md border border-line">
          {of.changes.slice(0, 50).map((change, index) => (
            <Change key={index} change={change} />
          ))}
        </ul>
      )}
      {of.changed > 0 && (
        <Counts
          title="Agents"
          rows={of.agents
            .filter((agent) => agent.changed > 0)
            .map((agent) => [agent.name, `${number(agent.changed)} of ${number(agent.statements)}`])}
        />
      )}
      {hits.length > 0 && (
        <Counts title="Statements that each rule decided" rows={hits.map((hit) => [hit.rule, number(hit.decided)])} />
      )}
    </div>
  );
}

function Change({ change }: { change: BacktestReport['changes'][number] }) {
  const { masks } = change;
  return (
    <li className="flex flex-col gap-1 px-3 py-2 text-[13px]">
      <p className="flex flex-wrap items-center gap-2">
        <span className="font-medium tabular-nums">{number(change.count)} ×</span>
        <Ruling ruling={change.from} />
        <span aria-hidden>→</span>
        <span className="sr-only">to</span>
        <Ruling ruling={change.to} />
        {masks.added.map((label) => (
          <Badge key={`+${label}`} tone="mask">
            {label} masked
          </Badge>
        ))}
        {masks.removed.map((label) => (
          <Badge key={`-${label}`} tone="bad">
            {label} in clear
          </Badge>
        ))}
        {masks.changed.map((label) => (
          <Badge key={`~${label}`}>{label} masked otherwise</Badge>
        ))}
      </p>
      <p className="font-mono text-xs text-soft">
        {change.before.join(', ') || 'no rule'} → {change.after.join(', ') || 'no rule'}
      </p>
      {change.examples.map((example) => (
        <p key={example.entry} className="truncate">
          <Link to={`/sessions/${example.session}#${example.sequence}`} className={link}>
            entry {number(example.entry)}
          </Link>{' '}
          <SafeText text={example.agent} />:{' '}
          <span className="font-mono text-xs">
            <SafeText text={example.text.slice(0, 160)} />
          </span>
        </p>
      ))}
    </li>
  );
}

function Counts({ title, rows }: { title: string; rows: readonly (readonly [string, string])[] }) {
  return (
    <section>
      <h3 className="mb-1 text-soft">{title}</h3>
      <dl className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-4 gap-y-0.5 text-[13px]">
        {rows.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="font-mono">
              <SafeText text={name} />
            </dt>
            <dd className="text-right tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
