// Where the stories of power-cut.test.ts play: a ledger with a past whose writer was interrupted, copied for each of them.
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLedger, openLedger } from '../../src/ledger/ledger.ts';
import { fillLedger } from '../peers/ledger.ts';
import { quiet, type StoryPlace } from './story.ts';

export interface Stage {
  readonly root: string;
  /** A fresh copy of the past. */
  place(): StoryPlace;
  /** A place with these files, which may be none. */
  at(root: string): StoryPlace;
  /** An empty folder. */
  empty(): string;
  /** Ends one; there are thousands of them. */
  strike(place: StoryPlace): void;
  remove(): void;
}

export async function buildStage(): Promise<Stage> {
  // Memory where there is some: what is tested are the operations, not the device.
  const root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'countersign-stage-'));
  let number = 0;
  let vkey = '';
  const at = (top: string): StoryPlace & { readonly top: string } => ({
    top,
    folder: join(top, 'ledger'),
    state: join(top, 'state'),
    recordings: join(top, 'recordings'),
    gateway: 'gw-a',
    vkey,
  });
  const past = at(join(root, 'past'));
  mkdirSync(past.recordings, { recursive: true });
  await createLedger({ ...past, origin: 'example.test/log' });
  vkey = readFileSync(join(past.state, 'ledger.vkey'), 'utf8').trim();
  const { ledger } = await openLedger({ ...past, ...quiet });
  await fillLedger(ledger, 2, 48);
  await ledger.close();
  // A second life that is interrupted: its last frame is torn.
  const second = await openLedger({ ...past, ...quiet });
  await second.ledger.append({ type: 'session.open', session: 'cut-off', facts: {} }, 'synced').durable;
  const interrupted = at(join(root, 'interrupted'));
  cpSync(past.top, interrupted.top, { recursive: true });
  await second.ledger.close();
  const last = readdirSync(join(interrupted.folder, 'journal')).sort().at(-1)!;
  appendFileSync(join(interrupted.folder, 'journal', last), 'CSF1 and no more');
  const next = () => join(root, String(number++));
  return {
    root,
    at,
    place() {
      const top = next();
      cpSync(interrupted.top, top, { recursive: true });
      return at(top);
    },
    empty() {
      const top = next();
      mkdirSync(top);
      return top;
    },
    strike: ({ folder }) => rmSync(join(folder, '..'), { recursive: true, force: true }),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
