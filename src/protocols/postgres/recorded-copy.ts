// Where the rows of COPY data end, however the stream is cut: lines of a textual copy, tuples of a binary one (manual, COPY).

/** Counts the rows of a stream. */
export interface RowEnds {
  /** Takes the next bytes. Says how many of them belong to the first `limit` rows of the stream. */
  take(bytes: Uint8Array): number;
  /** Rows begun so far. */
  readonly rows: number;
}

/** A line is what a line feed ends, also inside the quotes of CSV: the wire does not tell CSV from text. */
export function lineEnds(limit: number): RowEnds {
  let ended = 0;
  let inside = false;
  return {
    take(bytes) {
      if (bytes.length === 0) return 0;
      let kept = ended < limit ? bytes.length : 0;
      for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) {
        if (++ended === limit) kept = at + 1;
      }
      inside = bytes[bytes.length - 1] !== 0x0a;
      return kept;
    },
    get rows() {
      return ended + (inside ? 1 : 0);
    },
  };
}

const signatureAndFlags = 15;

/** Steps of the binary format: each is so many bytes, of which at most four are a number. */
type Step = 'head' | 'extension' | 'skip-extension' | 'fields' | 'length' | 'value' | 'after' | 'unknown';

/** What is not of the format is taken for one row without an end: it is kept, never lost. */
export function tupleEnds(limit: number): RowEnds {
  let rows = 0;
  let step: Step = 'head';
  let left = signatureAndFlags;
  let number = 0;
  let fields = 0;

  function to(next: Step, bytes: number): void {
    step = next;
    left = bytes;
    number = 0;
  }

  function done(): void {
    switch (step) {
      case 'head':
        return to('extension', 4);
      case 'extension':
        return number < 0 ? to('unknown', 0) : number === 0 ? to('fields', 2) : to('skip-extension', number);
      case 'skip-extension':
        return to('fields', 2);
      case 'fields':
        // −1 is the trailer; it and what follows belong to no row.
        if (number === 0xffff) return to('after', 0);
        rows++;
        fields = number;
        return fields === 0 ? to('fields', 2) : to('length', 4);
      case 'length':
        if (number < -1) return to('unknown', 0);
        return number > 0 ? to('value', number) : field();
      case 'value':
        return field();
    }
  }

  function field(): void {
    fields--;
    if (fields === 0) to('fields', 2);
    else to('length', 4);
  }

  return {
    take(bytes) {
      let kept = 0;
      for (let at = 0; at < bytes.length; ) {
        // The count of fields is what tells of one more row, so that of the first row too many is kept.
        const keeps = rows <= limit;
        if (step === 'unknown' || step === 'after') return keeps ? bytes.length : kept;
        const count = Math.min(left, bytes.length - at);
        if (step === 'extension' || step === 'length' || step === 'fields')
          for (let index = 0; index < count; index++) number = (number << 8) | (bytes[at + index] as number);
        left -= count;
        at += count;
        if (left === 0) done();
        if (keeps) kept = at;
      }
      return kept;
    },
    get rows() {
      return rows;
    },
  };
}
