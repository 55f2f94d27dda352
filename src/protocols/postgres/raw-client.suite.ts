// A client that says exactly the bytes it is given, for tests: what comes back is listed message by message.
import { connect, type Socket } from 'node:net';
import { clientMessage, targetMessage, targetPeer } from './codec.ts';
import { encodePassword } from './codec-authentication.ts';
import { encodeBind, encodeClose, encodeDescribe, encodeExecute, encodeParse, type Format } from './codec-extended.ts';
import { found, Framer } from './codec-framer.ts';
import { decodeReport } from './codec-report.ts';
import { decodeRowDescription } from './codec-rows.ts';
import { encodeFlush, encodeFunctionCall, encodeQuery, encodeSync, encodeTerminate } from './codec-simple.ts';
import { encodeStartup } from './codec-startup.ts';
import { Writer } from './codec-writer.ts';

export interface Seen {
  readonly type: number;
  /** The message without its header, errors by SQLSTATE and text. */
  readonly body: string;
}

export class RawClient {
  readonly seen: Seen[] = [];
  closed = false;
  readonly #socket: Socket;
  readonly #framer = new Framer({ peer: targetPeer });
  #wake: () => void = () => undefined;

  constructor(port: number) {
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.#socket.on('data', (chunk: Buffer) => {
      this.#framer.push(Buffer.from(chunk));
      while (this.#framer.next() === found.message) this.seen.push(seen(this.#framer));
      this.#wake();
    });
    const over = () => {
      this.closed = true;
      this.#wake();
    };
    this.#socket.on('error', over);
    this.#socket.on('close', over);
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Resolves when `enough` says so, or the connection is closed. */
  async until(enough: (seen: readonly Seen[]) => boolean): Promise<void> {
    while (!this.closed && !enough(this.seen)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  ready(count: number): Promise<void> {
    return this.until((all) => all.filter((message) => message.type === targetMessage.readyForQuery).length >= count);
  }

  async start(parameters: Record<string, string>, password: string | undefined, minor = 0): Promise<this> {
    const writer = new Writer();
    encodeStartup(writer, Object.entries(parameters), minor);
    this.send(writer.take());
    await this.until((all) => all.length > 0);
    if (
      password !== undefined &&
      this.seen.some((message) => message.type === targetMessage.authentication && message.body.startsWith('00000003'))
    ) {
      encodePassword(writer, password);
      this.send(writer.take());
    }
    await this.ready(1);
    return this;
  }

  /** What came since the last call. */
  take(): Seen[] {
    return this.seen.splice(0);
  }

  end(): void {
    this.#socket.destroy();
  }
}

function seen(framer: Framer): Seen {
  const { type, buffer, start, end } = framer;
  if (type === targetMessage.errorResponse || type === targetMessage.noticeResponse) {
    const report = decodeReport(buffer, start, end);
    return { type, body: ['V', 'C', 'M', 'P'].map((letter) => report.get(letter) ?? '').join('|') };
  }
  if (type === targetMessage.rowDescription) {
    // OIDs of tables that a run makes differ from run to run; that they are set or not does not.
    const fields = decodeRowDescription(buffer, start, end).map((field) => ({
      ...field,
      table: field.table === 0 ? 0 : 1,
    }));
    return { type, body: JSON.stringify(fields) };
  }
  if (type === targetMessage.notificationResponse) return { type, body: buffer.toString('utf8', start + 9, end) };
  return { type, body: buffer.toString('hex', start + 5, end) };
}

/** Messages for short: `say.parse('s', 'select 1')`. */
export const say = {
  query: (text: string) => one((writer) => encodeQuery(writer, text)),
  parse: (name: string, text: string, types: number[] = []) =>
    one((writer) => encodeParse(writer, { name, text, types })),
  bind: (portal: string, statement: string, values: (string | null)[] = [], results: Format[] = []) =>
    one((writer) =>
      encodeBind(writer, {
        portal,
        statement,
        formats: [],
        parameters: values.map((value) => (value === null ? null : Buffer.from(value))),
        results,
      }),
    ),
  describe: (of: 'statement' | 'portal', name: string) => one((writer) => encodeDescribe(writer, { of, name })),
  execute: (portal: string, limit = 0) => one((writer) => encodeExecute(writer, { portal, limit })),
  close: (of: 'statement' | 'portal', name: string) => one((writer) => encodeClose(writer, { of, name })),
  sync: () => one(encodeSync),
  flush: () => one(encodeFlush),
  terminate: () => one(encodeTerminate),
  copyData: (text: string) => one((writer) => writer.open(clientMessage.copyData).bytes(Buffer.from(text)).close()),
  call: (routine: number, values: (string | Buffer | null)[], result: Format = 1) =>
    one((writer) =>
      encodeFunctionCall(writer, {
        routine,
        formats: [1],
        values: values.map((value) => (typeof value === 'string' ? Buffer.from(value) : value)),
        result,
      }),
    ),
  copyDone: () => one((writer) => writer.open(clientMessage.copyDone).close()),
  copyFail: (reason: string) => one((writer) => writer.open(clientMessage.copyFail).text(reason).close()),
};

function one(write: (writer: Writer) => void): Buffer {
  const writer = new Writer();
  write(writer);
  return writer.take();
}
