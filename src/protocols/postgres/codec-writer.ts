// Builds messages one after the other in one buffer, which then leaves as one write.
import { Fault } from '../../domain/fault.ts';

export class Writer {
  #buffer: Buffer;
  #at = 0;
  #lengthAt = 0;

  constructor(size = 512) {
    this.#buffer = Buffer.allocUnsafe(size);
  }

  get size(): number {
    return this.#at;
  }

  /** What was built. The bytes are the caller's: the writer goes on in a new buffer. */
  take(): Buffer {
    const built = this.#buffer.subarray(0, this.#at);
    this.#buffer = Buffer.allocUnsafe(512);
    this.#at = 0;
    return built;
  }

  /** Opens a message; 0 opens a start-up packet, which has no type. */
  open(type: number): this {
    this.#room(5);
    if (type !== 0) this.#buffer[this.#at++] = type;
    this.#lengthAt = this.#at;
    this.#at += 4;
    return this;
  }

  close(): this {
    this.#buffer.writeInt32BE(this.#at - this.#lengthAt, this.#lengthAt);
    return this;
  }

  byte(value: number): this {
    this.#room(1);
    this.#buffer[this.#at++] = value;
    return this;
  }

  int16(value: number): this {
    this.#room(2);
    this.#buffer[this.#at++] = (value >>> 8) & 0xff;
    this.#buffer[this.#at++] = value & 0xff;
    return this;
  }

  int32(value: number): this {
    this.#room(4);
    this.#buffer[this.#at++] = (value >>> 24) & 0xff;
    this.#buffer[this.#at++] = (value >>> 16) & 0xff;
    this.#buffer[this.#at++] = (value >>> 8) & 0xff;
    this.#buffer[this.#at++] = value & 0xff;
    return this;
  }

  bytes(value: Uint8Array, start = 0, end = value.length): this {
    const count = end - start;
    this.#room(count);
    if (count < 64) for (let index = start; index < end; index++) this.#buffer[this.#at++] = value[index] as number;
    else {
      this.#buffer.set(start === 0 && end === value.length ? value : value.subarray(start, end), this.#at);
      this.#at += count;
    }
    return this;
  }

  /** A length and its value; `null` is −1. */
  value(value: Uint8Array | null): this {
    return value === null ? this.int32(-1) : this.int32(value.length).bytes(value);
  }

  /** Text and its zero byte. */
  text(value: string): this {
    if (value.includes('\0')) throw new Fault('gateway.internal', 'A text for the wire holds a zero byte.');
    this.#room(value.length * 3 + 1);
    this.#at += this.#buffer.write(value, this.#at);
    this.#buffer[this.#at++] = 0;
    return this;
  }

  #room(count: number): void {
    const needed = this.#at + count;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#at);
    this.#buffer = grown;
  }
}
