import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { PolicyRule, PolicyStatus } from '../../../src/api/contract.ts';
import { read } from '../api.ts';
import { BacktestBox } from '../parts/backtest-box.tsx';
import { Badge, Card, Code, Loading } from '../parts/basics.tsx';
import { ExplainBox } from '../parts/explain-box.tsx';
import { FailedPage } from '../parts/failure.tsx';
import { PageTitle } from '../parts/page-title.tsx';
import { SafeText } from '../parts/statement-text.tsx';
import { plural } from '../words.ts';

/** The rules in force, what they would say to a statement, and what a draft would have changed. */
export default function Policies() {
  const status = useQuery({ queryKey: ['policy'], queryFn: () => read<PolicyStatus>('/api/policy') });
  if (status.error && !status.data) return <FailedPage title="Policies" error={status.error} />;
  if (!status.data) return <Loading what="policies" tall />;
  return (
    <>
      <PageTitle title="Policies">Policies</PageTitle>
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <Rules status={status.data} />
        <div className="flex min-w-0 flex-col gap-4">
          <ExplainBox />
          <BacktestBox rules={status.data.rules} />
        </div>
      </div>
    </>
  );
}

function Rules({ status }: { status: PolicyStatus }) {
  const { rules, findings, version } = status;
  return (
    <Card flush title="In force" aside={<span className="text-soft">{plural(rules.length, 'rule')}</span>}>
      <p className="border-b border-line px-4 py-2 text-[13px] text-soft">
        Version <Code>{version.replace('sha256:', '').slice(0, 16)}</Code>, as decisions in the ledger name it.
      </p>
      {findings.length > 0 && (
        <ul className="flex flex-col gap-1 border-b border-line bg-warn-wash px-4 py-2 text-[13px] text-warn">
          {findings.map((finding) => (
            <li key={finding.rule + finding.message}>
              <span className="font-mono">{finding.rule}</span> is {finding.kind}: <SafeText text={finding.message} />
            </li>
          ))}
        </ul>
      )}
      <ul className="divide-y divide-line">
        {rules.map((rule) => (
          <Rule key={rule.id} rule={rule} />
        ))}
      </ul>
    </Card>
  );
}

function Rule({ rule }: { rule: PolicyRule }) {
  const [open, setOpen] = useState(false);
  return (
    <li className="px-4 py-2">
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <span className="font-mono text-[13px]">{rule.id}</span>
          <Kind rule={rule} />
          {rule.shadow && <Badge tone="accent">shadow</Badge>}
          <span className="ml-auto text-xs text-soft">
            {rule.file}:{rule.line}
          </span>
        </summary>
        {open && (
          <pre className="mt-2 overflow-x-auto rounded bg-raised p-2 font-mono text-xs whitespace-pre-wrap">
            <SafeText text={rule.text} />
          </pre>
        )}
      </details>
    </li>
  );
}

function Kind({ rule: { effect, hold } }: { rule: PolicyRule }) {
  if (effect === 'permit') return <Badge tone="good">permits</Badge>;
  if (!hold) return <Badge tone="bad">forbids</Badge>;
  return (
    <Badge tone="warn">
      holds for {hold.quorum > 1 ? `${hold.quorum} of ` : ''}
      {hold.group}
      {hold.grade && ', signed'}
    </Badge>
  );
}
