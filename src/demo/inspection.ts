// What the story looks at on disk, as a stranger would: the ledger folder with the verifier, and every file with a search.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { verifyLedger } from '../ledger/verify-disk.ts';
import type { World } from './world.ts';

const here = dirname(fileURLToPath(import.meta.url));
const verifier = join(here, '..', 'bin', import.meta.url.endsWith('.ts') ? 'verify.ts' : 'verify.js');

const files = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());

const ledgerOf = (world: World) => join(world.folder, 'data', 'ledger');
const keyOf = (world: World) => readFileSync(join(world.folder, 'data', 'state', 'ledger.vkey'), 'utf8').trim();

/** Runs the verifier as a program of its own: nothing but the folder and the public key. */
export async function checkLedger(
  world: World,
): Promise<{ ok: boolean; words: string; counts: Record<string, number> }> {
  const child = spawn(process.execPath, [verifier, ledgerOf(world), '--key', keyOf(world), '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString('utf8');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8');
  });
  const code = await new Promise((done) => child.once('exit', done));
  const report = JSON.parse(out || '{}') as {
    ok?: boolean;
    size?: number;
    types?: Record<string, number>;
    failure?: unknown;
  };
  const ok = code === 0 && report.ok === true;
  return {
    ok,
    counts: report.types ?? {},
    words: ok ? `${report.size} entries verified` : `verification failed: ${JSON.stringify(report.failure ?? errors)}`,
  };
}

/** Flips one byte of a copy at a time: every byte of small files, a spread of the large ones. */
export async function checkFlippedBytes(world: World): Promise<{ tried: number; files: number; unnoticed: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-flip-'));
  try {
    const copy = join(folder, 'ledger');
    cpSync(ledgerOf(world), copy, { recursive: true });
    const key = keyOf(world);
    const unnoticed: string[] = [];
    const all = files(copy);
    let tried = 0;
    for (const path of all) {
      const bytes = readFileSync(path);
      const samples = Math.min(bytes.length, 12);
      for (let sample = 0; sample < samples; sample++) {
        const at = Math.floor((sample * (bytes.length - 1)) / Math.max(1, samples - 1));
        const changed = Buffer.from(bytes);
        changed[at]! ^= 0x01;
        writeFileSync(path, changed);
        tried++;
        if ((await verifyLedger(copy, key)).ok) unnoticed.push(`${path.slice(copy.length)} byte ${at}`);
      }
      writeFileSync(path, bytes);
    }
    if (!(await verifyLedger(copy, key)).ok) unnoticed.push('the restored copy does not verify');
    return { tried, files: all.length, unnoticed };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Looks for each value in clear, base64 and hex, in everything the gateway wrote. */
export async function findSecrets(
  world: World,
  secrets: readonly string[],
): Promise<{ files: number; bytes: number; where: string[] }> {
  const where: string[] = [];
  let bytes = 0;
  const all = files(join(world.folder, 'data'));
  for (const path of all) {
    const content = readFileSync(path).toString('latin1');
    bytes += content.length;
    for (const [index, secret] of secrets.entries()) {
      const shapes = [
        secret,
        Buffer.from(secret).toString('base64').replace(/=+$/, ''),
        Buffer.from(secret).toString('hex'),
      ];
      if (shapes.some((shape) => content.includes(shape)))
        where.push(`${path.slice(world.folder.length)}: value ${index}`);
    }
  }
  return { files: all.length, bytes, where };
}
