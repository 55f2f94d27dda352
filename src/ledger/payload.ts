// Sealed payloads: salted commitments in the entry, AES-256-CTR ciphertext beside it (docs/ledger-format.md, "Payloads").
// Encrypt and commit: the ciphertext is authenticated by the frame chain, the plaintext by the commitments.
import { createCipheriv, createDecipheriv, hash } from 'node:crypto';
import type { Json, PayloadGroup } from '../domain/entry.ts';
import { canonical, freezeAll, quote } from './canonical.ts';
import type { Entry } from './entry.ts';
import { type Secrets, type SessionKey, secretsOf } from './session-key.ts';

/** Longest payload in bytes. */
export const payloadLimit = 16 * 1024 * 1024;

export type Payload = Partial<Record<PayloadGroup, Json>>;

/** A payload as it goes into the record: canonical text to seal, canonical text of the commitments. */
export interface Committed {
  readonly text: string;
  readonly commitments: string;
}

/** Bytes of key stream made at once. */
const streamAhead = 4096;
const zeros = Buffer.alloc(streamAhead);

const saltInput = (group: PayloadGroup) => Buffer.concat([Buffer.alloc(32 + 8), Buffer.from(group)]);
const saltInputs: Readonly<Record<PayloadGroup, Buffer>> = {
  who: saltInput('who'),
  what: saltInput('what'),
  target: saltInput('target'),
  result: saltInput('result'),
  approval: saltInput('approval'),
  admin: saltInput('admin'),
};

function saltOf(secrets: Secrets, index: number, group: PayloadGroup): string {
  const input = saltInputs[group];
  secrets.salt.copy(input);
  input.writeUInt32BE(Math.floor(index / 0x1_0000_0000), 32);
  input.writeUInt32BE(index >>> 0, 36);
  return hash('sha256', input, 'base64url');
}

/** The salt of one group of one entry: given away with the group's value, it discloses that value and nothing else. */
export function disclosingSalt(key: SessionKey, index: number, group: PayloadGroup): string {
  return saltOf(secretsOf(key), index, group);
}

/** Commitment to the canonical text of a group's value, base64url. */
export function commitmentOf(group: PayloadGroup, salt: string, value: string): string {
  return hash('sha256', `countersign-commit/v1\n${group}\n${salt}\n${value}`, 'base64url');
}

/** Commits to a payload for the entry that will stand at `index`; undefined when it holds nothing. */
export function commit(key: SessionKey, index: number, payload: Payload): Committed | undefined {
  const secrets = secretsOf(key);
  const groups = Object.keys(payload) as PayloadGroup[];
  if (groups.length > 1) groups.sort();
  let text = '';
  let commitments = '';
  for (const group of groups) {
    const value = payload[group];
    if (value === undefined) continue;
    const canon = canonical(value);
    const comma = text === '' ? '{' : ',';
    text += `${comma}${quote(group)}:${canon}`;
    commitments += `${comma}"${group}":"${commitmentOf(group, saltOf(secrets, index, group), canon)}"`;
  }
  return text === '' ? undefined : { text: `${text}}`, commitments: `${commitments}}` };
}

/** Position in the key's stream where the next payload will stand. */
export function sealPosition(key: SessionKey): number {
  return secretsOf(key).position;
}

/** Seals what stands in [start, end) of a buffer, in place. */
export function sealInPlace(key: SessionKey, buffer: Buffer, start: number, end: number): void {
  const secrets = secretsOf(key);
  secrets.stream ??= createCipheriv('aes-256-ctr', secrets.payload, Buffer.alloc(16));
  secrets.position += end - start;
  let at = start;
  while (at < end) {
    if (secrets.used === secrets.ahead.length) {
      if (end - at >= streamAhead) {
        // A long payload goes through the cipher itself, where the key stream continues.
        secrets.stream.update(buffer.subarray(at, end)).copy(buffer, at);
        return;
      }
      // One call for many statements: a call costs more than the bytes do.
      secrets.ahead = secrets.stream.update(zeros);
      secrets.used = 0;
    }
    const { ahead } = secrets;
    let used = secrets.used;
    const stop = Math.min(end, at + ahead.length - used);
    while (at < stop) buffer[at++]! ^= ahead[used++]!;
    secrets.used = used;
  }
}

