// Command lines about retention and keys, against a real API.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { world } from '../api/world.suite.ts';
import type { Io } from './output.ts';
import { register as retention } from './retention.ts';
import { registerRewrap } from './rewrap.ts';
import { run } from './run.ts';

test('plan, hold, release, shred and rewrap, in words and as JSON', async () => {
  const of = await world();
  const token = join(of.place.root, 'dana.token');
  writeFileSync(token, await of.token('dana'));
  const line = async (...args: string[]) => {
    const written = { out: '', err: '' };
    const stream = (name: 'out' | 'err') => ({ write: (text: string) => void (written[name] += text) });
    const env = { COUNTERSIGN_URL: of.url, COUNTERSIGN_TOKEN_FILE: token };
    const io: Io = { stdout: stream('out'), stderr: stream('err'), env, now: Date.now };
    const keys = (program: Command) => registerRewrap(program.command('ledger'), io);
    return { code: await run(args, { version: '1', commands: [retention, keys] }, io), ...written };
  };
  const session = await of.session();
  await session.close('bye');
  await of.caughtUp();
  of.pass(3 * 86_400_000);
  expect((await line('retention', 'plan')).out).toMatch(
    new RegExp(`^short\t${session.id}\tshop\t.*\t1 days after its end`),
  );
  expect(await line('retention', 'hold', 'add', '--reason', 'x')).toMatchObject({ code: 2 });
  const added = await line('retention', 'hold', 'add', '--target', 'shop', '--reason', 'case 17', '--json');
  const { id } = JSON.parse(added.out) as { id: string };
  expect((await line('retention', 'hold', 'list')).out).toMatch(
    new RegExp(`^${id}\t.*target shop\tcase 17\t.*in force`),
  );
  expect((await line('retention', 'plan')).out).toContain(`held: ${session.id}, due under short, by ${id}`);
  expect((await line('retention', 'shred')).out).toContain('shredded 0 sessions');
  expect(await line('retention', 'hold', 'release', id, '--reason', 'closed')).toMatchObject({ code: 0 });
  expect(await line('retention', 'hold', 'release', id, '--reason', 'again')).toMatchObject({ code: 1 });
  expect((await line('retention', 'shred')).out).toMatch(
    /^shredded 1 sessions and 0 days outside sessions: 1 keys\nrecorded as entry \d+\n$/,
  );
  expect(JSON.parse((await line('retention', 'plan', '--json')).out)).toMatchObject({ due: [], held: [] });
  const moved = await line('ledger', 'rewrap', '--new-master-key');
  expect(moved).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+ keys are wrapped by file:[0-9a-f]{8} now/) });
});
