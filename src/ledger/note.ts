// Signed notes, verifier keys, checkpoints and cosignatures: c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature.
import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { sha256 } from './hash.ts';

const ed25519 = 0x01;
const cosignature = 0x04;

/** A verifier key: `<name>+<key id, hex>+<base64(type ‖ public key)>`. */
export interface NoteKey {
  readonly name: string;
  /** First four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key). */
  readonly id: Buffer;
  readonly type: number;
  readonly key: KeyObject;
}

export interface Note {
  /** The signed text, with its final newline. */
  readonly text: string;
  readonly signatures: readonly { readonly name: string; readonly id: Buffer; readonly signature: Buffer }[];
}

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
}

/** Why a note or a key was not accepted, in words. */
export class NoteError extends Error {}

/** Reads a verifier key; NoteError when it is malformed or of an unknown type. */
export function parseVkey(text: string): NoteKey {
  const match = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/u.exec(text.trim());
  if (!match) throw new NoteError('the verifier key is not of the form name+hash+key');
  const [, name, hex, encoded] = match as unknown as [string, string, string, string];
  const bytes = base64(encoded);
  if (!bytes || bytes.length !== 33) throw new NoteError('the verifier key does not hold an Ed25519 public key');
  const type = bytes[0]!;
  if (type !== ed25519 && type !== cosignature) throw new NoteError(`the verifier key has the unknown type ${type}`);
  const id = sha256(Buffer.concat([Buffer.from(`${name}\n`), bytes])).subarray(0, 4);
  if (id.toString('hex') !== hex) throw new NoteError('the verifier key does not match its own key id');
  const x = bytes.subarray(1).toString('base64url');
  return { name, id, type, key: createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }) };
}

/** Whether a key cosigns, and does not sign logs. */
export const isWitness = (key: NoteKey): boolean => key.type === cosignature;

/** Writes the verifier key of an Ed25519 public key: of a log that signs, or of a witness that cosigns. */
export function formatVkey(name: string, publicKey: KeyObject, role: 'log' | 'witness' = 'log'): string {
  if (!keyName(name)) throw new NoteError(`"${name}" cannot be a key name: no spaces, no plus sign`);
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x as string, 'base64url');
  const bytes = Buffer.concat([Buffer.from([role === 'log' ? ed25519 : cosignature]), raw]);
  const id = sha256(Buffer.concat([Buffer.from(`${name}\n`), bytes])).subarray(0, 4);
  return `${name}+${id.toString('hex')}+${bytes.toString('base64')}`;
}

/** Signs a text (which must end in a newline) with the private half of `vkey`. */
export function signNote(text: string, vkey: NoteKey, privateKey: KeyObject): string {
  if (!text.endsWith('\n')) throw new NoteError('a note ends in a newline');
  const signature = sign(null, Buffer.from(text), privateKey);
  return `${text}\n— ${vkey.name} ${Buffer.concat([vkey.id, signature]).toString('base64')}\n`;
}

/** The signature line with which a witness says that it has seen this checkpoint, and no other of its log before. */
export function cosign(text: string, vkey: NoteKey, privateKey: KeyObject, seconds: number): string {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(seconds));
  const signature = sign(null, cosigned(text, BigInt(seconds)), privateKey);
  return `— ${vkey.name} ${Buffer.concat([vkey.id, time, signature]).toString('base64')}\n`;
}

/** When a witness cosigned, in seconds since the epoch; its signature must have been checked by `openNote`. */
export function cosignedAt(note: string, witness: NoteKey): number | undefined {
  const line = parseNote(note).signatures.find(({ name, id }) => name === witness.name && id.equals(witness.id));
  return line?.signature.length === 72 ? Number(line.signature.readBigUInt64BE(0)) : undefined;
}

/** Splits a note into text and signatures without checking them; NoteError when it is malformed. */
export function parseNote(note: string): Note {
  // biome-ignore lint: control characters are what is looked for
  if (/[\u0000-\u0009\u000b-\u001f\ufffd]/.test(note)) throw new NoteError('the note holds control characters');
  const cut = note.lastIndexOf('\n\n');
  if (cut < 0 || !note.endsWith('\n')) throw new NoteError('the note has no signature block');
  const lines = note.slice(cut + 2, -1).split('\n');
  if (lines.length > 100) throw new NoteError('the note has too many signatures');
  const signatures = lines.map((line) => {
    const match = /^— (\S+) (\S+)$/u.exec(line);
    const bytes = match ? base64(match[2]!) : undefined;
    if (!match || !keyName(match[1]!) || !bytes || bytes.length < 5)
      throw new NoteError('a signature line is malformed');
    return { name: match[1]!, id: bytes.subarray(0, 4), signature: bytes.subarray(4) };
  });
  return { text: note.slice(0, cut + 1), signatures };
}

/**
 * Checks every signature by a known key and returns the note's text with the names that signed. Unknown keys are
 * passed over; a known key whose signature fails, or no known key at all, is a NoteError.
 */
export function openNote(note: string, known: readonly NoteKey[]): { text: string; signers: string[] } {
  const { text, signatures } = parseNote(note);
  const signers: string[] = [];
  for (const { name, id, signature } of signatures) {
    const key = known.find((k) => k.name === name && k.id.equals(id));
    if (!key) continue;
    if (!signed(text, key, signature)) throw new NoteError(`the signature by ${name} does not match the text`);
    signers.push(name);
  }
  if (signers.length === 0) throw new NoteError('no signature by a known key');
  return { text, signers };
}

function signed(text: string, key: NoteKey, signature: Buffer): boolean {
  if (key.type === ed25519) return signature.length === 64 && verify(null, Buffer.from(text), key.key, signature);
  // Timestamped cosignature: u64 seconds, then a signature over the time and the whole text.
  if (signature.length !== 72) return false;
  return verify(null, cosigned(text, signature.readBigUInt64BE(0)), key.key, signature.subarray(8));
}

function cosigned(text: string, seconds: bigint): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`);
}

/** The text of a checkpoint. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${root.toString('base64')}\n`;
}

/** Reads the text of a checkpoint; extension lines are allowed and not interpreted. */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n');
  if (lines.length < 4 || lines.at(-1) !== '' || lines.slice(0, -1).includes('')) {
    throw new NoteError('the checkpoint has fewer than three lines');
  }
  const [origin, digits, encoded] = lines as [string, string, string];
  const size = Number(digits);
  if (!/^(0|[1-9]\d*)$/.test(digits) || !Number.isSafeInteger(size)) {
    throw new NoteError('the tree size of the checkpoint is not a number');
  }
  const root = base64(encoded);
  if (root?.length !== 32) throw new NoteError('the root of the checkpoint is not a SHA-256 hash');
  return { origin, size, root };
}

function keyName(name: string): boolean {
  return name.length > 0 && !/[\s+]/u.test(name);
}

/** Standard base64 with padding, and nothing else: one text for each value. */
function base64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
