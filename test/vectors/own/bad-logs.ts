// The tiny log, complete, and what somebody made of it: each signed anew where the fault is in the history, so that only the rule counts.
import type { Entry } from '../../../src/ledger/entry.ts';
import { canonical } from '../../../src/ledger/canonical.ts';
import type { Piece, Signing } from '../../peers/forger.ts';
import type { Files, Vector } from './generate.ts';
import { first, recording, second, secondLog, session, tinyLog } from './tiny-log.ts';

interface Logs {
  readonly good: Files;
  /** The same with a successor at its end, and the one that continues it. */
  readonly ended: Files;
  readonly next: Files;
  readonly built: (pieces: readonly Piece[], signing: Signing) => Files;
}

type Change = (list: Piece[]) => Piece[];

const at =
  (type: Entry['t'], change: (entry: Entry) => Entry, n = 0): Change =>
  (list) => {
    const index = list.flatMap(({ entry }, i) => (entry.t === type ? [i] : []))[n]!;
    return list.map((piece, i) => (i === index ? { ...piece, entry: change(piece.entry) } : piece));
  };
const facts =
  (x: object) =>
  (entry: Entry): Entry => ({ ...entry, x: { ...entry.x, ...x } as Entry['x'] });
const remove =
  (type: Entry['t'], n = 0): Change =>
  (list) => {
    const index = list.flatMap(({ entry }, i) => (entry.t === type ? [i] : []))[n]!;
    return list.filter((_, i) => i !== index);
  };
const before =
  (n: number, make: (next: Entry) => Entry): Change =>
  (list) => [...list.slice(0, n), { entry: make(list[n]!.entry) }, ...list.slice(n)];

const shred = ({ boot, gw, ts }: Entry, keys: string[]): Entry => ({
  boot,
  gw,
  t: 'retention.shred',
  ts,
  v: 1,
  x: { by: 'schedule', from: 0, keys, recordings: 'kept', rule: 'days', sessions: 1, to: ts },
});
const held = ({ boot, gw, ts }: Entry, scope: object): Entry => ({
  boot,
  gw,
  t: 'retention.hold',
  ts,
  v: 1,
  x: { id: 'h-1', ...scope },
});
/** One more before the last entry. */
const last =
  (make: (next: Entry) => Entry): Change =>
  (list) =>
    before(list.length - 1, make)(list);

