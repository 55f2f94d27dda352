import type { ApprovalRow, StatementRow } from '../../../src/api/contract.ts';
import { Badge } from './basics.tsx';

export function Ruling({ ruling }: { ruling: StatementRow['ruling'] }) {
  if (ruling === 'permit') return <Badge tone="good">permitted</Badge>;
  if (ruling === 'hold') return <Badge tone="warn">held</Badge>;
  return <Badge tone="bad">denied</Badge>;
}

export function ApprovalState({ state }: { state: ApprovalRow['state'] }) {
  const tone = { pending: 'warn', granted: 'good', refused: 'bad', expired: 'plain', withdrawn: 'plain' } as const;
  return <Badge tone={tone[state]}>{state}</Badge>;
}
