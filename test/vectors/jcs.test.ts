// cyberphone/json-canonicalization: the vectors of RFC 8785.
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { canonical } from '../../src/ledger/canonical.ts';
import { filesBelow, text, vectors } from './folder.ts';

const inputs = filesBelow(vectors('jcs', 'testdata', 'input'), '.json');

test('there are 6', () => expect(inputs).toHaveLength(6));

for (const input of inputs) {
  test(basename(input), () => {
    const written = canonical(JSON.parse(text(input)));
    expect(written).toBe(text(vectors('jcs', 'testdata', 'output', basename(input))).trimEnd());
    const hex = text(vectors('jcs', 'testdata', 'outhex', basename(input).replace('.json', '.txt')));
    expect(Buffer.from(written).toString('hex')).toBe(hex.replaceAll(/\s/g, ''));
  });
}
