// Every message of the protocol with what makes it, writes it and reads it: codec.test.ts holds each of them to the same laws. A message
// that is added to the codec and not here fails there.
import fc from 'fast-check';
import { type clientMessage, targetMessage } from './codec.ts';
import * as authentication from './codec-authentication.ts';
import * as copy from './codec-copy.ts';
import * as extended from './codec-extended.ts';
import * as report from './codec-report.ts';
import * as rows from './codec-rows.ts';
import * as simple from './codec-simple.ts';
import * as startup from './codec-startup.ts';
import * as status from './codec-status.ts';
import type { Writer } from './codec-writer.ts';

export type Decode = (buffer: Buffer, start: number, end: number) => unknown;

export interface Law {
  /** As the manual names it. */
  readonly title: string;
  readonly arbitrary: fc.Arbitrary<unknown>;
  readonly encode: (writer: Writer, message: never) => unknown;
  readonly decode: Decode;
  /** False where only a part of what was written is read. */
  readonly whole?: false;
}

export type Laws = readonly [Law, ...Law[]];
export type Side = 'client' | 'target' | 'start';

const law = <T>(
  title: string,
  arbitrary: fc.Arbitrary<T>,
  encode: (writer: Writer, message: T) => unknown,
  decode: Decode,
): Law => ({ title, arbitrary, encode, decode });

const text = fc.string({ unit: 'binary', maxLength: 40 }).filter((value) => !value.includes('\0'));
const name = text.filter((value) => value !== '');
const bytes = fc.uint8Array({ maxLength: 90 }).map((value) => Buffer.from(value));
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const int16 = fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 });
const oid = fc.nat(0xffff_ffff);
const format = fc.constantFrom<0 | 1>(0, 1);
const value = fc.option(bytes, { nil: null });
const nothing = fc.constant(undefined);
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
const call = fc.array(value, { maxLength: 5 }).chain((values) =>
  fc.record({
    routine: oid,
    formats: fc.oneof(
      fc.constant([]),
      fc.array(format, { minLength: 1, maxLength: 1 }),
      fc.array(format, { minLength: values.length, maxLength: values.length }),
    ),
    values: fc.constant(values),
    result: format,
  }),
);
const field = fc.record({ name: text, table: oid, attribute: int16, type: oid, size: int16, modifier: int32, format });
const fields = fc
  .array(fc.tuple(fc.constantFrom(...'SVCMDHPpqWstcdnFLR'), text), { maxLength: 8 })
  .map((list) => new Map(list));
const copied = fc.record({ format, columns: fc.array(format, { maxLength: 6 }) });
const requests: fc.Arbitrary<authentication.Authentication> = fc.oneof(
  fc.record({ kind: fc.constantFrom<'ok' | 'cleartext'>('ok', 'cleartext') }),
  fc.record({
    kind: fc.constant<'md5'>('md5'),
    salt: fc.uint8Array({ minLength: 4, maxLength: 4 }).map((salt) => Buffer.from(salt)),
  }),
  fc.record({ kind: fc.constant<'sasl'>('sasl'), mechanisms: fc.array(name, { maxLength: 3 }) }),
  fc.record({ kind: fc.constantFrom<'sasl-continue' | 'sasl-final'>('sasl-continue', 'sasl-final'), data: bytes }),
  fc.record({ kind: fc.constant<'other'>('other'), code: fc.constantFrom(2, 7, 8, 9, 99) }),
);

const cells: Decode = (buffer, start, end) => {
  const reader = new rows.Cells();
  return Array.from({ length: reader.read(buffer, start, end) }, (_, index) => {
    const [offset, length] = [reader.offsets[index] as number, reader.lengths[index] as number];
    return length < 0 ? null : Buffer.from(buffer.subarray(offset, offset + length));
  });
};
const data: Decode = (buffer, start, end) => Buffer.from(buffer.subarray(start + copy.copyHeader, end));
const bare = (title: string, type: number): Laws => [
  law(title, nothing, (writer) => status.encodeBare(writer, type), simple.decodeEmpty),
];
const reported = (title: string, kind: 'error' | 'notice'): Laws => [
  law(title, fields, (writer, message) => report.encodeReport(writer, kind, message), report.decodeReport),
];

/** A message that the gateway refuses whole is read and never written, so it is written here. */
function encodeCopyBoth(writer: Writer, response: copy.CopyResponse): void {
  writer.open(targetMessage.copyBothResponse).byte(response.format).int16(response.columns.length);
  for (const column of response.columns) writer.int16(column);
  writer.close();
}

