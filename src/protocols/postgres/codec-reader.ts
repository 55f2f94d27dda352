// A cursor over one message that never reads outside of it: every inner length is checked here and nowhere else.
import { Fault } from '../../domain/fault.ts';
import type { Peer } from './codec.ts';

/** Reused message after message: `over` starts on the next one. Every method throws the peer's protocol fault. */
export class Reader {
  readonly #peer: Peer;
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  /** Reads the body of the message in `buffer[start, end)`; `head` is the size of its header. */
  over(buffer: Buffer, start: number, end: number, head = 5): this {
    if (start < 0 || end > buffer.length || end - start < head) this.fail('is cut short');
    this.#buffer = buffer;
    this.#at = start + head;
    this.#end = end;
    return this;
  }

  get offset(): number {
    return this.#at;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  byte(): number {
    return this.#buffer[this.#advance(1)] as number;
  }

  int16(): number {
    const at = this.#advance(2);
    return (((this.#buffer[at] as number) << 24) >> 16) | (this.#buffer[at + 1] as number);
  }

  /** A count of things that take at least `each` bytes: more than could follow is refused before anything is allocated. */
  count(each: number): number {
    const at = this.#advance(2);
    // Bind allows 65,535 parameters, so the field is read as unsigned.
    const count = ((this.#buffer[at] as number) << 8) | (this.#buffer[at + 1] as number);
    if (count * each > this.left) this.fail(`announces ${count} items and is too short for them`);
    return count;
  }

  int32(): number {
    const at = this.#advance(4);
    const buffer = this.#buffer;
    return (
      ((buffer[at] as number) << 24) |
      ((buffer[at + 1] as number) << 16) |
      ((buffer[at + 2] as number) << 8) |
      (buffer[at + 3] as number)
    );
  }

  uint32(): number {
    return this.int32() >>> 0;
  }

  /** Length of a value that follows: −1 is NULL, anything else must fit. */
  length(): number {
    const length = this.int32();
    if (length < -1 || length > this.left) this.fail(`holds a value of ${length} bytes where ${this.left} follow`);
    return length;
  }

  /** Offset of the next `count` bytes, which are skipped. */
  skip(count: number): number {
    return this.#advance(count);
  }

  /** A view: copy what must survive the turn. */
  bytes(count: number): Buffer {
    const at = this.#advance(count);
    return this.#buffer.subarray(at, at + count);
  }

  text(): string {
    const stop = this.#buffer.indexOf(0, this.#at);
    if (stop < 0 || stop >= this.#end) this.fail('holds a text without its end');
    const text = this.#buffer.toString('utf8', this.#at, stop);
    // What was replaced in decoding would be judged as one text and run as another.
    if (
      this.#peer.fault === 'client.protocol' &&
      text.includes('\ufffd') &&
      !sameBytes(this.#buffer, this.#at, stop, text)
    ) {
      this.fail('holds a text that is not UTF-8; set client_encoding to UTF8');
    }
    this.#at = stop + 1;
    return text;
  }

  /** The message must end here. */
  done(): void {
    if (this.#at !== this.#end) this.fail(`has ${this.left} bytes too many`);
  }

  fail(what: string): never {
    throw new Fault(this.#peer.fault, `A message of the ${this.#peer.name} ${what}.`);
  }

  #advance(count: number): number {
    const at = this.#at;
    if (count < 0 || count > this.#end - at) this.fail('is cut short');
    this.#at = at + count;
    return at;
  }
}

function sameBytes(buffer: Buffer, start: number, end: number, text: string): boolean {
  return buffer.subarray(start, end).equals(Buffer.from(text, 'utf8'));
}
