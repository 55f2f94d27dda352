// The packets before a session has types: SSLRequest, GSSENCRequest, CancelRequest, StartupMessage; and the answer to
// a version or option that is not known (manual, "Message Formats"; protocol 3.2 made cancel keys 4 to 256 bytes long).
import { Fault } from '../../domain/fault.ts';
import { clientPeer, targetMessage, targetPeer } from './codec.ts';
import { Reader } from './codec-reader.ts';
import type { Writer } from './codec-writer.ts';

const sslRequest = 80877103;
const gssRequest = 80877104;
const cancelRequest = 80877102;

/** Identifies a running session to a cancel request. */
export interface CancelKey {
  readonly pid: number;
  /** 4 bytes under protocol 3.0, up to 256 under 3.2. */
  readonly secret: Buffer;
}

export interface Startup {
  readonly kind: 'startup';
  /** Minor version of protocol 3 that the client asks for. */
  readonly minor: number;
  /** In the order sent; `_pq_.` options included. */
  readonly parameters: ReadonlyMap<string, string>;
}

export type StartupPacket =
  | Startup
  | { readonly kind: 'ssl' }
  | { readonly kind: 'gss' }
  | { readonly kind: 'cancel'; readonly key: CancelKey };

const fromClient = new Reader(clientPeer);
const fromTarget = new Reader(targetPeer);

/** Decodes one untyped packet in `buffer[start, end)`, length field included. Throws Fault client.protocol. */
export function decodeStartup(buffer: Buffer, start: number, end: number): StartupPacket {
  const reader = fromClient.over(buffer, start, end, 4);
  const code = reader.int32();
  switch (code) {
    case sslRequest:
      reader.done();
      return { kind: 'ssl' };
    case gssRequest:
      reader.done();
      return { kind: 'gss' };
    case cancelRequest: {
      const pid = reader.int32();
      if (reader.left < 4 || reader.left > 256) reader.fail('holds a cancel key that is not 4 to 256 bytes long');
      return { kind: 'cancel', key: { pid, secret: Buffer.from(reader.bytes(reader.left)) } };
    }
  }
  if (code >>> 16 !== 3) {
    throw new Fault(
      'client.protocol',
      `Protocol version ${code >>> 16}.${code & 0xffff} is not spoken; use version 3.`,
    );
  }
  const parameters = new Map<string, string>();
  for (let name = reader.text(); name !== ''; name = reader.text()) {
    // The server takes the last of two; a name that is given twice is more likely an attempt to be read in two ways.
    if (parameters.has(name)) reader.fail('names a start-up parameter twice');
    parameters.set(name, reader.text());
  }
  reader.done();
  return { kind: 'startup', minor: code & 0xffff, parameters };
}

export function encodeStartup(writer: Writer, parameters: Iterable<readonly [string, string]>, minor = 0): void {
  writer.open(0).int32((3 << 16) | minor);
  for (const [name, value] of parameters) writer.text(name).text(value);
  writer.byte(0).close();
}

export function encodeSslRequest(writer: Writer): void {
  writer.open(0).int32(sslRequest).close();
}

export function encodeGssRequest(writer: Writer): void {
  writer.open(0).int32(gssRequest).close();
}

export function encodeCancelRequest(writer: Writer, key: CancelKey): void {
  writer.open(0).int32(cancelRequest).int32(key.pid).bytes(key.secret).close();
}

/** What the server speaks instead of what was asked for. */
export interface Negotiation {
  /** Newest minor version of protocol 3 that is spoken; decoded from a full version number or a bare minor. */
  readonly minor: number;
  readonly unknown: readonly string[];
}

export function decodeNegotiation(buffer: Buffer, start: number, end: number): Negotiation {
  const reader = fromTarget.over(buffer, start, end);
  const version = reader.int32();
  const count = reader.int32();
  if (count < 0 || count > reader.left) reader.fail(`announces ${count} options and is too short for them`);
  const unknown: string[] = [];
  for (let index = 0; index < count; index++) unknown.push(reader.text());
  reader.done();
  return { minor: version & 0xffff, unknown };
}

export function encodeNegotiation(writer: Writer, negotiation: Negotiation): void {
  // The manual says "minor version"; servers and libpq send the whole version number.
  writer.open(targetMessage.negotiateProtocolVersion).int32((3 << 16) | negotiation.minor);
  writer.int32(negotiation.unknown.length);
  for (const name of negotiation.unknown) writer.text(name);
  writer.close();
}
