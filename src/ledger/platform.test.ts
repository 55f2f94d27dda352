// The verifying core on a browser's platform computes what it computes on Node's.
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { sha512 } from './sha2.ts';
import * as node from './platform.ts';
import * as web from './platform.web.ts';
import { createHash } from 'node:crypto';

test('both platforms have the same exports', () => {
  expect(Object.keys(web).sort()).toEqual(Object.keys(node).sort());
});

test('hashes and checksums of every length around the block, and of long data', () => {
  const data = randomBytes(100_003);
  for (const length of [...Array(300).keys(), 4096, 65_535, 100_003]) {
    const part = data.subarray(data.length - length);
    expect(web.hexOf(web.sha256(part)), `${length} bytes`).toBe(node.hexOf(node.sha256(part)));
    expect(web.crc32(part)).toBe(node.crc32(part));
    expect(Buffer.from(sha512(part)).toString('hex')).toBe(createHash('sha512').update(part).digest('hex'));
  }
  expect(web.hexOf(web.sha256('ä gent'))).toBe(node.hexOf(node.sha256('ä gent')));
});

test('a hash is written where it is wanted, also into its own data, and found there', () => {
  for (const platform of [node, web] as const) {
    const buffer = Buffer.from('abcdefgh'.repeat(20));
    const expected = node.sha256(buffer.subarray(0, 100));
    platform.sha256Into(buffer, 40, buffer.subarray(0, 100));
    expect(buffer.subarray(40, 72).equals(expected)).toBe(true);
    expect(platform.isSha256At(buffer, 72, buffer.subarray(0, 72))).toBe(false);
    platform.sha256Into(buffer, 72, buffer.subarray(0, 72));
    expect(platform.isSha256At(buffer, 72, buffer.subarray(0, 72))).toBe(true);
  }
});

test('texts and encodings', () => {
  for (const text of ['', 'a', '\ufeffä 漢 🜛', 'x'.repeat(1000)]) {
    expect(web.textOf(web.utf8(text))).toBe(text);
    expect(Buffer.from(web.utf8(text)).equals(node.utf8(text))).toBe(true);
  }
  // What is no UTF-8 becomes the same replacement characters.
  for (let i = 0; i < 500; i++) {
    const bytes = randomBytes(i % 40);
    expect(web.textOf(bytes)).toBe(node.textOf(bytes));
    expect(web.latin1(bytes, 0, bytes.length)).toBe(node.latin1(bytes, 0, bytes.length));
    expect(web.base64Of(bytes)).toBe(node.base64Of(bytes));
    expect(Buffer.from(web.fromBase64(node.base64Of(bytes))!).equals(bytes)).toBe(true);
  }
  for (const text of ['AA', 'AAA', 'AAAB=', 'AB==', ' AAAA', 'AAAA\n', 'A-_A', 'ä', '====']) {
    expect(web.fromBase64(text), text).toBeUndefined();
    expect(node.fromBase64(text), text).toBeUndefined();
  }
});

test('signatures: good ones, and every bit of one changed', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = node.rawPublicKey(publicKey);
  for (const length of [0, 1, 63, 64, 111, 112, 200]) {
    const message = randomBytes(length);
    const signature = sign(null, message, privateKey);
    expect(web.verifyEd25519(raw, message, signature)).toBe(true);
    expect(web.verifyEd25519(raw, Buffer.concat([message, Buffer.from('x')]), signature)).toBe(false);
  }
  const message = Buffer.from('a checkpoint');
  const signature = sign(null, message, privateKey);
  // The same signature with another number of the same meaning: S plus the order of the group.
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + order;
  const twin = Buffer.concat([
    signature.subarray(0, 32),
    Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse(),
  ]);
  expect(web.verifyEd25519(raw, message, twin)).toBe(false);
  expect(web.verifyEd25519(raw, message, signature)).toBe(true);
  for (let bit = 0; bit < 512; bit += 7) {
    const bad = Buffer.from(signature);
    bad[bit >> 3] = bad[bit >> 3]! ^ (1 << (bit & 7));
    expect(web.verifyEd25519(raw, message, bad), `bit ${bit}`).toBe(false);
  }
});
