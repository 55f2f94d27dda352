// Inputs made from a seed and a number, so that any one of them can be made again by itself.

export type Random = (below: number) => number;

/** mulberry32, started from both numbers. */
export function generator(seed: number, index: number): Random {
  let state = (Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) ^ Math.imul(index + 1, 0xc2b2_ae35)) | 0;
  return (below) => {
    state = (state + 0x6d2b_79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

export const pick = <T>(random: Random, list: readonly T[]): T => list[random(list.length)] as T;

/** Bounds of every length field, and what lies beside them. */
const numbers = [-1, 0, 1, 3, 4, 5, 127, 255, 256, 65_535, 65_536, 0x3fff_ffff, 0x7fff_ffff, -0x8000_0000];

/** Longest input in bytes: damage that doubles stops here. */
const longest = 8 << 10;

export function randomBytes(random: Random, most: number): Buffer {
  const bytes = Buffer.allocUnsafe(random(most + 1));
  for (let index = 0; index < bytes.length; index++) bytes[index] = random(256);
  return bytes;
}

/** One to four damages to `bytes`; pieces of `other` may be spliced in. */
export function damaged(random: Random, bytes: Buffer, other: Buffer): Buffer {
  let out = Buffer.from(bytes);
  for (let times = 1 + random(4); times > 0; times--) {
    const at = random(out.length + 1);
    const length = 1 + random(random(8) === 0 ? 200 : 8);
    switch (random(9)) {
      case 0:
        if (at < out.length) out[at] = out[at]! ^ (1 << random(8));
        break;
      case 1:
        if (at < out.length) out[at] = random(256);
        break;
      case 2:
        out = Buffer.concat([out.subarray(0, at), out.subarray(at + length)]);
        break;
      case 3:
        out = Buffer.concat([out.subarray(0, at), randomBytes(random, length), out.subarray(at)]);
        break;
      case 4:
        out = out.subarray(0, at);
        break;
      case 5:
        if (out.length >= 4) out.writeInt32BE(pick(random, numbers), random(out.length - 3));
        break;
      case 6:
        if (out.length >= 2) out.writeUInt16BE(pick(random, numbers) & 0xffff, random(out.length - 1));
        break;
      case 7: {
        const from = random(other.length + 1);
        out = Buffer.concat([out.subarray(0, at), other.subarray(from, from + length * 4), out.subarray(at)]);
        break;
      }
      default: {
        const piece = out.subarray(at, at + length);
        if (out.length < longest) out = Buffer.concat([out.subarray(0, at), piece, piece, out.subarray(at)]);
      }
    }
  }
  return out;
}

/** The same bytes in pieces. */
export function pieces(random: Random, bytes: Buffer): Buffer[] {
  const out: Buffer[] = [];
  const most = pick(random, [1, 3, 7, 40, longest * 2]);
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + random(most);
    out.push(bytes.subarray(at, at + length));
    at += length;
  }
  return out;
}
