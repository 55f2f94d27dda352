import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { verifies } from '../../test/requirements.ts';
import { describeSecret, secret } from './secret.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-secret-'));
  writeFileSync(join(folder, 'password'), '  hunter two\n');
  writeFileSync(join(folder, 'empty'), ' \n');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('secret', () => {
  test('comes from a file without its surrounding white space, from the environment, or as given', async () => {
    vi.stubEnv('COUNTERSIGN_TEST_SECRET', 'from the environment');
    expect(await secret({ file: join(folder, 'password') })).toBe('hunter two');
    expect(await secret({ env: 'COUNTERSIGN_TEST_SECRET' })).toBe('from the environment');
    expect(await secret({ value: 'given' })).toBe('given');
    vi.unstubAllEnvs();
  });

  test('where there is none, the error names the reference and says what to do', async () => {
    await expect(secret({ env: 'COUNTERSIGN_NOT_SET' })).rejects.toThrow(/COUNTERSIGN_NOT_SET is empty: set it/);
    await expect(secret({ file: join(folder, 'missing') })).rejects.toThrow(/missing cannot be read \(ENOENT\)/);
    await expect(secret({ file: join(folder, 'empty') })).rejects.toThrow(/is empty: write it into the file/);
  });

  test(verifies('never-raw-at-rest', 'a reference in words never holds the value'), () => {
    expect(describeSecret({ value: 'hunter two' })).not.toContain('hunter');
  });
});
