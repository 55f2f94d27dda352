// Arrays, masked element by element (PostgreSQL manual, "Array Input and Output Syntax"; array_send in arrayfuncs.c). Number
// of elements, dimensions and NULLs stay as they are. What is not of that form is NULL as a whole.

/** What becomes of an element's bytes; `null` is NULL. */
type Hide = (element: Buffer | null) => Buffer | null;

const openBrace = 0x7b;
const closeBrace = 0x7d;
const comma = 0x2c;
const quote = 0x22;
const backslash = 0x5c;
const equals = 0x3d;

/** Calls `on` for each element of an array in text form, with where it stands; false when it is none. */
export function textElements(value: Buffer, on: (element: Buffer | null, start: number, end: number) => void): boolean {
  // Bounds other than 1 stand before the braces: [0:1]={…}
  let at = 0;
  if (value[0] !== openBrace) {
    at = value.indexOf(equals) + 1;
    if (
      at === 0 ||
      !/^(?:\[-?[0-9]{1,10}:-?[0-9]{1,10}\]){1,6}$/.test(value.toString('latin1', 0, Math.min(at - 1, 200)))
    )
      return false;
  }
  let depth = 0;
  for (let after = 0; at < value.length; after = value[at - 1]!) {
    const byte = value[at]!;
    if (byte === openBrace) {
      if (++depth > 6) return false;
      at++;
    } else if (byte === closeBrace) {
      if (--depth < 0) return false;
      at++;
      if (depth === 0) return at === value.length;
    } else if (byte === comma) {
      if (depth === 0 || after === comma || after === openBrace) return false;
      at++;
    } else {
      if (depth === 0) return false;
      const start = at;
      const quoted = byte === quote;
      at = quoted ? quotedEnd(value, at) : plainEnd(value, at);
      if (at > value.length) return false;
      const element = quoted ? unquoted(value, start + 1, at - 1) : value.subarray(start, at);
      on(quoted || element.toString('latin1', 0, 5) !== 'NULL' ? element : null, start, at);
    }
  }
  return false;
}

function plainEnd(value: Buffer, start: number): number {
  for (let at = start; at < value.length; at++) {
    const byte = value[at]!;
    if (byte === comma || byte === closeBrace) return at;
    // The server quotes these, so a value that has them bare is not its own.
    if (byte === openBrace || byte === quote || byte === backslash) return value.length + 1;
  }
  return value.length + 1;
}

function quotedEnd(value: Buffer, start: number): number {
  for (let at = start + 1; at < value.length; at++) {
    if (value[at] === backslash) at++;
    else if (value[at] === quote) return at + 1;
  }
  return value.length + 1;
}

function unquoted(value: Buffer, start: number, end: number): Buffer {
  const slice = value.subarray(start, end);
  if (!slice.includes(backslash)) return slice;
  const bytes = Buffer.allocUnsafe(slice.length);
  let length = 0;
  for (let at = 0; at < slice.length; at++) {
    if (slice[at] === backslash) at++;
    bytes[length++] = slice[at]!;
  }
  return bytes.subarray(0, length);
}

function quoteElement(value: Buffer): Buffer {
  const text = value.toString('latin1');
  return Buffer.from(`"${text.replace(/["\\]/g, '\\$&')}"`, 'latin1');
}

const nullText = Buffer.from('NULL');

export function maskTextArray(hide: Hide): (value: Buffer) => Buffer | null {
  return (value) => {
    const parts: Buffer[] = [];
    let done = 0;
    const whole = textElements(value, (element, start, end) => {
      const masked = hide(element);
      parts.push(value.subarray(done, start), masked === null ? nullText : quoteElement(masked));
      done = end;
    });
    if (!whole) return null;
    parts.push(value.subarray(done));
    return Buffer.concat(parts);
  };
}

/** Calls `on` for each element of an array in binary form; the offset of the first, or -1 when it is none. */
export function binaryElements(value: Buffer, type: number, on: (element: Buffer | null) => void): number {
  if (value.length < 12) return -1;
  const dimensions = value.readInt32BE(0);
  if (dimensions < 0 || dimensions > 6 || value.readUInt32BE(8) !== type) return -1;
  const first = 12 + 8 * dimensions;
  if (value.length < first) return -1;
  let count = dimensions === 0 ? 0 : 1;
  for (let at = 12; at < first; at += 8) count *= value.readInt32BE(at);
  let at = first;
  for (let index = 0; index < count; index++) {
    if (at + 4 > value.length) return -1;
    const length = value.readInt32BE(at);
    at += 4;
    if (length < -1 || at + length > value.length) return -1;
    on(length === -1 ? null : value.subarray(at, at + length));
    if (length > 0) at += length;
  }
  return at === value.length ? first : -1;
}

export function maskBinaryArray(hide: Hide, type: number): (value: Buffer) => Buffer | null {
  return (value) => {
    const parts: Buffer[] = [Buffer.alloc(0)];
    let nulls = 0;
    const first = binaryElements(value, type, (element) => {
      const masked = hide(element);
      const head = Buffer.allocUnsafe(4);
      head.writeInt32BE(masked?.length ?? -1);
      parts.push(head);
      if (masked === null) nulls = 1;
      else parts.push(masked);
    });
    if (first < 0) return null;
    const head = Buffer.from(value.subarray(0, first));
    head.writeInt32BE(nulls, 4);
    parts[0] = head;
    return Buffer.concat(parts);
  };
}
