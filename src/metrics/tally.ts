// What entries add up to, for the metrics. Runs where the store follows the ledger, so that counting costs the data path nothing.
// No label of a series comes from a client: targets and labels are configuration's, everything else is a closed list.
import type { Json } from '../domain/entry.ts';
import type { Entry } from '../ledger/entry.ts';

export const tallied = [
  'sessions_opened',
  'sign_ins_refused',
  'sessions_killed',
  'sessions_orphaned',
  'statements',
  'outcomes',
  'target_errors',
  'rows',
  'sent_bytes',
  'masked_cells',
  'approvals',
] as const;
export type Tallied = (typeof tallied)[number];

/** A count that has grown: which, the values of its labels, by how much. */
export type Gain = readonly [what: Tallied, labels: readonly string[], by: number];

export interface Tally {
  add(entry: Entry): void;
  /** What was added since the last time. */
  take(): Gain[];
}

/** Classes of SQLSTATE (PostgreSQL 18, appendix A); a server of its own ideas counts as "other". */
const classes = new Set(
  '00 01 02 03 08 09 0A 0B 0F 0L 0P 0Z 10 20 21 22 23 24 25 26 27 28 2B 2D 2F 34 38 39 3B 3D 3F 40 42 44 53 54 55 57 58 72 F0 HV P0 XX'.split(
    ' ',
  ),
);
const statuses = new Set(['done', 'failed', 'skipped', 'cancelled', 'lost']);
const rulings = new Set(['permit', 'hold', 'deny']);
const states = new Set(['granted', 'refused', 'expired', 'withdrawn']);
/** Series of one metric; a configuration with more labels than this counts the rest as "other". */
const mostLabels = 500;

export function openTally(): Tally {
  /** Target of each session that is open. */
  const targets = new Map<string, string>();
  const labels = new Set<string>();
  let gains = new Map<string, number>();

  function gain(what: Tallied, by: number, ...of: string[]): void {
    if (by === 0) return;
    const key = [what, ...of].join('\0');
    gains.set(key, (gains.get(key) ?? 0) + by);
  }

  function bounded(label: string): string {
    if (labels.has(label)) return label;
    if (labels.size >= mostLabels) return 'other';
    labels.add(label);
    return label;
  }

  const among = (known: ReadonlySet<string>, value: Json | undefined) =>
    typeof value === 'string' && known.has(value) ? value : 'other';
  const number = (value: Json | undefined) => (typeof value === 'number' && value >= 0 ? value : 0);

  return {
    add({ sid, t, x }) {
      const target = (sid === undefined ? undefined : targets.get(sid)) ?? 'unknown';
      switch (t) {
        case 'session.open': {
          const name = bounded(typeof x.target === 'string' ? x.target : 'unknown');
          if (sid !== undefined) targets.set(sid, name);
          gain('sessions_opened', 1, name);
          return;
        }
        case 'session.seal':
        case 'session.orphaned':
          if (t === 'session.orphaned') gain('sessions_orphaned', 1);
          targets.delete(sid ?? '');
          return;
        case 'session.kill':
          return gain('sessions_killed', 1);
        case 'sign-in.refused':
        case 'session.refused':
          return gain(
            'sign_ins_refused',
            1 + number(x.notRecorded),
            bounded(typeof x.code === 'string' ? x.code : 'other'),
          );
        case 'statement.decision':
          // The ruling that ends a hold is counted by its approval.
          if (x.approval !== undefined && x.d !== 'hold') return;
          return gain('statements', 1, target, among(rulings, x.d));
        case 'statement.outcome': {
          const status = among(statuses, x.status);
          gain('outcomes', 1, target, status);
          if (status === 'failed' || status === 'cancelled') {
            const code = typeof x.code === 'string' ? x.code.slice(0, 2) : '';
            gain('target_errors', 1, target, classes.has(code) ? code : 'other');
          }
          gain('rows', number(x.rows), target);
          gain('sent_bytes', number(x.bytes), target);
          if (Array.isArray(x.masked))
            for (const one of x.masked as readonly { label?: unknown; cells?: Json }[])
              gain('masked_cells', number(one.cells), bounded(typeof one.label === 'string' ? one.label : 'other'));
          return;
        }
        case 'approval.resolution':
          return gain('approvals', 1, among(states, x.state));
        default:
      }
    },
    take() {
      const taken = [...gains].map(([key, by]): Gain => {
        const [what, ...of] = key.split('\0');
        return [what as Tallied, of, by];
      });
      gains = new Map();
      return taken;
    },
  };
}
