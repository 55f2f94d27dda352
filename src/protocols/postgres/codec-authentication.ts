// Authentication requests of a server and the answers of a client (manual, "Message Formats": Authentication*, SASL*).
import { clientMessage, clientPeer, targetMessage, targetPeer } from './codec.ts';
import { Reader } from './codec-reader.ts';
import type { Writer } from './codec-writer.ts';

const fromClient = new Reader(clientPeer);
const fromTarget = new Reader(targetPeer);

export type Authentication =
  | { readonly kind: 'ok' }
  | { readonly kind: 'cleartext' }
  | { readonly kind: 'md5'; readonly salt: Buffer }
  | { readonly kind: 'sasl'; readonly mechanisms: readonly string[] }
  | { readonly kind: 'sasl-continue'; readonly data: Buffer }
  | { readonly kind: 'sasl-final'; readonly data: Buffer }
  /** GSSAPI, SSPI, Kerberos and whatever comes next. */
  | { readonly kind: 'other'; readonly code: number };

const codes = { ok: 0, cleartext: 3, md5: 5, sasl: 10, 'sasl-continue': 11, 'sasl-final': 12 } as const;

/** Decodes AuthenticationRequest; what it holds is copied. */
export function decodeAuthentication(buffer: Buffer, start: number, end: number): Authentication {
  const reader = fromTarget.over(buffer, start, end);
  const code = reader.int32();
  switch (code) {
    case codes.ok:
      reader.done();
      return { kind: 'ok' };
    case codes.cleartext:
      reader.done();
      return { kind: 'cleartext' };
    case codes.md5: {
      const salt = Buffer.from(reader.bytes(4));
      reader.done();
      return { kind: 'md5', salt };
    }
    case codes.sasl: {
      const mechanisms: string[] = [];
      for (let name = reader.text(); name !== ''; name = reader.text()) mechanisms.push(name);
      reader.done();
      return { kind: 'sasl', mechanisms };
    }
    case codes['sasl-continue']:
      return { kind: 'sasl-continue', data: Buffer.from(reader.bytes(reader.left)) };
    case codes['sasl-final']:
      return { kind: 'sasl-final', data: Buffer.from(reader.bytes(reader.left)) };
    default:
      return { kind: 'other', code };
  }
}

export function encodeAuthentication(writer: Writer, request: Authentication): void {
  writer.open(targetMessage.authentication).int32(request.kind === 'other' ? request.code : codes[request.kind]);
  if (request.kind === 'md5') writer.bytes(request.salt);
  else if (request.kind === 'sasl') {
    for (const name of request.mechanisms) writer.text(name);
    writer.byte(0);
  } else if (request.kind === 'sasl-continue' || request.kind === 'sasl-final') writer.bytes(request.data);
  writer.close();
}

/** The secret of a PasswordMessage: a password, or a token in its place. */
export function decodePassword(buffer: Buffer, start: number, end: number): string {
  fromClient.over(buffer, start, end);
  const password = fromClient.text();
  fromClient.done();
  return password;
}

export function encodePassword(writer: Writer, password: string): void {
  writer.open(clientMessage.password).text(password).close();
}

export interface SaslInitial {
  readonly mechanism: string;
  /** `null` when the client sent none. Copied. */
  readonly data: Buffer | null;
}

export function decodeSaslInitial(buffer: Buffer, start: number, end: number): SaslInitial {
  fromClient.over(buffer, start, end);
  const mechanism = fromClient.text();
  const length = fromClient.length();
  const data = length < 0 ? null : Buffer.from(fromClient.bytes(length));
  fromClient.done();
  return { mechanism, data };
}

export function encodeSaslInitial(writer: Writer, initial: SaslInitial): void {
  writer.open(clientMessage.password).text(initial.mechanism).value(initial.data).close();
}

/** All of a SASLResponse is the mechanism's data. Copied. */
export function decodeSaslResponse(buffer: Buffer, start: number, end: number): Buffer {
  fromClient.over(buffer, start, end);
  return Buffer.from(fromClient.bytes(fromClient.left));
}

export function encodeSaslResponse(writer: Writer, data: Uint8Array): void {
  writer.open(clientMessage.password).bytes(data).close();
}
