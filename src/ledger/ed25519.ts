// Ed25519 verification (RFC 8032 §5.1.7) for a browser that opens a file: there Web Crypto may be absent, and where it is
// present it is asynchronous. Nothing here is secret, so nothing here needs to take the same time. It accepts what OpenSSL
// accepts (test: vectors/ed25519.test.ts): no cofactor, S below the order, R compared as bytes, one encoding of each point,
// and no key and no R of small order.
import { sha512 } from './sha2.ts';

const p = 2n ** 255n - 19n;
const order = 2n ** 252n + 27742317777372353535851937790883648493n;
const d = mod(-121665n * power(121666n, p - 2n));
/** A square root of -1. */
const rootOfMinusOne = power(2n, (p - 1n) / 4n);

/** x/z, y/z, and t = xy/z. */
interface Point {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
  readonly t: bigint;
}

const zero: Point = { x: 0n, y: 1n, z: 1n, t: 0n };
const base = pointOf(mod(4n * power(5n, p - 2n)), 0n)!;

export function verifyEd25519(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (key.length !== 32 || signature.length !== 64) return false;
  const s = little(signature.subarray(32));
  if (s >= order) return false;
  const encoded = little(key);
  const y = BigInt.asUintN(255, encoded);
  const a = y < p ? pointOf(y, encoded >> 255n) : undefined;
  if (!a || isSmall(a)) return false;
  const hashed = new Uint8Array(64 + message.length);
  hashed.set(signature.subarray(0, 32));
  hashed.set(key, 32);
  hashed.set(message, 64);
  const k = little(sha512(hashed)) % order;
  // R must be sB - kA.
  const minusA = { x: mod(-a.x), y: a.y, z: a.z, t: mod(-a.t) };
  const r = sum(s, base, k, minusA);
  if (isSmall(r)) return false;
  const inverse = power(r.z, p - 2n);
  const parity = mod(r.x * inverse) & 1n;
  return little(signature.subarray(0, 32)) === mod(r.y * inverse) + (parity << 255n);
}

/** Whether eight times the point is nothing: a key like that would sign everything. */
function isSmall(point: Point): boolean {
  const twice = add(point, point);
  const four = add(twice, twice);
  const eight = add(four, four);
  return eight.x === 0n && eight.y === eight.z;
}

/** The point with this y whose x has this parity; undefined when there is none. */
function pointOf(y: bigint, parity: bigint): Point | undefined {
  const u = mod(y * y - 1n);
  const v = mod(d * y * y + 1n);
  const v3 = mod(v * v * v);
  let x = mod(u * v3 * power(mod(u * v3 * v3 * v), (p - 5n) / 8n));
  const vxx = mod(v * x * x);
  if (vxx !== u) {
    if (vxx !== mod(-u)) return undefined;
    x = mod(x * rootOfMinusOne);
  }
  if (x === 0n && parity === 1n) return undefined;
  if ((x & 1n) !== parity) x = mod(-x);
  return { x, y, z: 1n, t: mod(x * y) };
}

/** mP + nQ, both at once from the highest bit down. */
function sum(m: bigint, one: Point, n: bigint, other: Point): Point {
  const both = add(one, other);
  let result = zero;
  for (let bit = 252n; bit >= 0n; bit--) {
    result = add(result, result);
    const inM = (m >> bit) & 1n;
    const inN = (n >> bit) & 1n;
    if (inM && inN) result = add(result, both);
    else if (inM) result = add(result, one);
    else if (inN) result = add(result, other);
  }
  return result;
}

/** RFC 8032 §5.1.4; right for any two points, the same one included. */
function add(one: Point, other: Point): Point {
  const a = mod((one.y - one.x) * (other.y - other.x));
  const b = mod((one.y + one.x) * (other.y + other.x));
  const c = mod(2n * d * one.t * other.t);
  const e = mod(2n * one.z * other.z);
  const [f, g, h, i] = [b - a, e - c, e + c, b + a];
  return { x: mod(f * g), y: mod(h * i), z: mod(g * h), t: mod(f * i) };
}

function mod(n: bigint): bigint {
  const rest = n % p;
  return rest < 0n ? rest + p : rest;
}

function power(n: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = n, left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}

function little(bytes: Uint8Array): bigint {
  let n = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) n = (n << 8n) | BigInt(bytes[i]!);
  return n;
}