const client: Readonly<Record<keyof typeof clientMessage, Laws>> = {
  bind: [law('Bind', bind, extended.encodeBind, extended.decodeBind)],
  close: [law('Close', named, extended.encodeClose, extended.decodeNamed)],
  copyData: [law('CopyData of a client', bytes, copy.encodeCopyData, data)],
  copyDone: [law('CopyDone of a client', nothing, copy.encodeCopyDone, simple.decodeEmpty)],
  copyFail: [law('CopyFail', text, copy.encodeCopyFail, copy.decodeCopyFail)],
  describe: [law('Describe', named, extended.encodeDescribe, extended.decodeNamed)],
  execute: [law('Execute', fc.record({ portal: text, limit: int32 }), extended.encodeExecute, extended.decodeExecute)],
  flush: [law('Flush', nothing, simple.encodeFlush, simple.decodeEmpty)],
  functionCall: [law('FunctionCall', call, simple.encodeFunctionCall, simple.decodeFunctionCall)],
  parse: [
    law(
      'Parse',
      fc.record({ name: text, text, types: fc.array(oid, { maxLength: 5 }) }),
      extended.encodeParse,
      extended.decodeParse,
    ),
  ],
  password: [
    law('PasswordMessage', text, authentication.encodePassword, authentication.decodePassword),
    law(
      'SASLInitialResponse',
      fc.record({ mechanism: text, data: value }),
      authentication.encodeSaslInitial,
      authentication.decodeSaslInitial,
    ),
    law('SASLResponse', bytes, authentication.encodeSaslResponse, authentication.decodeSaslResponse),
  ],
  query: [law('Query', text, simple.encodeQuery, simple.decodeQuery)],
  sync: [law('Sync', nothing, simple.encodeSync, simple.decodeEmpty)],
  terminate: [law('Terminate', nothing, simple.encodeTerminate, simple.decodeEmpty)],
};

const target: Readonly<Record<keyof typeof targetMessage, Laws>> = {
  authentication: [
    law('AuthenticationRequest', requests, authentication.encodeAuthentication, authentication.decodeAuthentication),
  ],
  backendKeyData: [law('BackendKeyData', key, status.encodeBackendKeyData, status.decodeBackendKeyData)],
  bindComplete: bare('BindComplete', targetMessage.bindComplete),
  closeComplete: bare('CloseComplete', targetMessage.closeComplete),
  commandComplete: [law('CommandComplete', text, rows.encodeCommandComplete, rows.decodeCommandComplete)],
  copyBothResponse: [law('CopyBothResponse', copied, encodeCopyBoth, copy.decodeCopyResponse)],
  copyData: [law('CopyData of a target', bytes, copy.encodeCopyData, data)],
  copyDone: bare('CopyDone of a target', targetMessage.copyDone),
  copyInResponse: [
    law(
      'CopyInResponse',
      copied,
      (writer, message) => copy.encodeCopyResponse(writer, 'in', message),
      copy.decodeCopyResponse,
    ),
  ],
  copyOutResponse: [
    law(
      'CopyOutResponse',
      copied,
      (writer, message) => copy.encodeCopyResponse(writer, 'out', message),
      copy.decodeCopyResponse,
    ),
  ],
  dataRow: [law('DataRow', fc.array(value, { maxLength: 50 }), rows.encodeDataRow, cells)],
  emptyQueryResponse: bare('EmptyQueryResponse', targetMessage.emptyQueryResponse),
  errorResponse: reported('ErrorResponse', 'error'),
  functionCallResponse: [
    law('FunctionCallResponse', value, simple.encodeFunctionCallResponse, simple.decodeFunctionCallResponse),
  ],
  negotiateProtocolVersion: [
    law(
      'NegotiateProtocolVersion',
      fc.record({ minor: fc.nat(9), unknown: fc.array(text, { maxLength: 4 }) }),
      startup.encodeNegotiation,
      startup.decodeNegotiation,
    ),
  ],
  noData: bare('NoData', targetMessage.noData),
  noticeResponse: reported('NoticeResponse', 'notice'),
  notificationResponse: [
    law(
      'NotificationResponse',
      fc.record({ pid: int32, channel: text, payload: text }),
      status.encodeNotification,
      status.decodeNotification,
    ),
  ],
  parameterDescription: [
    law(
      'ParameterDescription',
      fc.array(oid, { maxLength: 5 }),
      rows.encodeParameterDescription,
      rows.decodeParameterDescription,
    ),
  ],
  parameterStatus: [
    law(
      'ParameterStatus',
      fc.tuple(text, text),
      (writer, [one, two]) => status.encodeParameterStatus(writer, one, two),
      status.decodeParameterStatus,
    ),
  ],
  parseComplete: bare('ParseComplete', targetMessage.parseComplete),
  portalSuspended: bare('PortalSuspended', targetMessage.portalSuspended),
  readyForQuery: [
    law(
      'ReadyForQuery',
      fc.constantFrom<status.TransactionStatus>('I', 'T', 'E'),
      status.encodeReadyForQuery,
      status.decodeReadyForQuery,
    ),
  ],
  rowDescription: [
    law('RowDescription', fc.array(field, { maxLength: 5 }), rows.encodeRowDescription, rows.decodeRowDescription),
  ],
};

const start: Readonly<Record<startup.StartupPacket['kind'], Laws>> = {
  ssl: [law('SSLRequest', fc.constant({ kind: 'ssl' }), startup.encodeSslRequest, startup.decodeStartup)],
  gss: [law('GSSENCRequest', fc.constant({ kind: 'gss' }), startup.encodeGssRequest, startup.decodeStartup)],
  cancel: [
    law(
      'CancelRequest',
      key.map((one) => ({ kind: 'cancel' as const, key: one })),
      (writer, packet) => startup.encodeCancelRequest(writer, packet.key),
      startup.decodeStartup,
    ),
  ],
  startup: [
    law(
      'StartupMessage',
      fc.record({
        kind: fc.constant<'startup'>('startup'),
        minor: fc.nat(3),
        parameters: fc.array(fc.tuple(name, text), { maxLength: 5 }).map((list) => new Map(list)),
      }),
      (writer, packet) => startup.encodeStartup(writer, packet.parameters, packet.minor),
      startup.decodeStartup,
    ),
  ],
};

export const laws: Readonly<Record<Side, Readonly<Record<string, Laws>>>> = { client, target, start };
