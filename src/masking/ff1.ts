// FF1 of NIST SP 800-38G: a keyed permutation of numerals of one length, so that distinct values keep distinct tokens.
// Steps are numbered as in its algorithm 7 (test: ff1.test.ts, the published samples).
import { type Cipheriv, createCipheriv } from 'node:crypto';

export interface Ff1 {
  /** Numerals below the radix, most significant first, to as many others. */
  encrypt(numerals: readonly number[]): number[];
  decrypt(numerals: readonly number[]): number[];
  /** The same on the two halves of `length` numerals, as numbers. */
  encryptHalves(length: number, left: number, right: number): { left: number; right: number };
}

const rounds = 10;
/** Up to this modulus a remainder is taken in pieces of 16 bits without leaving the safe integers. */
const fastModulus = 2 ** 37;

/** AES-128, 192 or 256 by the length of the key. Halves must fit a safe integer: 30 digits, 20 letters of base 36. */
export function openFf1(key: Buffer, radix: number, tweak: Buffer): Ff1 {
  const cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false);
  const shapes = new Map<number, Shape>();
  const shapeOf = (length: number) => {
    let shape = shapes.get(length);
    if (!shape) shapes.set(length, (shape = openShape(cipher, radix, tweak, length)));
    return shape;
  };
  const run = (numerals: readonly number[], inverse: boolean): number[] => {
    const shape = shapeOf(numerals.length);
    const value = (from: number, to: number) => {
      let sum = 0;
      for (let at = from; at < to; at++) sum = sum * radix + numerals[at]!;
      return sum;
    };
    const left = value(0, shape.leftLength);
    const right = value(shape.leftLength, numerals.length);
    const found = inverse ? decryptHalves(shape, left, right) : encryptHalves(shape, left, right);
    const made = Array.from({ length: numerals.length }, () => 0);
    const write = (number: number, from: number, to: number) => {
      let rest = number;
      for (let at = to - 1; at >= from; at--) {
        made[at] = rest % radix;
        rest = Math.floor(rest / radix);
      }
    };
    write(found.left, 0, shape.leftLength);
    write(found.right, shape.leftLength, numerals.length);
    return made;
  };
  return {
    encrypt: (numerals) => run(numerals, false),
    decrypt: (numerals) => run(numerals, true),
    encryptHalves: (length, left, right) => encryptHalves(shapeOf(length), left, right),
  };
}

/** What is the same for all numerals of one length: steps 1 to 5, and the first block of every PRF. */
interface Shape {
  readonly cipher: Cipheriv;
  readonly leftLength: number;
  readonly modulus: readonly [even: number, odd: number];
  readonly half: number;
  readonly y: number;
  readonly first: Buffer;
  /** T and padding, with room for round and number. */
  readonly q: Buffer;
}

function openShape(cipher: Cipheriv, radix: number, tweak: Buffer, length: number): Shape {
  const leftLength = Math.floor(length / 2);
  const rightLength = length - leftLength;
  const modulus = [radix ** leftLength, radix ** rightLength] as const;
  if (length < 2 || length > 0xffff || modulus[1] > Number.MAX_SAFE_INTEGER)
    throw new RangeError('numerals of this length are not permuted');
  const half = Math.ceil(Math.ceil(rightLength * Math.log2(radix) - 1e-9) / 8);
  const p = Buffer.from([1, 2, 1, 0, 0, 0, rounds, leftLength & 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
  p.writeUIntBE(radix, 3, 3);
  p.writeUInt32BE(length, 8);
  p.writeUInt32BE(tweak.length, 12);
  const q = Buffer.alloc(Math.ceil((tweak.length + half + 1) / 16) * 16);
  tweak.copy(q, 0);
  return { cipher, leftLength, modulus, half, y: 4 * Math.ceil(half / 4) + 4, first: cipher.update(p), q };
}

function encryptHalves(shape: Shape, left: number, right: number): { left: number; right: number } {
  let a = left;
  let b = right;
  for (let round = 0; round < rounds; round++) {
    const modulus = shape.modulus[round % 2]!;
    const c = (a + roundNumber(shape, round, b, modulus)) % modulus;
    a = b;
    b = c;
  }
  return { left: a, right: b };
}

function decryptHalves(shape: Shape, left: number, right: number): { left: number; right: number } {
  let a = left;
  let b = right;
  for (let round = rounds - 1; round >= 0; round--) {
    const modulus = shape.modulus[round % 2]!;
    const c = (b - roundNumber(shape, round, a, modulus) + modulus) % modulus;
    b = a;
    a = c;
  }
  return { left: a, right: b };
}

/** Steps 6 i to v, reduced by the modulus. `y` is at most 12, so one block of S is enough. */
function roundNumber({ cipher, first, half, q, y }: Shape, round: number, number: number, modulus: number): number {
  const place = q.length - half;
  q[place - 1] = round;
  let rest = number;
  for (let at = q.length - 1; at >= place; at--) {
    q[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  let chain = first;
  for (let block = 0; block < q.length; block += 16) {
    const mixed = Buffer.allocUnsafe(16);
    for (let at = 0; at < 16; at++) mixed[at] = chain[at]! ^ q[block + at]!;
    chain = cipher.update(mixed);
  }
  if (modulus > fastModulus) return Number(BigInt(`0x${chain.toString('hex', 0, y)}`) % BigInt(modulus));
  let sum = 0;
  for (let at = 0; at < y; at += 2) sum = (sum * 0x10000 + chain.readUInt16BE(at)) % modulus;
  return sum;
}
