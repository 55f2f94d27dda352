// Attacks by somebody who writes another history with the right hashes, chains and tiles: each played without the log's key and with it.
import type { Entry } from '../../../src/ledger/entry.ts';
import type { Piece } from '../../peers/forger.ts';
import type { ForgedAttack, Named } from './attack.ts';
import type { Place } from './place.ts';

type Change = (list: Piece[], place: Place) => Piece[];

/** Index of the n-th entry of a type among those that somebody's kept checkpoint covers, or those behind it. */
function nth(list: readonly Piece[], { keptSize }: Place, where: 'kept' | 'after', type: Entry['t'], n = 0): number {
  const found = list.flatMap(({ entry }, index) =>
    entry.t === type && index < keptSize === (where === 'kept') ? [index] : [],
  );
  if (found[n] === undefined) throw new Error(`there is no ${type} ${n} to attack`);
  return found[n];
}

const flat = (change: Change): Change => change;
const at = (where: 'kept' | 'after', type: Entry['t'], change: (entry: Entry) => Entry, n = 0): Change =>
  flat((list, place) => {
    const index = nth(list, place, where, type, n);
    return list.map((piece, i) => (i === index ? { ...piece, entry: change(piece.entry) } : piece));
  });
const remove = (where: 'kept' | 'after', type: Entry['t'], n = 0): Change =>
  flat((list, place) => list.filter((_, index) => index !== nth(list, place, where, type, n)));
const facts =
  (x: object) =>
  (entry: Entry): Entry => ({ ...entry, x: { ...entry.x, ...x } as Entry['x'] });
const swapped = (list: Piece[], a: number, b: number) =>
  list.map((piece, i) => (i === a ? list[b]! : i === b ? list[a]! : piece));

const root: Named = { kind: 'changed', file: 'checkpoint', what: 'its root is not the root of the entries' };
const rewritten: Named = { kind: 'rewritten', file: 'journal', what: 'are not those of the checkpoint that was kept' };
const shorter: Named = { kind: 'missing', file: 'journal/', what: 'the journal ends after' };
const rule = (what: string, kind: Named['kind'] = 'changed', file = 'journal/'): Named => ({ kind, file, what });
const same = (what: string, kind?: Named['kind']) => ({ withoutKey: rule(what, kind), withKey: rule(what, kind) });

