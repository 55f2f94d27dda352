// A recorded session as the events of its replay: what the client asked (JSON lines), and what it saw (messages of a
// server, cut anywhere). Pure: frames in, events out.
import { isUtf8 } from 'node:buffer';
import { Fault } from '../../domain/fault.ts';
import { readUnkept } from '../../domain/recording-rule.ts';
import type { NotKept, ReplayEvent } from '../../domain/replay-event.ts';
import { clientPeer, targetMessage, targetPeer } from './codec.ts';
import { copyHeader } from './codec-copy.ts';
import { type Found, found, Framer } from './codec-framer.ts';
import { decodeReport } from './codec-report.ts';
import { Cells, decodeCommandComplete, decodeRowDescription, type Field } from './codec-rows.ts';
import { decodeNotification } from './codec-status.ts';
import { binarySizes, binaryText } from './replay-cell.ts';

export interface RecordedFrame {
  readonly kind: 'client' | 'target' | 'meta';
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly bytes: Buffer;
}

export interface ReplayLimits {
  /** Rows shown of each result; `total` tells how many there were. */
  readonly rows: number;
  /** Characters shown of a cell. Default 10,000. */
  readonly cell?: number;
  /** Events in all. Default 20,000; a replay that is cut ends with an event that says so. */
  readonly events?: number;
}

/** Messages above this size are counted and not shown. */
const largestShown = 1024 * 1024;
const previewSize = 2_000;
const mostDescriptions = 500;

/** Never rejects for what the frames hold: where they cannot be read, the last event says so. */
export async function replayPostgres(
  frames: AsyncIterable<RecordedFrame>,
  limits: ReplayLimits,
): Promise<ReplayEvent[]> {
  const replay = new Replay(limits);
  for await (const frame of frames) if (!replay.take(frame)) break;
  replay.finish();
  return replay.events;
}

interface OpenCopy {
  readonly at: number;
  readonly direction: 'in' | 'out';
  bytes: number;
  preview: string;
  unkept?: NotKept;
}

class Replay {
  readonly events: ReplayEvent[] = [];
  readonly #limits: Required<ReplayLimits>;
  readonly #target: Framer;
  readonly #client: Framer;
  readonly #cells = new Cells();
  /** What was described, by the text that was last sent to be run: prepared statements run long after their description. */
  readonly #described = new Map<string, readonly Field[]>();
  #at = 0;
  #text = '';
  #fields: readonly Field[] | undefined;
  /** The description came from a prepared statement: it does not know the formats of the rows. */
  #formatsKnown = true;
  #ofStatement = false;
  #rows: (string | null)[][] = [];
  #total = 0;
  #began = 0;
  #copy: OpenCopy | undefined;
  #midCopy = false;
  #rule = '';
  #unkept: NotKept | undefined;

  constructor(limits: ReplayLimits) {
    this.#limits = { cell: 10_000, events: 20_000, ...limits };
    const stream = (_type: number, length: number): boolean => length > largestShown;
    this.#target = new Framer({ peer: targetPeer, stream });
    this.#client = new Framer({ peer: clientPeer, stream });
  }

