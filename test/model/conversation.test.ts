// The gateway against its model, which is PostgreSQL itself: random sequences of messages get the same answers with and without it, byte
// for byte. COUNTERSIGN_MODEL_RUNS says how many are played, COUNTERSIGN_MODEL_SEED which. Where it is not set, a busy machine plays fewer.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RawClient } from '../peers/raw-client.ts';
import { type Arena, openArena } from './arena.ts';
import { difference } from './compare.ts';
import { play } from './play.ts';
import { cleanup, makes, reset, schema, sequences, type Step } from './sequences.ts';

const wanted = process.env.COUNTERSIGN_MODEL_RUNS;
const runs = Number(wanted ?? 60);
const seed = Number(process.env.COUNTERSIGN_MODEL_SEED ?? 20_260_101);
const timeout = 30_000 + runs * 2_000;

/** Sequences that once came out differently, shrunk to what matters. */
const found: Readonly<Record<string, readonly Step[]>> = {
  // The server skips such a Query and all up to the Sync; it ended the session.
  'a query behind a failed pipeline without Sync': [
    { do: 'parse', name: '', sql: 'select * from missing', types: [] },
    { do: 'query', sql: 'select 1', wait: true },
    { do: 'parse', name: '', sql: 'select 2', types: [] },
    { do: 'sync', wait: true },
    { do: 'query', sql: 'select 3', wait: true },
  ],
  'a query behind a good pipeline without Sync': [
    { do: 'parse', name: 's1', sql: 'select 1', types: [] },
    { do: 'bind', portal: '', statement: 's1', values: [], formats: [], results: [] },
    { do: 'execute', portal: '', limit: 0 },
    { do: 'query', sql: 'select 2', wait: false },
    { do: 'describe', of: 'S', name: 's1' },
    { do: 'sync', wait: true },
  ],
  // The server drops the unnamed statement before it reads a Query; what was refused never came to it, and the statement lived on.
  'a refused query and the unnamed statement': ['fetch 1 from nowhere', 'selec 1', "select 'open"].flatMap((sql) => [
    { do: 'parse', name: '', sql: 'select 1', types: [] },
    { do: 'sync', wait: true },
    { do: 'query', sql, wait: true },
    { do: 'bind', portal: '', statement: '', values: [], formats: [], results: [] },
    { do: 'execute', portal: '', limit: 0 },
    { do: 'sync', wait: true },
  ]),
  // Such a Query stays in the pipeline's implicit transaction; the gateway's own reading ended it with a Sync.
  'a query that reads the catalogue, behind a pipeline without Sync': [
    { do: 'parse', name: '', sql: 'select 1', types: [] },
    { do: 'bind', portal: '', statement: '', values: [], formats: [], results: [] },
    { do: 'execute', portal: '', limit: 0 },
    { do: 'query', sql: 'create view seen as select id, name from items where id < 3', wait: false },
    { do: 'query', sql: 'select * from seen order by id', wait: false },
    { do: 'query', sql: 'select 1 / 0', wait: true },
    { do: 'query', sql: 'select * from seen order by id', wait: true },
    { do: 'sync', wait: true },
  ],
  'two queries behind a failed pipeline, and a refused one': [
    { do: 'parse', name: '', sql: 'selec', types: [] },
    { do: 'query', sql: 'select 1', wait: false },
    { do: 'query', sql: 'select 2', wait: true },
    { do: 'sync', wait: true },
    { do: 'bind', portal: '', statement: 'nowhere', values: [], formats: [], results: [] },
    { do: 'query', sql: 'begin', wait: false },
    { do: 'sync', wait: true },
  ],
};

async function compare(arena: Arena, steps: readonly Step[], mayMask: boolean): Promise<string | undefined> {
  const tidy = steps.some((step) => 'sql' in step && makes.test(step.sql));
  await arena.admin(reset);
  const straight = await play(arena.direct, steps, arena.sleeps);
  const through = await play(arena.gateway, steps, arena.sleeps, straight);
  if (tidy) await arena.admin(cleanup);
  const found = difference(straight, through, mayMask);
  const complaints = arena.complaints();
  return found && [found, ...complaints].join('\n');
}

async function property(arena: () => Arena, labelled: boolean) {
  const share = Math.ceil(labelled ? runs / 4 : (runs * 3) / 4);
  let played = 0;
  await fc.assert(
    fc.asyncProperty(sequences({ labelled, messages: 25 }), async (steps) => {
      played++;
      const found = await compare(arena(), steps, labelled);
      if (found !== undefined) throw new Error(found);
    }),
    {
      seed,
      numRuns: share,
      ...(wanted ? {} : { interruptAfterTimeLimit: labelled ? 5_000 : 12_000, markInterruptAsFailure: false }),
    },
  );
  expect(played).toBeGreaterThanOrEqual(wanted ? share : 1);
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

  test('what sleeps is cancelled, alone and in a pipeline, and is seen to have slept', async () => {
    const steps: Step[] = [
      { do: 'query', sql: 'select 1; select pg_sleep(60); select 2', wait: false },
      { do: 'cancel', wait: true },
      { do: 'parse', name: '', sql: 'select name, pg_sleep(60) from items', types: [] },
      { do: 'bind', portal: '', statement: '', values: [], formats: [], results: [] },
      { do: 'execute', portal: '', limit: 0 },
      { do: 'sync', wait: false },
      { do: 'query', sql: 'select 3', wait: false },
      { do: 'cancel', wait: true },
      { do: 'query', sql: 'begin', wait: false },
      { do: 'query', sql: 'copy (select pg_sleep(60)) to stdout', wait: false },
      { do: 'cancel', wait: true },
      { do: 'cancel', wait: true },
    ];
    await arena.admin(reset);
    const slept = await play(arena.direct, steps, arena.sleeps);
    expect(slept.woken).toEqual([true, true, true, false]);
    expect(slept.messages.filter(({ type, body }) => type === 'E' && body.includes('57014'))).toHaveLength(3);
    expect(await compare(arena, steps, false)).toBeUndefined();
  });

  test.each(Object.entries(found))('%s', async (_, steps) => {
    expect(await compare(arena, steps, false)).toBeUndefined();
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
