// CSV as PostgreSQL writes it: records of a file whose fields may hold line breaks. Strict: text inside quotes is never taken for
// a record, or a statement could forge lines of the log (test: csv.test.ts).

/** Longest record in characters; the server writes none that is longer than a statement may be. */
const longestRecord = 256 * 1024 * 1024;

export class CsvRecords {
  #lines: string[] = [];
  #size = 0;
  #rest = '';
  #quoted = false;
  /** Lines of the file that whole records took. */
  lines = 0;

  /** Whole records of what has come so far. Throws RangeError for one that is too long. */
  *push(chunk: string): Generator<string[]> {
    const text = this.#rest + chunk;
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      const line = text.slice(start, end);
      start = end + 1;
      if (oddQuotes(line)) this.#quoted = !this.#quoted;
      this.#lines.push(line);
      this.#size += line.length + 1;
      if (this.#size > longestRecord) throw new RangeError('a record is too long');
      if (this.#quoted) continue;
      this.lines += this.#lines.length;
      yield csvFields(this.#lines.length === 1 ? line : this.#lines.join('\n'));
      this.#lines = [];
      this.#size = 0;
    }
    this.#rest = text.slice(start);
    if (this.#rest.length > longestRecord) throw new RangeError('a record is too long');
  }

  /** Characters behind the last whole record. */
  get left(): number {
    return this.#size + this.#rest.length;
  }
}

function oddQuotes(line: string): boolean {
  let odd = false;
  for (let at = line.indexOf('"'); at >= 0; at = line.indexOf('"', at + 1)) odd = !odd;
  return odd;
}

/** Fields of one record. */
export function csvFields(record: string): string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (record[at] === '"') {
      let value = '';
      let from = at + 1;
      for (;;) {
        const quote = record.indexOf('"', from);
        if (quote < 0) {
          value += record.slice(from);
          at = record.length;
          break;
        }
        value += record.slice(from, quote);
        at = quote + 1;
        if (record[at] !== '"') break;
        value += '"';
        from = at + 1;
      }
      fields.push(value);
      const comma = record.indexOf(',', at);
      if (comma < 0) return fields;
      at = comma + 1;
    } else {
      const comma = record.indexOf(',', at);
      fields.push(comma < 0 ? record.slice(at) : record.slice(at, comma));
      if (comma < 0) return fields;
      at = comma + 1;
    }
  }
}
