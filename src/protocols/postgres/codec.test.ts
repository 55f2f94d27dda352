// The laws of DESIGN, held to for every message there is (codec-messages.suite.ts): what is written is read again, cut anywhere it is the
// same, and whatever the bytes say instead gives a message or a fault. A million such inputs more run every night (test/nightly).
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../../test/requirements.ts';
import { Fault } from '../../domain/fault.ts';
import { clientMessage, clientPeer, targetMessage, targetPeer } from './codec.ts';
import * as authentication from './codec-authentication.ts';
import * as copy from './codec-copy.ts';
import * as extended from './codec-extended.ts';
import { found, Framer } from './codec-framer.ts';
import { type Decode, type Law, laws, type Side } from './codec-messages.suite.ts';
import * as report from './codec-report.ts';
import * as rows from './codec-rows.ts';
import * as simple from './codec-simple.ts';
import * as startup from './codec-startup.ts';
import * as status from './codec-status.ts';
import { Writer } from './codec-writer.ts';

const sides = ['client', 'target', 'start'] as const;
const all = sides.flatMap((side) =>
  Object.entries(laws[side]).flatMap(([kind, list]) => list.map((law) => ({ ...law, side, kind }))),
);

test('every message type of both sides, and every packet of the start, is held to the laws', () => {
  expect(Object.keys(laws.client).toSorted()).toEqual(Object.keys(clientMessage).toSorted());
  expect(Object.keys(laws.target).toSorted()).toEqual(Object.keys(targetMessage).toSorted());
  expect(Object.keys(laws.start).toSorted()).toEqual(['cancel', 'gss', 'ssl', 'startup']);
  expect(new Set(all.map(({ title }) => title)).size).toBe(all.length);
  // Each announces its own type.
  for (const { side, kind, arbitrary, encode } of all) {
    if (side === 'start') continue;
    const types: Readonly<Record<string, number>> = side === 'client' ? clientMessage : targetMessage;
    expect(write(encode, fc.sample(arbitrary, { numRuns: 1, seed: 1 })[0])[0]).toBe(types[kind]);
  }
});

test('every function that reads or writes a message is held to the laws', () => {
  const held = new Set<unknown>(all.flatMap(({ encode, decode }) => [encode, decode]));
  // Through a function of the suite's own: they need an argument more.
  const within = [
    'encodeBare',
    'encodeReport',
    'encodeCopyResponse',
    'encodeParameterStatus',
    'encodeCancelRequest',
    'encodeStartup',
  ];
  const missing = [authentication, copy, extended, report, rows, simple, startup, status]
    .flatMap((module) => Object.entries(module as Readonly<Record<string, unknown>>))
    .filter(([name, value]) => /^(de|en)code/.test(name) && !held.has(value) && !within.includes(name))
    .map(([name]) => name);
  expect(missing).toEqual([]);
});

function write(encode: Law['encode'], message: unknown): Buffer {
  const writer = new Writer(8);
  encode(writer, message as never);
  return writer.take();
}

/** Decodes with bytes around the message, so that a read outside of it would see something. */
function decodeInside(decode: Decode, message: Buffer): unknown {
  const around = Buffer.concat([Buffer.alloc(7, 0xee), message, Buffer.alloc(9, 0x00)]);
  return decode(around, 7, 7 + message.length);
}

/** Reads what may be anything: undefined is a fault, and anything else than a message or a fault fails. */
function decodeOrFault(decode: Decode, message: Buffer): { readonly message: unknown } | undefined {
  try {
    return { message: decodeInside(decode, message) };
  } catch (error) {
    expect(error).toBeInstanceOf(Fault);
    return undefined;
  }
}

/** The messages in a stream that came as these chunks, each of which is overwritten once it was read. */
function framed(side: Side, chunks: readonly Buffer[]): string[] {
  const framer = new Framer({ peer: side === 'target' ? targetPeer : clientPeer, startup: side === 'start' });
  const messages: string[] = [];
  for (const chunk of chunks) {
    const reused = Buffer.from(chunk);
    framer.push(reused);
    while (framer.next() === found.message) messages.push(framer.buffer.toString('hex', framer.start, framer.end));
    reused.fill(0xff);
  }
  return messages;
}

