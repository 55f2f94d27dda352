// The ledger under every failure of its disk: the process killed at each operation, each operation failing in each way, and the power
// cut at each with everything lost that was not synced. Afterwards it starts without help, verifies, and holds what it said it holds.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Fault } from '../../src/domain/fault.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { place, syncFolders } from '../../src/ledger/disk.ts';
import { verifies } from '../requirements.ts';
import { type Failing, losses, openShadowDisk, randomOf } from './shadow-disk.ts';
import { buildStage, type Stage } from './stage.ts';
import { recovers, story, type StoryPlace, type Told } from './story.ts';

const heavy = process.env.COUNTERSIGN_HEAVY !== undefined;
const seed = Number(process.env.COUNTERSIGN_SEED ?? 1);
const childFile = new URL('./story-child.ts', import.meta.url).pathname;
let stage: Stage;
beforeAll(async () => {
  stage = await buildStage();
});
afterAll(() => stage.remove());

interface Moment {
  readonly what: string;
  readonly place: StoryPlace;
  readonly told: Told;
}

/** Each of the moments must come back; all that do not are named. */
async function allRecover(moments: readonly Moment[], level: 'written' | 'synced'): Promise<void> {
  const wrong: string[] = [];
  for (const { what, place, told } of moments) {
    await recovers(place, told, level).catch((error: Error) => wrong.push(`${what}: ${error.message}`));
    stage.strike(place);
  }
  expect(wrong).toEqual([]);
}

test(verifies(
  'recorded.before-executed',
  'the process is killed before and after each operation of its disk',
), async () => {
  const place = stage.place();
  const told: Told = new Map();
  const moments: Moment[] = [];
  const keep = (what: string) => {
    const top = stage.empty();
    cpSync(join(place.folder, '..'), top, { recursive: true });
    moments.push({ what, place: stage.at(top), told: new Map(told) });
  };
  const shadow = openShadowDisk(join(place.folder, '..'), {
    before: (step, name) => (heavy || step % 4 === 0) && keep(`before ${step} ${name}`),
    after: (step, name) => heavy && keep(`after ${step} ${name}`),
  });
  await story(place, shadow, told, 'now');
  keep('at the end');
  expect(told.size).toBe(75);
  expect(new Set(shadow.steps)).toEqual(new Set(everyOperation));
  await allRecover(moments, 'written');
}, 600_000);

const everyOperation = [
  'open',
  'write',
  'writeAll',
  'sync',
  'syncNow',
  'syncFolder',
  'syncFolderNow',
  'makeFolder',
  'rename',
  'remove',
  'close',
  'swap',
];

test(verifies('recorded.before-executed', 'a real kill -9 before and after operations of its disk'), async () => {
  const dryPlace = stage.place();
  const dry = openShadowDisk(join(dryPlace.folder, '..'));
  await story(dryPlace, dry, new Map(), 'now');
  const steps = heavy
    ? dry.steps.map((_, at) => at + 1)
    : [1, 2, 3].map((n) => Math.floor((n * dry.steps.length) / 3.5));
  const moments: Moment[] = [];
  for (const step of steps) {
    for (const side of ['before', 'after']) {
      const place = stage.place();
      const child = spawn(process.execPath, [childFile, JSON.stringify(place), String(step), side], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      child.stdout.on('data', (chunk) => (said += chunk));
      const [, signal] = (await once(child, 'close')) as [number | null, string | null];
      expect(signal).toBe('SIGKILL');
      const told: Told = new Map(
        said
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line) as never),
      );
      moments.push({ what: `killed ${side} ${step} ${dry.steps[step - 1]}`, place, told });
    }
  }
  expect(moments.at(-1)!.told.size).toBeGreaterThan(10);
  await allRecover(moments, 'written');
}, 600_000);

