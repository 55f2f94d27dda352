// One value of hundreds of megabytes, and messages announced larger than anybody would hold.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { message, type RawClient, say } from '../peers/raw-client.ts';
import { verifies } from '../requirements.ts';
import { openPlace, type Place } from './place.ts';

const mebi = 1024;
/** Megabytes of the large value; the heavy variant comes near what a server can send (CONTRIBUTING.md). */
const size = process.env.COUNTERSIGN_HEAVY ? 900 : 100;

let place: Place;
beforeAll(async () => {
  place = await openPlace({
    labels: ['public.people.email'],
    setup: `create table people (id int, email text, photo text); insert into people values (1, 'ada@mail.example', 'x');
      create function large(megabytes int) returns text language sql immutable as 'select repeat(''x'', megabytes * 1048576)';`,
  });
  await place.settle();
});
afterAll(() => place?.stop());

/** Counts what comes, keeps nothing but the last kilobytes, and tells the most memory that the gateway held meanwhile. */
async function ask(client: RawClient, sql: string): Promise<{ bytes: number; grown: number; tail: string }> {
  const before = place.memory();
  let bytes = 0;
  let grown = 0;
  let tail: Buffer = Buffer.alloc(0);
  const timer = setInterval(() => (grown = Math.max(grown, place.memory() - before)), 20);
  const over = new Promise<void>((resolve) => {
    client.socket.removeAllListeners('data');
    client.socket.on('close', () => resolve());
    client.socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      tail = Buffer.concat([tail.subarray(-2_000), chunk.subarray(-2_000)]);
      // ReadyForQuery outside a transaction.
      if (tail.subarray(-6).equals(Buffer.from('Z\0\0\0\x05I'))) resolve();
    });
  });
  client.send(say.query(sql));
  await over;
  clearInterval(timer);
  return { bytes, grown, tail: tail.toString('latin1') };
}

describe('one value', () => {
  test(verifies('bounded', `of ${size} MiB passes in pieces: the gateway holds at most 64 MiB of it`), async () => {
    const client = await place.client();
    const { bytes, grown, tail } = await ask(client, `select large(${size})`);
    expect(bytes).toBeGreaterThan(size * 1_048_576);
    expect(tail).toContain('SELECT 1');
    expect(grown).toBeLessThan(64 * mebi);
    client.end();
  });

  test(
    verifies('bounded', `of ${size} MiB beside a masked column is withheld, unread, and the session goes on`),
    async () => {
      const client = await place.client();
      const { bytes, grown, tail } = await ask(client, `select email, large(${size}) from people`);
      expect(bytes).toBeLessThan(10_000);
      expect(tail).toMatch(/C42501\0.*too long to be masked; leave its large columns out/);
      expect(tail).not.toContain('ada@');
      expect(grown).toBeLessThan(64 * mebi);
      const next = await ask(client, 'select id, email from people');
      expect(next.tail).toContain('SELECT 1');
      expect(next.tail).not.toContain('ada@');
      client.end();
    },
  );

  test('of 10 MiB beside a masked column passes with the column masked', async () => {
    const client = await place.client();
    const { bytes, tail } = await ask(client, 'select email, large(10) from people');
    expect(bytes).toBeGreaterThan(10 * 1_048_576);
    expect(tail).toContain('SELECT 1');
    client.end();
  });

  test(
    verifies('bounded', `of ${size} MiB in COPY TO passes in pieces, and beside a masked column it is withheld`),
    async () => {
      const client = await place.client();
      const plain = await ask(client, `copy (select large(${size})) to stdout`);
      expect(plain.bytes).toBeGreaterThan(size * 1_048_576);
      expect(plain.grown).toBeLessThan(64 * mebi);
      const masked = await ask(client, `copy (select email, large(${size}) from people) to stdout`);
      expect(masked.bytes).toBeLessThan(10_000);
      expect(masked.tail).toMatch(/C42501\0.*too long to be masked/);
      expect(masked.grown).toBeLessThan(64 * mebi);
      expect((await ask(client, 'select 1')).tail).toContain('SELECT 1');
      client.end();
    },
  );
});

describe('a message of a client', () => {
  const announced = (type: string, length: number) => {
    const head = Buffer.alloc(5, type);
    head.writeUInt32BE(length, 1);
    return head;
  };

  test.each([
    ['Q', 0x3fff_ffff, '08P01'],
    ['P', 0x7fff_ffff, '08P01'],
    ['B', 0xffff_ffff, '08P01'],
    ['d', 0x3fff_ffff, '54000'],
  ])(verifies('bounded', 'of type %s announced as %d bytes is refused at its header'), async (type, length, code) => {
    const client = await place.client();
    const from = client.messages.length;
    client.send(announced(type, length));
    await client.until((all) => all.length > from, 5_000);
    expect(String(client.messages[from]?.body)).toMatch(new RegExp(`SFATAL\\0VFATAL\\0C${code}\\0M.*bytes`));
    await client.until(() => false, 1_000);
    expect(client.closed).toBe(true);
  });

  test(verifies('bounded', 'of 60 MiB is held while it comes, and its memory is given back'), async () => {
    const client = await place.client();
    client.send(say.parse('', 'select length($1::text)'));
    client.send(say.bind('', '', ['z'.repeat(60 * 1_048_576)]));
    client.send(Buffer.concat([say.execute(''), say.sync()]));
    const from = client.messages.length;
    await client.until((all) => all.slice(from).some(({ type }) => type === 'Z'), 15_000);
    expect(client.messages.slice(from).map(({ type }) => type)).toEqual(['1', '2', 'D', 'C', 'Z']);
    client.end();
  });

  test(verifies('bounded', 'of 100 MiB of COPY data passes in pieces'), async () => {
    await place.atTarget('create table lines (line text)');
    const client = await place.client();
    const before = place.memory();
    client.send(say.query('copy lines from stdin'));
    await client.until((all) => all.some(({ type }) => type === 'G'), 5_000);
    const line = `${'l'.repeat(1_048_575)}\n`;
    let most = before;
    const timer = setInterval(() => (most = Math.max(most, place.memory())), 20);
    client.send(announced('d', 4 + 100 * line.length));
    for (let sent = 0; sent < 100; sent++)
      if (!client.socket.write(line)) await new Promise((resolve) => client.socket.once('drain', resolve));
    client.send(say.copyDone());
    await client.until((all) => all.at(-1)?.type === 'Z' && all.some(({ type }) => type === 'C'), 20_000);
    clearInterval(timer);
    expect(most - before).toBeLessThan(64 * mebi);
    expect(await place.atTarget('select count(*)::int as lines from lines')).toEqual([{ lines: 100 }]);
    client.end();
  });

  test('of a statement longer than the limit is an error like any other', async () => {
    const client = await place.client();
    client.send(message('Q', Buffer.from(`select '${'q'.repeat(2 * 1_048_576)}'\0`)));
    const from = client.messages.length;
    await client.until((all) => all.slice(from).some(({ type }) => type === 'Z'), 5_000);
    expect(client.messages.slice(from).map(({ type }) => type)).toEqual(['E', 'Z']);
    client.end();
  });
});

test('every session has its seal and the ledger verifies', async () => {
  expect((await place.seals()).length).toBeGreaterThan(8);
});
