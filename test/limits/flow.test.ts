// Who is slow makes the other side wait, and nobody else: memory stays flat, other sessions go on, nothing is lost.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RawClient, say } from '../peers/raw-client.ts';
import { verifies } from '../requirements.ts';
import { openPlace, type Place } from './place.ts';

/** The heavy variant: ten times as much (CONTRIBUTING.md). */
const times = process.env.COUNTERSIGN_HEAVY ? 10 : 1;
const mebi = 1024;

let place: Place;
beforeAll(async () => {
  place = await openPlace({ setup: 'create table filled (line text)' });
  await place.settle();
});
afterAll(() => place?.stop());

/** Reads what a socket brings without keeping it: bytes, and how many rows. */
function count(client: RawClient): { rows: number; bytes: number; ready: boolean } {
  const seen = { rows: 0, bytes: 0, ready: false };
  client.socket.removeAllListeners('data');
  let rest: Buffer = Buffer.alloc(0);
  client.socket.on('data', (chunk: Buffer) => {
    seen.bytes += chunk.length;
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (rest.length - at >= 5 && rest.length - at >= rest.readInt32BE(at + 1) + 1) {
      if (rest[at] === 0x44) seen.rows++;
      if (rest[at] === 0x5a) seen.ready = true;
      at += rest.readInt32BE(at + 1) + 1;
    }
    rest = rest.subarray(at);
  });
  return seen;
}

async function highest(during: Promise<unknown>): Promise<number> {
  let most = place.memory();
  const timer = setInterval(() => (most = Math.max(most, place.memory())), 20);
  await during;
  clearInterval(timer);
  return most;
}

describe('a reader that stalls', () => {
  test(
    verifies(
      'bounded',
      'in the middle of 10⁶ rows: the gateway grows by at most 64 MiB and stays flat, others go on, and every row arrives in the end',
    ),
    async () => {
      const rows = 1_000_000 * times;
      const stalled = await place.client();
      const other = await place.pg();
      const before = place.memory();
      stalled.socket.pause();
      stalled.send(say.query(`select n, repeat('x', 100) from generate_series(1, ${rows}) n`));
      await sleep(1_000);
      const early = place.memory();
      const during = await highest(
        (async () => {
          for (let query = 0; query < 300; query++) await other.query('select 1');
          await sleep(1_000);
        })(),
      );
      expect(early - before).toBeLessThan(64 * mebi);
      expect(during - early).toBeLessThan(16 * mebi);
      const seen = count(stalled);
      stalled.socket.resume();
      const after = await highest(expect.poll(() => seen.ready, { timeout: 20_000 * times, interval: 20 }).toBe(true));
      expect(seen.rows).toBe(rows);
      // After a gigabyte the allocator keeps more than after a tenth of it, and from then on no more than that.
      expect(after - before).toBeLessThan((times === 1 ? 64 : 192) * mebi);
      stalled.end();
      if (times > 1) {
        const again = await place.client();
        const anew = count(again);
        again.send(say.query(`select n, repeat('x', 100) from generate_series(1, ${rows}) n`));
        const second = await highest(
          expect.poll(() => anew.ready, { timeout: 20_000 * times, interval: 20 }).toBe(true),
        );
        expect(second - after).toBeLessThan(32 * mebi);
        again.end();
      }
      await other.end();
    },
  );

  test(
    verifies('bounded', 'that only asks: the gateway stops reading it in time, and every answer comes in the end'),
    async () => {
      const client = await place.client();
      const before = place.memory();
      client.socket.pause();
      const syncs = 1_500_000;
      const block = Buffer.concat(Array.from({ length: 10_000 }, () => say.sync()));
      const sending = (async () => {
        for (let left = syncs; left > 0; left -= 10_000) {
          if (!client.socket.write(block)) await new Promise((resolve) => client.socket.once('drain', resolve));
        }
      })();
      const most = await highest(sleep(3_000));
      // Most of it is what the engine has not collected yet; how much is remembered is counted in conversation.test.ts.
      expect(most - before).toBeLessThan(320 * mebi);
      client.socket.removeAllListeners('data');
      let answered = 0;
      client.socket.on('data', (chunk: Buffer) => (answered += chunk.length));
      client.socket.resume();
      await sending;
      await expect.poll(() => answered, { timeout: 15_000, interval: 20 }).toBe(syncs * 6);
      client.end();
    },
  );

  test('that never comes back is cut like any other client that leaves', async () => {
    const client = await place.client();
    client.socket.pause();
    client.send(say.query('select n from generate_series(1, 3000000) n'));
    await sleep(200);
    client.end();
    const running =
      "select 1 from pg_stat_activity where query like '%3000000%' and pid <> pg_backend_pid() and state = 'active'";
    await expect.poll(() => place.atTarget(running), { timeout: 8_000 }).toEqual([]);
  });
});

describe('a writer that is faster than the target', () => {
  test(
    verifies(
      'bounded',
      'COPY into a server that stopped reading: the client waits, the gateway stays small, every line arrives',
    ),
    async () => {
      const writer = await place.client();
      const line = `${'y'.repeat(999)}\n`;
      const megabyte = say.copyData(line.repeat(1_000));
      const lines = 120_000 * times;
      const before = place.memory();
      writer.send(say.query('copy filled from stdin'));
      await writer.until((all) => all.some(({ type }) => type === 'G'), 5_000);
      const [{ pid }] = (await place.atTarget(
        "select pid from pg_stat_activity where query like 'copy filled%' and pid <> pg_backend_pid()",
      )) as [{ pid: number }];
      process.kill(pid, 'SIGSTOP');
      let written = 0;
      const sending = (async () => {
        for (; written < lines; written += 1_000) {
          if (!writer.socket.write(megabyte)) await new Promise((resolve) => writer.socket.once('drain', resolve));
        }
        writer.send(say.copyDone());
      })();
      try {
        const most = await highest(sleep(1_500));
        expect(written).toBeLessThan(60_000);
        expect(most - before).toBeLessThan(64 * mebi);
        const other = await place.pg();
        await other.query('select 1');
        await other.end();
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      const most = await highest(
        (async () => {
          await sending;
          await writer.until((all) => all.some(({ type }) => type === 'C'), 20_000);
        })(),
      );
      expect(most - before).toBeLessThan(96 * mebi);
      expect(await place.atTarget('select count(*)::int as lines from filled')).toEqual([{ lines }]);
      writer.end();
    },
  );
});

test('every session has its seal and the ledger verifies', async () => {
  const seals = await place.seals();
  expect(seals.length).toBeGreaterThan(5);
});
