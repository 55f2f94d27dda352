// The quick reading of entries is the same reading: whatever is done to an entry's bytes, both say the same of it.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { entryTypes } from '../domain/entry.ts';
import { entryWriter, parseEntry, readEntry } from './entry.ts';

const write = entryWriter('the gateway', 'bootBOOT0123');
const commitment = 'A'.repeat(43);
const samples = [
  write(
    'statement.decision',
    1_700_000_000_000,
    's1',
    7,
    { a: 'written', d: 'permit', e: ['sql:read'], r: [] },
    `{"what":"${commitment}"}`,
    'key_1',
  ),
  write(
    'statement.outcome',
    1_700_000_000_001,
    's1',
    7,
    { bytes: 74, masked: [], rows: 1, status: 'done', tag: 'SELECT 1' },
    undefined,
    undefined,
  ),
  write('heartbeat', 0, undefined, undefined, {}, undefined, undefined),
  write(
    'sign-in.refused',
    12,
    undefined,
    undefined,
    { text: 'ü "quoted" \\ ', n: -1.5, deep: { a: [null, true] } },
    `{"admin":"${commitment}","who":"${commitment}"}`,
    'k',
  ),
];

function same(text: string): void {
  expect(parseEntry(Buffer.from(text)), text).toEqual(readEntry(text));
}

test('what the writer writes is read', () => {
  for (const sample of samples) {
    expect(typeof parseEntry(Buffer.from(sample)), sample).toBe('object');
    same(sample);
  }
});

test('a changed, removed or added character is judged alike by the quick and the plain reading', () => {
  const characters = ['"', '\\', '0', '-', '.', 'e', ' ', ',', ':', '{', '}', '\n', 'ü'];
  for (const sample of samples) {
    for (let at = 0; at < sample.length; at++) {
      same(sample.slice(0, at) + sample.slice(at + 1));
      for (const character of characters) {
        same(sample.slice(0, at) + character + sample.slice(at));
        same(sample.slice(0, at) + character + sample.slice(at + 1));
      }
    }
  }
});

test('members that are missing, repeated or in another order are judged alike', () => {
  const parts = [
    '"boot":"b"',
    `"c":{"what":"${commitment}"}`,
    '"gw":"g"',
    '"k":"k"',
    '"sid":"s"',
    '"sq":1',
    '"t":"heartbeat"',
    '"ts":5',
    '"v":1',
    '"x":{}',
  ];
  same(`{${parts.join(',')}}`);
  for (let a = 0; a < parts.length; a++) {
    same(`{${parts.filter((_, at) => at !== a).join(',')}}`);
    for (let b = 0; b < parts.length; b++) {
      same(`{${parts.filter((_, at) => at !== a && at !== b).join(',')}}`);
      same(`{${parts.with(a, parts[b]!).with(b, parts[a]!).join(',')}}`);
      same(`{${parts.with(a, parts[b]!).join(',')}}`);
    }
  }
});

test('facts that two entries share cannot be changed through one of them', () => {
  const first = parseEntry(Buffer.from(samples[0]!));
  if (typeof first === 'string') throw new Error(first);
  expect(() => (first.x.e as string[]).push('sql:drop')).toThrow(TypeError);
});

test('the types of the document are those of the code', () => {
  const text = readFileSync('docs/ledger-format.md', 'utf8');
  const listed = /<!-- entry types -->([\s\S]*?)<!-- end -->/.exec(text)![1]!.match(/`[a-z.-]+`/g)!;
  expect(listed.map((name) => name.slice(1, -1)).sort()).toEqual([...entryTypes].sort());
});
