import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../../test/requirements.ts';
import { Fault } from '../../domain/fault.ts';
import { clientPeer, largestMessage, largestStartup, targetMessage, targetPeer, type Peer } from './codec.ts';
import { found, Framer, type FramerOptions } from './codec-framer.ts';

interface Piece {
  readonly kind: number;
  readonly type: number;
  readonly bytes: string;
}

/** Pushes the chunks and collects what comes out; every chunk is overwritten afterwards, as a reused read buffer is. */
function frames(options: FramerOptions, chunks: readonly Buffer[], keepEvery = 0): Piece[] {
  const framer = new Framer(options);
  const pieces: Piece[] = [];
  let count = 0;
  for (const chunk of chunks) {
    const reused = Buffer.from(chunk);
    framer.push(reused);
    for (let kind = framer.next(); kind !== found.nothing; kind = framer.next()) {
      pieces.push({ kind, type: framer.type, bytes: framer.buffer.toString('hex', framer.start, framer.end) });
      if (keepEvery > 0 && ++count % keepEvery === 0) {
        framer.keep();
        reused.fill(0xff);
      }
    }
    reused.fill(0xff);
  }
  return pieces;
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const chunks: Buffer[] = [];
  let from = 0;
  for (const place of [...places, bytes.length]) {
    if (place > from) chunks.push(bytes.subarray(from, place));
    from = place;
  }
  return chunks;
}

function message(type: number, body: Uint8Array): Buffer {
  const bytes = Buffer.alloc(body.length + 5);
  bytes[0] = type;
  bytes.writeInt32BE(body.length + 4, 1);
  bytes.set(body, 5);
  return bytes;
}

const types = [...targetPeer.types];
const stream = fc
  .array(fc.tuple(fc.constantFrom(...types), fc.uint8Array({ maxLength: 300 })), { maxLength: 12 })
  .map((list) => list.map(([type, body]) => message(type, body)));
const cutList = fc.array(fc.nat(5000), { maxLength: 40 });