const histories: [string, string, Change][] = [
  ['no genesis', 'does not begin with log.genesis', (list) => list.slice(1)],
  [
    'a genesis of another name',
    'log.genesis names another log',
    at('log.genesis', facts({ origin: 'example.org/other' })),
  ],
  ['a genesis with another key', 'log.genesis names another key', at('log.genesis', facts({ vkey: second.vkey }))],
  [
    'a second genesis',
    'stands a second time',
    before(4, (next) => ({ ...tinyLog()[0]!.entry, ts: next.ts, boot: next.boot })),
  ],
  [
    'time that runs backwards',
    'time runs backwards',
    at('statement.outcome', (entry) => ({ ...entry, ts: entry.ts + 86_400_000 })),
  ],
  ['a boot without a start', 'without recording its start', at('heartbeat', (entry) => ({ ...entry, boot: 'boot-x' }))],
  [
    'a start that skips entries',
    'does not continue the boot before',
    at('gateway.start', (entry) => facts({ previous: { ...(entry.x['previous'] as object), last: 3 } })(entry), 1),
  ],
  [
    'a start that lies about the end',
    'otherwise than it did',
    at(
      'gateway.start',
      (entry) => facts({ previous: { ...(entry.x['previous'] as object), ended: 'stopped' } })(entry),
      1,
    ),
  ],
  [
    'an entry after the stop',
    'after recording its stop',
    (list) => [...list, { entry: { ...list.at(-1)!.entry, t: 'heartbeat', x: {} } }],
  ],
  ['a session that was not opened', 'in a session that was not opened', remove('session.open')],
  [
    'a session opened twice',
    'opened a second time',
    before(4, (next) => ({ boot: next.boot, gw: next.gw, sid: session, t: 'session.open', ts: next.ts, v: 1, x: {} })),
  ],
  ['a sequence number that is missing', 'is missing', at('statement.decision', (entry) => ({ ...entry, sq: 5 }), 3)],
  ['a statement decided twice', 'is decided twice', at('statement.decision', facts({ d: 'permit' }), 1)],
  ['an outcome without a permit', 'without a permit', at('statement.decision', facts({ d: 'deny' }))],
  ['an outcome of no statement', 'has no decision', at('statement.outcome', (entry) => ({ ...entry, sq: 9 }))],
  ['a seal that counts otherwise', 'the session is sealed with 2', at('session.seal', facts({ n: 2 }))],
  [
    'a statement after the seal',
    'after its end',
    (list) => {
      const index = list.findIndex(({ entry }) => entry.t === 'session.seal');
      return [
        ...list.slice(0, index + 1),
        { entry: { ...list[index - 1]!.entry, sq: 4, ts: list[index]!.entry.ts, c: undefined, k: undefined } as never },
        ...list.slice(index + 1),
      ];
    },
  ],
  ['a heartbeat that counts otherwise', 'a heartbeat counts 2', at('heartbeat', facts({ open: 2 }))],
  ['a segment that is not sealed', 'is not sealed', remove('journal.seal')],
  [
    'a payload under another key id',
    'does not belong to the entry',
    at('statement.decision', (entry) => ({ ...entry, k: 'key-2' })),
  ],
  [
    'a second process of a session',
    'a second process of the target',
    (list) =>
      [4, 5].reduce(
        (all, n) =>
          before(n, (next) => ({
            boot: next.boot,
            gw: next.gw,
            sid: session,
            t: 'session.target',
            ts: next.ts,
            v: 1,
            x: { pid: 7, port: 5 },
          }))(all),
        list,
      ),
  ],
  ['a key shredded that sealed nothing', 'sealed nothing before', last((end) => shred(end, ['key-9']))],
  ['a key shredded twice', 'was shredded before', last((end) => shred(end, ['key-1', 'key-1']))],
  ['a session shredded while it was open', 'while it was open', before(6, (next) => shred(next, ['key-1']))],
  [
    'a session shredded in spite of a hold',
    'in spite of the hold',
    (list) => last((end) => shred(end, ['key-1']))(last((end) => held(end, { session }))(list)),
  ],
  [
    'a hold released that is not in force',
    'that is not in force',
    last((end) => ({ ...held(end, {}), t: 'retention.release' })),
  ],
  [
    'sealed with a key that was shredded',
    'was destroyed',
    (list) => {
      const at = list.findIndex(({ entry }) => entry.t === 'evidence.access');
      return [...list.slice(0, at + 1), { entry: shred(list[at]!.entry, ['key-2']) }, list[at]!, ...list.slice(at + 1)];
    },
  ],
  [
    'an entry that is not canonical',
    'is not canonical JSON',
    (list) =>
      list.map((piece, i) =>
        i === 5 ? { ...piece, raw: Buffer.from(canonical(piece.entry as never).replace(':', ': ')) } : piece,
      ),
  ],
  [
    'an entry of an unknown type',
    'has an unknown type',
    at('evidence.access', (entry) => ({ ...entry, t: 'evidence.lost' as Entry['t'] })),
  ],
];

