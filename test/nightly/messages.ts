// Every kind of PostgreSQL message with the functions that read and write it, and what must hold for any bytes at all.
import { isDeepStrictEqual } from 'node:util';
import { Fault } from '../../src/domain/fault.ts';
import { clientMessage, clientPeer, targetMessage, targetPeer } from '../../src/protocols/postgres/codec.ts';
import * as authentication from '../../src/protocols/postgres/codec-authentication.ts';
import * as copy from '../../src/protocols/postgres/codec-copy.ts';
import * as extended from '../../src/protocols/postgres/codec-extended.ts';
import { found, Framer } from '../../src/protocols/postgres/codec-framer.ts';
import * as report from '../../src/protocols/postgres/codec-report.ts';
import * as rows from '../../src/protocols/postgres/codec-rows.ts';
import * as simple from '../../src/protocols/postgres/codec-simple.ts';
import * as startup from '../../src/protocols/postgres/codec-startup.ts';
import * as status from '../../src/protocols/postgres/codec-status.ts';
import { Writer } from '../../src/protocols/postgres/codec-writer.ts';

type Decode = (buffer: Buffer, start: number, end: number) => unknown;
type Encode = (writer: Writer, message: never) => unknown;

/** `encode` is absent where the gateway never writes such a message. */
interface Form {
  readonly decode: Decode;
  readonly encode?: Encode;
}

export type Side = 'client' | 'target' | 'start';

const empty = (type: number): Form => ({
  decode: simple.decodeEmpty,
  encode: (writer) => status.encodeBare(writer, type),
});
const cells: Form = {
  decode(buffer, start, end) {
    const reader = new rows.Cells();
    return Array.from({ length: reader.read(buffer, start, end) }, (_, index) => {
      const [offset, length] = [reader.offsets[index] as number, reader.lengths[index] as number];
      return length < 0 ? null : Buffer.from(buffer.subarray(offset, offset + length));
    });
  },
  encode: rows.encodeDataRow,
};
const copied: Form = {
  decode: (buffer, start, end) => Buffer.from(buffer.subarray(start + copy.copyHeader, end)),
  encode: copy.encodeCopyData,
};
const answered = (type: 'in' | 'out'): Form => ({
  decode: copy.decodeCopyResponse,
  encode: (writer, message) => copy.encodeCopyResponse(writer, type, message),
});
const reported = (type: 'error' | 'notice'): Form => ({
  decode: report.decodeReport,
  encode: (writer, message) => report.encodeReport(writer, type, message),
});

const started: Form = {
  decode: startup.decodeStartup,
  encode(writer, packet: startup.StartupPacket) {
    if (packet.kind === 'startup') startup.encodeStartup(writer, packet.parameters, packet.minor);
    else if (packet.kind === 'cancel') startup.encodeCancelRequest(writer, packet.key);
    else if (packet.kind === 'ssl') startup.encodeSslRequest(writer);
    else startup.encodeGssRequest(writer);
  },
};

