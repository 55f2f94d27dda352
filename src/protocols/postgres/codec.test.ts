import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../../test/requirements.ts';
import { Fault } from '../../domain/fault.ts';
import * as authentication from './codec-authentication.ts';
import * as copy from './codec-copy.ts';
import * as extended from './codec-extended.ts';
import * as report from './codec-report.ts';
import * as rows from './codec-rows.ts';
import * as simple from './codec-simple.ts';
import * as startup from './codec-startup.ts';
import * as status from './codec-status.ts';
import { Writer } from './codec-writer.ts';

const text = fc.string({ unit: 'binary', maxLength: 40 }).filter((value) => !value.includes('\0'));
const name = text.filter((value) => value !== '');
const bytes = fc.uint8Array({ maxLength: 90 }).map((value) => Buffer.from(value));
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const int16 = fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 });
const oid = fc.nat(0xffff_ffff);
const format = fc.constantFrom<0 | 1>(0, 1);
const value = fc.option(bytes, { nil: null });
const key = fc.record({
  pid: int32,
  secret: fc.uint8Array({ minLength: 4, maxLength: 256 }).map((secret) => Buffer.from(secret)),
});
const named = fc.record({ of: fc.constantFrom<'statement' | 'portal'>('statement', 'portal'), name: text });
const bind = fc.array(value, { maxLength: 6 }).chain((parameters) =>
  fc.record({
    portal: text,
    statement: text,
    formats: fc.oneof(
      fc.constant([]),
      fc.array(format, { minLength: 1, maxLength: 1 }),
      fc.array(format, { minLength: parameters.length, maxLength: parameters.length }),
    ),
    parameters: fc.constant(parameters),
    results: fc.array(format, { maxLength: 5 }),
  }),
);
const field = fc.record({ name: text, table: oid, attribute: int16, type: oid, size: int16, modifier: int32, format });
const reportFields = fc
  .array(fc.tuple(fc.constantFrom(...'SVCMDHPpqWstcdnFLR'), text), { maxLength: 8 })
  .map((list) => new Map(list));

type Decode = (buffer: Buffer, start: number, end: number) => unknown;

interface Group {
  readonly name: string;
  readonly arbitrary: fc.Arbitrary<unknown>;
  readonly encode: (writer: Writer, message: never) => void;
  readonly decode: Decode;
}

function group<T>(
  title: string,
  arbitrary: fc.Arbitrary<T>,
  encode: (writer: Writer, message: T) => void,
  decode: (buffer: Buffer, start: number, end: number) => T,
): Group {
  return { name: title, arbitrary, encode, decode };
}

const cells: Decode = (buffer, start, end) => {
  const reader = new rows.Cells();
  const list: (Buffer | null)[] = [];
  for (let index = 0, count = reader.read(buffer, start, end); index < count; index++) {
    const [offset, length] = [reader.offsets[index] as number, reader.lengths[index] as number];
    list.push(length < 0 ? null : Buffer.from(buffer.subarray(offset, offset + length)));
  }
  return list;
};

