import type { LedgerStatus } from '../../../src/api/contract.ts';
import { Badge } from './basics.tsx';

/** How the record stands, in the order of what it stops. */
export function LedgerBadge({ ledger }: { ledger: Pick<LedgerStatus, 'state' | 'disk'> }) {
  if (ledger.state === 'stopped') return <Badge tone="bad">ledger stopped: nothing is forwarded</Badge>;
  if (ledger.disk?.slow !== undefined) return <Badge tone="bad">disk slow: nothing new is forwarded</Badge>;
  if (ledger.disk?.low) return <Badge tone="bad">disk almost full: no new sessions</Badge>;
  return <Badge tone="good">ledger healthy</Badge>;
}