export const forgedAttacks: readonly ForgedAttack[] = [
  // Faultless in themselves.
  {
    name: 'a fact rewritten before what was kept',
    change: at('kept', 'statement.outcome', facts({ rows: 0 })),
    withoutKey: rewritten,
    withKey: rewritten,
  },
  {
    name: 'a fact rewritten after it',
    change: at('after', 'statement.outcome', facts({ rows: 0 })),
    withoutKey: root,
    withKey: undefined,
  },
  {
    name: 'a denial turned into a permit',
    change: at('kept', 'statement.decision', facts({ d: 'permit' }), 7),
    withoutKey: rewritten,
    withKey: rewritten,
  },
  {
    name: 'the rule that decided, exchanged',
    change: at('after', 'statement.decision', facts({ r: ['emergency'] })),
    withoutKey: root,
    withKey: undefined,
  },
  {
    name: 'another target',
    change: at('after', 'session.open', facts({ target: 'staging' })),
    withoutKey: root,
    withKey: undefined,
  },
  {
    name: 'the name of the gateway',
    change: at('after', 'session.open', (entry) => ({ ...entry, gw: 'gw-b' })),
    withoutKey: root,
    withKey: undefined,
  },
  {
    name: 'all times moved by a millisecond',
    change: flat((list) => list.map((piece) => ({ ...piece, entry: { ...piece.entry, ts: piece.entry.ts + 1 } }))),
    withoutKey: rewritten,
    withKey: rewritten,
  },
  {
    name: 'one time moved within its neighbours',
    change: at('after', 'gateway.stop', (entry) => ({ ...entry, ts: entry.ts + 1 })),
    withoutKey: root,
    withKey: undefined,
  },
  {
    name: 'a whole session removed',
    change: flat((list, place) => {
      const { sid } = list[nth(list, place, 'kept', 'session.open')]!.entry;
      return list.filter(({ entry }) => entry.sid !== sid);
    }),
    ...same('gateway.start does not continue', 'missing'),
  },
  {
    name: 'a whole session of the last boot removed',
    change: flat((list, place) => {
      const { sid } = list[nth(list, place, 'after', 'session.open')]!.entry;
      return list.filter(({ entry }) => entry.sid !== sid);
    }),
    withoutKey: shorter,
    withKey: { kind: 'added', file: '', what: 'no session of the ledger has this recording' },
  },
  {
    name: 'a session put in',
    change: flat((list) => {
      const { entry } = list.at(-1)!;
      const made = (t: Entry['t'], x: object): Piece => ({
        entry: { v: 1, t, ts: entry.ts, gw: entry.gw, boot: entry.boot, sid: 'made-up', x: x as Entry['x'] },
      });
      return [...list.slice(0, -1), made('session.open', {}), made('session.seal', { n: 0 }), list.at(-1)!];
    }),
    withoutKey: root,
    withKey: undefined,
  },
  {
    name: 'the end cut off behind what was kept',
    change: flat((list, { keptSize }) => list.slice(0, keptSize)),
    withoutKey: shorter,
    withKey: { kind: 'added', file: '', what: 'no session of the ledger has this recording' },
  },
  {
    name: 'the end cut off before what was kept',
    change: flat((list, { keptSize }) => list.slice(0, keptSize - 1)),
    withoutKey: { kind: 'missing', file: 'journal/', what: 'the journal ends after' },
    withKey: { kind: 'rolledBack', file: 'journal', what: 'a checkpoint that was kept covers' },
  },
  {
    name: 'a fork: another second half',
    change: flat((list, { keptSize }) =>
      list.map((piece, i) =>
        i >= keptSize && piece.entry.t === 'statement.outcome'
          ? { ...piece, entry: { ...piece.entry, x: { rows: 0 } } }
          : piece,
      ),
    ),
    withoutKey: root,
    withKey: undefined,
  },
  {
    name: 'a fork from before what was kept',
    change: flat((list) =>
      list.map((piece) =>
        piece.entry.t === 'statement.outcome' ? { ...piece, entry: { ...piece.entry, x: { rows: 0 } } } : piece,
      ),
    ),
    withoutKey: rewritten,
    withKey: rewritten,
  },
  {
    name: 'sessions renamed',
    change: flat((list) =>
      list.map((piece) =>
        piece.entry.sid ? { ...piece, entry: { ...piece.entry, sid: `${piece.entry.sid}x` } } : piece,
      ),
    ),
    withoutKey: rewritten,
    withKey: rewritten,
  },
  {
    name: 'a commitment exchanged',
    change: at('after', 'statement.decision', (entry) => ({ ...entry, c: { what: 'A'.repeat(43) } })),
    withoutKey: root,
    withKey: undefined,
  },
  {
    name: 'the seal of a recording exchanged',
    change: at('after', 'session.seal', (entry) => ({
      ...entry,
      x: { ...entry.x, recording: { ...(entry.x.recording as object), root: '0'.repeat(64) } },
    })),
    withoutKey: root,
    withKey: { kind: 'changed', file: '', what: 'is not the one that its session sealed' },
  },
  {
    name: 'a recording disowned: none, says the seal',
    change: at('after', 'session.seal', (entry) => ({
      ...entry,
      x: { ...entry.x, recording: { bytes: 0, chunks: 0, root: '0'.repeat(64) } },
    })),
    withoutKey: root,
    withKey: { kind: 'added', file: '', what: 'no session of the ledger has this recording' },
  },
  // Against the rules of entries.
  {
    name: 'one outcome removed',
    change: remove('kept', 'statement.outcome'),
    ...same('gateway.start does not continue', 'missing'),
  },
  {
    name: 'one decision removed',
    change: remove('after', 'statement.decision', 3),
    ...same('has no decision', 'missing'),
  },
  {
    name: 'a seal of a session removed',
    change: remove('kept', 'session.seal'),
    ...same('gateway.start does not continue', 'missing'),
  },
  {
    name: 'a seal of a session of the last boot removed',
    change: remove('after', 'session.seal'),
    withoutKey: shorter,
    withKey: undefined,
  },
  {
    name: 'an opening removed',
    change: remove('after', 'session.open'),
    ...same('in a session that was not opened', 'missing'),
  },
  {
    name: 'a start removed',
    change: remove('after', 'gateway.start'),
    ...same('without recording its start', 'missing'),
  },
  {
    name: 'a stop removed',
    change: remove('kept', 'gateway.stop'),
    ...same('gateway.start does not continue', 'missing'),
  },
  { name: 'a seal of a segment removed', change: remove('after', 'journal.seal', 1), ...same('not sealed', 'missing') },
  {
    name: 'the genesis removed',
    change: flat((list) => list.slice(1)),
    ...same('does not begin with log.genesis', 'missing'),
  },
  {
    name: 'a second genesis',
    change: flat((list) => [
      ...list.slice(0, -1),
      { entry: { ...list[0]!.entry, ts: list.at(-1)!.entry.ts } },
      list.at(-1)!,
    ]),
    ...same('log.genesis stands a second time'),
  },
  {
    name: 'a genesis with another key',
    change: (list, place) => at('kept', 'log.genesis', facts({ vkey: place.stranger.signing.vkey }))(list, place),
    ...same('log.genesis names another key'),
  },
  {
    name: 'a genesis of another name',
    change: at('kept', 'log.genesis', facts({ origin: 'example.test/other' })),
    ...same('log.genesis names another log'),
  },
  {
    name: 'a predecessor spliced in',
    change: at(
      'kept',
      'log.genesis',
      facts({ predecessor: { origin: 'example.test/log', vkey: 'x', size: 1, root: 'x' } }),
    ),
    ...same('names a predecessor'),
  },
  {
    name: 'an outcome twice',
    change: flat((list, place) => {
      const i = nth(list, place, 'after', 'statement.outcome');
      return [...list.slice(0, i + 1), list[i]!, ...list.slice(i + 1)];
    }),
    ...same('or a second one'),
  },
  {
    name: 'a decision twice',
    change: flat((list, place) => {
      const i = nth(list, place, 'after', 'statement.decision');
      return [...list.slice(0, i + 1), list[i]!, ...list.slice(i + 1)];
    }),
    ...same('is decided twice'),
  },
  {
    name: 'a whole session twice',
    change: flat((list, place) => {
      const { sid } = list[nth(list, place, 'after', 'session.open')]!.entry;
      const of = list
        .filter(({ entry }) => entry.sid === sid)
        .map((piece) => ({ ...piece, entry: { ...piece.entry, ts: list.at(-1)!.entry.ts } }));
      return [...list.slice(0, -1), ...of, list.at(-1)!];
    }),
    ...same('a session is opened a second time'),
  },
  {
    name: 'an outcome that was never permitted',
    change: flat((list, place) => {
      const i = nth(list, place, 'after', 'statement.decision', 6);
      return list.map((piece, at) =>
        at === i ? { ...piece, entry: { ...piece.entry, x: { ...piece.entry.x, d: 'deny' } } } : piece,
      );
    }),
    ...same('without a permit'),
  },
  {
    name: 'a decision and its outcome reordered',
    change: flat((list, place) => {
      const i = nth(list, place, 'after', 'statement.outcome');
      return swapped(list, i - 1, i);
    }),
    ...same('has no decision', 'missing'),
  },
  {
    name: 'two decisions reordered',
    change: flat((list, place) =>
      swapped(
        list,
        nth(list, place, 'after', 'statement.decision', 1),
        nth(list, place, 'after', 'statement.decision', 2),
      ),
    ),
    ...same('is missing', 'missing'),
  },
  {
    name: 'statements renumbered',
    change: at('after', 'statement.decision', (entry) => ({ ...entry, sq: entry.sq! + 5 })),
    ...same('is missing', 'missing'),
  },
  {
    name: 'entries moved into another session',
    change: flat((list, place) => {
      const to = list[nth(list, place, 'after', 'session.open', 1)]!.entry.sid!;
      const i = nth(list, place, 'after', 'statement.decision', 2);
      return list.map((piece, at) => (at === i ? { ...piece, entry: { ...piece.entry, sid: to } } : piece));
    }),
    ...same('in a session that was not opened', 'missing'),
  },
  {
    name: 'the count in a seal',
    change: at('after', 'session.seal', facts({ n: 3 })),
    ...same('the session is sealed with 3', 'missing'),
  },
  {
    name: 'time that runs backwards',
    change: at('after', 'session.seal', (entry) => ({ ...entry, ts: entry.ts + 86_400_000 })),
    ...same('time runs backwards'),
  },
  {
    name: 'a boot that says it began after a stop',
    change: at('after', 'gateway.start', (entry) => ({
      ...entry,
      x: { ...entry.x, previous: { ...(entry.x.previous as object), ended: 'crashed' } },
    })),
    ...same('otherwise than it did'),
  },
  {
    name: 'a heartbeat that counts other sessions',
    change: flat((list) => {
      const { entry } = list.at(-1)!;
      return [
        ...list.slice(0, -1),
        { entry: { v: 1, t: 'heartbeat', ts: entry.ts, gw: entry.gw, boot: entry.boot, x: { open: 7 } } },
        list.at(-1)!,
      ];
    }),
    ...same('a heartbeat counts 7', 'missing'),
  },
  {
    name: 'an entry behind the end',
    change: flat((list) => [
      ...list,
      { entry: { ...list[0]!.entry, t: 'heartbeat', boot: list.at(-1)!.entry.boot, ts: list.at(-1)!.entry.ts, x: {} } },
    ]),
    ...same('after recording its stop'),
  },
  {
    name: 'an end with a successor of the thief',
    change: flat((list, { stranger }) => {
      const { entry } = list.at(-1)!;
      return [
        ...list.slice(0, -1),
        {
          entry: {
            ...entry,
            t: 'log.successor',
            x: { origin: 'example.test/log', vkey: stranger.signing.vkey, reason: 'routine' },
          },
        },
      ];
    }),
    ...same('log.successor names the log itself'),
  },
  {
    name: 'an entry of an unknown type',
    change: at('after', 'statement.outcome', (entry) => ({ ...entry, t: 'nothing' as Entry['t'] })),
    ...same('has an unknown type'),
  },
  {
    name: 'another key than the payload has',
    change: at('after', 'statement.decision', (entry) => ({ ...entry, k: 'other' })),
    ...same('does not belong to the entry'),
  },
  {
    name: 'payloads of two entries of two sessions swapped',
    change: flat((list, place) => {
      const a = nth(list, place, 'after', 'session.open');
      const b = nth(list, place, 'after', 'session.open', 1);
      return list.map((piece, i) =>
        i === a ? { ...piece, sealed: list[b]!.sealed! } : i === b ? { ...piece, sealed: list[a]!.sealed! } : piece,
      );
    }),
    ...same('does not belong to the entry'),
  },
];
