// Every file of the published vectors is played by a test, or is none: a file that nobody plays shows here.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { vectors } from './folder.ts';

/** Files by pattern: how many there are, and which test reads them. */
const played: readonly (readonly [RegExp, number, string])[] = [
  [/^cctv-ed25519\/ed25519\/ed25519vectors\.json$/, 1, 'ed25519'],
  [/^jcs\/testdata\/(input|output)\/\w+\.json$/, 12, 'jcs'],
  [/^jcs\/testdata\/outhex\/\w+\.txt$/, 6, 'jcs'],
  [/^merkle\/testdata\/inclusion\/.*\.json$/, 98, 'merkle'],
  [/^merkle\/testdata\/consistency\/.*\.json$/, 98, 'merkle'],
  [/^postgres-regress\/[\w.]+\.sql$/, 219, 'sql-regress'],
  [/^signed-note\/sum\.golang\.org\.(checkpoint|vkey)$/, 2, 'note'],
  [/^sunlight-witness\/witness2?\/witness\.v0\.json$/, 2, 'note'],
  [/^sunlight-witness\/witness2?\/[0-9a-f]{64}\/checkpoint$/, 2, 'note'],
  [/^sunlight-witness\/witness\/checkpoint$/, 1, 'note'],
  [/^tessera\/testdata\/log\/checkpoint(\.\d+)?$/, 17, 'tessera'],
  [/^tessera\/testdata\/log\/tile\/(0|entries)\/000\.p\/\d+$/, 30, 'tessera'],
  [/^tessera\/testdata\/log\/\.state\/treeState$/, 1, 'tessera'],
  [/^webauthn\/vectors\.json$/, 1, 'webauthn'],
];

/** Licences, and what Tessera's own process left behind. */
const noVector = /(^|\/)(README\.md|LICENSE|COPYRIGHT)$|^tessera\/testdata\/log\/\.state\/(version|\w+\.lock)$/;

const folder = vectors();
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => statSync(join(folder, name)).isFile())
  .sort();

test('each file of the published vectors is played', () => {
  expect(files.filter((name) => !noVector.test(name) && !played.some(([pattern]) => pattern.test(name)))).toEqual([]);
  for (const [pattern, count, by] of played) {
    expect([pattern, files.filter((name) => pattern.test(name)).length]).toEqual([pattern, count]);
    expect(statSync(join(import.meta.dirname, `${by}.test.ts`)).isFile()).toBe(true);
  }
});

test('and each case in them', () => {
  const json = (...path: string[]) => JSON.parse(readFileSync(vectors(...path), 'utf8'));
  expect(json('cctv-ed25519', 'ed25519', 'ed25519vectors.json')).toHaveLength(914);
  expect(json('webauthn', 'vectors.json').cases).toHaveLength(15);
});
