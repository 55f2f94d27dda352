// The key of hashes and tokens: made once, so that the same value has the same one as long as the state folder lives.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export function deploymentKey(state: string): Buffer {
  const path = join(state, 'mask.key');
  mkdirSync(state, { recursive: true, mode: 0o700 });
  if (!existsSync(path)) writeFileSync(path, randomBytes(32), { mode: 0o600, flag: 'wx' });
  return readFileSync(path);
}
