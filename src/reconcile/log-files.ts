// A server's log files: csvlog and jsonlog, rotated and compressed, read in the order of their times, each with its digest.
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { createGunzip } from 'node:zlib';
import { CsvRecords } from './csv.ts';
import { csvLine, jsonLine, type LogLine, type Zones } from './log-line.ts';

export interface LogSource {
  readonly name: string;
  /** Its bytes as they are kept; anew at each call. */
  open(): AsyncIterable<Buffer>;
}

/** What reading found out about one file. */
export interface LogFile {
  readonly name: string;
  readonly format: 'csv' | 'json';
  /** As it is kept, compressed or not. */
  sha256: string;
  bytes: number;
  lines: number;
  /** Milliseconds since the epoch, by the server's clock. */
  from?: number;
  to?: number;
  /** Why not all of it was read. */
  broken?: string;
}

/** The log is not of a kind that can be reconciled; the message says what to do. */
export class LogRefused extends Error {}

/** Files that a path stands for: itself, or those of a folder. */
export function logFiles(path: string): LogSource[] {
  const file = (at: string): LogSource => ({ name: basename(at), open: () => createReadStream(at) });
  if (!statSync(path).isDirectory()) return [file(path)];
  const names = readdirSync(path).filter((name) => /\.(csv|json)(\.\d+)?(\.gz)?$/.test(name));
  if (names.length === 0) {
    throw new LogRefused(
      `There is no csvlog and no jsonlog in ${path}. Set log_destination to csvlog or jsonlog and logging_collector to on; the text log has no fields that could be trusted.`,
    );
  }
  // The server may write both: then they say the same.
  const csv = names.filter((name) => /\.csv/.test(name));
  return (csv.length > 0 ? csv : names).map((name) => file(join(path, name)));
}

/** The lines of all files, oldest file first. `files` is filled on the way. Throws LogRefused for a format that is not read. */
export async function* readLog(sources: readonly LogSource[], files: LogFile[]): AsyncGenerator<LogLine> {
  const zones: Zones = new Map();
  const known: { source: LogSource; format: 'csv' | 'json'; from: number }[] = [];
  for (const source of sources) {
    const format = await formatOf(source);
    if (format === undefined) continue;
    let from = Number.POSITIVE_INFINITY;
    for await (const line of readOne(source, newFile(source, format), zones)) {
      from = line.at;
      break;
    }
    known.push({ source, format, from });
  }
  known.sort((a, b) => a.from - b.from || (a.source.name < b.source.name ? -1 : 1));
  for (const { source, format } of known) {
    const file = newFile(source, format);
    files.push(file);
    yield* readOne(source, file, zones);
  }
}

function newFile(source: LogSource, format: 'csv' | 'json'): LogFile {
  return { name: source.name, format, sha256: '', bytes: 0, lines: 0 };
}

/** Undefined for an empty file. */
async function formatOf(source: LogSource): Promise<'csv' | 'json' | undefined> {
  let head = '';
  for await (const text of texts(source, undefined)) {
    head += text;
    if (head.length > 4_096) break;
  }
  if (head === '') return undefined;
  if (head.startsWith('{')) return 'json';
  if (/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [^,\n]+,/.test(head)) return 'csv';
  throw new LogRefused(
    `${source.name} is neither csvlog nor jsonlog. The text log cannot be reconciled: a client can write lines of its own into it. Set log_destination to csvlog or jsonlog.`,
  );
}

async function* readOne(source: LogSource, file: LogFile, zones: Zones): AsyncGenerator<LogLine> {
  const took = (line: LogLine) => {
    file.lines++;
    file.from = Math.min(file.from ?? line.at, line.at);
    file.to = Math.max(file.to ?? line.at, line.at);
    return line;
  };
  const csv = new CsvRecords();
  let rest = '';
  try {
    for await (const text of texts(source, file)) {
      if (file.format === 'csv') {
        for (const fields of csv.push(text)) {
          const line = csvLine(fields, zones);
          if (!line) throw new LogRefused(`line ${csv.lines} is no line of a csvlog`);
          yield took(line);
        }
        continue;
      }
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      for (const one of lines) yield took(jsonLineOf(one, zones, file));
    }
    if (csv.left > 0 || rest !== '') file.broken = 'the last line is not whole';
  } catch (cause) {
    // What follows a broken record cannot be told from what stands inside it: nothing more of this file is believed.
    const gzip = (cause as NodeJS.ErrnoException).code?.startsWith('Z_');
    if (!gzip && !(cause instanceof LogRefused) && !(cause instanceof RangeError)) throw cause;
    file.broken = gzip ? 'it cannot be decompressed to its end' : (cause as Error).message;
  }
}

function jsonLineOf(text: string, zones: Zones, file: LogFile): LogLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new LogRefused(`line ${file.lines + 1} is no JSON`);
  }
  const line = jsonLine(value, zones);
  if (!line) throw new LogRefused(`line ${file.lines + 1} is no line of a jsonlog`);
  return line;
}

/** Its text, decompressed; `file` gets digest and size of what is kept. */
async function* texts(source: LogSource, file: LogFile | undefined): AsyncGenerator<string> {
  const digest = createHash('sha256');
  async function* kept() {
    for await (const chunk of source.open()) {
      digest.update(chunk);
      if (file) file.bytes += chunk.length;
      yield chunk;
    }
    if (file) file.sha256 = digest.digest('hex');
  }
  const bytes = source.name.endsWith('.gz') ? unzipped(kept()) : kept();
  const decoder = new StringDecoder('utf8');
  for await (const chunk of bytes as AsyncIterable<Buffer>) yield decoder.write(chunk);
  const last = decoder.end();
  if (last !== '') yield last;
}

function unzipped(bytes: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const unzip = createGunzip();
  // A failure reaches whoever reads on.
  pipeline(Readable.from(bytes), unzip, () => undefined);
  return unzip;
}