describe('framer', () => {
  test('split anywhere, the messages are the same', () => {
    fc.assert(
      fc.property(stream, cutList, fc.nat(3), (messages, cuts, keepEvery) => {
        const bytes = Buffer.concat(messages);
        const pieces = frames({ peer: targetPeer }, split(bytes, cuts), keepEvery);
        expect(pieces.map((piece) => piece.bytes)).toEqual(messages.map((one) => one.toString('hex')));
        expect(pieces.every((piece) => piece.kind === found.message)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('split at every single byte, and in the middle of every length field', () => {
    const messages = types.map((type, index) => message(type, new Uint8Array(index * 3).fill(index)));
    const bytes = Buffer.concat(messages);
    const whole = frames({ peer: targetPeer }, [bytes]);
    expect(whole).toHaveLength(types.length);
    expect(frames({ peer: targetPeer }, split(bytes, [...bytes.keys()]))).toEqual(whole);
    for (let at = 1; at < bytes.length; at++) expect(frames({ peer: targetPeer }, split(bytes, [at]))).toEqual(whole);
  });

  test('the rest of a stream can be handed over', () => {
    const one = message(0x5a, Buffer.from('I'));
    const framer = new Framer({ peer: targetPeer });
    framer.push(one.subarray(0, 2));
    framer.next();
    framer.push(Buffer.concat([one.subarray(2), one]));
    expect(framer.next()).toBe(found.message);
    expect(framer.rest()).toEqual(one);
    framer.push(one.subarray(0, 3));
    framer.next();
    expect(framer.rest()).toEqual(one.subarray(0, 3));
    expect(framer.pending).toBe(0);
  });

  test('whole messages are given as slices of the chunk itself', () => {
    const chunk = Buffer.concat([message(0x5a, Buffer.from('I')), message(0x44, Buffer.alloc(40))]);
    const framer = new Framer({ peer: targetPeer });
    framer.push(chunk);
    while (framer.next() !== found.nothing) expect(framer.buffer).toBe(chunk);
  });

  test('a streamed message passes in pieces and is the same when put together', () => {
    const large = new Set<number>([targetMessage.dataRow]);
    const options: FramerOptions = { peer: targetPeer, stream: (type, length) => large.has(type) && length > 20 };
    fc.assert(
      fc.property(stream, cutList, (messages, cuts) => {
        const bytes = Buffer.concat(messages);
        const pieces = frames(options, split(bytes, cuts));
        expect(pieces.map((piece) => piece.bytes).join('')).toBe(bytes.toString('hex'));
        let open = false;
        for (const { kind } of pieces) {
          expect(kind === found.more || kind === found.end).toBe(open);
          if (kind === found.begin) open = true;
          if (kind === found.end) open = false;
        }
        expect(open).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  const lengths = [-1, 0, 3, -(2 ** 31), 2 ** 31 - 1, largestMessage + 1];
  test.each(lengths)(verifies('bounded', 'a length of %d is refused before anything is kept'), (length) => {
    for (const peer of [clientPeer, targetPeer]) {
      const header = message(0x44, Buffer.alloc(0));
      header.writeInt32BE(length, 1);
      expect(() => frames({ peer }, [header])).toThrow(Fault);
      expect(() => frames({ peer }, split(header, [1, 2, 3, 4]))).toThrow(
        expect.objectContaining({ code: peer.fault }),
      );
    }
  });

  test(verifies('bounded', 'limits hold by type and for start-up packets'), () => {
    const limits = { [targetMessage.dataRow]: 10 };
    expect(() => frames({ peer: targetPeer, limits }, [message(0x44, Buffer.alloc(7))])).toThrow(Fault);
    expect(frames({ peer: targetPeer, limits }, [message(0x44, Buffer.alloc(6))])).toHaveLength(1);
    const packet = Buffer.alloc(8);
    packet.writeInt32BE(largestStartup + 1);
    expect(() => frames({ peer: clientPeer, startup: true }, [packet])).toThrow(Fault);
    packet.writeInt32BE(8);
    expect(frames({ peer: clientPeer, startup: true }, split(packet, [3]))).toHaveLength(1);
  });

  test(verifies('bounded', 'memory grows with what arrived, not with what was announced'), () => {
    const framer = new Framer({ peer: targetPeer });
    const header = message(0x44, Buffer.alloc(0));
    header.writeInt32BE(largestMessage, 1);
    const before = process.memoryUsage().arrayBuffers;
    framer.push(header);
    expect(framer.next()).toBe(found.nothing);
    framer.push(Buffer.alloc(1000));
    expect(framer.next()).toBe(found.nothing);
    expect(framer.pending).toBe(1005);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8_000_000);
  });

  test(verifies('understood-or-refused', 'an unknown type is refused at its header'), () => {
    const every = new Set(types);
    for (let type = 0; type < 256; type++) {
      const run = () => frames({ peer: targetPeer }, [message(type, Buffer.alloc(0))]);
      if (every.has(type as never)) expect(run()).toHaveLength(1);
      else expect(run).toThrow(expect.objectContaining({ code: 'target.protocol' }));
    }
  });

  test(
    verifies('understood-or-refused', 'random bytes give messages or a fault, and never more bytes than came'),
    () => {
      fc.assert(
        fc.property(
          fc.uint8Array({ maxLength: 400 }),
          cutList,
          fc.boolean(),
          fc.constantFrom<Peer>(clientPeer, targetPeer),
          (bytes, cuts, startup, peer) => {
            try {
              const pieces = frames({ peer, startup }, split(Buffer.from(bytes), cuts));
              expect(pieces.reduce((sum, piece) => sum + piece.bytes.length / 2, 0)).toBeLessThanOrEqual(bytes.length);
            } catch (error) {
              expect(error).toBeInstanceOf(Fault);
            }
          },
        ),
        { numRuns: 500 },
      );
    },
  );
});