describe.each(all)('$title', ({ title, side, arbitrary, encode, decode, whole }) => {
  const head = side === 'start' ? 4 : 5;
  const written = arbitrary.map((message) => ({ message, bytes: write(encode, message) }));

  test('decode∘encode is identity, and the length field is right', () => {
    fc.assert(
      fc.property(written, ({ message, bytes: out }) => {
        expect(out.readInt32BE(head - 4)).toBe(out.length - head + 4);
        const read = decodeInside(decode, out);
        if (whole !== false) expect(read).toEqual(message);
      }),
      { numRuns: 100 },
    );
  });

  test('cut anywhere, it is the same message', () => {
    fc.assert(
      fc.property(written, written, fc.nat(), ({ bytes: one }, { bytes: other }, at) => {
        const stream = Buffer.concat([one, other]);
        const cut = at % (stream.length + 1);
        const both = [one.toString('hex'), other.toString('hex')];
        expect(
          framed(
            side,
            [stream.subarray(0, cut), stream.subarray(cut)].filter((chunk) => chunk.length > 0),
          ),
        ).toEqual(both);
        expect(
          framed(
            side,
            [...stream].map((byte) => Buffer.from([byte])),
          ),
        ).toEqual(both);
      }),
      { numRuns: 30 },
    );
  });

  test(verifies('understood-or-refused', `${title}: mutated and cut bytes give a message or a fault`), () => {
    const mutation = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(written, fc.nat(400), mutation, ({ bytes: out }, cut, changes) => {
        const bad = Buffer.from(out.subarray(0, out.length - (cut % (out.length + 1))));
        for (const [at, to] of changes) if (bad.length > 0) bad[at % bad.length] = to;
        decodeOrFault(decode, bad);
      }),
      { numRuns: 200 },
    );
  });

  test(
    verifies('understood-or-refused', `${title}: what random bytes are read as is written and read the same`),
    () => {
      fc.assert(
        fc.property(written, fc.uint8Array({ maxLength: 60 }), ({ bytes: out }, body) => {
          const random = Buffer.concat([out.subarray(0, head), body]);
          const read = decodeOrFault(decode, random);
          if (read && whole !== false) expect(decodeInside(decode, write(encode, read.message))).toEqual(read.message);
        }),
        { numRuns: 200 },
      );
    },
  );

  test(verifies('bounded', `${title}: −1, 0, 3, 2³¹−1 and −2³¹ at every place where a length may stand`), () => {
    for (const { bytes: out } of fc.sample(written, { numRuns: 20, seed: 7 })) {
      for (const length of [-1, 0, 3, 2 ** 31 - 1, -(2 ** 31)]) {
        const announced = Buffer.from(out);
        announced.writeInt32BE(length, head - 4);
        // 2³¹−1 is above every limit; in a stream each is refused at the header.
        expect(() => framed(side, [announced])).toThrow(Fault);
        for (let at = head - 1; at + 4 <= out.length; at++) {
          const bad = Buffer.from(out);
          bad.writeInt32BE(length, at);
          decodeOrFault(decode, bad);
        }
      }
    }
  });
});

