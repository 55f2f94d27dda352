// PostgreSQL message types as numbers, and the limits of a peer (protocol 3.0 and 3.2; manual, "Message Formats").
import type { FaultCode } from '../../domain/fault.ts';

/** First byte of a message sent by a client. `password` also carries SASLInitialResponse and SASLResponse. */
export const clientMessage = {
  bind: 0x42,
  close: 0x43,
  copyData: 0x64,
  copyDone: 0x63,
  copyFail: 0x66,
  describe: 0x44,
  execute: 0x45,
  flush: 0x48,
  functionCall: 0x46,
  parse: 0x50,
  password: 0x70,
  query: 0x51,
  sync: 0x53,
  terminate: 0x58,
} as const;

/** First byte of a message sent by a server. */
export const targetMessage = {
  authentication: 0x52,
  backendKeyData: 0x4b,
  bindComplete: 0x32,
  closeComplete: 0x33,
  commandComplete: 0x43,
  copyBothResponse: 0x57,
  copyData: 0x64,
  copyDone: 0x63,
  copyInResponse: 0x47,
  copyOutResponse: 0x48,
  dataRow: 0x44,
  emptyQueryResponse: 0x49,
  errorResponse: 0x45,
  functionCallResponse: 0x56,
  negotiateProtocolVersion: 0x76,
  noData: 0x6e,
  noticeResponse: 0x4e,
  notificationResponse: 0x41,
  parameterDescription: 0x74,
  parameterStatus: 0x53,
  parseComplete: 0x31,
  portalSuspended: 0x73,
  readyForQuery: 0x5a,
  rowDescription: 0x54,
} as const;

/** Longest message that the protocol allows: a field of 1 GiB − 1 and its frame do not get through a server either. */
export const largestMessage = 0x3fff_ffff;
/** Longest start-up packet that a server takes; before sign-in nothing larger is read. */
export const largestStartup = 10_000;

/** What a peer may send. */
export interface Peer {
  /** Code of the fault thrown for what does not fit. */
  readonly fault: Extract<FaultCode, 'client.protocol' | 'target.protocol'>;
  /** For people: whose message it was. */
  readonly name: string;
  readonly types: ReadonlySet<number>;
}

export const clientPeer: Peer = {
  fault: 'client.protocol',
  name: 'client',
  types: new Set(Object.values(clientMessage)),
};
export const targetPeer: Peer = {
  fault: 'target.protocol',
  name: 'target',
  types: new Set(Object.values(targetMessage)),
};
