// The bytes of one masked cell until its end is seen: bounded, because a peer decides how long a cell is.
import { Fault } from '../domain/fault.ts';

/** Longest cell that is masked, in bytes of the stream. */
export const maxCell = 16 << 20;

export class Held {
  #parts: Buffer[] = [];
  #length = 0;

  /** Copies: what was read is reused. Throws a Fault above the limit (test: copy.test.ts). */
  add(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#length += bytes.length;
    if (this.#length > maxCell)
      throw new Fault('result.withheld', 'A value that must be masked is longer than 16 MiB. Leave its column out.');
    this.#parts.push(Buffer.from(bytes));
  }

  take(): Buffer {
    const [only] = this.#parts;
    const whole = this.#parts.length === 1 ? only! : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#length = 0;
    return whole;
  }
}

/** The stream is not of the form that was declared. */
export function notOfForm(): Fault {
  return new Fault('result.withheld', 'The COPY data is not of the declared form, so the rest of it was withheld.');
}
