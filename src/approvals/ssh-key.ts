// Public keys of OpenSSH as they stand in a .pub file (RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4, OpenSSH PROTOCOL.u2f). Pure.
import { createPublicKey, hash, type KeyObject } from 'node:crypto';

export type SshKeyType =
  | 'ssh-ed25519'
  | 'ecdsa-sha2-nistp256'
  | 'ecdsa-sha2-nistp384'
  | 'ssh-rsa'
  | 'sk-ssh-ed25519@openssh.com'
  | 'sk-ecdsa-sha2-nistp256@openssh.com';

export interface SshKey {
  readonly type: SshKeyType;
  /** The key as OpenSSH encodes it; the same in every signature. */
  readonly blob: Buffer;
  readonly key: KeyObject;
  /** What a hardware key signs with each time, such as `ssh:`. */
  readonly application?: string;
  /** `SHA256:` and base64 without padding, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
}

/** Why a key or a signature is not one. */
export class SshProblem extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SshProblem';
  }
}

const shortestRsa = 2048;

/** Reads one line: type, base64, comment. Throws SshProblem. */
export function parseSshKey(line: string): SshKey & { readonly comment: string } {
  const [type = '', base64 = '', ...comment] = line.trim().split(/[ \t]+/);
  if (line.trim().includes('\n')) throw new SshProblem('there is more than one line; give one public key');
  if (line.includes('PRIVATE KEY')) throw new SshProblem('this is a private key; give the file that ends in .pub');
  const blob = Buffer.from(base64, 'base64');
  if (blob.length === 0 || blob.toString('base64').replace(/=+$/, '') !== base64.replace(/=+$/, ''))
    throw new SshProblem('it is not an OpenSSH public key: type, base64 and a comment on one line');
  const key = readSshKey(blob);
  if (key.type !== type) throw new SshProblem(`it says ${type} and holds ${key.type}`);
  return { ...key, comment: comment.join(' ') };
}

/** Reads the encoded key. Throws SshProblem. */
export function readSshKey(blob: Buffer): SshKey {
  const reader = sshReader(blob);
  const type = reader.text() as SshKeyType;
  const { key, application } = keyOf(type, reader);
  reader.end();
  const fingerprint = `SHA256:${hash('sha256', blob, 'base64').replace(/=+$/, '')}`;
  return { type, blob, key, fingerprint, ...(application === undefined ? {} : { application }) };
}

function keyOf(type: SshKeyType, reader: SshReader): { key: KeyObject; application?: string } {
  switch (type) {
    case 'ssh-ed25519':
      return { key: ed25519(reader.bytes()) };
    case 'sk-ssh-ed25519@openssh.com':
      return { key: ed25519(reader.bytes()), application: reader.text() };
    case 'ecdsa-sha2-nistp256':
    case 'ecdsa-sha2-nistp384':
      return { key: ecdsa(type.slice(11), reader) };
    case 'sk-ecdsa-sha2-nistp256@openssh.com':
      return { key: ecdsa('nistp256', reader), application: reader.text() };
    case 'ssh-rsa': {
      const e = number(reader.bytes());
      const n = number(reader.bytes());
      if (n.length * 8 < shortestRsa) throw new SshProblem(`an RSA key needs ${shortestRsa} bits or more`);
      return { key: fromJwk({ kty: 'RSA', e: e.toString('base64url'), n: n.toString('base64url') }) };
    }
    default:
      throw new SshProblem(
        `keys of type ${String(type).slice(0, 40)} are not taken; use ed25519, ecdsa, rsa, or a hardware key (-sk)`,
      );
  }
}

function ed25519(point: Buffer): KeyObject {
  return fromJwk({ kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') });
}

function ecdsa(curve: string, reader: SshReader): KeyObject {
  const of = { nistp256: { crv: 'P-256', size: 32 }, nistp384: { crv: 'P-384', size: 48 } }[curve];
  if (reader.text() !== curve || !of) throw new SshProblem('the key is of another curve than its type says');
  const point = reader.bytes();
  if (point.length !== 1 + 2 * of.size || point[0] !== 4) throw new SshProblem('the point of the key is malformed');
  const [x, y] = [point.subarray(1, 1 + of.size), point.subarray(1 + of.size)];
  return fromJwk({ kty: 'EC', crv: of.crv, x: x.toString('base64url'), y: y.toString('base64url') });
}

function fromJwk(key: Record<string, string>): KeyObject {
  try {
    return createPublicKey({ format: 'jwk', key });
  } catch {
    throw new SshProblem('the key is malformed');
  }
}

/** An mpint (RFC 4251 §5) that is positive, without its leading zero. */
export function number(bytes: Buffer): Buffer {
  if (bytes.length === 0 || bytes[0]! > 127) throw new SshProblem('a number is not positive');
  return bytes[0] === 0 ? bytes.subarray(1) : bytes;
}

export type SshReader = ReturnType<typeof sshReader>;

/** Reads the fields of RFC 4251 §5. Throws SshProblem where a field is cut short. */
export function sshReader(buffer: Buffer) {
  let at = 0;
  const take = (length: number) => {
    if (at + length > buffer.length) throw new SshProblem('it is cut short');
    at += length;
    return buffer.subarray(at - length, at);
  };
  const bytes = () => take(take(4).readUInt32BE());
  return {
    take,
    bytes,
    text: () => bytes().toString('latin1'),
    end() {
      if (at !== buffer.length) throw new SshProblem('there is more behind its end');
    },
  };
}
