// SIGTERM: clients are told, the record is sealed, the process is gone soon, whatever is under way.
import { get } from 'node:http';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { say } from '../peers/raw-client.ts';
import { verifies } from '../requirements.ts';
import { openPlace, type Place } from './place.ts';

let place: Place | undefined;
afterEach(() => place?.stop());

test(
  verifies(
    'nothing-missing',
    'while a statement is held, a COPY runs in each direction, a link starts up and the console streams events',
  ),
  async () => {
    place = await openPlace({
      policies: '@id("test.hold") @hold("dba") forbid (principal, action == Action::"sql:truncate", resource);',
      setup: 'create table held (n int)',
    });
    const { port, console, token } = place;
    const [held, copyIn, copyOut, idle, stalled] = await Promise.all([1, 2, 3, 4, 5].map(() => place!.client()));
    held!.send(say.query('truncate held'));
    copyIn!.send(say.query('copy held from stdin'));
    expect(await copyIn!.until((all) => all.some(({ type }) => type === 'G'), 5_000)).toBe(true);
    copyIn!.send(say.copyData('1\n2\n'));
    copyOut!.send(
      say.query(`copy (select pg_sleep(0.001), repeat('x', 1000) from generate_series(1, 100000)) to stdout`),
    );
    stalled!.socket.pause();
    stalled!.send(say.query('select n, repeat(n::text, 20) from generate_series(1, 3000000) n'));
    expect(await held!.until((all) => all.some(({ type }) => type === 'N'), 5_000)).toBe(true);
    expect(await copyOut!.until((all) => all.some(({ type }) => type === 'd'), 5_000)).toBe(true);
    const half = connect({ port, host: '127.0.0.1' }).on('error', () => {});
    const events = get({
      host: '127.0.0.1',
      port: console,
      path: '/api/events',
      headers: { authorization: `Bearer ${token}` },
    });
    const stream = new Promise<number | undefined>((resolve) =>
      events.on('response', (response) => {
        resolve(response.statusCode);
        response.on('error', () => {}).resume();
      }),
    );
    events.on('error', () => {});
    expect(await stream).toBe(200);

    const { code, ms } = await place.stopGateway();
    expect(code).toBe(0);
    expect(ms).toBeLessThan(5_000);
    for (const client of [held, copyIn, copyOut, idle]) {
      await client!.until(() => client!.closed, 2_000);
      const last = client!.messages.filter(({ type }) => type === 'E').at(-1);
      expect(String(last?.body)).toMatch(/SFATAL\0VFATAL\0C57P01\0M.*stopping.*\0H/);
    }
    // Who does not read cannot be told.
    const causes = (await place.seals()).map(({ cause }) => cause).sort();
    expect(causes).toEqual([...Array(4).fill('gateway.stopping'), 'the gateway stopped']);
    expect(await place.atTarget('select * from held')).toEqual([]);
    for (const socket of [half, stalled!.socket]) socket.destroy();
  },
);

test('a gateway that was stopped before anybody came leaves a ledger that verifies', async () => {
  place = await openPlace();
  expect((await place.stopGateway()).code).toBe(0);
  expect(await place.seals()).toEqual([]);
});
