// The gateway against its model, which is PostgreSQL itself: random sequences of messages get the same answers with and without it, byte
// for byte. COUNTERSIGN_MODEL_RUNS plays more sequences, COUNTERSIGN_MODEL_SEED others.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RawClient } from '../peers/raw-client.ts';
import { type Arena, openArena } from './arena.ts';
import { difference } from './compare.ts';
import { play } from './play.ts';
import { cleanup, makes, reset, schema, sequences, type Step } from './sequences.ts';

const runs = Number(process.env.COUNTERSIGN_MODEL_RUNS ?? 60);
const seed = Number(process.env.COUNTERSIGN_MODEL_SEED ?? 20_260_101);
const timeout = 30_000 + runs * 2_000;

async function compare(arena: Arena, steps: readonly Step[], mayMask: boolean): Promise<string | undefined> {
  const tidy = steps.some((step) => 'sql' in step && makes.test(step.sql));
  await arena.admin(reset);
  const straight = await play(arena.direct, steps);
  const through = await play(arena.gateway, steps, straight);
  if (tidy) await arena.admin(cleanup);
  const found = difference(straight, through, mayMask);
  const complaints = arena.complaints();
  return found && [found, ...complaints].join('\n');
}

function property(arena: () => Arena, labelled: boolean) {
  return fc.assert(
    fc.asyncProperty(sequences({ labelled, messages: 25 }), async (steps) => {
      const found = await compare(arena(), steps, labelled);
      if (found !== undefined) throw new Error(found);
    }),
    {
      seed,
      numRuns: Math.ceil(labelled ? runs / 3 : runs),
      interruptAfterTimeLimit: timeout - 5_000,
      markInterruptAsFailure: false,
    },
  );
}

describe('without labels', () => {
  let arena: Arena;
  beforeAll(async () => {
    arena = await openArena({ schema });
  });
  afterAll(() => arena?.stop());

  test('a session begins with the settings of the server', async () => {
    const greetings = await Promise.all(
      [arena.direct, arena.gateway].map(async (where) => {
        const client = await RawClient.open({
          ...where,
          parameters: { application_name: 'model', DateStyle: 'German' },
        });
        client.end();
        return client.messages
          .filter(({ type }) => type === 'S')
          .map(({ body }) => body.toString())
          .sort();
      }),
    );
    expect(greetings[1]).toEqual(greetings[0]);
    expect(greetings[0]?.length).toBeGreaterThan(10);
  });

  test('any sequence gets the same answers as without the gateway', () => property(() => arena, false), timeout);
});

describe('with a labelled column', () => {
  let arena: Arena;
  beforeAll(async () => {
    arena = await openArena({ schema, labels: ['public.people.email'] });
  });
  afterAll(() => arena?.stop());

  test('only masked cells differ', () => property(() => arena, true), timeout);
});