/** By kind, as the files of the corpus are named; a message may be read in more than one way. */
export const forms: Readonly<Record<Side, Readonly<Record<string, readonly Form[]>>>> = {
  client: {
    bind: [{ decode: extended.decodeBind, encode: extended.encodeBind }],
    close: [{ decode: extended.decodeNamed, encode: extended.encodeClose }],
    copyData: [copied],
    copyDone: [empty(clientMessage.copyDone)],
    copyFail: [{ decode: copy.decodeCopyFail, encode: copy.encodeCopyFail }],
    describe: [{ decode: extended.decodeNamed, encode: extended.encodeDescribe }],
    execute: [{ decode: extended.decodeExecute, encode: extended.encodeExecute }],
    flush: [empty(clientMessage.flush)],
    functionCall: [{ decode: simple.decodeFunctionCall, encode: simple.encodeFunctionCall }],
    parse: [{ decode: extended.decodeParse, encode: extended.encodeParse }],
    password: [
      { decode: authentication.decodePassword, encode: authentication.encodePassword },
      { decode: authentication.decodeSaslInitial, encode: authentication.encodeSaslInitial },
      { decode: authentication.decodeSaslResponse, encode: authentication.encodeSaslResponse },
    ],
    query: [{ decode: simple.decodeQuery, encode: simple.encodeQuery }],
    sync: [empty(clientMessage.sync)],
    terminate: [empty(clientMessage.terminate)],
  } satisfies Record<keyof typeof clientMessage, Form[]>,
  target: {
    authentication: [{ decode: authentication.decodeAuthentication, encode: authentication.encodeAuthentication }],
    backendKeyData: [{ decode: status.decodeBackendKeyData, encode: status.encodeBackendKeyData }],
    bindComplete: [empty(targetMessage.bindComplete)],
    closeComplete: [empty(targetMessage.closeComplete)],
    commandComplete: [{ decode: rows.decodeCommandComplete, encode: rows.encodeCommandComplete }],
    copyBothResponse: [answered('out')],
    copyData: [copied],
    copyDone: [empty(targetMessage.copyDone)],
    copyInResponse: [answered('in')],
    copyOutResponse: [answered('out')],
    dataRow: [cells],
    emptyQueryResponse: [empty(targetMessage.emptyQueryResponse)],
    errorResponse: [reported('error')],
    functionCallResponse: [{ decode: simple.decodeFunctionCallResponse, encode: simple.encodeFunctionCallResponse }],
    negotiateProtocolVersion: [{ decode: startup.decodeNegotiation, encode: startup.encodeNegotiation }],
    noData: [empty(targetMessage.noData)],
    noticeResponse: [reported('notice')],
    notificationResponse: [{ decode: status.decodeNotification, encode: status.encodeNotification }],
    parameterDescription: [{ decode: rows.decodeParameterDescription, encode: rows.encodeParameterDescription }],
    parameterStatus: [
      {
        decode: status.decodeParameterStatus,
        encode: (writer, [name, value]: readonly [string, string]) => status.encodeParameterStatus(writer, name, value),
      },
    ],
    parseComplete: [empty(targetMessage.parseComplete)],
    portalSuspended: [empty(targetMessage.portalSuspended)],
    readyForQuery: [{ decode: status.decodeReadyForQuery, encode: status.encodeReadyForQuery }],
    rowDescription: [{ decode: rows.decodeRowDescription, encode: rows.encodeRowDescription }],
  } satisfies Record<keyof typeof targetMessage, Form[]>,
  start: { startup: [started], ssl: [started], gss: [started], cancel: [started] },
};

const byType: Readonly<Record<Side, ReadonlyMap<number, readonly Form[]>>> = {
  client: new Map(Object.entries(clientMessage).map(([name, type]) => [type, forms.client[name]!])),
  target: new Map(Object.entries(targetMessage).map(([name, type]) => [type, forms.target[name]!])),
  start: new Map([[0, [started]]]),
};

const all = [...new Set(Object.values(forms).flatMap((side) => Object.values(side).flat()))];

/** What is wrong with reading a stream of one side, cut as `chunks`; `undefined` when it gave messages or a Fault. */
export function framed(side: Side, chunks: readonly Buffer[], decodes: boolean): string | undefined {
  const framer = new Framer({ peer: side === 'target' ? targetPeer : clientPeer, startup: side === 'start' });
  let came = 0;
  let given = 0;
  try {
    for (const chunk of chunks) {
      came += chunk.length;
      framer.push(chunk);
      for (let kind = framer.next(); kind !== found.nothing; kind = framer.next()) {
        const { type, buffer, start: from, end } = framer;
        given += end - from;
        if (kind !== found.message) return `a piece (${kind}) that nobody asked for`;
        for (const form of decodes ? byType[side].get(type)! : []) {
          const wrong = decoded(form, buffer, from, end);
          if (wrong !== undefined) return wrong;
        }
      }
      if (given + framer.pending !== came) return `${came} bytes came, ${given} were given and ${framer.pending} wait`;
    }
  } catch (error) {
    return error instanceof Fault ? undefined : told(error);
  }
  return undefined;
}

/** The message at hand, read in every way there is: a stream may announce one type and hold another. */
export function decodedAsAnything(bytes: Buffer): string | undefined {
  for (const form of all) {
    const wrong = decoded(form, bytes, 0, bytes.length);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** Reads one message; what could be read must be the same again after it was written and read anew. */
function decoded(form: Form, buffer: Buffer, from: number, end: number): string | undefined {
  let message: unknown;
  try {
    message = form.decode(buffer, from, end);
  } catch (error) {
    return error instanceof Fault ? undefined : told(error);
  }
  if (form.encode === undefined) return undefined;
  try {
    const writer = new Writer(16);
    form.encode(writer, message as never);
    const written = writer.take();
    const again = form.decode(written, 0, written.length);
    return isDeepStrictEqual(again, message) ? undefined : 'what was read is another when it is written and read again';
  } catch (error) {
    return `what was read cannot be written: ${told(error)}`;
  }
}

export function told(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}\n${error.stack}` : String(error);
}
