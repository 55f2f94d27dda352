// The place itself: an attack proves nothing where the direct way hides, the gateway's way reveals to all, or a change goes unseen.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { say } from '../../peers/raw-client.ts';
import { type Actor, type Arena, openArena, type Way } from './arena.ts';
import { worlds } from './secrets.ts';

let arena: Arena;
beforeAll(async () => {
  arena = await openArena();
});
afterAll(() => arena.stop());

async function hear(way: Way, sql: string, actor?: Actor): Promise<string> {
  const client = await way.open(actor);
  const before = client.messages.length;
  client.send(say.query(sql));
  await client.until((all) => all.slice(before).some(({ type }) => type === 'Z'), 10_000);
  client.end();
  return client.messages
    .slice(before)
    .map(({ type, body }) => type + body.toString('latin1'))
    .join('\n');
}

test('who may see is shown, who may not is not', async () => {
  const sql = 'select name, email from people where id = 1';
  for (const world of ['a', 'b'] as const) {
    expect(await hear(arena.way('direct', world), sql)).toContain(worlds[world].email);
    expect(await hear(arena.way('gateway', world), sql, 'reader')).toContain(worlds[world].email);
    for (const actor of ['agent', 'other-agent', 'dba'] as const) {
      const heard = await hear(arena.way('gateway', world), sql, actor);
      expect(heard).toContain('Ada');
      expect(heard).not.toContain(worlds[world].email);
    }
  }
});

test('a change is seen, and taken back', async () => {
  for (const road of ['direct', 'gateway'] as const) {
    const way = arena.way(road);
    expect(await way.changed()).toBe(false);
    for (const sql of ["update sinks set public = 'y'", "comment on table sinks is 'y'", 'select lo_create(4711)']) {
      await way.run(sql);
      expect(await way.changed()).toBe(true);
      await way.reset();
      expect(await way.changed()).toBe(false);
    }
    expect(await hear(way, 'select id from people')).toContain('SELECT 3');
  }
  await arena.way('direct').run('create role stray');
  await arena.way('direct').reset();
  expect(await arena.way('direct').run("select from pg_roles where rolname = 'stray'")).toEqual([]);
});

test('the seed holds each secret in the places that are known to, and in no other', () => {
  const state = arena.pristine();
  for (const secret of [worlds.a.ssn, worlds.a.email, worlds.a.patient, worlds.a.key])
    expect(state.text).toContain(secret);
  const open = [...state.places].filter(([place]) => /^(sinks|orders|guesses)\./.test(place));
  expect(open.length).toBeGreaterThan(10);
  for (const [, values] of open) for (const secret of Object.values(worlds.a)) expect(values).not.toContain(secret);
});
