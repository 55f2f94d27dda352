// C2SP/CCTV: Ed25519 edge cases. Which of them a verifier accepts is a choice; ours is OpenSSL's, and it must not drift.
import { createPublicKey, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import { verifyEd25519 } from '../../src/ledger/ed25519.ts';
import { text, vectors } from './folder.ts';

interface Vector {
  readonly number: number;
  readonly key: string;
  readonly sig: string;
  readonly msg: string;
  readonly flags: readonly string[] | null;
}

const list: Vector[] = JSON.parse(text(vectors('cctv-ed25519', 'ed25519', 'ed25519vectors.json')));

function accepts({ key, sig, msg }: Vector): boolean {
  const x = Buffer.from(key, 'hex').toString('base64url');
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, Buffer.from(msg), publicKey, Buffer.from(sig, 'hex'));
}

test('ordinary signatures are accepted', () => {
  const ordinary = list.filter(({ flags }) => !flags || flags.length === 0);
  expect(ordinary.length).toBeGreaterThan(0);
  for (const vector of ordinary) expect(accepts(vector), `vector ${vector.number}`).toBe(true);
});

test('keys and points of low order, other encodings and a left-over of the cofactor are refused', () => {
  expect(list.length).toBeGreaterThan(900);
  const harmless = new Set(['low_order_component_R', 'low_order_component_A']);
  for (const vector of list) {
    const flags = vector.flags ?? [];
    const expected = flags.every((flag) => harmless.has(flag));
    expect(accepts(vector), `vector ${vector.number}: ${flags.join(' ')}`).toBe(expected);
  }
});

test('the verification of our own, for browsers, answers each of them as OpenSSL does', () => {
  for (const vector of list) {
    const [key, signature] = [Buffer.from(vector.key, 'hex'), Buffer.from(vector.sig, 'hex')];
    expect(verifyEd25519(key, Buffer.from(vector.msg), signature), `vector ${vector.number}`).toBe(accepts(vector));
  }
});