/** Opens a sealed payload and checks every commitment of its entry; a string says what does not fit. */
export function unseal(
  key: SessionKey,
  entry: Entry,
  index: number,
  position: number,
  bytes: Buffer,
): Payload | string {
  const secrets = secretsOf(key);
  const text = opened(secrets, position, bytes);
  const commitments = entry.c ?? {};
  const group = soleGroup(text, commitments);
  if (group !== undefined) {
    // What hashes to the commitment is the very text that was committed to, so it need not be written anew.
    const value = text.slice(group.length + 4, -1);
    if (commitmentOf(group, saltOf(secrets, index, group), value) === commitments[group]) {
      const parsed = parseValue(value);
      return parsed === undefined ? 'does not open with its key' : { [group]: parsed };
    }
  }
  let payload: Payload;
  try {
    payload = JSON.parse(text);
  } catch {
    return 'does not open with its key';
  }
  const groups = Object.keys(payload) as PayloadGroup[];
  if (groups.length !== Object.keys(commitments).length) return 'does not hold the groups it committed to';
  for (const group of groups) {
    const expected = commitmentOf(group, saltOf(secrets, index, group), canonical(payload[group]!));
    if (commitments[group] !== expected) return `differs from its commitment in the group "${group}"`;
  }
  return payload;
}

/** The group of a payload that holds one, as the writer writes it: `{"<group>":<value>}`. */
function soleGroup(text: string, commitments: NonNullable<Entry['c']>): PayloadGroup | undefined {
  let sole: PayloadGroup | undefined;
  for (const group in commitments) {
    if (sole !== undefined) return undefined;
    sole = group as PayloadGroup;
  }
  return sole !== undefined && text.startsWith(`{"${sole}":`) && text.endsWith('}') ? sole : undefined;
}

const keptHeads = 512;
const longestKeptHead = 4096;
/** What stands before the text of a statement, by its own text: the effects of one meaning are always the same. */
let heads = new Map<string, { readonly [key: string]: Json }>();

/** Drops what is remembered of opened payloads: some of it was shredded. */
export function forgetPayloads(): void {
  heads = new Map();
}

/** JSON of a group's value. `text` is the last member of what a statement was, and most of what differs between two. */
function parseValue(value: string): Json | undefined {
  const at = value.lastIndexOf(',"text":"');
  try {
    if (at > 0 && at <= longestKeptHead) {
      const headText = value.slice(0, at);
      const tail = value.slice(at + 8, -1);
      let head = heads.get(headText);
      if (head === undefined) {
        // Both halves must stand by themselves, which only a member of the outermost object leaves them.
        head = freezeAll(JSON.parse(`${headText}}`) as { [key: string]: Json });
        if (heads.size >= keptHeads) heads = new Map();
        heads.set(headText, head);
      }
      return { ...head, text: tail.includes('\\') ? (JSON.parse(tail) as string) : plainText(tail) };
    }
  } catch {
    // Another shape: read as a whole.
  }
  try {
    return JSON.parse(value) as Json;
  } catch {
    return undefined;
  }
}

/** A JSON string without escapes; SyntaxError for anything else. */
function plainText(json: string): string {
  const text = json.slice(1, -1);
  if (json.length < 2 || !json.endsWith('"') || text.includes('"') || hasControl.test(text))
    throw new SyntaxError(json);
  return text;
}

// oxlint-disable-next-line no-control-regex -- what JSON must escape
const hasControl = /[\0-\x1f]/;

/** Bytes of key stream made at once for reading. */
const readAhead = 2048;
const readZeros = Buffer.alloc(readAhead);

/** The text of a sealed payload. The payloads of a key stand one behind the other, so one cipher stream opens them all. */
function opened(secrets: Secrets, position: number, bytes: Buffer): string {
  let reading = secrets.reading;
  if (reading === undefined || reading.position !== position) {
    const counter = Buffer.alloc(16);
    counter.writeBigUInt64BE(BigInt(Math.floor(position / 16)), 8);
    const stream = createDecipheriv('aes-256-ctr', secrets.payload, counter);
    stream.update(readZeros.subarray(0, position % 16));
    reading = secrets.reading = { stream, ahead: Buffer.alloc(0), used: 0, position };
  }
  const length = bytes.length;
  reading.position = position + length;
  if (length > plain.length) {
    const first = reading.ahead.length - reading.used;
    const start = Buffer.from(bytes.subarray(0, first));
    for (let i = 0; i < first; i++) start[i]! ^= reading.ahead[reading.used + i]!;
    reading.used = reading.ahead.length;
    return Buffer.concat([start, reading.stream.update(bytes.subarray(first))]).toString('utf8');
  }
  for (let at = 0; at < length; ) {
    if (reading.used === reading.ahead.length) {
      reading.ahead = reading.stream.update(readZeros);
      reading.used = 0;
    }
    const { ahead } = reading;
    let { used } = reading;
    const stop = Math.min(length, at + ahead.length - used);
    while (at < stop) plain[at] = bytes[at++]! ^ ahead[used++]!;
    reading.used = used;
  }
  return plain.toString('utf8', 0, length);
}

/** Opened bytes on their way to a text. */
const plain = Buffer.alloc(4096);