const groups: Group[] = [
  group(
    'Parse',
    fc.record({ name: text, text, types: fc.array(oid, { maxLength: 5 }) }),
    extended.encodeParse,
    extended.decodeParse,
  ),
  group('Bind', bind, extended.encodeBind, extended.decodeBind),
  group('Describe', named, extended.encodeDescribe, extended.decodeNamed),
  group('Close', named, extended.encodeClose, extended.decodeNamed),
  group('Execute', fc.record({ portal: text, limit: int32 }), extended.encodeExecute, extended.decodeExecute),
  group('Query', text, simple.encodeQuery, simple.decodeQuery),
  group('Sync', fc.constant(undefined), simple.encodeSync, simple.decodeEmpty),
  group('Flush', fc.constant(undefined), simple.encodeFlush, simple.decodeEmpty),
  group('Terminate', fc.constant(undefined), simple.encodeTerminate, simple.decodeEmpty),
  group('CopyFail', text, copy.encodeCopyFail, copy.decodeCopyFail),
  group(
    'CopyResponse',
    fc.record({ format, columns: fc.array(format, { maxLength: 6 }) }),
    (writer, message) => copy.encodeCopyResponse(writer, 'out', message),
    copy.decodeCopyResponse,
  ),
  group('RowDescription', fc.array(field, { maxLength: 5 }), rows.encodeRowDescription, (buffer, start, end) => [
    ...rows.decodeRowDescription(buffer, start, end),
  ]),
  group(
    'ParameterDescription',
    fc.array(oid, { maxLength: 5 }),
    rows.encodeParameterDescription,
    (buffer, start, end) => [...rows.decodeParameterDescription(buffer, start, end)],
  ),
  group(
    'DataRow',
    fc.array(value, { maxLength: 50 }),
    rows.encodeDataRow,
    cells as (buffer: Buffer, start: number, end: number) => (Buffer | null)[],
  ),
  group('CommandComplete', text, rows.encodeCommandComplete, rows.decodeCommandComplete),
  group(
    'ErrorResponse',
    reportFields,
    (writer, message) => report.encodeReport(writer, 'error', message),
    (buffer, start, end) => new Map(report.decodeReport(buffer, start, end)),
  ),
  group(
    'NoticeResponse',
    reportFields,
    (writer, message) => report.encodeReport(writer, 'notice', message),
    (buffer, start, end) => new Map(report.decodeReport(buffer, start, end)),
  ),
  group(
    'ParameterStatus',
    fc.tuple(text, text),
    (writer, [one, two]) => status.encodeParameterStatus(writer, one, two),
    (buffer, start, end) => [...status.decodeParameterStatus(buffer, start, end)] as [string, string],
  ),
  group('BackendKeyData', key, status.encodeBackendKeyData, status.decodeBackendKeyData),
  group(
    'ReadyForQuery',
    fc.constantFrom<status.TransactionStatus>('I', 'T', 'E'),
    status.encodeReadyForQuery,
    status.decodeReadyForQuery,
  ),
  group(
    'NotificationResponse',
    fc.record({ pid: int32, channel: text, payload: text }),
    status.encodeNotification,
    status.decodeNotification,
  ),
  group(
    'NegotiateProtocolVersion',
    fc.record({ minor: fc.nat(9), unknown: fc.array(text, { maxLength: 4 }) }),
    startup.encodeNegotiation,
    startup.decodeNegotiation,
  ),
  group('PasswordMessage', text, authentication.encodePassword, authentication.decodePassword),
  group(
    'SASLInitialResponse',
    fc.record({ mechanism: text, data: value }),
    authentication.encodeSaslInitial,
    authentication.decodeSaslInitial,
  ),
  group('SASLResponse', bytes, authentication.encodeSaslResponse, authentication.decodeSaslResponse),
  group(
    'AuthenticationRequest',
    fc.oneof(
      fc.record({ kind: fc.constantFrom<'ok' | 'cleartext'>('ok', 'cleartext') }),
      fc.record({
        kind: fc.constant<'md5'>('md5'),
        salt: fc.uint8Array({ minLength: 4, maxLength: 4 }).map((salt) => Buffer.from(salt)),
      }),
      fc.record({ kind: fc.constant<'sasl'>('sasl'), mechanisms: fc.array(name, { maxLength: 3 }) }),
      fc.record({ kind: fc.constantFrom<'sasl-continue' | 'sasl-final'>('sasl-continue', 'sasl-final'), data: bytes }),
      fc.record({ kind: fc.constant<'other'>('other'), code: fc.constantFrom(2, 7, 8, 9, 99) }),
    ) as fc.Arbitrary<authentication.Authentication>,
    authentication.encodeAuthentication,
    authentication.decodeAuthentication,
  ),
  group(
    'CancelRequest',
    key.map((one) => ({ kind: 'cancel' as const, key: one })) as fc.Arbitrary<startup.StartupPacket>,
    (writer, packet) => packet.kind === 'cancel' && startup.encodeCancelRequest(writer, packet.key),
    startup.decodeStartup,
  ),
  group(
    'StartupMessage',
    fc.record({
      kind: fc.constant<'startup'>('startup'),
      minor: fc.nat(3),
      parameters: fc.array(fc.tuple(name, text), { maxLength: 5 }).map((list) => new Map(list)),
    }) as fc.Arbitrary<startup.StartupPacket>,
    (writer, packet) => packet.kind === 'startup' && startup.encodeStartup(writer, packet.parameters, packet.minor),
    startup.decodeStartup,
  ),
];

/** Decodes with bytes around the message, so that a read outside of it would see something. */
function decodeInside(decode: Decode, message: Buffer): unknown {
  const around = Buffer.concat([Buffer.alloc(7, 0xee), message, Buffer.alloc(9, 0x00)]);
  return decode(around, 7, 7 + message.length);
}

describe.each(groups)('$name', ({ name: title, arbitrary, encode, decode }) => {
  const written = arbitrary.map((message) => {
    const writer = new Writer(8);
    encode(writer, message as never);
    return { message, bytes: writer.take() };
  });

  test('decode∘encode is identity, and the length field is right', () => {
    fc.assert(
      fc.property(written, ({ message, bytes: out }) => {
        const untyped = title === 'CancelRequest' || title === 'StartupMessage';
        expect(out.readInt32BE(untyped ? 0 : 1)).toBe(untyped ? out.length : out.length - 1);
        expect(decodeInside(decode, out)).toEqual(message);
      }),
      { numRuns: 100 },
    );
  });

  test(verifies('understood-or-refused', `${title}: mutated and cut bytes give a message or a fault`), () => {
    fc.assert(
      fc.property(
        written,
        fc.nat(400),
        fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 }),
        ({ bytes: out }, cut, changes) => {
          const bad = Buffer.from(out.subarray(0, out.length - (cut % (out.length + 1))));
          for (const [at, to] of changes) if (bad.length > 0) bad[at % bad.length] = to;
          try {
            decodeInside(decode, bad);
          } catch (error) {
            expect(error).toBeInstanceOf(Fault);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test(verifies('bounded', `${title}: −1, 0, 3, 2³¹−1 and −2³¹ at every place where a length may stand`), () => {
    for (const { bytes: out } of fc.sample(written, { numRuns: 20, seed: 7 })) {
      for (let at = 4; at + 4 <= out.length; at++) {
        for (const length of [-1, 0, 3, 2 ** 31 - 1, -(2 ** 31)]) {
          const bad = Buffer.from(out);
          bad.writeInt32BE(length, at);
          try {
            decodeInside(decode, bad);
          } catch (error) {
            expect(error).toBeInstanceOf(Fault);
          }
        }
      }
    }
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
