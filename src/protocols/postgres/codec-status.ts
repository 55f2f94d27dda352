// What a server says of itself: ParameterStatus, BackendKeyData, ReadyForQuery, NotificationResponse, and its
// acknowledgements without a body.
import { targetMessage, targetPeer } from './codec.ts';
import { Reader } from './codec-reader.ts';
import type { CancelKey } from './codec-startup.ts';
import type { Writer } from './codec-writer.ts';

const reader = new Reader(targetPeer);

export function decodeParameterStatus(
  buffer: Buffer,
  start: number,
  end: number,
): readonly [name: string, value: string] {
  reader.over(buffer, start, end);
  const name = reader.text();
  const value = reader.text();
  reader.done();
  return [name, value];
}

export function encodeParameterStatus(writer: Writer, name: string, value: string): void {
  writer.open(targetMessage.parameterStatus).text(name).text(value).close();
}

/** The secret is copied: it outlives the message. */
export function decodeBackendKeyData(buffer: Buffer, start: number, end: number): CancelKey {
  reader.over(buffer, start, end);
  const pid = reader.int32();
  if (reader.left < 4 || reader.left > 256) reader.fail('holds a cancel key that is not 4 to 256 bytes long');
  return { pid, secret: Buffer.from(reader.bytes(reader.left)) };
}

export function encodeBackendKeyData(writer: Writer, key: CancelKey): void {
  writer.open(targetMessage.backendKeyData).int32(key.pid).bytes(key.secret).close();
}

/** Idle, in a transaction, in a failed transaction. */
export type TransactionStatus = 'I' | 'T' | 'E';

export function decodeReadyForQuery(buffer: Buffer, start: number, end: number): TransactionStatus {
  reader.over(buffer, start, end);
  const status = reader.byte();
  reader.done();
  if (status === 0x49) return 'I';
  if (status === 0x54) return 'T';
  if (status === 0x45) return 'E';
  return reader.fail(`reports transaction status ${status}`);
}

export function encodeReadyForQuery(writer: Writer, status: TransactionStatus): void {
  writer.open(targetMessage.readyForQuery).byte(status.charCodeAt(0)).close();
}

export interface Notification {
  readonly pid: number;
  readonly channel: string;
  readonly payload: string;
}

export function decodeNotification(buffer: Buffer, start: number, end: number): Notification {
  reader.over(buffer, start, end);
  const pid = reader.int32();
  const channel = reader.text();
  const payload = reader.text();
  reader.done();
  return { pid, channel, payload };
}

export function encodeNotification(writer: Writer, notification: Notification): void {
  writer.open(targetMessage.notificationResponse).int32(notification.pid);
  writer.text(notification.channel).text(notification.payload).close();
}

/** A server's message without a body: ParseComplete, BindComplete, CloseComplete, NoData, EmptyQueryResponse, … */
export function encodeBare(writer: Writer, type: number): void {
  writer.open(type).close();
}