  /** False when nothing more is wanted. */
  take(frame: RecordedFrame): boolean {
    this.#at = frame.at;
    try {
      if (frame.kind === 'target') {
        this.#target.push(frame.bytes);
        for (let kind = this.#target.next(); kind !== found.nothing; kind = this.#target.next()) this.#message(kind);
      } else if (frame.kind === 'client') this.#fromClient(frame.bytes);
      else this.#fromUs(frame.bytes);
    } catch (error) {
      if (!(error instanceof Fault) && !(error instanceof SyntaxError)) throw error;
      this.#add({ at: frame.at, kind: 'other', name: 'the recording cannot be read from here on' });
      return false;
    }
    if (this.events.length < this.#limits.events) return true;
    this.events.length = this.#limits.events;
    this.events.push({ at: frame.at, kind: 'other', name: 'more happened; the replay shows its beginning only' });
    this.#total = 0;
    this.#copy = undefined;
    return false;
  }

  /** A recording may stop in the middle of a result. */
  finish(): void {
    if (this.#total > 0) this.#result();
    this.#endCopy();
  }

  #add(event: ReplayEvent): void {
    this.events.push(event);
  }

  #fromClient(bytes: Buffer): void {
    // A line of ours starts with a brace, which no message of a client does; the middle of a large one may.
    if (bytes[0] === 0x7b && !this.#midCopy && this.#client.pending === 0) {
      for (const line of bytes.toString('utf8').split('\n')) if (line !== '') this.#statement(line);
      return;
    }
    this.#client.push(bytes);
    for (let kind = this.#client.next(); kind !== found.nothing; kind = this.#client.next()) {
      const { buffer, start, end } = this.#client;
      const head = kind === found.message || kind === found.begin ? copyHeader : 0;
      this.#midCopy = kind === found.begin || kind === found.more;
      this.#copied(buffer, start + head, end);
    }
  }

  /** The rule of the recording, or what it left out here. */
  #fromUs(bytes: Buffer): void {
    const line = JSON.parse(bytes.toString('utf8')) as { readonly rule?: unknown; readonly unkept?: unknown } | null;
    if (typeof line?.rule === 'string') this.#rule = line.rule;
    const of = readUnkept(line?.unkept);
    if (!of) return;
    const { rows, bytes: size, keptRows, keptBytes, sha256 } = of;
    const unkept = { rule: this.#rule, rows: rows - keptRows, bytes: size - keptBytes, sha256 };
    if (of.of === 'rows') {
      if (this.#total === 0) this.#began = this.#at;
      this.#total = rows;
      this.#unkept = unkept;
    } else if (of.of === 'function') {
      const name = `the function returned ${size} bytes, SHA-256 ${sha256}, not kept under the rule ${this.#rule}`;
      this.#add({ at: this.#at, kind: 'other', name });
    } else {
      const direction = of.of === 'copy-in' ? 'in' : 'out';
      this.#copy ??= { at: this.#at, direction, bytes: 0, preview: '' };
      this.#copy.bytes = size;
      this.#copy.unkept = unkept;
    }
  }

  #statement(line: string): void {
    const { sequence, text, parameters } = JSON.parse(line) as {
      sequence: number;
      text: string;
      parameters?: (string | null)[];
    };
    this.#text = text;
    this.#add({ at: this.#at, kind: 'statement', sequence, text, ...(parameters && { parameters }) });
  }

  #message(kind: Found): void {
    const { type, buffer, start, end, size } = this.#target;
    if (kind !== found.message) return this.#large(kind, type, buffer, start, end, size);
    switch (type) {
      case targetMessage.parameterDescription:
        this.#ofStatement = true;
        return;
      case targetMessage.rowDescription:
        return this.#describe(decodeRowDescription(buffer, start, end));
      case targetMessage.noData:
        this.#ofStatement = false;
        return;
      case targetMessage.dataRow:
        return this.#row(buffer, start, end);
      case targetMessage.commandComplete:
        this.#endCopy();
        if (this.#fields || this.#total > 0) this.#result();
        this.#add({ at: this.#at, kind: 'done', tag: decodeCommandComplete(buffer, start, end) });
        return;
      case targetMessage.portalSuspended:
        this.#result();
        this.#add({ at: this.#at, kind: 'other', name: 'more rows can be fetched' });
        return;
      case targetMessage.emptyQueryResponse:
        this.#add({ at: this.#at, kind: 'other', name: 'empty statement' });
        return;
      case targetMessage.errorResponse:
        this.#endCopy();
        if (this.#total > 0) this.#result();
        return this.#error(decodeReport(buffer, start, end));
      case targetMessage.noticeResponse:
        return this.#notice(decodeReport(buffer, start, end));
      case targetMessage.notificationResponse:
        this.#add({
          at: this.#at,
          kind: 'other',
          name: `notification on ${decodeNotification(buffer, start, end).channel}`,
        });
        return;
      case targetMessage.copyOutResponse:
      case targetMessage.copyInResponse: {
        const direction = type === targetMessage.copyInResponse ? 'in' : 'out';
        this.#copy = { at: this.#at, direction, bytes: 0, preview: '' };
        return;
      }
      case targetMessage.functionCallResponse:
        return this.#add({ at: this.#at, kind: 'other', name: `the function returned ${Math.max(0, size - 9)} bytes` });
      case targetMessage.copyData:
        return this.#copied(buffer, start + copyHeader, end);
      case targetMessage.copyDone:
        return this.#endCopy();
      case targetMessage.readyForQuery:
        // A description that nothing was fetched for is no result.
        this.#reset();
        return;
    }
  }

  /** A message too large to be shown: its data is counted. */
  #large(kind: Found, type: number, buffer: Buffer, start: number, end: number, size: number): void {
    if (type === targetMessage.copyData)
      return this.#copied(buffer, start + (kind === found.begin ? copyHeader : 0), end);
    if (kind !== found.begin) return;
    if (type !== targetMessage.dataRow)
      return this.#add({ at: this.#at, kind: 'other', name: `a message of ${size} bytes` });
    if (this.#total++ === 0) this.#began = this.#at;
    if (this.#rows.length < this.#limits.rows) this.#rows.push([`… (a row of ${size} bytes)`]);
  }

  #describe(fields: readonly Field[]): void {
    this.#fields = fields;
    this.#formatsKnown = !this.#ofStatement;
    this.#began = this.#at;
    if (this.#ofStatement && (this.#described.size < mostDescriptions || this.#described.has(this.#text))) {
      this.#described.set(this.#text, fields);
    }
    this.#ofStatement = false;
  }

