// A PostgreSQL client that says exactly the messages it is given and keeps every message that comes back, byte for byte (manual,
// chapter 53.7). It shares no code with the gateway's codec, so that the two cannot be wrong in the same way.
import { connect, type Socket } from 'node:net';

export interface Message {
  /** The type byte as a letter. */
  readonly type: string;
  /** What follows the length. */
  readonly body: Buffer;
}

export interface Where {
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** Minor protocol version. */
  readonly minor?: number;
}

const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const int16 = (value: number) => int32(value).subarray(2);
const text = (value: string) => Buffer.from(`${value}\0`);
const packet = (...parts: Buffer[]) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([int32(body.length + 4), body]);
};

/** One message of the client. */
export const message = (type: string, ...parts: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from(type), packet(...parts)]);

export type Format = 0 | 1;
export const say = {
  query: (sql: string) => message('Q', text(sql)),
  parse: (name: string, sql: string, types: readonly number[] = []) =>
    message('P', text(name), text(sql), int16(types.length), ...types.map(int32)),
  bind: (
    portal: string,
    statement: string,
    values: readonly (string | Buffer | null)[] = [],
    formats: readonly Format[] = [],
    results: readonly Format[] = [],
  ) =>
    message(
      'B',
      text(portal),
      text(statement),
      int16(formats.length),
      ...formats.map(int16),
      int16(values.length),
      ...values.flatMap((value) => {
        if (value === null) return [int32(-1)];
        const bytes = Buffer.from(value as string);
        return [int32(bytes.length), bytes];
      }),
      int16(results.length),
      ...results.map(int16),
    ),
  describe: (of: 'S' | 'P', name: string) => message('D', Buffer.from(of), text(name)),
  execute: (portal: string, limit = 0) => message('E', text(portal), int32(limit)),
  close: (of: 'S' | 'P', name: string) => message('C', Buffer.from(of), text(name)),
  sync: () => message('S'),
  flush: () => message('H'),
  copyData: (data: string | Buffer) => message('d', Buffer.from(data as string)),
  copyDone: () => message('c'),
  copyFail: (reason: string) => message('f', text(reason)),
  terminate: () => message('X'),
};

export const startup = (parameters: Readonly<Record<string, string>>, minor = 0): Buffer =>
  packet(int32(0x3_0000 + minor), ...Object.entries(parameters).flat().map(text), Buffer.alloc(1));

/** Opens a link of its own, sends the request, and resolves once the other side closed it. */
export function cancelRequest(port: number, key: Buffer): Promise<void> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(packet(int32(80_877_102), key)));
    socket
      .on('error', () => {})
      .on('close', () => done())
      .resume();
  });
}

export class RawClient {
  readonly messages: Message[] = [];
  closed = false;
  readonly socket: Socket;
  #pending: Buffer = Buffer.alloc(0);
  #wake: () => void = () => {};

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.socket.on('data', (chunk) => {
      this.#read(chunk);
      this.#wake();
    });
    const over = () => {
      this.closed = true;
      this.#wake();
    };
    this.socket.on('error', over).on('close', over).on('end', over);
  }

  #read(chunk: Buffer): void {
    let rest = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (rest.length >= 5) {
      const size = rest.readInt32BE(1) + 1;
      if (rest.length < size) break;
      this.messages.push({ type: String.fromCharCode(rest[0] as number), body: Buffer.from(rest.subarray(5, size)) });
      rest = rest.subarray(size);
    }
    this.#pending = rest;
  }

  /** Signs in, in the clear, and waits for the first ReadyForQuery. Rejects with what came instead. */
  static async open(where: Where): Promise<RawClient> {
    const client = new RawClient(where.port);
    client.send(startup({ user: where.user, database: where.database, ...where.parameters }, where.minor));
    await client.until((all) => all.some(({ type }) => type === 'R' || type === 'E'), 20_000);
    if (client.messages.some(({ type, body }) => type === 'R' && body.readInt32BE(0) === 3))
      client.send(message('p', text(where.password ?? '')));
    await client.until((all) => all.some(({ type }) => type === 'Z' || type === 'E'), 20_000);
    if (client.messages.at(-1)?.type === 'Z') return client;
    client.end();
    throw new Error(`no session: ${client.messages.map(({ type, body }) => type + body.toString('latin1')).join(' ')}`);
  }

  /** Process id and secret, as a CancelRequest wants them. */
  get key(): Buffer {
    return this.messages.find(({ type }) => type === 'K')!.body;
  }

  send(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  /** Resolves true once `enough` holds; false when the link closed or nothing came for `quietMs`. */
  async until(enough: (all: readonly Message[]) => boolean, quietMs: number): Promise<boolean> {
    while (!enough(this.messages)) {
      if (this.closed) return false;
      const news = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(false), quietMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve(true);
        };
      });
      if (!news && !enough(this.messages)) return false;
    }
    return true;
  }

  end(): void {
    this.socket.destroy();
  }
}
