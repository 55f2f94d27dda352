// Broken and random bytes from a real socket against the running gateway: the session that sent them ends with a fault or goes on as the
// protocol says, all others go on untouched, and memory stays flat. COUNTERSIGN_STREAMS sets how many attempts, COUNTERSIGN_MODEL_SEED which.
import fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RawClient, say, startup } from '../peers/raw-client.ts';
import { type Arena, openArena } from './arena.ts';
import { report } from './compare.ts';
import { bytesOf } from './play.ts';
import { schema, sequences } from './sequences.ts';

const attempts = Number(process.env.COUNTERSIGN_STREAMS ?? 80);
const seed = Number(process.env.COUNTERSIGN_MODEL_SEED ?? 20_260_101);
let arena: Arena;

beforeAll(async () => {
  arena = await openArena({ schema, labels: ['public.people.email'] });
}, 60_000);
afterAll(() => arena?.stop(), 60_000);

/** What is done to the bytes of a valid sequence. */
type Damage =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'cut'; readonly at: number; readonly length: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'length'; readonly message: number; readonly value: number }
  | { readonly kind: 'stop'; readonly at: number };

const place = fc.nat(0xffff);
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: place, bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('cut' as const), at: place, length: fc.nat(9) }),
  fc.record({ kind: fc.constant('insert' as const), at: place, bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }) }),
  fc.record({
    kind: fc.constant('length' as const),
    message: fc.nat(20),
    value: fc.constantFrom(-1, 0, 3, 4, 5, 255, 65_536, 0x3fff_ffff, 0x7fff_ffff, -0x8000_0000),
  }),
  fc.record({ kind: fc.constant('stop' as const), at: place }),
);
const attempt = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({ signedIn: fc.boolean(), bytes: fc.uint8Array({ minLength: 1, maxLength: 400 }) }),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(sequences({ labelled: true, messages: 12 }), fc.array(damage, { minLength: 1, maxLength: 3 }))
      .map(([steps, damages]) => ({ signedIn: true, bytes: damaged(steps.map(bytesOf), damages) })),
  },
  {
    weight: 1,
    arbitrary: fc
      .array(damage, { minLength: 1, maxLength: 3 })
      .map((damages) => ({ signedIn: false, bytes: damaged([startup({ user: 'x', database: 'model' })], damages) })),
  },
);

function damaged(messages: readonly Buffer[], damages: readonly Damage[]): Buffer {
  const all = messages.map((message) => Buffer.from(message));
  for (const one of damages) {
    const hit = one.kind === 'length' && all[one.message % Math.max(1, all.length)];
    if (hit && one.kind === 'length' && hit.length >= 5) hit.writeInt32BE(one.value, 1);
  }
  let bytes = Buffer.concat(all);
  for (const one of damages) {
    if (one.kind === 'length' || bytes.length === 0) continue;
    const at = one.at % bytes.length;
    if (one.kind === 'flip') bytes[at]! ^= 1 << one.bit;
    else if (one.kind === 'cut') bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + one.length)]);
    else if (one.kind === 'insert') bytes = Buffer.concat([bytes.subarray(0, at), one.bytes, bytes.subarray(at)]);
    else bytes = bytes.subarray(0, at);
  }
  return bytes;
}

/** Sends the bytes, waits a moment for what they bring, and leaves. Returns what must not be. */
async function play(of: { signedIn: boolean; bytes: Uint8Array }): Promise<string | undefined> {
  const client = of.signedIn ? await RawClient.open(arena.gateway) : new RawClient(arena.gateway.port);
  const { messages } = client;
  messages.length = 0;
  try {
    client.send(Buffer.from(of.bytes));
    await client.until(() => false, 15);
    const fatal = messages.find(({ type, body }) => type === 'E' && new Map(report(body)).get('V') === 'FATAL');
    if (fatal === undefined) return undefined;
    const fields = new Map(report(fatal.body));
    const { C: code = '' } = Object.fromEntries(fields);
    if (code === 'XX000' || code === '08006') return `${code}: ${fields.get('M')}`;
    if (fatal !== messages.at(-1)) return 'something follows the fatal error';
    if (!(await client.until(() => client.closed, 2_000)) && !client.closed) return 'open after its fatal error';
    return undefined;
  } finally {
    client.end();
  }
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const spareBytes = 24 << 20;
const heap = () => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

test(
  `${attempts} broken streams end their own session and nothing else`,
  async () => {
    const bystander = await RawClient.open(arena.gateway);
    const ask = async (word: string) => {
      bystander.messages.length = 0;
      bystander.send(say.query(`select '${word}'`));
      await bystander.until((all) => all.some(({ type }) => type === 'Z'), 5_000);
      return bystander.messages
        .map(({ type, body }) => type + (type === 'D' ? body.toString('utf8', 6) : ''))
        .join(' ');
    };
    const streams = fc.sample(attempt, { numRuns: attempts, seed });
    const warm = Math.floor(attempts / 4);
    let before = 0;
    for (const [index, stream] of streams.entries()) {
      if (index === warm) before = heap();
      const found = await play(stream).catch((error: unknown) => [String(error), ...arena.complaints()].join('\n'));
      if (found)
        expect.fail(`stream ${index} (seed ${seed}): ${found}\n${Buffer.from(stream.bytes).toString('base64')}`);
      if (index % 10 === 0) expect(await ask(`word ${index}`)).toBe(`T Dword ${index} C Z`);
    }
    expect(await ask('last')).toBe('T Dlast C Z');
    // Links linger for some seconds, and what they hold with them. Announcing much is not having sent it, and every cache has an end.
    for (let tries = 0; tries < 30 && heap() - before > spareBytes; tries++) await sleep(500);
    expect(heap() - before).toBeLessThan(spareBytes);
    expect(arena.complaints().filter((line) => line.includes('gateway.internal'))).toEqual([]);
    bystander.end();
  },
  20_000 + attempts * 1_000,
);
