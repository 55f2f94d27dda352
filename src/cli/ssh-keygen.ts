// Signing with the stock ssh-keygen: the private key, its passphrase and its touch stay with OpenSSH.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { Exit } from './output.ts';

/** Armoured signature of `message` by the key in `file`: a private key, or a public one whose private half the agent or the device has. */
export function sshSign(file: string, message: string, namespace: string): string {
  if (!existsSync(file)) throw new Exit(2, `${file} is not there. Name an SSH key, such as ~/.ssh/id_ed25519.`);
  const run = spawnSync('ssh-keygen', ['-Y', 'sign', '-q', '-f', file, '-n', namespace], {
    input: message,
    encoding: 'utf8',
    // Passphrases are asked for on the terminal itself; what it says goes where people read.
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  if (run.error) throw new Exit(3, 'ssh-keygen cannot be run. Install the OpenSSH client, 8.1 or later.');
  if (run.status !== 0) throw new Exit(1, 'ssh-keygen did not sign. Nothing was sent.');
  return run.stdout;
}

/** The line of the public key that belongs to `file`. */
export function sshPublicKey(file: string): string {
  const path = file.endsWith('.pub') ? file : `${file}.pub`;
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    throw new Exit(2, `${path} cannot be read. It holds the public key that belongs to ${file}.`);
  }
}
