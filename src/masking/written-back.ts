// A value that a mask made and that comes back from the client: written, it would destroy what it hides; compared, it would
// find nothing and look like an answer. Constants of other types (0, the epoch), what an operator's own constant says, and
// dates and numbers that were cut are ordinary values and are not recognised (docs/masking.md).
import { isUtf8 } from 'node:buffer';
import type { Label } from '../domain/label.ts';
import { keepDefault, type Method } from '../domain/mask.ts';
import { binaryElements, textElements } from './array.ts';
import { bytesHoldMark, holdsMark } from './found.ts';
import { hashPrefix } from './hash.ts';
import { isBinaryToken, isNumberToken, isToken } from './token.ts';
import { arrayElements, kindOf } from './type.ts';

/** `mask`: refused where it is written. `pseudonym`: stands for one value, so it is refused in comparisons too. */
export type Made = 'mask' | 'pseudonym';

/** What is known of the place where a value was sent to. */
export interface Place {
  /** Labels of the columns that the statement touches; absent when it could touch any. */
  readonly labels?: ReadonlySet<Label>;
  /** The value surely meets a labelled column; else it only stands near one. */
  readonly meets: boolean;
}

/** Tells what a value is the work of; one for a gateway, because tokens are known by its key. */
export interface WrittenBack {
  text(value: string, place: Place): Made | undefined;
  /** A bound or copied value: its bytes, format 0 text or 1 binary, and its type's OID or 0. */
  value(bytes: Buffer, format: 0 | 1, type: number, place: Place): Made | undefined;
}

/** What a client declares that leaves the type to the server. */
const unknownType = 705;
/** Longest scalar that a mask makes, but for what an operator chose. */
const longest = 400;
const stars = /^(?:\*{3,4}|"\*{4}"|<masked\/>|\*{4}@\*{4}\.[A-Za-z]{2,24})$/;
const hashed = /^"?masked:[0-9a-f]{24}"?$/;

/** `methods` are those in use, `methodFor` says which a label has. Without a key, tokens and keyed hashes have no meaning. */
export function openWrittenBack(options: {
  readonly key: Buffer;
  readonly methods: readonly Method[];
  methodFor(label: Label): Method;
}): WrittenBack {
  const { key, methodFor, methods } = options;
  const keeps = new Set([keepDefault, ...methods.flatMap(({ keep }) => (keep === undefined ? [] : [keep]))]);
  const partial = new RegExp(`^\\*{4}(?:${[...keeps].map((keep) => `.{${keep}}`).join('|')})$`, 'su');
  const anyTokens = methods.some(({ method }) => method === 'token');
  const hasTokens = ({ labels }: Place) =>
    anyTokens && (labels === undefined || [...labels].some((label) => methodFor(label).method === 'token'));

  const scalar = (text: string, place: Place): Made | undefined => {
    if (holdsMark(text)) return 'mask';
    if (text.length > longest) return undefined;
    if (text.startsWith('*') || text.startsWith('"') || text.startsWith('<')) {
      if (stars.test(text) || partial.test(text)) return 'mask';
    }
    if (text.includes(hashPrefix) && hashed.test(text)) return 'pseudonym';
    if (!hasTokens(place)) return undefined;
    return isToken(text, key) || (place.meets && isNumberToken(text)) ? 'pseudonym' : undefined;
  };
  const text = (value: string, place: Place): Made | undefined => {
    const found = scalar(value, place);
    if (found !== undefined || !(value.startsWith('{') || value.startsWith('['))) return found;
    let inside: Made | undefined;
    textElements(Buffer.from(value), (element) => {
      if (element !== null) inside = strongest(inside, scalar(element.toString(), place));
    });
    return inside;
  };
  const binary = (bytes: Buffer, type: number, place: Place): Made | undefined => {
    const element = arrayElements.get(type);
    if (element !== undefined) {
      let inside: Made | undefined;
      binaryElements(bytes, element, (one) => {
        if (one !== null) inside = strongest(inside, binary(one, element, place));
      });
      return inside;
    }
    if (hasTokens(place)) {
      if (isBinaryToken(bytes, type, key)) return 'pseudonym';
      if (place.meets && isNegative(bytes, type)) return 'pseudonym';
    }
    return bytes.length <= longest ? text(bytes.toString('utf8', bytes[0] === 1 ? 1 : 0), place) : undefined;
  };
  return {
    text,
    value: (bytes, format, type, place) =>
      bytesHoldMark(bytes)
        ? 'mask'
        : format === 1
          ? binary(bytes, type === unknownType ? 0 : type, place)
          : text(bytes.toString('utf8'), place),
  };
}

const strongest = (one: Made | undefined, other: Made | undefined): Made | undefined =>
  one === 'pseudonym' || other === undefined ? one : other;

/** Numbers in binary form; of an unknown type (0), what has the form of one and could not be text. */
function isNegative(bytes: Buffer, type: number): boolean {
  const known = type !== 0;
  const kind = kindOf(type);
  const { length } = bytes;
  const integer = known ? kind === 'int2' || kind === 'int4' || kind === 'int8' : [2, 4, 8].includes(length);
  if (integer && length > 0 && bytes[0]! >= 0x80) return known || !isUtf8(bytes);
  if (length < 8 || (known && kind !== 'numeric')) return false;
  return bytes.readUInt16BE(4) === 0x4000 && length === 8 + 2 * bytes.readUInt16BE(0);
}

/** Without a key: for readers of SQL on their own. Tokens are not known by it. */
export const keyless: WrittenBack = openWrittenBack({
  key: Buffer.alloc(0),
  methods: [],
  methodFor: () => ({ method: 'full' }),
});

/** A value that every gateway's masks make, whatever its key and its methods. */
export function looksMasked(value: string): boolean {
  return keyless.text(value, { meets: false }) !== undefined;
}