describe('every length inside of a message', () => {
  const z = (text: string) => Buffer.from(`${text}\0`);
  const word = Buffer.from('value');
  /** A length of 2 or 4 bytes: what stands there, and how long the field is. */
  const count = (value: number) => ({ value, size: 2 as const });
  const long = (value: number) => ({ value, size: 4 as const });
  type Part = Buffer | { readonly value: number; readonly size: 2 | 4 };
  const column = Buffer.concat([
    z('name'),
    Buffer.from([0, 0, 64, 0, 0, 1, 0, 0, 0, 25, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]),
  ]);
  const cellList: Decode = laws.target.dataRow![0].decode;
  const cases: readonly (readonly [title: string, decode: Decode, parts: readonly Part[]])[] = [
    ['Parse', extended.decodeParse, [z('a'), z('select $1'), count(1), Buffer.from([0, 0, 0, 25])]],
    [
      'Bind',
      extended.decodeBind,
      [
        z('p'),
        z('s'),
        count(2),
        Buffer.from([0, 1, 0, 1]),
        count(2),
        long(5),
        word,
        long(5),
        word,
        count(1),
        Buffer.from([0, 1]),
      ],
    ],
    [
      'FunctionCall',
      simple.decodeFunctionCall,
      [Buffer.from([0, 0, 4, 0]), count(1), Buffer.from([0, 1]), count(1), long(5), word, Buffer.from([0, 1])],
    ],
    ['SASLInitialResponse', authentication.decodeSaslInitial, [z('OAUTHBEARER'), long(5), word]],
    ['RowDescription', rows.decodeRowDescription, [count(2), column, column]],
    ['ParameterDescription', rows.decodeParameterDescription, [count(2), Buffer.from([0, 0, 0, 25, 0, 0, 0, 23])]],
    ['DataRow', cellList, [count(2), long(5), word, long(5), word]],
    [
      'CopyInResponse, CopyOutResponse, CopyBothResponse',
      copy.decodeCopyResponse,
      [Buffer.from([0]), count(2), Buffer.from([0, 0, 0, 0])],
    ],
    [
      'NegotiateProtocolVersion',
      startup.decodeNegotiation,
      [Buffer.from([0, 3, 0, 0]), long(2), z('_pq_.a'), z('_pq_.b')],
    ],
  ];

  test.each(cases)(verifies('bounded', 'that is not the right one is refused: %s'), (_title, decode, parts) => {
    const build = (lie?: number, said?: number) => {
      const bytes = parts.map((part, index) => {
        if (Buffer.isBuffer(part)) return part;
        const field = Buffer.alloc(part.size);
        const value = index === lie ? (said as number) : part.value;
        if (part.size === 4) field.writeInt32BE(value);
        else field.writeUInt16BE(value & 0xffff);
        return field;
      });
      const body = Buffer.concat(bytes);
      const header = Buffer.alloc(5);
      header.writeInt32BE(body.length + 4, 1);
      return Buffer.concat([header, body]);
    };
    decodeInside(decode, build());
    let lies = 0;
    for (const [index, part] of parts.entries()) {
      if (Buffer.isBuffer(part)) continue;
      const most = part.size === 4 ? 2 ** 31 - 1 : 2 ** 15 - 1;
      for (const said of [-1, 0, 3, most, -most - 1, part.value + 1, part.value - 1]) {
        lies++;
        expect(() => decodeInside(decode, build(index, said)), `${said} in part ${index}`).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/^(client|target)\.protocol$/) }),
        );
      }
    }
    expect(lies).toBeGreaterThanOrEqual(7);
  });

  test('NULL is −1, and nothing else below 0', () => {
    const row = (length: number) => {
      const bytes = Buffer.from([0x44, 0, 0, 0, 10, 0, 1, 0, 0, 0, 0]);
      bytes.writeInt32BE(length, 7);
      return bytes;
    };
    expect(decodeInside(cellList, row(-1))).toEqual([null]);
    expect(decodeInside(cellList, row(0))).toEqual([Buffer.alloc(0)]);
    expect(() => decodeInside(cellList, row(-2))).toThrow(Fault);
  });
});
describe('what must be refused', () => {
  const fault = expect.objectContaining({ code: 'client.protocol' });

  test(
    verifies('understood-or-refused', 'a text that is not UTF-8 is refused, for it would be judged as another'),
    () => {
      const query = Buffer.from([0x51, 0, 0, 0, 7, 0x41, 0xff, 0]);
      expect(() => simple.decodeQuery(query, 0, query.length)).toThrow(fault);
      const honest = Buffer.from('Q\0\0\0\x08\ufffd\0', 'utf8');
      expect(simple.decodeQuery(honest, 0, honest.length)).toBe('\ufffd');
    },
  );

  test('bytes behind the end of a text, such as a second statement, are refused', () => {
    const query = Buffer.from('Q\0\0\0\x08a\0b\0', 'utf8');
    expect(() => simple.decodeQuery(query, 0, query.length)).toThrow(fault);
  });

  test('a Bind that announces more parameters than it has is refused before anything is made of it', () => {
    const bad = Buffer.from([0x42, 0, 0, 0, 12, 0, 0, 0, 0, 0xff, 0xff, 0, 0]);
    expect(() => extended.decodeBind(bad, 0, bad.length)).toThrow(fault);
  });

  test('unknown protocol versions and repeated start-up parameters are refused', () => {
    const old = Buffer.from([0, 0, 0, 9, 0, 2, 0, 0, 0]);
    expect(() => startup.decodeStartup(old, 0, old.length)).toThrow(fault);
    const writer = new Writer();
    startup.encodeStartup(writer, [
      ['user', 'a'],
      ['user', 'b'],
    ]);
    const twice = writer.take();
    expect(() => startup.decodeStartup(twice, 0, twice.length)).toThrow(fault);
  });

  test('a text with a zero byte is never written', () => {
    expect(() => simple.encodeQuery(new Writer(), 'select 1\0; drop')).toThrow(Fault);
  });

  test('65,535 parameters are understood', () => {
    const writer = new Writer();
    extended.encodeBind(writer, {
      portal: '',
      statement: '',
      formats: [],
      parameters: Array.from({ length: 65_535 }, () => null),
      results: [],
    });
    const out = writer.take();
    expect(extended.decodeBind(out, 0, out.length).parameters).toHaveLength(65_535);
  });
});
