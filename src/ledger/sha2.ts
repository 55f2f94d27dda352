// SHA-256 and SHA-512 (FIPS 180-4) for where the platform has none that answers at once: Web Crypto is asynchronous, and a
// promise for each of a million small hashes costs more than the hashing. Node's own is used in Node (platform.ts).

/** The first 64 bits of the fractional part of the square or cube root of a prime. */
function fraction(prime: number, root: 2n | 3n): bigint {
  // The root of prime · 2^(64·root), cut to an integer: Newton from above.
  const n = BigInt(prime) << (64n * root);
  let x = 1n << 70n;
  for (;;) {
    const y = ((root - 1n) * x + n / x ** (root - 1n)) / root;
    if (y >= x) return BigInt.asUintN(64, x);
    x = y;
  }
}

const primes: number[] = [];
for (let n = 2; primes.length < 80; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);

const start512 = primes.slice(0, 8).map((prime) => fraction(prime, 2n));
const round512 = primes.map((prime) => fraction(prime, 3n));
// Those of SHA-256 are the upper halves of the same numbers.
const start256 = Int32Array.from(start512, (x) => Number(BigInt.asIntN(32, x >> 32n)));
const round256 = Int32Array.from(round512.slice(0, 64), (x) => Number(BigInt.asIntN(32, x >> 32n)));

const state = new Int32Array(8);
const words = new Int32Array(64);
const tail = new Uint8Array(128);

/** Writes the hash of some bytes at a place of a buffer, which may lie in the data itself. */
export function sha256Into(target: Uint8Array, at: number, data: Uint8Array): void {
  state.set(start256);
  const whole = data.length & ~63;
  for (let from = 0; from < whole; from += 64) block256(data, from);
  const length = padded(data, whole, 64);
  for (let from = 0; from < length; from += 64) block256(tail, from);
  for (let i = 0; i < 8; i++) {
    const word = state[i]!;
    target[at + 4 * i] = word >>> 24;
    target[at + 4 * i + 1] = word >>> 16;
    target[at + 4 * i + 2] = word >>> 8;
    target[at + 4 * i + 3] = word;
  }
}

/** Puts what is left of the data into `tail`, with the padding; says how long that is. Lengths below 2^53 bits. */
function padded(data: Uint8Array, whole: number, block: 64 | 128, into: Uint8Array = tail): number {
  const rest = data.length - whole;
  const length = rest + 1 + block / 8 > block ? 2 * block : block;
  into.fill(0, 0, length);
  for (let i = 0; i < rest; i++) into[i] = data[whole + i]!;
  into[rest] = 0x80;
  const bits = data.length * 8;
  for (let i = 0, left = bits; i < 7; i++, left = Math.floor(left / 256)) into[length - 1 - i] = left % 256;
  return length;
}

function block256(data: Uint8Array, from: number): void {
  const w = words;
  for (let i = 0, at = from; i < 16; i++, at += 4) {
    w[i] = (data[at]! << 24) | (data[at + 1]! << 16) | (data[at + 2]! << 8) | data[at + 3]!;
  }
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15]!;
    const y = w[i - 2]!;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16]! + s0 + w[i - 7]! + s1) | 0;
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  let f = state[5]!;
  let g = state[6]!;
  let h = state[7]!;
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + round256[i]! + w[i]!) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] = (state[0]! + a) | 0;
  state[1] = (state[1]! + b) | 0;
  state[2] = (state[2]! + c) | 0;
  state[3] = (state[3]! + d) | 0;
  state[4] = (state[4]! + e) | 0;
  state[5] = (state[5]! + f) | 0;
  state[6] = (state[6]! + g) | 0;
  state[7] = (state[7]! + h) | 0;
}

/** SHA-512, for the few signatures there are: short rather than fast. */
export function sha512(data: Uint8Array): Uint8Array {
  const whole = data.length - (data.length % 128);
  const end = new Uint8Array(256);
  const length = padded(data, whole, 128, end);
  let h = start512;
  for (let from = 0; from < whole; from += 128) h = block512(h, data, from);
  for (let from = 0; from < length; from += 128) h = block512(h, end, from);
  const out = new Uint8Array(64);
  const view = new DataView(out.buffer);
  h.forEach((word, i) => view.setBigUint64(8 * i, word));
  return out;
}

function block512(before: readonly bigint[], data: Uint8Array, from: number): bigint[] {
  const cut = (x: bigint) => BigInt.asUintN(64, x);
  const turn = (x: bigint, n: bigint) => cut((x >> n) | (x << (64n - n)));
  const view = new DataView(data.buffer, data.byteOffset + from, 128);
  const w: bigint[] = [];
  for (let i = 0; i < 80; i++) {
    if (i < 16) {
      w.push(view.getBigUint64(8 * i));
      continue;
    }
    const x = w[i - 15]!;
    const y = w[i - 2]!;
    const s0 = turn(x, 1n) ^ turn(x, 8n) ^ (x >> 7n);
    const s1 = turn(y, 19n) ^ turn(y, 61n) ^ (y >> 6n);
    w.push(cut(w[i - 16]! + s0 + w[i - 7]! + s1));
  }
  let [a, b, c, d, e, f, g, h] = before as [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];
  for (let i = 0; i < 80; i++) {
    const s1 = turn(e, 14n) ^ turn(e, 18n) ^ turn(e, 41n);
    const t1 = h + s1 + ((e & f) ^ (cut(~e) & g)) + round512[i]! + w[i]!;
    const t2 = (turn(a, 28n) ^ turn(a, 34n) ^ turn(a, 39n)) + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e, d, c, b, a] = [g, f, e, cut(d + t1), c, b, a, cut(t1 + t2)];
  }
  return [a, b, c, d, e, f, g, h].map((word, i) => cut(word + before[i]!));
}
