import type { ApprovalRow, StatementRow } from '../../../src/api/contract.ts';
import { plural } from '../words.ts';
import { Badge } from './basics.tsx';

export function Ruling({ ruling }: { ruling: StatementRow['ruling'] }) {
  if (ruling === 'permit') return <Badge tone="good">permitted</Badge>;
  if (ruling === 'hold') return <Badge tone="warn">held</Badge>;
  return <Badge tone="bad">denied</Badge>;
}

/** What shadow policies would have made of it; nothing is shown where that is the same. */
export function ShadowRuling({ shadow }: { shadow: StatementRow['shadow'] }) {
  if (!shadow) return null;
  const would = { permit: 'would be permitted', hold: 'would be held', deny: 'would be denied' }[shadow.ruling];
  return (
    <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-xs text-soft">
      <Badge tone="accent">shadow: {would}</Badge>
      {shadow.rules.length > 0 && <span className="font-mono">[{shadow.rules.join(', ')}]</span>}
      {shadow.masks !== undefined && <span>{plural(shadow.masks, 'column')} masked</span>}
    </p>
  );
}

export function ApprovalState({ state }: { state: ApprovalRow['state'] }) {
  const tone = { pending: 'warn', granted: 'good', refused: 'bad', expired: 'plain', withdrawn: 'plain' } as const;
  return <Badge tone={tone[state]}>{state}</Badge>;
}
