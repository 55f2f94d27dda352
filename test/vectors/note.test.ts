// Notes signed by others: the Go checksum database, and Sunlight's witnesses (cosignatures of type 0x04).
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sha256 } from '../../src/ledger/hash.ts';
import { openNote, parseCheckpoint, parseVkey } from '../../src/ledger/note.ts';
import { text, vectors } from './folder.ts';

test('the checkpoint of sum.golang.org', () => {
  const key = parseVkey(text(vectors('signed-note', 'sum.golang.org.vkey')));
  const note = text(vectors('signed-note', 'sum.golang.org.checkpoint'));
  const opened = openNote(note, [key]);
  expect(opened.signers).toEqual(['sum.golang.org']);
  expect(parseCheckpoint(opened.text)).toMatchObject({ origin: 'go.sum database tree', size: 35_225_469 });
  expect(() => openNote(note.replace('35225469', '35225468'), [key])).toThrow('does not match');
});

test("Sunlight's decoy is no note", () => {
  const { verifier_keys: keys } = JSON.parse(text(vectors('sunlight-witness', 'witness', 'witness.v0.json')));
  expect(() => openNote(text(vectors('sunlight-witness', 'witness', 'checkpoint')), [parseVkey(keys[0])])).toThrow(
    'has no signature block',
  );
});

for (const witness of ['witness', 'witness2']) {
  test(`Sunlight's ${witness} cosigned, and only what it saw`, () => {
    const folder = vectors('sunlight-witness', witness);
    const { verifier_keys: keys } = JSON.parse(text(join(folder, 'witness.v0.json')));
    const key = parseVkey(keys[0]);
    expect(key.type).toBe(0x04);
    const origin = readdirSync(folder).find((name) => /^[0-9a-f]{64}$/.test(name))!;
    const note = text(join(folder, origin, 'checkpoint'));
    const opened = openNote(note, [key]);
    expect(opened.signers).toEqual([key.name]);
    const checkpoint = parseCheckpoint(opened.text);
    expect(sha256(checkpoint.origin).toString('hex')).toBe(origin);
    expect(() =>
      openNote(
        note.replace(/^(.*)\n(\d+)\n/, (_, name, size) => `${name}\n${Number(size) + 1}\n`),
        [key],
      ),
    ).toThrow();
  });
}
