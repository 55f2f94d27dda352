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
      throw new Fault('result.withheld', 'A value that must be masked is longer than 16 MiB. Leave its column out.', {
        sqlstate: '54000',
        message: 'a value for a labelled column is longer than 16 MiB',
      });
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

/** The stream is not of the form that was declared. The cause says it to a client that copies in, as its server would. */
export function notOfForm(): Fault {
  return new Fault('result.withheld', 'The COPY data is not of the declared form, so the rest of it was withheld.', {
    sqlstate: '22P04',
    message: 'the COPY data is not of the form that the COPY declares',
  });
}

/** A client copies in what a mask made. */
export function maskedBack(): Fault {
  return new Fault('result.withheld', 'Leave the column out of the COPY, or send its real values.', {
    sqlstate: '42501',
    message: 'a masked value cannot be copied in: it would destroy what it hides',
  });
}
