import { useQuery } from '@tanstack/react-query';
import type { LedgerStatus } from '../../../src/api/contract.ts';
import { read } from '../api.ts';
import { Badge, Card, Facts, Loading, PageTitle } from '../parts/basics.tsx';
import { Failure } from '../parts/failure.tsx';
import { Moment } from '../parts/time.tsx';
import { number } from '../words.ts';

/** The state of the record, and how anyone can check it without this page. */
export default function Ledger() {
  const status = useQuery({
    queryKey: ['ledger'],
    queryFn: () => read<LedgerStatus>('/api/ledger'),
    refetchInterval: 5_000,
  });
  if (status.error) return <Failure error={status.error} />;
  if (!status.data) return <Loading what="ledger" />;
  const ledger = status.data;
  return (
    <>
      <PageTitle
        aside={
          ledger.state === 'healthy' ? (
            <Badge tone="good">healthy</Badge>
          ) : (
            <Badge tone="bad">stopped: nothing is forwarded</Badge>
          )
        }
      >
        Ledger
      </PageTitle>
      {ledger.fault !== undefined && (
        <p role="alert" className="mb-4 rounded-md bg-bad-wash px-4 py-3 text-sm text-bad">
          {ledger.fault}
        </p>
      )}
      <div className="grid gap-5 lg:grid-cols-2">
        <Card title="Log">
          <Facts
            rows={[
              ['Entries', number(ledger.entries)],
              ['Origin', ledger.origin],
              [
                'Public key',
                <span key="k" className="font-mono text-xs break-all">
                  {ledger.vkey}
                </span>,
              ],
            ]}
          />
        </Card>
        <Card title="Newest checkpoint">
          {ledger.checkpoint === undefined ? (
            <p className="text-sm text-soft">None yet; the first is signed within a second of the first entry.</p>
          ) : (
            <Facts
              rows={[
                ['Size', number(ledger.checkpoint.size)],
                [
                  'Root',
                  <span key="r" className="font-mono text-xs break-all">
                    {ledger.checkpoint.root}
                  </span>,
                ],
                ['Signed', <Moment key="s" at={ledger.checkpoint.at} />],
                ['Not yet covered', `${number(ledger.entries - ledger.checkpoint.size)} entries`],
              ]}
            />
          )}
        </Card>
        <Card title="Check it yourself">
          <p className="text-sm text-soft">
            The verifier needs the ledger folder and the public key above, nothing else: no gateway, no network. Keep a
            checkpoint of your own to notice later that history was rewritten.
          </p>
          <pre
            tabIndex={0}
            role="region"
            aria-label="Command that verifies the ledger"
            className="mt-3 overflow-x-auto rounded-md bg-raised p-3 font-mono text-xs"
          >{`countersign verify <data>/ledger \\\n  --key '${ledger.vkey}'`}</pre>
        </Card>
      </div>
    </>
  );
}
