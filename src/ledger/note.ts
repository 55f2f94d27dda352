// Signed notes, verifier keys, checkpoints and cosignatures: c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature.
import { writeUint64 } from './big-endian.ts';
import { sha256 } from './hash.ts';
import {
  allocate,
  base64Of,
  type Bytes,
  concat,
  fromBase64,
  hexOf,
  isEqual,
  type PrivateKey,
  type PublicKey,
  publicKeyOf,
  rawPublicKey,
  signEd25519,
  utf8,
  verifyEd25519,
} from './platform.ts';

const ed25519 = 0x01;
const cosignature = 0x04;

/** A verifier key: `<name>+<key id, hex>+<base64(type ‖ public key)>`. */
export interface NoteKey {
  readonly name: string;
  /** First four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key). */
  readonly id: Bytes;
  readonly type: number;
  readonly key: PublicKey;
}

export interface Note {
  /** The signed text, with its final newline. */
  readonly text: string;
  readonly signatures: readonly { readonly name: string; readonly id: Bytes; readonly signature: Bytes }[];
}

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Bytes;
}

/** Why a note or a key was not accepted, in words. */
export class NoteError extends Error {}

/** Reads a verifier key; NoteError when it is malformed or of an unknown type. */
export function parseVkey(text: string): NoteKey {
  const match = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/u.exec(text.trim());
  if (!match) throw new NoteError('the verifier key is not of the form name+hash+key');
  const [, name, hex, encoded] = match as unknown as [string, string, string, string];
  const bytes = fromBase64(encoded);
  if (!bytes || bytes.length !== 33) throw new NoteError('the verifier key does not hold an Ed25519 public key');
  const type = bytes[0]!;
  if (type !== ed25519 && type !== cosignature) throw new NoteError(`the verifier key has the unknown type ${type}`);
  const id = keyId(name, bytes);
  if (hexOf(id) !== hex) throw new NoteError('the verifier key does not match its own key id');
  return { name, id, type, key: publicKeyOf(bytes.subarray(1)) };
}

/** Whether a key cosigns, and does not sign logs. */
export const isWitness = (key: NoteKey): boolean => key.type === cosignature;

/** Writes the verifier key of an Ed25519 public key: of a log that signs, or of a witness that cosigns. */
export function formatVkey(name: string, publicKey: PublicKey, role: 'log' | 'witness' = 'log'): string {
  if (!keyName(name)) throw new NoteError(`"${name}" cannot be a key name: no spaces, no plus sign`);
  const bytes = concat([Uint8Array.of(role === 'log' ? ed25519 : cosignature), rawPublicKey(publicKey)]);
  const id = keyId(name, bytes);
  return `${name}+${hexOf(id)}+${base64Of(bytes)}`;
}

/** Signs a text (which must end in a newline) with the private half of `vkey`. */
export function signNote(text: string, vkey: NoteKey, privateKey: PrivateKey): string {
  if (!text.endsWith('\n')) throw new NoteError('a note ends in a newline');
  const signature = signEd25519(privateKey, utf8(text));
  return `${text}\n— ${vkey.name} ${base64Of(concat([vkey.id, signature]))}\n`;
}

/** The signature line with which a witness says that it has seen this checkpoint, and no other of its log before. */
export function cosign(text: string, vkey: NoteKey, privateKey: PrivateKey, seconds: number): string {
  const time = allocate(8);
  writeUint64(time, seconds, 0);
  const signature = signEd25519(privateKey, cosigned(text, BigInt(seconds)));
  return `— ${vkey.name} ${base64Of(concat([vkey.id, time, signature]))}\n`;
}

/** When a witness cosigned, in seconds since the epoch; its signature must have been checked by `openNote`. */
export function cosignedAt(note: string, witness: NoteKey): number | undefined {
  const line = parseNote(note).signatures.find(({ name, id }) => name === witness.name && isEqual(id, witness.id));
  return line?.signature.length === 72 ? Number(timeOf(line.signature)) : undefined;
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
    const bytes = match ? fromBase64(match[2]!) : undefined;
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
    const key = known.find((k) => k.name === name && isEqual(k.id, id));
    if (!key) continue;
    if (!signed(text, key, signature)) throw new NoteError(`the signature by ${name} does not match the text`);
    signers.push(name);
  }
  if (signers.length === 0) throw new NoteError('no signature by a known key');
  return { text, signers };
}

function signed(text: string, key: NoteKey, signature: Bytes): boolean {
  if (key.type === ed25519) return signature.length === 64 && verifyEd25519(key.key, utf8(text), signature);
  // Timestamped cosignature: u64 seconds, then a signature over the time and the whole text.
  if (signature.length !== 72) return false;
  return verifyEd25519(key.key, cosigned(text, timeOf(signature)), signature.subarray(8));
}

function cosigned(text: string, seconds: bigint): Bytes {
  return utf8(`cosignature/v1\ntime ${seconds}\n${text}`);
}

/** Seconds since the epoch that stand before the signature of a witness: a u64, to the last bit. */
function timeOf(signature: Bytes): bigint {
  return BigInt(`0x${hexOf(signature.subarray(0, 8))}`);
}

/** The text of a checkpoint. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${base64Of(root)}\n`;
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
  const root = fromBase64(encoded);
  if (root?.length !== 32) throw new NoteError('the root of the checkpoint is not a SHA-256 hash');
  return { origin, size, root };
}

function keyName(name: string): boolean {
  return name.length > 0 && !/[\s+]/u.test(name);
}

/** `bytes` is the type and the public key. */
function keyId(name: string, bytes: Bytes): Bytes {
  return sha256(concat([utf8(`${name}\n`), bytes])).subarray(0, 4);
}
