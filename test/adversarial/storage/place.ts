// The storage that the attacker owns: a log of two boots with statements, holds, recordings and a store, and what somebody outside
// kept: the checkpoint of the first boot. A later checkpoint shows what a newer one would have found.
import { createPrivateKey } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { SessionKey } from '../../../src/ledger/session-key.ts';
import { type Ledger, openLedger } from '../../../src/ledger/ledger.ts';
import { openRecorder } from '../../../src/recordings/recorder.ts';
import { openProjector } from '../../../src/store/projector.ts';
import type { Signing } from '../../peers/forger.ts';
import { type LedgerPlace, ledgerPlace } from '../../peers/ledger.ts';

export interface Storage {
  readonly root: string;
  readonly ledger: string;
  readonly state: string;
  readonly recordings: string;
  readonly store: string;
}

export interface Place extends Storage {
  readonly vkey: string;
  /** The log's own key, which the attacker may have stolen. */
  readonly signing: Signing;
  /** What somebody outside kept, and how many entries it covers. */
  readonly kept: string;
  readonly keptSize: number;
  /** What nobody kept unless the test says so: the last checkpoint. */
  readonly newest: string;
  /** The whole storage as it was when the kept checkpoint was signed, and before that. */
  readonly whenKept: Storage;
  readonly earlier: Storage;
  /** Another log of another gateway, sound in itself. */
  readonly stranger: Storage & { readonly signing: Signing };
  copy(): Storage;
  remove(): void;
}

const below = (root: string): Storage => ({
  root,
  ledger: join(root, 'ledger'),
  state: join(root, 'state'),
  recordings: join(root, 'recordings'),
  store: join(root, 'store.sqlite'),
});

async function session(ledger: Ledger, recordings: string, name: string, statements: number): Promise<void> {
  const key: SessionKey = ledger.newKey();
  const id = `${name}-${ledger.boot}`;
  const who = { principal: { issuer: 'https://issuer.test', subject: name, name, kind: 'agent', groups: [] } };
  const facts = { protocol: 'postgres', target: 'shop', database: 'shop' };
  ledger.append({ type: 'session.open', session: id, facts, payload: { who } }, 'written', key);
  const recorder = openRecorder({ folder: recordings, session: id, key });
  for (let sequence = 1; sequence <= statements; sequence++) {
    const text = `select ${sequence} -- ${name}`;
    const decide = (d: string) =>
      ledger.append(
        {
          type: 'statement.decision',
          session: id,
          sequence,
          facts: { d, k: 'execute', r: ['base'] },
          payload: { what: { text } },
        },
        'written',
        key,
      );
    if (sequence % 5 === 0) decide('hold');
    decide(sequence % 7 === 0 ? 'deny' : 'permit');
    recorder.write('client', sequence, Buffer.from(`${text} ${'x'.repeat(150)}`));
    if (sequence % 6 === 0) await recorder.flush();
    if (sequence % 7 !== 0)
      await ledger.append({ type: 'statement.outcome', session: id, sequence, facts: { rows: sequence } }, 'written')
        .durable;
  }
  const recording = { ...(await recorder.seal()) };
  await ledger.append({ type: 'session.seal', session: id, facts: { n: statements, recording } }, 'synced').durable;
}

async function boot(place: LedgerPlace, recordings: string, names: readonly string[]): Promise<void> {
  const { ledger } = await openLedger(place);
  for (const name of names) await session(ledger, recordings, name, 36);
  await ledger.close();
}

const signingOf = (state: string): Signing => ({
  vkey: readFileSync(join(state, 'ledger.vkey'), 'utf8').trim(),
  key: createPrivateKey(readFileSync(join(state, 'ledger.key'))),
});

async function open(
  names: readonly (readonly string[])[],
): Promise<{ place: LedgerPlace; at: Storage; before: Storage[] }> {
  const place = await ledgerPlace({ segmentEntries: 60 });
  const at = below(place.root);
  mkdirSync(at.recordings);
  const before: Storage[] = [];
  for (const [number, some] of names.entries()) {
    await boot(place, at.recordings, some);
    const copy = below(join(place.root, `boot-${number}`));
    for (const part of ['ledger', 'state', 'recordings'] as const) cpSync(at[part], copy[part], { recursive: true });
    before.push(copy);
  }
  const store = await openProjector({ ledger: at.ledger, state: at.state, file: at.store });
  await store.follow(() => undefined);
  store.close();
  return { place, at, before };
}

export async function openPlace(): Promise<Place> {
  const { place, at, before } = await open([['ada'], ['bea', 'cem'], ['dan', 'eva', 'fay']]);
  const other = await open([['zoe']]);
  const [earlier, then] = before as [Storage, Storage];
  const kept = readFileSync(join(then.ledger, 'checkpoint'), 'utf8');
  let copies = 0;
  return {
    ...at,
    vkey: place.vkey,
    signing: signingOf(at.state),
    kept,
    keptSize: Number(kept.split('\n')[1]),
    newest: readFileSync(join(at.ledger, 'checkpoint'), 'utf8'),
    whenKept: then,
    earlier,
    stranger: { ...other.at, signing: signingOf(other.at.state) },
    copy() {
      const to = below(join(place.root, `copy-${copies++}`));
      mkdirSync(to.root);
      for (const part of ['ledger', 'state', 'recordings'] as const) cpSync(at[part], to[part], { recursive: true });
      cpSync(at.store, to.store);
      return to;
    },
    remove() {
      place.remove();
      other.place.remove();
      rmSync(at.root, { recursive: true, force: true });
    },
  };
}
