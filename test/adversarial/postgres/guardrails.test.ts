// Guardrail attacks through a whole gateway with the shipped policies, as an agent nobody grants anything to. Each is played in every
// form in which a client can say it, and judged by what the target holds afterwards; directly, each does what it is there for.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifies } from '../../requirements.ts';
import { type Arena, openArena, type Way } from './arena.ts';
import { disguises } from './guardrails/disguises.ts';
import { fired } from './guardrails/fired.ts';
import { ground } from './guardrails/ground.ts';
import { forms, type Form, type Guardrail, play } from './guardrails/guardrail.ts';
import { nearMisses } from './guardrails/harmless.ts';
import { rights } from './guardrails/rights.ts';
import { server } from './guardrails/server.ts';
import { readState } from './state.ts';

const categories: Readonly<Record<string, readonly Guardrail[]>> = { disguises, fired, rights, server };
const all = Object.values(categories).flat();
const formsOf = (attack: Guardrail): readonly Form[] =>
  (attack.forms ?? forms).filter(
    (form) =>
      form !== 'pipelined' ||
      attack.steps.every((step) => typeof step === 'string' || (!step.by && !step.copy && !step.value)),
  );

let arena: Arena;
beforeAll(async () => {
  arena = await openArena({ extra: ground });
}, 60_000);
afterAll(() => arena.stop());

/** Said directly, in a transaction that is taken back where one can be: a new database for each would take minutes. */
async function control(attack: Guardrail, form: Form): Promise<boolean> {
  const way = arena.way('direct');
  const steps = attack.steps.map((step) => (typeof step === 'string' ? { sql: step } : step));
  const inside =
    !attack.hears &&
    !attack.proof &&
    !attack.after &&
    steps.every(({ sql, copy, by, value }) => !copy && !by && !value && !ends.test(sql));
  if (!inside) {
    const did = await worked(attack, way, form);
    if (attack.after) await way.run(attack.after);
    await way.reset();
    return did;
  }
  const client = await way.client();
  try {
    await client.query('begin');
    for (const { sql } of steps) await client.query(sql);
    return (await readState(client)).text !== arena.pristine().text;
  } finally {
    await client.query('rollback').catch(() => {});
    await client.end();
  }
}

const ends = /\b(begin|commit|rollback|end)\b(?!;? *end| atomic)|^call purge_commits|^(vacuum|create database)/i;

/** Whether the attack did what it is there for. */
async function worked(attack: Guardrail, way: Way, form: Form): Promise<boolean> {
  const { heard, proven } = await play(attack, way, form);
  if (attack.hears) return attack.hears.test(heard);
  return attack.proof ? proven : way.changed();
}

/** What changed, line by line; for whoever looks into a bypass. */
async function difference(way: Way): Promise<string> {
  const before = new Set(arena.pristine().text.split('\n'));
  const now = (await way.state()).text.split('\n');
  const after = new Set(now);
  return [
    ...[...before].filter((line) => !after.has(line)).map((line) => `- ${line}`),
    ...now.filter((line) => !before.has(line)).map((line) => `+ ${line}`),
  ]
    .slice(0, 6)
    .join('\n');
}

const tried = { attacks: 0, plays: 0, bypasses: [] as string[] };

describe.each(Object.entries(categories))('%s', (_, attacks) => {
  test.each(attacks.map((attack, index) => [attack.name, attack, index] as const))(
    verifies('understood-or-refused', '%s'),
    async (_name, attack, index) => {
      const possible = formsOf(attack);
      expect(await control(attack, possible[index % possible.length]!), 'an attack that does nothing directly').toBe(
        true,
      );
      const gateway = arena.way('gateway');
      const bypasses: Form[] = [];
      for (const form of possible) {
        tried.plays++;
        const { heard, proven, errors } = await play(attack, gateway, form);
        const passed = attack.hears ? attack.hears.test(heard) : proven;
        if (passed) bypasses.push(form);
        expect(errors.length, `${form}: nothing was refused`).toBeGreaterThan(0);
        if (await gateway.changed()) {
          // What an attack may do on its way, such as a harmless insert of its own, is not what it is there for.
          if (!attack.hears && !attack.proof) bypasses.push(form);
          if (process.env.COUNTERSIGN_SHOW) console.log(attack.name, form, await difference(gateway));
          await gateway.reset();
        }
      }
      tried.attacks++;
      tried.bypasses.push(...bypasses.map((form) => `${attack.name} (${form})`));
      expect(bypasses).toEqual([]);
    },
    30_000,
  );
});

test('near-misses pass, in every form', async () => {
  const refused: string[] = [];
  for (const form of ['simple', 'extended', 'prepared'] as const) {
    const gateway = arena.way('gateway');
    await gateway.reset();
    const client = await gateway.open();
    for (const sql of nearMisses) {
      client.messages.length = 0;
      const { errors } = await play({ name: sql, steps: [sql] }, { ...gateway, open: async () => keep(client) }, form);
      if (errors.length > 0) refused.push(`${form}: ${sql}: ${errors.join()}`);
    }
    client.end();
  }
  await arena.way('gateway').reset();
  console.log(`near-misses refused: ${refused.length} of ${3 * nearMisses.length}`);
  expect(refused).toEqual([]);
}, 60_000);

/** The session goes on after the play. */
function keep<T extends { end(): void }>(client: T): T {
  return new Proxy(client, {
    get(target, key) {
      if (key === 'end') return () => {};
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

test('the corpus keeps its size, and nothing got by', () => {
  const counts = Object.entries(categories).map(([name, attacks]) => `${name} ${attacks.length}`);
  console.log(
    `guardrail attacks: ${all.length} (${counts.join(', ')}), ${tried.plays} plays, ${tried.bypasses.length} bypasses`,
  );
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  expect(all.length).toBeGreaterThanOrEqual(200);
  expect(nearMisses.length).toBeGreaterThanOrEqual(50);
  expect(tried.bypasses).toEqual([]);
});
