// COPY in text and CSV format: a state machine over bytes, so that a value may be cut anywhere.
import { Held, notOfForm } from './copy-held.ts';
import type { MaskValue } from './method.ts';

export interface LineForm {
  readonly delimiter: string;
  readonly nullText: string;
  readonly quote: string;
  readonly escape: string;
  readonly header: boolean;
}

const backslash = 0x5c;
const newline = 0x0a;
const carriage = 0x0d;
const codeOf = (mark: string) => mark.charCodeAt(0) & 0xff;

/** How one format tells data from separators, and reads and writes a value. */
interface Syntax {
  /** True when the byte is data of the field whatever it is; false when it may be a separator. */
  inside(byte: number): boolean;
  /** Forgets the field before. */
  begin(): void;
  /** The stream may not end here. */
  unfinished(): boolean;
  /** `null` for NULL. */
  decode(raw: Buffer): Buffer | null;
  encode(value: Buffer | null): Buffer;
}

export class LineRows {
  readonly #syntax: Syntax;
  readonly #masks: readonly (MaskValue | null)[];
  readonly #delimiter: number;
  readonly #held = new Held();
  #out: Buffer[] = [];
  #column = 0;
  #header: boolean;
  #mask: MaskValue | null;
  /** One for each byte that separates, quotes or escapes. */
  readonly #special = new Uint8Array(256);
  /** The first three bytes of the field, to know the end mark `\.` by. */
  #first = 0;
  #firstLength = 0;
  #afterCarriage = false;
  #ended = false;

  constructor(form: LineForm, masks: readonly (MaskValue | null)[], syntax: Syntax) {
    this.#syntax = syntax;
    this.#masks = masks;
    this.#delimiter = form.delimiter.charCodeAt(0);
    this.#header = form.header;
    for (const byte of [newline, carriage, backslash, ...[form.delimiter, form.quote, form.escape].map(codeOf)])
      this.#special[byte] = 1;
    this.#mask = this.#header ? null : (masks[0] ?? null);
  }