export async function badLogs({ good, ended, next, built }: Logs): Promise<Vector[]> {
  const key = first.vkey;
  const files = { [`se/${session}.rec`]: recording().file.toString('base64') };
  const one = (name: string, complaint: string | undefined, log: Files, more: object = {}): Vector => ({
    name,
    kind: 'log',
    good: complaint === undefined,
    ...(complaint === undefined ? {} : { complaint }),
    key,
    logs: [log],
    ...more,
  });
  const bytes = (path: string) => Buffer.from(good[path]!, 'base64');
  const text = (path: string) => bytes(path).toString();
  const put = (path: string, value: Buffer | string): Files => ({
    ...good,
    [path]: Buffer.from(value).toString('base64'),
  });
  const drop = (...paths: string[]): Files =>
    Object.fromEntries(Object.entries(good).filter(([path]) => !paths.includes(path)));
  const flip = (path: string, place: number): Files => {
    const changed = bytes(path);
    changed[place < 0 ? changed.length + place : place]! ^= 1;
    return put(path, changed);
  };
  const path = (start: string) => Object.keys(good).find((name) => name.startsWith(start))!;
  const kept = text('checkpoint');
  const rewritten = built(at('statement.outcome', facts({ rows: 1_000 }))(tinyLog()), first);
  const shorter = built(tinyLog().slice(0, -1), first);
  const segments = Object.keys(good).filter((name) => name.startsWith('journal/'));
  const chain = (name: string, complaint: string | undefined, logs: Files[], more: object = {}): Vector => ({
    ...one(name, complaint, good),
    logs,
    ...more,
  });
  const successor = built(at('log.successor', facts({ reason: 'renamed' }))(tinyLog('continued')), first);
  const behind = built(
    [...tinyLog('continued'), { entry: { ...tinyLog('continued').at(-1)!.entry, t: 'heartbeat', x: {} } }],
    first,
  );
  const other = built(
    secondLog({ origin: 'example.org/vectors', root: Buffer.alloc(32).toString('base64'), size: 18, vkey: first.vkey }),
    second,
  );
  return [
    one('the tiny log', undefined, good),
    one('with its recording, and a checkpoint that was kept', undefined, good, { recordings: files, kept: [kept] }),
    one(
      'a session shredded in order, and a hold on another',
      undefined,
      built(last((end) => shred(end, ['key-1']))(last((end) => held(end, { target: 'other' }))(tinyLog())), first),
    ),
    one('entries that no checkpoint covers yet', undefined, put('checkpoint', kept), {}),
    ...histories.map(([name, complaint, change]) => one(name, complaint, built(change(tinyLog()), first))),
    one('a byte of the journal', 'a frame is not as it was written', flip(segments[1]!, 120)),
    one('a byte of a segment header', 'does not continue the one before', flip(segments[1]!, 20)),
    one('the first segment missing', 'the segment is missing', drop(segments[0]!)),
    one('the last segment missing', 'the journal ends after', drop(segments.at(-1)!)),
    one(
      'a segment cut short',
      'the segment ends inside a frame',
      put(segments[1]!, bytes(segments[1]!).subarray(0, -10)),
    ),
    one('a byte of a tile', 'does not hold what the journal holds', flip(path('tile/0/'), 40)),
    one('a byte of a bundle', 'does not hold what the journal holds', flip(path('tile/entries/'), 40)),
    one('a tile missing', 'the file is missing', drop(path('tile/0/'))),
    one('a file too many', 'does not belong to a ledger', put('tile/0/notes', 'x')),
    one(
      'another size in the checkpoint',
      'the checkpoint does not verify',
      put('checkpoint', kept.replace(/\n\d+\n/, '\n5\n')),
    ),
    one('the checkpoint of another history', 'its root is not the root of the entries', {
      ...good,
      checkpoint: rewritten['checkpoint']!,
    }),
    one('no checkpoint', 'there is no checkpoint', drop('checkpoint')),
    one('under another key', 'the checkpoint does not verify', good, { key: second.vkey }),
    one('a faultless other history against what was kept', 'are not those of the checkpoint that was kept', rewritten, {
      kept: [kept],
    }),
    one('a faultless other history with nothing kept', undefined, rewritten),
    one('an older copy against what was kept', 'a checkpoint that was kept covers', shorter, { kept: [kept] }),
    one('a changed recording', 'is not the one that its session sealed', good, {
      recordings: {
        [`se/${session}.rec`]: Buffer.concat([recording().file.subarray(0, -1), Buffer.from('x')]).toString('base64'),
      },
    }),
    one('a missing recording', 'the recording is missing', good, { recordings: { 'se/.keep': '' } }),
    one('a recording of nobody', 'no session of the ledger has this recording', good, {
      recordings: { ...files, 'xx/xx.rec': '' },
    }),
    chain('a log and the one that continues it', undefined, [ended, next], { recordings: files }),
    chain('the same with the key of the second', undefined, [ended, next], { key: second.vkey }),
    chain('the ended log alone', undefined, [ended]),
    chain('the second log alone', undefined, [next], { key: second.vkey }),
    chain('in the wrong order', 'names no predecessor', [next, ended]),
    chain('a predecessor of another root', 'with another root or size', [ended, other]),
    chain('a log that was written anew before its successor', 'with another root or size', [successor, next]),
    chain('a log that does not name the next', 'names no successor', [good, next]),
    chain('an entry after the successor', 'an entry stands after log.successor', [behind, next]),
  ];
}