test(verifies(
  'recorded.before-executed',
  'the power is cut after each operation, and what was not synced is lost',
), async () => {
  const place = stage.place();
  const told: Told = new Map();
  const moments: Moment[] = [];
  const random = randomOf(seed);
  const cut = (what: string, step: number) => {
    for (const [n, how] of losses.entries()) {
      if (!heavy && n !== (step / 3) % losses.length) continue;
      const top = stage.empty();
      shadow.cut(top, how, random);
      moments.push({ what: `${what}, ${how} (seed ${seed})`, place: stage.at(top), told: new Map(told) });
    }
  };
  const shadow = openShadowDisk(join(place.folder, '..'), {
    after: (step, name) => cut(`after ${step} ${name}`, step),
  });
  await story(place, shadow, told, 'now');
  for (const [step] of losses.entries()) cut('at the end', step);
  await allRecover(moments, 'synced');
}, 600_000);

const failures: Failing[] = (['nothing', 'half', 'done'] as const).flatMap((how) =>
  (['ENOSPC', 'EIO'] as const).map((code) => ({ code, how })),
);

/** The numbers of the operations that fail, and how: all of them in each way, or each kind of operation in each way once. */
function plans(steps: readonly string[]): { step: number; failing: Failing }[] {
  const all = steps.flatMap((_, at) => failures.map((failing) => ({ step: at + 1, failing })));
  if (heavy) return all;
  const random = randomOf(seed);
  return [...new Set(steps)].flatMap((name) =>
    failures.flatMap((failing, n) => {
      if (n % 2 !== Math.floor(random() * 2)) return [];
      const of = all.filter((one) => one.failing === failing && steps[one.step - 1] === name);
      return [of[Math.floor(random() * of.length)]!];
    }),
  );
}

test(verifies(
  'ledger.down-stops',
  'each operation fails; the ledger stops, comes back in the same process, and then the power is cut',
), async () => {
  const first = stage.place();
  const dry = openShadowDisk(join(first.folder, '..'));
  await story(first, dry, new Map(), 'now');
  stage.strike(first);
  const random = randomOf(seed);
  const wrong: string[] = [];
  let failed = 0;
  for (const { step: at, failing } of plans(dry.steps)) {
    const place = stage.place();
    const told: Told = new Map();
    let name = '';
    const shadow = openShadowDisk(join(place.folder, '..'), {
      fails(step, what) {
        if (step !== at) return undefined;
        name = what;
        return failing;
      },
    });
    const loss = losses[Math.floor(random() * losses.length)]!;
    try {
      await story(place, shadow, told, 'now').catch((error: unknown) => {
        // What writes a recording says it in its own words; everything else is told as a fault.
        if (error instanceof Fault ? error.code !== 'ledger.unavailable' : !isOurs(error)) throw error;
        failed++;
      });
      await story(place, shadow, told, 'again');
      const after = stage.at(stage.empty());
      shadow.cut(join(after.folder, '..'), loss, random);
      await recovers(after, told, 'synced');
      stage.strike(after);
      await recovers(place, told, 'written');
    } catch (error) {
      wrong.push(
        `${at} ${name} ${failing.code} ${failing.how}, then ${loss} (seed ${seed}): ${(error as Error).message}`,
      );
    }
    stage.strike(place);
  }
  expect(wrong).toEqual([]);
  expect(failed).toBeGreaterThan(20);
}, 1_800_000);

function isOurs(error: unknown): boolean {
  return (error as Error).message.endsWith('the test says so');
}

test('a file that is placed durably in new folders, and these folders, are there after a power cut', async () => {
  const top = stage.empty();
  const shadow = openShadowDisk(top);
  const path = join(top, 'tile', '0', 'x001', '000');
  await place(shadow.disk, path, join(top, 'temporary'), Buffer.from('a tile'), true);
  const before = stage.empty();
  shadow.cut(before, 'none', Math.random);
  expect(existsSync(join(before, 'tile'))).toBe(false);
  await syncFolders(shadow.disk, [dirname(path)], top);
  const after = stage.empty();
  shadow.cut(after, 'none', Math.random);
  expect(readFileSync(join(after, 'tile', '0', 'x001', '000'), 'utf8')).toBe('a tile');
});
