// Links that have not signed in: many of them, silent, slow, or stuck half-way, while others go on being served.
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startup } from '../peers/raw-client.ts';
import { verifies } from '../requirements.ts';
import { openPlace, type Place } from './place.ts';

const startupSeconds = 3;
const cap = 40;
const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const opening = startup({ user: 'nobody', database: 'bench' });

let place: Place;
beforeAll(async () => {
  place = await openPlace({ listener: `startupSeconds: ${startupSeconds}, maxSigningIn: ${cap}, maxConnections: 60` });
  await place.settle();
});
afterAll(() => place?.stop());

interface Stranger {
  readonly socket: Socket;
  heard: string;
  closed: boolean;
}

function stranger(first?: Buffer): Promise<Stranger> {
  return new Promise((resolve) => {
    const socket = connect({ port: place.port, host: '127.0.0.1' });
    const one: Stranger = { socket, heard: '', closed: false };
    socket.on('connect', () => {
      if (first) socket.write(first);
      resolve(one);
    });
    socket.on('data', (chunk: Buffer) => (one.heard += chunk.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => {
      one.closed = true;
      resolve(one);
    });
  });
}

const closedAll = (strangers: readonly Stranger[]) => () => strangers.filter(({ closed }) => !closed).length;

test.each([
  ['say nothing', undefined],
  ['ask for TLS and say no more', sslRequest],
  ['name a target and send no password', opening],
])(
  verifies('bounded', '300 links that %s: others sign in and work meanwhile, and at the deadline all are gone'),
  async (_what, first) => {
    const before = place.memory();
    const strangers: Stranger[] = [];
    for (let made = 0; made < 300; made++) strangers.push(await stranger(first));
    await sleep(300);
    const client = await place.pg();
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await expect.poll(closedAll(strangers)).toBeLessThanOrEqual(cap);
    expect(place.memory() - before).toBeLessThan(64 * 1_024);
    await expect.poll(closedAll(strangers), { timeout: (startupSeconds + 4) * 1_000 }).toBe(0);
    const told = strangers.filter(({ heard }) => heard.includes('C57014'));
    expect(told.length).toBeGreaterThan(cap / 2);
    expect(told[0]?.heard).toContain('Signing in took too long.');
    expect((await client.query('select 2 as two')).rows).toEqual([{ two: 2 }]);
    await client.end();
  },
);

test(
  verifies('bounded', 'a start-up that comes byte by byte is taken, and cut when it does not end in time'),
  async () => {
    const slow = await stranger();
    const fine = await stranger();
    for (const byte of opening) {
      fine.socket.write(Buffer.of(byte));
      await sleep(2);
    }
    await expect.poll(() => fine.heard).toContain('R');
    const began = Date.now();
    while (!slow.closed && Date.now() - began < 8_000) {
      // Never the last byte.
      slow.socket.write(Buffer.of(Date.now() - began < 100 ? 0 : 1));
      await sleep(100);
    }
    expect(slow.closed).toBe(true);
    fine.socket.destroy();
  },
);

test(
  verifies(
    'bounded',
    'above the most connections a client is told 53300 in its own protocol; signed-in sessions are never cut for others',
  ),
  async () => {
    const sessions: pg.Client[] = [];
    while (sessions.length < 60) sessions.push(...(await Promise.all(Array.from({ length: 20 }, () => place.pg()))));
    const refused = await stranger(opening);
    await expect.poll(() => refused.closed).toBe(true);
    expect(refused.heard).toMatch(/^E.*SFATAL\0VFATAL\0C53300\0M.*\0H.*connect again in a moment/s);
    for (const session of sessions) await session.query('select 1');
    await sessions[0]!.end();
    await expect.poll(async () => (await place.pg().catch(() => undefined)) !== undefined).toBe(true);
    await Promise.all(sessions.slice(1).map((session) => session.end()));
  },
);

test('TCP keep-alive is on, for links of clients and of targets', async () => {
  const client = await place.pg();
  if (process.platform === 'linux') {
    const hex = (port: number) => `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    const established = readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '01');
    const own = (column: 1 | 2, port: number) => established.filter((fields) => fields[column]?.endsWith(hex(port)));
    // The gateway's side of both: its own listener's port, and the target's as the remote one. Timer 2 is keep-alive.
    const timers = [...own(1, place.port), ...own(2, place.server.port)].map((fields) => fields[5]?.slice(0, 2));
    expect(timers.length).toBeGreaterThan(1);
    expect(timers.filter((timer) => timer === '00')).toEqual([]);
  }
  await client.end();
});

test('who never signed in left no session behind', async () => {
  const seals = await place.seals();
  expect(seals.filter(({ cause }) => cause !== 'client left' && cause !== 'gateway.stopping')).toEqual([]);
});
