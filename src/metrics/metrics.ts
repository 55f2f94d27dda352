// The metrics of a gateway (docs/metrics.md; test: metrics.test.ts holds the page to this). Counts come from the ledger by way of
// the store's follower, states are asked for when somebody looks; the data path does nothing for them.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { SinkStatus } from '../exports/exporter.ts';
import type { LedgerState } from '../ledger/ledger.ts';
import type { Gain, Tallied } from './tally.ts';

export interface MetricsParts {
  readonly version: string;
  ledger(): Pick<LedgerState, 'entries' | 'checkpoint' | 'state'>;
  sessions(): readonly { readonly target: string; readonly waiting: number }[];
  exports(): readonly SinkStatus[];
  /** Entries under the newest checkpoint that witnesses signed; undefined without witnesses. */
  cosigned(): number | undefined;
  now(): number;
}

export interface Metrics {
  readonly registry: Registry;
  /** What entries added, told by the store's follower. */
  add(gains: readonly Gain[]): void;
}

/** How long groups of entries took to be written and synced; made before the ledger is opened. */
export interface AppendTimes {
  readonly write: Times;
  readonly sync: Times;
}

export interface Times {
  readonly histogram: Histogram;
  /** Seconds. A store into an array: they are sorted into buckets when somebody looks, or there are many. */
  add(seconds: number): void;
}

const mostKept = 8_192;

export function openAppendTimes(): AppendTimes {
  const histogram = (name: string, help: string, buckets: number[]): Times => {
    const kept = new Float64Array(mostKept);
    let count = 0;
    const sort = () => {
      for (const seconds of kept.subarray(0, count)) of.observe(seconds);
      count = 0;
    };
    const of = new Histogram({
      name: `countersign_ledger_${name}_seconds`,
      help,
      buckets,
      registers: [],
      collect: sort,
    });
    return {
      histogram: of,
      add(seconds) {
        kept[count++] = seconds;
        if (count === mostKept) sort();
      },
    };
  };
  return {
    write: histogram(
      'write',
      'Time from the first entry of a group to the end of its write.',
      [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1],
    ),
    sync: histogram(
      'sync',
      'Time of one sync of the journal to the device.',
      [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    ),
  };
}

const counters: Readonly<Record<Tallied, readonly [name: string, help: string, labels: readonly string[]]>> = {
  sessions_opened: ['sessions_opened', 'Sessions opened.', ['target']],
  sign_ins_refused: ['sign_ins_refused', 'Sign-ins and sessions refused, by fault code.', ['code']],
  sessions_killed: ['sessions_killed', 'Sessions ended by an administrator.', []],
  sessions_orphaned: ['sessions_orphaned', 'Sessions that a crash ended.', []],
  statements: ['statements', 'Statements decided, by the first ruling.', ['target', 'ruling']],
  outcomes: ['outcomes', 'Statements that ended, by how.', ['target', 'status']],
  target_errors: ['target_errors', 'Statements that failed at the target, by class of SQLSTATE.', ['target', 'class']],
  rows: ['rows', 'Rows that statements returned or changed.', ['target']],
  sent_bytes: ['sent_bytes', 'Bytes of results sent to clients.', ['target']],
  masked_cells: ['masked_cells', 'Values masked before they left, by label.', ['label']],
  approvals: ['approvals', 'Approval requests that ended, by how.', ['state']],
};

export function openMetrics(parts: MetricsParts, times: AppendTimes): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  registry.registerMetric(times.write.histogram);
  registry.registerMetric(times.sync.histogram);

  const gauge = (name: string, help: string, labelNames: readonly string[], set: (of: Gauge) => void) =>
    new Gauge({
      name: `countersign_${name}`,
      help,
      labelNames: [...labelNames],
      registers,
      collect() {
        this.reset();
        set(this);
      },
    });
  gauge('build_info', 'Version of the program; always 1.', ['version'], (of) => of.set({ version: parts.version }, 1));
  gauge('sessions_open', 'Sessions open now.', ['target'], (of) => {
    for (const { target } of parts.sessions()) of.inc({ target });
  });
  gauge('holds_waiting', 'Statements that wait for people now.', [], (of) =>
    of.set(parts.sessions().reduce((sum, { waiting }) => sum + waiting, 0)),
  );
  gauge('ledger_healthy', '1 while the ledger records; at 0 nothing is forwarded.', [], (of) =>
    of.set(parts.ledger().state === 'healthy' ? 1 : 0),
  );
  gauge('ledger_entries', 'Entries in the journal.', [], (of) => of.set(parts.ledger().entries));
  gauge('ledger_checkpoint_entries', 'Entries under the newest checkpoint.', [], (of) =>
    of.set(parts.ledger().checkpoint?.size ?? 0),
  );
  gauge('ledger_checkpoint_age_seconds', 'Age of the newest checkpoint; it grows while nothing happens.', [], (of) => {
    const at = parts.ledger().checkpoint?.at;
    if (at !== undefined) of.set(Math.max(0, (parts.now() - at) / 1_000));
  });
  gauge('ledger_cosigned_entries', 'Entries under the newest checkpoint that witnesses signed.', [], (of) => {
    const size = parts.cosigned();
    if (size !== undefined) of.set(size);
  });
  const ofSinks = (name: string, help: string, value: (sink: SinkStatus) => number) =>
    gauge(`export_${name}`, help, ['sink'], (of) => {
      for (const sink of parts.exports()) of.set({ sink: sink.name }, value(sink));
    });
  ofSinks('lag_entries', 'Entries under the checkpoint that a receiver has not taken.', ({ lag }) => lag);
  ofSinks('lag_seconds', 'Age of the oldest of them.', ({ lagSeconds }) => lagSeconds);
  ofSinks('failures', 'Deliveries that failed in a row; 0 when all is well.', ({ failures }) => failures);

  const counts = new Map<Tallied, { readonly counter: Counter; readonly labels: readonly string[] }>();
  for (const [what, [name, help, labels]] of Object.entries(counters) as [Tallied, (typeof counters)[Tallied]][]) {
    const counter = new Counter({ name: `countersign_${name}_total`, help, labelNames: [...labels], registers });
    counts.set(what, { counter, labels });
  }
  return {
    registry,
    add(gains) {
      for (const [what, values, by] of gains) {
        const { counter, labels } = counts.get(what)!;
        counter.inc(Object.fromEntries(labels.map((label, index) => [label, values[index]!])), by);
      }
    },
  };
}
