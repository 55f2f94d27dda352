import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { sha256 } from './hash.ts';
import { formatCheckpoint, formatVkey, openNote, parseCheckpoint, parseNote, parseVkey, signNote } from './note.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const vkey = parseVkey(formatVkey('example.test/log', publicKey));
const text = formatCheckpoint({ origin: 'example.test/log', size: 7, root: sha256('root') });
const note = signNote(text, vkey, privateKey);

test('a signed checkpoint opens with its key and reads back', () => {
  expect(openNote(note, [vkey])).toEqual({ text, signers: ['example.test/log'] });
  expect(parseCheckpoint(text)).toEqual({ origin: 'example.test/log', size: 7, root: sha256('root') });
  expect(createPublicKey(privateKey).equals(vkey.key)).toBe(true);
});

test('every changed byte makes the note fail', () => {
  const bytes = Buffer.from(note);
  for (let i = 0; i < bytes.length; i++) {
    for (const bit of [1, 0x20, 0x80]) {
      const bad = Buffer.from(bytes);
      bad[i] = bad[i]! ^ bit;
      expect(() => openNote(bad.toString('utf8'), [vkey]), `byte ${i}`).toThrow();
    }
  }
});

test('unknown signatures are passed over; one of a known key that fails is not', () => {
  const other = generateKeyPairSync('ed25519');
  const otherKey = parseVkey(formatVkey('witness.test', other.publicKey));
  const line = signNote(text, otherKey, other.privateKey).split('\n').at(-2);
  const both = `${note}${line}\n`;
  expect(openNote(both, [vkey]).signers).toEqual(['example.test/log']);
  expect(openNote(both, [vkey, otherKey]).signers).toEqual(['example.test/log', 'witness.test']);
  const wrong = signNote('other\n', otherKey, other.privateKey).split('\n').at(-2);
  expect(() => openNote(`${note}${wrong}\n`, [vkey, otherKey])).toThrow('does not match');
  expect(() => openNote(note, [otherKey])).toThrow('no signature by a known key');
});

test('malformed notes, keys and checkpoints are refused', () => {
  for (const bad of [
    '',
    'text\n',
    `${text}\n`,
    note.slice(0, -1),
    note.replace('— ', '- '),
    note.replace('\n7\n', '\n7\r\n'),
    note.replace(/(.)\n$/, '\n'),
  ]) {
    expect(() => parseNote(bad), JSON.stringify(bad)).toThrow();
  }
  const good = formatVkey('example.test/log', publicKey);
  for (const bad of ['', 'a+b', good.replace('log', 'lag'), good.slice(0, -4), good.replace('+', ' ')]) {
    expect(() => parseVkey(bad), bad).toThrow();
  }
  for (const bad of [
    'a\n1\n',
    'a\n01\nAAAA\n',
    'a\n1\nAAAA\n',
    text.replace('7', '-7'),
    text.replace('7', '1e3'),
    `${text}\n`,
  ]) {
    expect(() => parseCheckpoint(bad), bad).toThrow();
  }
  expect(() => formatVkey('two words', publicKey)).toThrow('key name');
});
