// Nothing but a recorded shredding destroys a key (docs/adr/0036-shredding.md).
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !/\.(test|suite)\.ts$/.test(name))
  .map((name) => ({ name, text: readFileSync(join('src', name), 'utf8') }));

const where = (pattern: RegExp) =>
  sources
    .filter(({ text }) => pattern.test(text))
    .map(({ name }) => name)
    .sort();

test('keys are destroyed by a shredding and by the start that finishes one, and by nobody else', () => {
  expect(where(/\bdestroyKeys\(/)).toEqual(['ledger/keys-destruction.ts', 'ledger/ledger.ts', 'ledger/shred.ts']);
  // The pool forgets keys that sealed nothing.
  expect(where(/DELETE FROM keys/)).toEqual(['ledger/keys-destruction.ts', 'ledger/keys.ts']);
  expect(where(/'retention\.shred'/)).toContain('ledger/shred.ts');
  expect(where(/type: 'retention\.shred'/)).toEqual(['ledger/shred.ts']);
});
