// Signatures of the stock ssh-keygen, and of hardware keys, whose form is made here and checked by ssh-keygen too.
import { generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { sshFolder } from '../../test/peers/ssh-keygen.ts';
import { parseSshKey, SshProblem } from './ssh-key.ts';
import { sshNamespace, verifySshSignature } from './ssh-signature.ts';

const ssh = sshFolder();
afterAll(() => ssh.remove());
const message = Buffer.from('{"answer":"grant","kind":"approval.vote"}');

const field = (bytes: Buffer | string) => {
  const body = Buffer.from(bytes);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
};
const armour = (blob: Buffer) =>
  `-----BEGIN SSH SIGNATURE-----\n${blob.toString('base64').replace(/(.{70})/g, '$1\n')}\n-----END SSH SIGNATURE-----\n`;

/** A hardware key in software: the same bytes as one of OpenSSH with a security key. */
function securityKey(kind: 'ed25519' | 'ecdsa', flags: number) {
  const { privateKey, publicKey } =
    kind === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = publicKey.export({ format: 'jwk' });
  const type = kind === 'ed25519' ? 'sk-ssh-ed25519@openssh.com' : 'sk-ecdsa-sha2-nistp256@openssh.com';
  const point =
    kind === 'ed25519'
      ? Buffer.from(jwk.x!, 'base64url')
      : Buffer.concat([Buffer.from([4]), Buffer.from(jwk.x!, 'base64url'), Buffer.from(jwk.y!, 'base64url')]);
  const blob = Buffer.concat([
    field(type),
    ...(kind === 'ecdsa' ? [field('nistp256')] : []),
    field(point),
    field('ssh:'),
  ]);
  return {
    publicKey: `${type} ${blob.toString('base64')} a security key`,
    sign(text: Uint8Array, namespace: string) {
      const signed = Buffer.concat([
        Buffer.from('SSHSIG'),
        ...[Buffer.from(namespace), Buffer.alloc(0), Buffer.from('sha512'), hash('sha512', text, 'buffer')].map(field),
      ]);
      const rest = Buffer.from([flags, 0, 0, 0, 7]);
      const to = Buffer.concat([hash('sha256', 'ssh:', 'buffer'), rest, hash('sha256', signed, 'buffer')]);
      const inner = Buffer.concat([field(type), field(rawSignature(kind, privateKey, to)), rest]);
      return armour(
        Buffer.concat([
          Buffer.from('SSHSIG'),
          Buffer.from([0, 0, 0, 1]),
          ...[blob, Buffer.from(namespace), Buffer.alloc(0), Buffer.from('sha512'), inner].map(field),
        ]),
      );
    },
  };
}

function rawSignature(kind: 'ed25519' | 'ecdsa', key: KeyObject, to: Buffer): Buffer {
  if (kind === 'ed25519') return sign(null, to, key);
  const both = sign('sha256', to, { key, dsaEncoding: 'ieee-p1363' });
  return Buffer.concat([both.subarray(0, 32), both.subarray(32)].map((part) => field(mpint(part))));
}

function mpint(bytes: Buffer): Buffer {
  let at = 0;
  while (at < bytes.length - 1 && bytes[at] === 0) at++;
  const short = bytes.subarray(at);
  return short[0]! > 127 ? Buffer.concat([Buffer.from([0]), short]) : short;
}

describe('ssh-keygen -Y sign', () => {
  test.for([
    ['ed25519', undefined],
    ['ecdsa', 256],
    ['ecdsa', 384],
    ['rsa', 2048],
  ] as const)('a signature of a key of type %s %s verifies, and of nothing else', ([type, bits]) => {
    const pair = ssh.pair(type, bits);
    for (const digest of ['sha256', 'sha512'] as const) {
      const signature = pair.sign(message, sshNamespace, digest);
      const { key, verified } = verifySshSignature(signature, message, sshNamespace);
      expect(key.fingerprint).toBe(parseSshKey(pair.publicKey).fingerprint);
      expect(verified).toBe(false);
      expect(() => verifySshSignature(signature, Buffer.concat([message, message]), sshNamespace)).toThrow(
        'not a signature of this text',
      );
    }
  });

  test('a signature for something else is none', () => {
    const signature = ssh.pair('ed25519').sign(message, 'git');
    expect(() => verifySshSignature(signature, message, sshNamespace)).toThrow('it was made for "git"');
  });

  test('every byte of it counts', () => {
    const whole = Buffer.from(
      ssh
        .pair('ed25519')
        .sign(message, sshNamespace)
        .replace(/-----[A-Z ]+-----|\s/g, ''),
      'base64',
    );
    verifySshSignature(armour(whole), message, sshNamespace);
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at]! ^= 1;
      expect(() => verifySshSignature(armour(changed), message, sshNamespace), `byte ${at}`).toThrow(SshProblem);
      expect(() => verifySshSignature(armour(whole.subarray(0, at)), message, sshNamespace)).toThrow(SshProblem);
    }
    for (const text of ['', 'hello', armour(Buffer.concat([whole, Buffer.from([0])]))])
      expect(() => verifySshSignature(text, message, sshNamespace)).toThrow(SshProblem);
  });
});

describe('hardware keys', () => {
  test.for(['ed25519', 'ecdsa'] as const)('%s: ssh-keygen and we agree; the flags say who was there', (kind) => {
    for (const [flags, verified] of [
      [0x01, false],
      [0x05, true],
    ] as const) {
      const key = securityKey(kind, flags);
      const signature = key.sign(message, sshNamespace);
      expect(ssh.verifies(key.publicKey, message, signature, sshNamespace)).toBe(true);
      expect(verifySshSignature(signature, message, sshNamespace).verified).toBe(verified);
    }
    const untouched = securityKey(kind, 0x04).sign(message, sshNamespace);
    expect(() => verifySshSignature(untouched, message, sshNamespace)).toThrow('was not touched');
  });
});

describe('public keys', () => {
  test.for([
    ['ssh-ed25519 AAAA', 'cut short'],
    ['ssh-dss AAAAB3NzaC1kc3MAAACBAA== x', 'cut short|not taken'],
    ['-----BEGIN OPENSSH PRIVATE KEY-----', 'private key'],
    ['hello', 'not an OpenSSH public key'],
  ])('%s is refused: %s', ([line, why]) => {
    expect(() => parseSshKey(line!)).toThrow(new RegExp(why!));
  });
  test('another type in front, two lines, and short RSA keys are refused', () => {
    const { publicKey } = ssh.pair('ed25519');
    expect(() => parseSshKey(publicKey.replace('ssh-ed25519', 'ssh-rsa'))).toThrow('it says ssh-rsa');
    expect(() => parseSshKey(publicKey + publicKey)).toThrow('one public key');
    expect(() => parseSshKey(ssh.pair('rsa', 1024).publicKey)).toThrow('2048 bits');
  });
});
