// Signatures that `ssh-keygen -Y sign` makes (OpenSSH PROTOCOL.sshsig, PROTOCOL.u2f). Pure.
import { hash, type KeyObject, verify } from 'node:crypto';
import { number, readSshKey, type SshKey, SshProblem, sshReader } from './ssh-key.ts';

/** What the signature is for: a signature made for something else is none here (`ssh-keygen -Y sign -n`). */
export const sshNamespace = 'countersign-approval';

export interface SshSigned {
  readonly key: SshKey;
  /** The hardware key checked who was there (PIN or finger): `verify-required`. */
  readonly verified: boolean;
}

const armour = /^-----BEGIN SSH SIGNATURE-----\s+([A-Za-z0-9+/=\s]+)-----END SSH SIGNATURE-----\s*$/;
const longest = 16_384;

/** Verifies an armoured signature over a message and says whose it is. Throws SshProblem. */
export function verifySshSignature(armoured: string, message: Uint8Array, namespace: string): SshSigned {
  const base64 = armoured.length <= longest ? armour.exec(armoured)?.[1] : undefined;
  if (base64 === undefined) throw new SshProblem('it is not a signature of ssh-keygen -Y sign');
  const reader = sshReader(Buffer.from(base64, 'base64'));
  if (reader.take(6).toString('latin1') !== 'SSHSIG' || reader.take(4).readUInt32BE() !== 1)
    throw new SshProblem('it is not a signature of version 1');
  const key = readSshKey(reader.bytes());
  const signedFor = reader.text();
  if (signedFor !== namespace)
    throw new SshProblem(`it was made for "${signedFor.slice(0, 60)}"; sign with -n ${namespace}`);
  const reserved = reader.bytes();
  const digest = reader.text();
  if (digest !== 'sha256' && digest !== 'sha512') throw new SshProblem('its hash is neither sha256 nor sha512');
  const signature = reader.bytes();
  reader.end();
  const signed = Buffer.concat([
    Buffer.from('SSHSIG'),
    ...[Buffer.from(namespace), reserved, Buffer.from(digest), hash(digest, message, 'buffer')].map(field),
  ]);
  return { key, verified: verifyBlob(key, signed, signature) };
}

/** Throws when the signature is not of this key; else whether the key checked who was there. */
function verifyBlob(key: SshKey, signed: Buffer, blob: Buffer): boolean {
  const reader = sshReader(blob);
  const algorithm = reader.text();
  const signature = reader.bytes();
  const hardware = key.application !== undefined;
  const flags = hardware ? reader.take(1) : undefined;
  const counter = hardware ? reader.take(4) : undefined;
  reader.end();
  const message =
    flags && counter
      ? Buffer.concat([hash('sha256', key.application!, 'buffer'), flags, counter, hash('sha256', signed, 'buffer')])
      : signed;
  if (!verifies(key, algorithm, message, signature)) throw new SshProblem('it is not a signature of this text');
  // The key must have been touched; without that nobody was there.
  if (flags && (flags[0]! & touched) === 0) throw new SshProblem('the hardware key was not touched');
  return flags !== undefined && (flags[0]! & checked) !== 0;
}

const touched = 0x01;
const checked = 0x04;

function verifies({ type, key }: SshKey, algorithm: string, message: Buffer, signature: Buffer): boolean {
  switch (type) {
    case 'ssh-ed25519':
    case 'sk-ssh-ed25519@openssh.com':
      return algorithm === type && signature.length === 64 && verify(null, message, key, signature);
    case 'ecdsa-sha2-nistp256':
    case 'sk-ecdsa-sha2-nistp256@openssh.com':
      return algorithm === type && verifyEcdsa(key, 'sha256', 32, message, signature);
    case 'ecdsa-sha2-nistp384':
      return algorithm === type && verifyEcdsa(key, 'sha384', 48, message, signature);
    case 'ssh-rsa': {
      // Never `ssh-rsa`, which is SHA-1 (RFC 8332).
      const digest = { 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512' }[algorithm];
      return digest !== undefined && verify(digest, message, key, signature);
    }
  }
}

/** RFC 5656 §3.1.2: two mpints. */
function verifyEcdsa(key: KeyObject, digest: string, size: number, message: Buffer, blob: Buffer): boolean {
  const reader = sshReader(blob);
  const parts = [number(reader.bytes()), number(reader.bytes())];
  reader.end();
  if (parts.some((part) => part.length > size)) return false;
  const padded = parts.map((part) => Buffer.concat([Buffer.alloc(size - part.length), part]));
  return verify(digest, message, { key, dsaEncoding: 'ieee-p1363' }, Buffer.concat(padded));
}

function field(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
