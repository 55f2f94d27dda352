// A target that breaks its protocol, or that wants to exhaust the gateway: its session ends with a fault, nothing else does.
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HostileServer, hostileServer, type LoginTrick, type TrickName } from '../peers/hostile-server.ts';
import { say } from '../peers/raw-client.ts';
import { verifies } from '../requirements.ts';
import { openPlace, type Place } from './place.ts';

const mebi = 1_024;
let place: Place;
let server: HostileServer;
let bystander: pg.Client;
let before = 0;

beforeAll(async () => {
  place = await openPlace({
    labels: ['public.people.email'],
    target: 'loginSeconds: 2',
    setup: "create table people (id int, email text); insert into people values (1, 'ada@mail.example')",
    async between(real) {
      server = await hostileServer(real.port);
      return server.port;
    },
  });
  bystander = await place.pg();
  await place.settle();
  before = place.memory();
});
afterAll(async () => {
  await bystander?.end().catch(() => {});
  await place?.stop();
  server?.stop();
});

/** Others never notice, and memory stays where it was. */
async function unharmed(): Promise<void> {
  expect((await bystander.query('select id from people')).rows).toEqual([{ id: 1 }]);
  expect(place.memory() - before).toBeLessThan(128 * mebi);
}

/** What the client saw of a statement that the server answers with a trick: types, and the text of errors. */
async function saw(
  name: TrickName,
  sql = 'select 1',
): Promise<{ types: string; errors: string; all: string; closed: boolean }> {
  const client = await place.client();
  const from = client.messages.length;
  client.send(say.query(`${sql} /* hostile:${name} */`));
  await client.until((all) => client.closed || all.slice(from).some(({ type }) => type === 'Z' || type === 'E'), 8_000);
  await client.until(() => client.closed, 300);
  const got = client.messages.slice(from);
  const { closed } = client;
  client.end();
  return {
    types: got.map(({ type }) => type).join(''),
    errors: got
      .filter(({ type }) => type === 'E')
      .map(({ body }) => body.toString('latin1'))
      .join('\n'),
    all: got.map(({ body }) => body.toString('latin1')).join('\n'),
    closed,
  };
}

describe('it ends its session and nothing else', () => {
  const ending = [
    'unknown type',
    'negative length',
    'length below four',
    'length beyond the protocol',
    'description of hundreds of megabytes',
    'error of hundreds of megabytes',
    'cell longer than its row',
    'description that ends early',
    'more columns than bytes',
    'answer nobody asked for',
    'copy nobody asked for',
    'copy in both directions',
    'function result',
    'authentication again',
    'ready twice',
    'unknown transaction status',
    'ready without end',
    'error without an end',
    'close',
  ] as const satisfies readonly TrickName[];

  test.each(ending)(verifies('bounded', '%s'), async (name) => {
    const masked = name === 'cell longer than its row' ? 'select email from people' : 'select 1';
    const { errors, closed } = await saw(name, masked);
    if (name !== 'cell longer than its row') expect(errors).toMatch(/SFATAL\0VFATAL\0C08006\0M/);
    else expect(errors).toMatch(/C08006|C42501/);
    expect(closed || name === 'cell longer than its row').toBe(true);
    await unharmed();
  });

  test.each(['close in a message', 'close in a large row'] as const)(
    '%s, part of which has left: the link just ends',
    async (name) => {
      const { types, closed } = await saw(name);
      expect(types).not.toContain('Z');
      expect(closed).toBe(true);
      await unharmed();
    },
  );
});

describe('what it says is not believed', () => {
  test(
    verifies('masked-or-withheld', 'rows without a description, or under one of another width, do not leave'),
    async () => {
      for (const name of ['row without description', 'description of another width'] as const) {
        const { types, errors, all } = await saw(name, 'select email from people');
        expect(errors).toContain('C42501');
        expect(types).not.toContain('D');
        expect(all).not.toContain('secret');
      }
      const { errors, types } = await saw('row of another width', 'select email from people');
      expect(errors).toMatch(/C08006|C42501/);
      expect(types).not.toContain('D');
      await unharmed();
    },
  );

  test('an error without SQLSTATE, or with one of a megabyte, is an error; a tag of a megabyte is a tag', async () => {
    for (const name of ['error without SQLSTATE', 'error with a long SQLSTATE', 'long command tag'] as const) {
      const { types, closed } = await saw(name);
      expect(types.endsWith('Z')).toBe(true);
      expect(closed).toBe(false);
    }
    await unharmed();
  });
});

describe('it cannot exhaust', () => {
  test.each(['endless notices', 'endless settings', 'endless rows of nothing'] as const)(
    verifies('bounded', '%s: as fast as the client reads, and no faster'),
    async (name) => {
      const client = await place.client();
      client.socket.pause();
      client.send(say.query(`select 1 /* hostile:${name} */`));
      await sleep(700);
      await unharmed();
      client.end();
      await sleep(100);
      await unharmed();
    },
  );

  test(verifies('bounded', 'endless rows of a result that is withheld are not kept'), async () => {
    const client = await place.client();
    client.send(say.query('select email, id from people /* hostile:endless rows of nothing */'));
    await sleep(700);
    await unharmed();
    client.end();
  });
});

describe('before anybody is signed in', () => {
  test.each([
    ['silent', /in time/],
    ['endless notices', /in time/],
    ['absurd SCRAM', /SCRAM challenge that cannot be right/],
    ['unknown method', /method 7/],
    ['long message', /bytes/],
    ['ok without more', /in time/],
  ] as const satisfies readonly (readonly [LoginTrick, RegExp])[])(
    verifies('bounded', '%s: the client is told within the limit'),
    async (trick, words) => {
      server.login = trick;
      const failed = await place.pg().then(
        () => undefined,
        (error: { code: string; message: string }) => error,
      );
      server.login = undefined;
      expect(failed).toMatchObject({ code: '08006', message: expect.stringMatching(words) });
      await unharmed();
    },
  );
});

test(verifies('nothing-missing', 'every session has its seal, with the cause'), async () => {
  await bystander.end();
  const causes = (await place.seals()).map(({ cause }) => cause);
  expect(causes.filter((cause) => cause === 'target.protocol').length).toBeGreaterThan(15);
  expect(causes).toContain('target.unreachable');
});