  push(chunk: Buffer): Buffer {
    // What lies between `start` and the current byte is either the masked field or goes out as it is.
    let start = 0;
    const special = this.#special;
    // After an ordinary byte, ordinary bytes change nothing.
    let ordinary = false;
    for (let at = 0; at < chunk.length && !this.#ended; at++) {
      const byte = chunk[at]!;
      if (special[byte] === 0) {
        if (ordinary) continue;
        ordinary = this.#firstLength >= 3;
      } else ordinary = false;
      if (this.#afterCarriage) {
        this.#afterCarriage = false;
        if (byte === newline) {
          // The second half of a line end.
          if (this.#mask) {
            this.#out.push(chunk.subarray(at, at + 1));
            start = at + 1;
          }
          continue;
        }
      }
      const lineEnd = byte === newline || byte === carriage;
      if (this.#syntax.inside(byte) || (!lineEnd && byte !== this.#delimiter)) {
        if (this.#firstLength < 3) {
          this.#first = (this.#first << 8) | byte;
          this.#firstLength++;
        }
        continue;
      }
      const mark = lineEnd && this.#isEndMark();
      if (this.#mask) {
        this.#held.add(chunk.subarray(start, at));
        this.#out.push(this.#hide(mark));
        start = at;
      }
      this.#ended = mark;
      this.#next(lineEnd, mark);
      this.#afterCarriage = byte === carriage;
      if (this.#mask || this.#ended) {
        this.#out.push(chunk.subarray(start, at + 1));
        start = at + 1;
      }
    }
    if (!this.#ended && start < chunk.length) {
      if (this.#mask) this.#held.add(chunk.subarray(start));
      else this.#out.push(chunk.subarray(start));
    }
    return this.#take();
  }

  end(): Buffer {
    if (this.#syntax.unfinished()) throw notOfForm();
    const begun = this.#column > 0 || this.#firstLength > 0;
    if (!this.#ended && begun) {
      const mark = this.#isEndMark();
      if (this.#mask) this.#out.push(this.#hide(mark));
      this.#next(true, mark);
    }
    return this.#take();
  }

  #isEndMark(): boolean {
    return this.#column === 0 && this.#firstLength === 2 && this.#first === ((backslash << 8) | 0x2e);
  }

  #hide(mark: boolean): Buffer {
    const raw = this.#held.take();
    return mark ? raw : this.#syntax.encode(this.#mask!(this.#syntax.decode(raw)));
  }

  /** On to the next field or line. A line with another number of fields is a Fault before anything of it is believed. */
  #next(lineEnd: boolean, mark: boolean): void {
    this.#syntax.begin();
    this.#first = 0;
    this.#firstLength = 0;
    if (lineEnd) {
      if (!mark && !this.#header && this.#column !== this.#masks.length - 1) throw notOfForm();
      this.#header = false;
      this.#column = 0;
    } else {
      this.#column++;
      if (!this.#header && this.#column >= this.#masks.length) throw notOfForm();
    }
    this.#mask = this.#header ? null : (this.#masks[this.#column] ?? null);
  }

  #take(): Buffer {
    const parts = this.#out;
    this.#out = [];
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }
}

const letters: Readonly<Record<string, number>> = { b: 8, t: 9, n: 10, v: 11, f: 12, r: 13 };

export function textSyntax(form: LineForm): Syntax {
  let escaped = false;
  const nullText = Buffer.from(form.nullText);
  const delimiter = form.delimiter.charCodeAt(0);
  return {
    inside(byte) {
      if (escaped) {
        escaped = false;
        return true;
      }
      escaped = byte === backslash;
      return escaped;
    },
    begin() {},
    unfinished: () => escaped,
    decode(raw) {
      if (raw.equals(nullText)) return null;
      if (!raw.includes(backslash)) return raw;
      const text = raw.toString('latin1').replace(/\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|[^])/g, (_, code: string) => {
        if (/^x./.test(code)) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
        if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 0xff);
        return letters[code] === undefined ? code : String.fromCharCode(letters[code]);
      });
      return Buffer.from(text, 'latin1');
    },
    encode(value) {
      if (value === null) return nullText;
      const bytes: number[] = [];
      for (const byte of value) {
        const letter = byte >= 8 && byte <= 13 ? 'btnvfr'[byte - 8] : undefined;
        if (letter !== undefined) bytes.push(backslash, letter.charCodeAt(0));
        else if (byte === backslash || byte === delimiter) bytes.push(backslash, byte);
        else bytes.push(byte);
      }
      return Buffer.from(bytes);
    },
  };
}

export function csvSyntax(form: LineForm): Syntax {
  const quote = form.quote.charCodeAt(0);
  const escape = form.escape.charCodeAt(0);
  const nullText = Buffer.from(form.nullText);
  let quoted = false;
  // With an escape that is not the quote, it makes the next byte data.
  let escaped = false;
  return {
    inside(byte) {
      if (escaped) {
        escaped = false;
        return true;
      }
      if (byte === quote) {
        // A doubled quote leaves and enters again, which comes to the same.
        quoted = !quoted;
        return true;
      }
      if (quoted && byte === escape) escaped = true;
      return quoted;
    },
    begin() {
      escaped = false;
    },
    unfinished: () => quoted,
    decode(raw) {
      if (raw.equals(nullText)) return null;
      const bytes: number[] = [];
      let within = false;
      for (let at = 0; at < raw.length; at++) {
        const byte = raw[at]!;
        const after = raw[at + 1];
        if (within && byte === escape && after !== undefined && (after === quote || after === escape)) {
          bytes.push(after);
          at++;
        } else if (byte === quote) within = !within;
        else bytes.push(byte);
      }
      return Buffer.from(bytes);
    },
    encode(value) {
      if (value === null) return nullText;
      const bytes = [quote];
      for (const byte of value) {
        if (byte === quote || byte === escape) bytes.push(escape);
        bytes.push(byte);
      }
      bytes.push(quote);
      return Buffer.from(bytes);
    },
  };
}
