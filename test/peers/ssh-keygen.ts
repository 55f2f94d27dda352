// The stock ssh-keygen: makes keys, signs and verifies as an approver or an auditor would.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SshPair {
  /** Line of the .pub file. */
  readonly publicKey: string;
  /** Path of the private key. */
  readonly file: string;
  /** Armoured signature. */
  sign(message: string | Uint8Array, namespace: string, digest?: 'sha256' | 'sha512'): string;
}

/** A folder for keys; `remove` takes it away. */
export function sshFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'ssh-'));
  let made = 0;
  return {
    pair(type: 'ed25519' | 'ecdsa' | 'rsa', bits?: number): SshPair {
      const file = join(folder, `key${made++}`);
      execFileSync(
        'ssh-keygen',
        ['-q', '-t', type, ...(bits ? ['-b', String(bits)] : []), '-N', '', '-C', 'a key', '-f', file],
        { stdio: 'pipe' },
      );
      return {
        file,
        publicKey: readFileSync(`${file}.pub`, 'utf8'),
        sign: (message, namespace, digest = 'sha512') =>
          execFileSync('ssh-keygen', ['-Y', 'sign', '-q', '-f', file, '-n', namespace, '-O', `hashalg=${digest}`], {
            input: message,
            stdio: 'pipe',
          }).toString(),
      };
    },
    /** Whether ssh-keygen takes the signature of this key. */
    verifies(publicKey: string, message: Uint8Array, signature: string, namespace: string): boolean {
      const allowed = join(folder, `allowed${made++}`);
      writeFileSync(allowed, `approver namespaces="${namespace}" ${publicKey.trim()}\n`);
      writeFileSync(`${allowed}.sig`, signature);
      const args = ['-Y', 'verify', '-f', allowed, '-I', 'approver', '-n', namespace, '-s', `${allowed}.sig`];
      return spawnSync('ssh-keygen', args, { input: message }).status === 0;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
