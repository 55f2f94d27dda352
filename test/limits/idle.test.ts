// How long a session may do nothing, and how long it may last.
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { say } from '../peers/raw-client.ts';
import { verifies } from '../requirements.ts';
import { openPlace, type Place } from './place.ts';

const hold = `@id("test.hold") @hold("dba") @ttl("8s") forbid (principal, action == Action::"sql:truncate", resource);`;
let place: Place;
beforeAll(async () => {
  place = await openPlace({
    limits: 'idleSeconds: 2, sessionSeconds: 9',
    policies: hold,
    setup: 'create table held (n int)',
  });
});
afterAll(() => place?.stop());

/** The error with which the connection of a client ends. */
function ending(client: pg.Client): Promise<{ code?: string; message: string; hint?: string }> {
  return new Promise((resolve) => client.once('error', (error) => resolve(error)));
}

test.concurrent(
  verifies(
    'bounded',
    'an idle session is ended with 57P05 and what to do; one that works, waits for its server or for people is not',
  ),
  async () => {
    const idle = await place.pg();
    const inTransaction = await place.pg();
    await inTransaction.query('begin');
    const told = [ending(idle), ending(inTransaction)];
    const [working, sleeping, waiting] = await Promise.all([place.pg(), place.pg(), place.client()]);
    const answers = [
      sleeping.query('select pg_sleep(4), 1 as one'),
      (async () => {
        for (let round = 0; round < 20; round++) {
          await working.query('select 1');
          await new Promise((resolve) => setTimeout(resolve, 200));
        }
        return working.query('select 1 as one');
      })(),
    ];
    waiting.send(say.query('truncate held'));
    for (const error of await Promise.all(told)) {
      expect(error).toMatchObject({ code: '57P05', hint: 'Connect again when there is something to do.' });
      expect(error.message).toContain('idle for 2 seconds');
    }
    for (const answer of answers) expect((await answer).rows[0]).toMatchObject({ one: 1 });
    expect(waiting.closed).toBe(false);
    expect(waiting.messages.map(({ type }) => type).at(-1)).toBe('N');
    waiting.end();
    await Promise.all([working.end(), sleeping.end()]);
  },
);

test.concurrent(
  verifies(
    'bounded',
    'a client that takes nothing of its result is idle, and so is one that sends nothing into its COPY',
  ),
  async () => {
    const [stalled, copying] = await Promise.all([place.client(), place.client()]);
    stalled.send(say.query('select n, repeat(n::text, 20) from generate_series(1, 3000000) n'));
    copying.send(say.query('copy held from stdin'));
    stalled.socket.pause();
    const open =
      "select 1 from pg_stat_activity where usename = 'gateway' and (query like '%3000000%' or query like 'copy held%')";
    await expect.poll(() => place.atTarget(open).then((rows) => rows.length)).toBe(2);
    await expect.poll(() => place.atTarget(open), { timeout: 8_500 }).toEqual([]);
    await copying.until(() => copying.closed, 3_000);
    expect(copying.messages.map(({ body }) => String(body)).join()).toContain('C57P05');
    stalled.end();
  },
);

test.concurrent(
  verifies(
    'bounded',
    'a session that has lasted as long as it may is ended with 57P01, also in the middle of a statement',
  ),
  async () => {
    const client = await place.pg();
    const told = ending(client);
    const error = await client.query('select pg_sleep(20)').catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: '57P01', message: expect.stringContaining('Connect again') });
    await told;
  },
);

test('the record says why', async () => {
  const causes = (await place.seals()).map(({ cause }) => cause);
  expect(causes.filter((cause) => cause === 'session.idle')).toHaveLength(4);
  expect(causes.filter((cause) => cause === 'session.killed')).toHaveLength(1);
});
