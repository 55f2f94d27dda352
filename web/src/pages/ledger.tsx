import { useQuery } from '@tanstack/react-query';
import type { LedgerStatus } from '../../../src/api/contract.ts';
import { read } from '../api.ts';
import { Card, Code, Facts, Loading } from '../parts/basics.tsx';
import { Copy } from '../parts/copy.tsx';
import { FailedPage } from '../parts/failure.tsx';
import { LedgerBadge } from '../parts/ledger-badge.tsx';
import { PageTitle } from '../parts/page-title.tsx';
import { Receivers } from '../parts/receivers.tsx';
import { Moment } from '../parts/time.tsx';
import { number, plural } from '../words.ts';

function Long({ text, what }: { text: string; what: string }) {
  return (
    <span className="font-mono text-xs break-all">
      {text}
      <Copy text={text} what={what} />
    </span>
  );
}

function room(bytes: number | undefined): string {
  return bytes === undefined ? 'unknown' : `${number(Math.round(bytes / 1024 / 1024))} MiB`;
}

/** The state of the record, and how anyone can check it without this page. */
export default function Ledger() {
  const status = useQuery({
    queryKey: ['ledger'],
    queryFn: () => read<LedgerStatus>('/api/ledger'),
    refetchInterval: 5_000,
  });
  if (status.error && !status.data) return <FailedPage title="Ledger" error={status.error} />;
  if (!status.data) return <Loading what="ledger" />;
  const ledger = status.data;
  const command = `countersign verify data/ledger \\\n  --key '${ledger.vkey}'`;
  return (
    <>
      <PageTitle
        title="Ledger"
        aside={<LedgerBadge ledger={ledger} />}
        under="Every decision, before it takes effect; every outcome after it; in an order that nobody can change unnoticed."
      >
        Ledger
      </PageTitle>
      {(ledger.fault ?? ledger.disk?.slow) !== undefined && (
        <p role="alert" className="mb-4 rounded-md bg-bad-wash px-4 py-3 text-bad">
          {ledger.fault ?? ledger.disk?.slow}
        </p>
      )}
      <div className="grid gap-5 lg:grid-cols-2">
        <Card title="Log">
          <Facts
            rows={[
              ['Entries', number(ledger.entries)],
              ['Origin', ledger.origin],
              ...(ledger.disk
                ? ([['Disk', `${room(ledger.disk.free)} free, ${room(ledger.disk.reserve)} are kept`]] as const)
                : []),
              ...(ledger.witnesses ?? []).map(
                ({ name, at, size }) =>
                  [
                    `Witness ${name}`,
                    <span key={name}>
                      {at === undefined ? 'has not signed yet' : `signed ${number(size ?? 0)} entries `}
                      {at !== undefined && <Moment at={at} />}
                    </span>,
                  ] as const,
              ),
              ['Public key', <Long key="k" text={ledger.vkey} what="the public key" />],
            ]}
          />
        </Card>
        <Card title="Newest checkpoint">
          {ledger.checkpoint === undefined ? (
            <p className="text-soft">None yet; the first is signed within a second of the first entry.</p>
          ) : (
            <Facts
              rows={[
                [
                  'Covers',
                  `${plural(ledger.checkpoint.size, 'entry', 'entries')}, ${number(ledger.entries - ledger.checkpoint.size)} not yet`,
                ],
                ['Signed', <Moment key="s" at={ledger.checkpoint.at} />],
                ['Root', <Long key="r" text={ledger.checkpoint.root} what="the root" />],
              ]}
            />
          )}
        </Card>
        <div className="min-w-0 lg:col-span-2">
          <Card title="Keys and retention">
            <Facts
              rows={[
                ['Keys wrapped by', <Code key="p">{ledger.keys.provider}</Code>],
                ['Ready for sessions', ledger.keys.failing ?? plural(ledger.keys.ready, 'key')],
                [
                  'Rules',
                  ledger.retention.rules === 0 ? 'none: nothing is ever shredded' : number(ledger.retention.rules),
                ],
                ['Holds in force', number(ledger.retention.holds)],
                ['Shredded', plural(ledger.retention.shredded.sessions, 'session')],
                ...(ledger.retention.shredded.last === undefined
                  ? []
                  : [['Last', <Moment key="l" at={ledger.retention.shredded.last} />] as const]),
              ]}
            />
          </Card>
        </div>
        <Receivers />
        <div className="min-w-0 lg:col-span-2">
          <Card title="Check it yourself">
            <p className="text-soft">
              The verifier needs the ledger’s folder and the public key, nothing else: no gateway, no network. Take the
              key from where it was published, not from here, and run in a copy of the gateway’s folder:
            </p>
            <div className="mt-3 flex items-start justify-between gap-2 rounded-md border border-line bg-page px-3 py-2.5">
              <code className="min-w-0 font-mono text-[13px] break-all whitespace-pre-wrap">{command}</code>
              <Copy text={command} what="the command" />
            </div>
            <dl className="mt-4 grid gap-x-6 gap-y-3 text-[13px] sm:grid-cols-3">
              <Found title="Nothing was changed">
                Every entry is hashed into the root that the checkpoint signs (RFC 6962, Ed25519). One changed byte and
                the roots differ.
              </Found>
              <Found title="Nothing is missing">
                Indices have no gaps, statements of a session are numbered, ended sessions are sealed.
              </Found>
              <Found title="Nothing was rolled back">
                Keep a checkpoint of your own. A later ledger that does not continue it has been rewritten.
              </Found>
            </dl>
            <p className="mt-4 text-xs text-soft">
              The same for programs: <Code>--json</Code>. The recordings as well:{' '}
              <Code>--recordings data/recordings</Code>. The format, for a verifier of your own: docs/ledger-format.md.
            </p>
          </Card>
        </div>
      </div>
    </>
  );
}

function Found({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <div>
      <dt className="font-medium">{title}</dt>
      <dd className="mt-0.5 text-soft">{children}</dd>
    </div>
  );
}
