// What an RFC 3161 response says, without judging who says it: the imprint and the time. Whose signature it carries is
// checked where there is cryptography for it (holders/timestamp.ts, `openssl ts -verify`).
import { type Bytes, hexOf, latin1 } from './platform.ts';

export interface TimestampToken {
  /** SHA-256 of what was stamped. */
  readonly imprint: Bytes;
  /** When, in milliseconds since the epoch. */
  readonly at: number;
}

interface Node {
  readonly tag: number;
  /** Where its content begins and ends. */
  readonly start: number;
  readonly end: number;
}

const [integer, octets, object, generalizedTime, sequence, explicit] = [0x02, 0x04, 0x06, 0x18, 0x30, 0xa0] as const;
const signedData = '2a864886f70d010702';
const tstInfo = '2a864886f70d0109100104';
const sha256Name = '608648016503040201';

/** Undefined for what is no granted response in DER with an imprint by SHA-256. */
export function readTimestamp(bytes: Bytes): TimestampToken | undefined {
  const within = (of: Node | undefined): Node[] => (of === undefined ? [] : (children(bytes, of.start, of.end) ?? []));
  const named = (of: Node | undefined, hex: string) =>
    of?.tag === object && hexOf(bytes.subarray(of.start, of.end)) === hex;
  const top = children(bytes, 0, bytes.length);
  if (top?.length !== 1 || top[0]!.tag !== sequence) return undefined;
  const [status, token] = within(top[0]);
  const [granted] = within(status);
  // 0 granted, 1 granted with changes.
  if (granted?.tag !== integer || granted.end - granted.start !== 1 || bytes[granted.start]! > 1) return undefined;
  const [contentType, content] = within(token);
  if (!named(contentType, signedData) || content?.tag !== explicit) return undefined;
  const encapsulated = within(within(content)[0])[2];
  const [innerType, inner] = within(encapsulated);
  if (!named(innerType, tstInfo) || inner?.tag !== explicit) return undefined;
  const [text] = within(inner);
  if (text?.tag !== octets) return undefined;
  const [, , imprint, , time] = within(within(text)[0]);
  const [algorithm, hashed] = within(imprint);
  if (!named(within(algorithm)[0], sha256Name) || hashed?.tag !== octets || hashed.end - hashed.start !== 32)
    return undefined;
  const at = time?.tag === generalizedTime ? timeOf(latin1(bytes, time.start, time.end)) : Number.NaN;
  return Number.isNaN(at) ? undefined : { imprint: bytes.subarray(hashed.start, hashed.end), at };
}

/** The elements that fill a range exactly; undefined when they do not. */
function children(bytes: Bytes, from: number, to: number): Node[] | undefined {
  const nodes: Node[] = [];
  for (let at = from; at < to; ) {
    const tag = bytes[at]!;
    let length = bytes[at + 1];
    let start = at + 2;
    if (length === undefined || (tag & 0x1f) === 0x1f) return undefined;
    if (length > 0x80) {
      const size = length - 0x80;
      if (size > 4 || start + size > to) return undefined;
      length = 0;
      for (let i = 0; i < size; i++) length = length * 256 + bytes[start + i]!;
      start += size;
    } else if (length === 0x80) {
      return undefined;
    }
    const end = start + length;
    if (end > to) return undefined;
    nodes.push({ tag, start, end });
    at = end;
  }
  return nodes;
}

/** GeneralizedTime as RFC 3161 allows it: to the second or finer, in UTC. */
function timeOf(text: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d{1,9})?Z$/.exec(text);
  if (!match) return Number.NaN;
  const [, year, month, day, hour, minute, second, fraction = ''] = match;
  const whole = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return whole + Math.floor(Number(`0${fraction}`) * 1000);
}