  #row(buffer: Buffer, start: number, end: number): void {
    const count = this.#cells.read(buffer, start, end);
    if (this.#total++ === 0) {
      this.#began = this.#at;
      if (this.#fields?.length !== count) {
        const known = this.#described.get(this.#text);
        this.#fields = known?.length === count ? known : undefined;
        this.#formatsKnown = false;
      }
    }
    if (this.#rows.length >= this.#limits.rows) return;
    const row: (string | null)[] = [];
    for (let index = 0; index < count; index++) {
      const offset = this.#cells.offsets[index] as number;
      const length = this.#cells.lengths[index] as number;
      row.push(length < 0 ? null : this.#cell(this.#fields?.[index], buffer.subarray(offset, offset + length)));
    }
    this.#rows.push(row);
  }

  #cell(field: Field | undefined, value: Buffer): string {
    const binary = field && this.#formatsKnown ? field.format === 1 : looksBinary(field?.type ?? 0, value);
    const text = binary ? binaryText(field?.type ?? 0, value) : value.toString('utf8');
    return text.length > this.#limits.cell ? `${text.slice(0, this.#limits.cell)}… (${value.length} bytes)` : text;
  }

  #result(): void {
    const width = this.#rows.reduce((most, row) => Math.max(most, row.length), 0);
    const columns =
      this.#fields?.map((field) => field.name) ?? Array.from({ length: width }, (_, index) => `column ${index + 1}`);
    const of = { at: this.#began, kind: 'result' as const, columns, rows: this.#rows, total: this.#total };
    this.#add(this.#unkept ? { ...of, unkept: this.#unkept } : of);
    this.#reset();
  }

  #reset(): void {
    this.#fields = undefined;
    this.#formatsKnown = true;
    this.#ofStatement = false;
    this.#rows = [];
    this.#total = 0;
    this.#unkept = undefined;
  }

  #copied(buffer: Buffer, start: number, end: number): void {
    if (!this.#copy) return;
    this.#copy.bytes += end - start;
    const room = previewSize - this.#copy.preview.length;
    if (room <= 0) return;
    const piece = buffer.subarray(start, Math.min(end, start + room));
    this.#copy.preview += piece.toString(isUtf8(piece) ? 'utf8' : 'latin1');
  }

  #endCopy(): void {
    if (!this.#copy) return;
    const { at, direction, bytes, preview, unkept } = this.#copy;
    this.#copy = undefined;
    this.#add({ at, kind: 'copy', direction, bytes, preview, ...(unkept && { unkept }) });
  }

  #error(fields: ReadonlyMap<string, string>): void {
    const [detail, hint] = [fields.get('D'), fields.get('H')];
    this.#add({
      at: this.#at,
      kind: 'error',
      severity: fields.get('V') ?? fields.get('S') ?? 'ERROR',
      code: fields.get('C') ?? '',
      message: fields.get('M') ?? '',
      ...(detail === undefined ? {} : { detail }),
      ...(hint === undefined ? {} : { hint }),
    });
  }

  #notice(fields: ReadonlyMap<string, string>): void {
    const hint = fields.get('H');
    const severity = fields.get('V') ?? fields.get('S') ?? 'NOTICE';
    this.#add({
      at: this.#at,
      kind: 'notice',
      severity,
      message: fields.get('M') ?? '',
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

/** Texts that may be as long as the binary form of their type, by type. */
const texts: Readonly<Record<number, RegExp>> = {
  16: /^[tf]$/,
  20: /^-?\d+$/,
  21: /^-?\d+$/,
  23: /^-?\d+$/,
  26: /^\d+$/,
  700: /^(?:-?\d[\d.e+-]*|NaN|-?Infinity)$/,
  701: /^(?:-?\d[\d.e+-]*|NaN|-?Infinity)$/,
  1083: /^\d\d:\d\d:\d\d$/,
  1114: /^infinity$/,
  1184: /^infinity$/,
  1186: /^[-+\d.:a-z ]+$/,
};

/**
 * Only a Bind knows the formats of a prepared statement's rows, and recordings do not keep it: a value of its type's
 * binary size that is no text of that type is taken for binary, and so is what holds control characters or is not UTF-8.
 */
export function looksBinary(type: number, value: Buffer): boolean {
  const start = value.toString('latin1', 0, 200);
  if (/[\0-\x08\x0e-\x1f]/.test(start) || !isUtf8(value)) return true;
  return binarySizes[type] === value.length && !texts[type]?.test(start);
}
