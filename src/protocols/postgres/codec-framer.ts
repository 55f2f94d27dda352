// Cuts a byte stream into PostgreSQL messages, without copying those that one chunk holds whole (manual, "Message Formats").
import { Fault } from '../../domain/fault.ts';
import { largestMessage, largestStartup, type Peer } from './codec.ts';

/** What `Framer.next` found. A streamed message is one `begin`, any `more`, one `end`. */
export const found = { nothing: 0, message: 1, begin: 2, more: 3, end: 4 } as const;
export type Found = (typeof found)[keyof typeof found];

export interface FramerOptions {
  readonly peer: Peer;
  /** Start with untyped start-up packets; `typed()` ends that. */
  readonly startup?: boolean;
  /** Largest length field accepted, in bytes, for types that `limits` does not name. */
  readonly limit?: number;
  readonly limits?: Readonly<Record<number, number>>;
  /** Asked when a message is not whole yet: true passes it on in pieces instead of collecting it. `length` is its length field. */
  stream?(type: number, length: number): boolean;
}

const nothing: Buffer = Buffer.alloc(0);

/**
 * `push` a chunk, then call `next` until it says `found.nothing`. After each find, `buffer[start, end)` is the message
 * with its header (or the piece), valid until the chunk is: what must survive is copied. A message that spans chunks is
 * collected in a buffer of its own that grows with what arrived, never with what was announced.
 */
export class Framer {
  type = 0;
  buffer: Buffer = nothing;
  start = 0;
  end = 0;
  /** Whole size of the message at hand in bytes, header included. */
  size = 0;

  readonly #peer: Peer;
  readonly #limit: number;
  readonly #limits: Readonly<Record<number, number>>;
  readonly #stream: ((type: number, length: number) => boolean) | undefined;
  #head: 4 | 5;
  #chunk: Buffer = nothing;
  #at = 0;
  #stop = 0;
  #tail: Buffer = nothing;
  #held = 0;
  #left = 0;

  constructor(options: FramerOptions) {
    this.#peer = options.peer;
    this.#limit = options.limit ?? largestMessage;
    this.#limits = options.limits ?? {};
    this.#stream = options.stream?.bind(options);
    this.#head = options.startup ? 4 : 5;
  }

  /** Start-up is over: what follows has a type byte. */
  typed(): void {
    this.#head = 5;
  }

  /** Bytes that were pushed and not yet given out, and those of an unfinished message. */
  get pending(): number {
    return this.#stop - this.#at + this.#held;
  }

  push(chunk: Buffer): void {
    if (this.#at === this.#stop) {
      this.#chunk = chunk;
      this.#at = 0;
      this.#stop = chunk.length;
      return;
    }
    this.#chunk = Buffer.concat([this.#chunk.subarray(this.#at, this.#stop), chunk]);
    this.#at = 0;
    this.#stop = this.#chunk.length;
  }

  /** Called when the caller stops before `found.nothing`: what is left of the chunk is copied, for later. */
  keep(): void {
    if (this.#at === this.#stop) return;
    this.#chunk = Buffer.from(this.#chunk.subarray(this.#at, this.#stop));
    this.#at = 0;
    this.#stop = this.#chunk.length;
  }

  /** All that is pending, copied, for whoever takes the stream over; the framer is empty afterwards. */
  rest(): Buffer {
    const rest = Buffer.concat([this.#tail.subarray(0, this.#held), this.#chunk.subarray(this.#at, this.#stop)]);
    this.#at = this.#stop;
    this.#forget();
    return rest;
  }

  /** Throws the peer's protocol fault for a header that cannot be right; the stream is of no use after that. */
  next(): Found {
    const available = this.#stop - this.#at;
    if (available === 0) return found.nothing;
    if (this.#left > 0) return this.#piece(available);
    if (this.#held > 0) return this.#complete();
    if (available < this.#head) return this.#retain(available);
    this.#header(this.#chunk, this.#at);
    if (available < this.size) {
      if (!this.#stream?.(this.type, this.size - this.#head + 4)) return this.#retain(available);
      this.#give(this.#chunk, this.#at, this.#stop);
      this.#left = this.size - available;
      this.#at = this.#stop;
      return found.begin;
    }
    this.#give(this.#chunk, this.#at, this.#at + this.size);
    this.#at = this.end;
    return found.message;
  }

  #give(buffer: Buffer, start: number, end: number): void {
    this.buffer = buffer;
    this.start = start;
    this.end = end;
  }

  #header(buffer: Buffer, at: number): void {
    const typed = this.#head === 5;
    const from = typed ? at + 1 : at;
    const type = typed ? (buffer[at] as number) : 0;
    const length =
      ((buffer[from] as number) << 24) |
      ((buffer[from + 1] as number) << 16) |
      ((buffer[from + 2] as number) << 8) |
      (buffer[from + 3] as number);
    if (typed && !this.#peer.types.has(type)) {
      throw new Fault(this.#peer.fault, `The ${this.#peer.name} sent a message of unknown type ${type}.`);
    }
    const limit = typed ? (this.#limits[type] ?? this.#limit) : largestStartup;
    if (length < 4 || length > limit) {
      const message = `The ${this.#peer.name} announced a message of ${length} bytes; between 4 and ${limit} are accepted.`;
      throw new Fault(this.#peer.fault, message);
    }
    this.type = type;
    this.size = typed ? length + 1 : length;
  }

  #retain(available: number): Found {
    // A fresh buffer each time: an earlier one may still be on its way out.
    this.#tail = Buffer.allocUnsafe(Math.max(64, available * 2));
    this.#chunk.copy(this.#tail, 0, this.#at, this.#stop);
    this.#held = available;
    this.#at = this.#stop;
    return found.nothing;
  }

  #take(wanted: number): boolean {
    const count = Math.min(wanted - this.#held, this.#stop - this.#at);
    const needed = this.#held + count;
    if (needed > this.#tail.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, Math.min(wanted, this.#tail.length * 2)));
      this.#tail.copy(grown, 0, 0, this.#held);
      this.#tail = grown;
    }
    this.#chunk.copy(this.#tail, this.#held, this.#at, this.#at + count);
    this.#held = needed;
    this.#at += count;
    return needed === wanted;
  }

  #complete(): Found {
    if (this.#held < this.#head) {
      if (!this.#take(this.#head)) return found.nothing;
      this.#header(this.#tail, 0);
      if (this.size - this.#head > this.#stop - this.#at && this.#stream?.(this.type, this.size - this.#head + 4)) {
        this.#give(this.#tail, 0, this.#held);
        this.#left = this.size - this.#held;
        this.#forget();
        return found.begin;
      }
    }
    if (!this.#take(this.size)) return found.nothing;
    this.#give(this.#tail, 0, this.size);
    this.#forget();
    return found.message;
  }

  #piece(available: number): Found {
    const count = Math.min(this.#left, available);
    this.#give(this.#chunk, this.#at, this.#at + count);
    this.#at += count;
    this.#left -= count;
    return this.#left === 0 ? found.end : found.more;
  }

  #forget(): void {
    this.#tail = nothing;
    this.#held = 0;
  }
}
