// `detect`: what the detectors find in a text is replaced by a mark of its kind, and the rest stays. A net for columns of free
// text, and no more than that: what no detector knows is seen (docs/masking.md).
import { isUtf8 } from 'node:buffer';
import { findIn, findingKinds } from './detect.ts';
import type { TypeKind } from './type.ts';

type Hide = (value: Buffer) => Buffer;

/** Bytes of a value in which is looked; longer ones are hidden as a whole. */
const longest = 1 << 20;

const mark = (kind: string): string => `[masked:${kind}]`;
const markHead = '[masked:';
const marks: readonly string[] = findingKinds.map(mark);

const stars = Buffer.from('****');
const jsonStars = Buffer.from('"****"');
const xmlStars = Buffer.from('<masked/>');

export function detected(kind: TypeKind, format: 0 | 1): Hide | undefined {
  switch (kind) {
    case 'text':
      return hiding(hideFound, stars, 0);
    case 'json':
      return hiding(hideInJson, jsonStars, 0);
    case 'jsonb':
      // Binary jsonb is its text behind a version byte.
      return hiding(hideInJson, jsonStars, format === 1 ? 1 : 0);
    case 'xml':
      return hiding(hideInXml, xmlStars, 0);
    default:
      return undefined;
  }
}

/** Whether a text holds what this method makes: written back, it would destroy what was there. */
export function holdsMark(text: string): boolean {
  return text.includes(markHead) && marks.some((one) => text.includes(one));
}

/** The same for bytes of a parameter, without decoding those that hold none. */
export function bytesHoldMark(bytes: Buffer): boolean {
  return bytes.includes(markHead) && marks.some((one) => bytes.includes(one));
}

/** `hide` gives undefined for what it cannot read; `from` bytes in front are no text. */
function hiding(hide: (text: string) => string | undefined, all: Buffer, from: number): Hide {
  const whole = from === 0 ? all : Buffer.concat([Buffer.from([1]), all]);
  return (value) => {
    if (value.length > longest) return whole;
    const bytes = from === 0 ? value : value.subarray(from);
    // In another encoding a letter could be a separator, and a separator a letter.
    if (!isUtf8(bytes)) return whole;
    const text = bytes.toString('utf8');
    const made = hide(text);
    if (made === text) return value;
    if (made === undefined) return whole;
    return from === 0 ? Buffer.from(made) : Buffer.concat([value.subarray(0, from), Buffer.from(made)]);
  };
}

function hideFound(text: string): string {
  const found = findIn(text);
  if (found.length === 0) return text;
  let made = '';
  let at = 0;
  for (const { kind, start, end } of found) {
    made += text.slice(at, start) + mark(kind);
    at = end;
  }
  return made + text.slice(at);
}

/** Each string and number by itself, as it is meant: `\u0040` is an @. */
function hideInJson(text: string): string | undefined {
  let made = '';
  let done = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    const isString = code === 0x22;
    if (!isString && code !== 0x2d && (code < 0x30 || code > 0x39)) {
      at++;
      continue;
    }
    const end = isString ? stringEnd(text, at) : numberEnd(text, at);
    if (end < 0) return undefined;
    const literal = text.slice(at, end);
    const meant = isString ? parsed(literal) : literal;
    if (meant === undefined) return undefined;
    const hidden = hideFound(meant);
    if (hidden !== meant) {
      made += text.slice(done, at) + JSON.stringify(hidden);
      done = end;
    }
    at = end;
  }
  return done === 0 ? text : made + text.slice(done);
}

/** Behind the closing quote; -1 without one. */
function stringEnd(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at++;
    else if (code === 0x22) return at + 1;
  }
  return -1;
}

function numberEnd(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && '0123456789.eE+-'.includes(text[at]!)) at++;
  return at;
}

function parsed(literal: string): string | undefined {
  if (!literal.includes('\\')) return literal.slice(1, -1);
  try {
    return JSON.parse(literal) as string;
  } catch {
    return undefined;
  }
}

/** Undefined where characters are written as numbers, and where a find reaches over a tag. */
function hideInXml(text: string): string | undefined {
  if (text.includes('&#')) return undefined;
  return findIn(text).some(({ start, end }) => /[<>]/.test(text.slice(start, end))) ? undefined : hideFound(text);
}
