// A TCP or TLS socket as a link: reads into one reused buffer where the socket can, writes once per turn. Used for both
// sides of the gateway (src/targets/dial.ts and src/listeners/listen.ts).
import type { Socket } from 'node:net';
import type { Link } from '../domain/link.ts';

export type Sink = Parameters<Link['open']>[0];

export const readBufferSize = 64 * 1024;
/** Unsent bytes above which `write` says that the peer is slow. */
const highWater = 256 * 1024;
/** Pieces that together are at most this long are joined: one copy is cheaper than a vectored write. */
const joinBelow = 8 * 1024;

// Links with unsent pieces. While a read is being handled they wait for its end: the pieces may be slices of the read
// buffer, which is the same memory until then. Otherwise they leave before the event loop goes on.
const dirty: SocketLink[] = [];
let reading = 0;
let scheduled = false;
/** Links that still send what this read brought; `many` when there are several. */
let holder: SocketLink | 'many' | undefined;

function flushAll(): boolean {
  holder = undefined;
  for (let index = 0; index < dirty.length; index++) {
    const link = dirty[index] as SocketLink;
    if (link.flush()) holder = holder === undefined ? link : 'many';
  }
  dirty.length = 0;
  return holder !== undefined;
}

/**
 * Read buffers that nobody uses. Fresh ones for every read of a large result would have the whole heap collected again
 * and again: memory outside of it counts.
 */
const spare: Buffer[] = [];
const mostSpare = 64;

function later(): void {
  scheduled = false;
  // Not while reading: a read handler never returns to the event loop before it flushed by itself.
  flushAll();
}

/** The read buffer of one socket, handed to `onread`; another one is made only while the kernel still holds slices of it. */
export class ReadBuffer {
  #buffer: Buffer = Buffer.allocUnsafeSlow(readBufferSize);
  #lent = false;
  link: SocketLink | undefined;

  readonly onread = {
    buffer: (): Buffer => {
      if (this.#lent) {
        this.#buffer = spare.pop() ?? Buffer.allocUnsafeSlow(readBufferSize);
        this.#lent = false;
      }
      return this.#buffer;
    },
    callback: (count: number): boolean => {
      this.#lent = this.link?.read(this.#buffer.subarray(0, count)) ?? false;
      if (this.#lent && holder instanceof SocketLink) holder.giveBack(this.#buffer);
      return true;
    },
  };
}

export class SocketLink implements Link {
  readonly remote: string;
  secure = false;
  plaintextAllowed = false;
  certificate: Link['certificate'];
  certificateRefused: Link['certificateRefused'];
  startTls: Link['startTls'];
  signedIn: Link['signedIn'];
  /** Sees the first chunk before the sink does; true keeps it from the sink. */
  first: ((chunk: Buffer) => boolean) | undefined;
  #socket: Socket;
  #sink: Sink | undefined;
  #early: Buffer[] = [];
  #ended: { error?: Error } | undefined;
  #pieces: Uint8Array[] = [];
  #size = 0;
  #slow = false;
  /** Large writes that were made, and those that have left. */
  #issued = 0;
  #sent = 0;
  /** Whether the newest write is one of those. */
  #counted = false;
  #lent: { readonly buffer: Buffer; readonly after: number }[] = [];
  #ending = false;
  #told = false;
  #close: () => void = () => undefined;
  /** Resolves when both directions are closed. */
  readonly closed: Promise<void>;

  /** Takes a connected socket. `buffer` is the one its `onread` option came from; without it the socket's chunks are used. */
  constructor(socket: Socket, remote: string, buffer?: ReadBuffer) {
    this.#socket = socket;
    this.remote = remote;
    if (buffer) buffer.link = this;
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
    this.#watch(socket, buffer !== undefined);
  }

  get socket(): Socket {
    return this.#socket;
  }

  #watch(socket: Socket, reused: boolean): void {
    if (!reused) socket.on('data', (chunk: Buffer) => void this.read(chunk));
    socket.on('end', () => this.#end());
    socket.on('error', (error) => this.#end(error));
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#end();
      this.#close();
    });
    socket.on('drain', () => {
      if (!this.#slow || this.#socket !== socket) return;
      this.#slow = false;
      this.#sink?.drain();
    });
  }

  /** Hands a chunk on and sends what that brought. True when a slice of it is still on its way out. */
  read(chunk: Buffer): boolean {
    if (!this.#sink) {
      this.#early.push(Buffer.from(chunk));
      this.#socket.pause();
      return false;
    }
    if (this.first) {
      const first = this.first;
      this.first = undefined;
      if (first(chunk)) return false;
    }
    reading++;
    try {
      this.#sink.data(chunk);
    } finally {
      reading--;
    }
    return reading === 0 ? flushAll() : true;
  }

  open(sink: Sink): void {
    this.#sink = sink;
    const early = this.#early;
    this.#early = [];
    for (const chunk of early) this.read(chunk);
    if (this.#ended) this.#tell();
    else this.#socket.resume();
  }

  #end(error?: Error): void {
    this.#ended ??= error ? { error } : {};
    if (this.#sink) this.#tell();
  }

  #tell(): void {
    if (this.#told) return;
    this.#told = true;
    this.#sink?.end(this.#ended?.error);
    this.flush();
  }

  write(bytes: Uint8Array): boolean {
    if (bytes.length === 0) return !this.#slow;
    if (this.#pieces.length === 0) {
      dirty.push(this);
      if (reading === 0 && !scheduled) {
        scheduled = true;
        process.nextTick(later);
      }
    }
    this.#pieces.push(bytes);
    this.#size += bytes.length;
    if (this.#size + this.#socket.writableLength > highWater) this.#slow = true;
    return !this.#slow;
  }

  /** Sends what was gathered. True when the kernel did not take all of it, so that the memory is still in use. */
  flush(): boolean {
    const pieces = this.#pieces;
    if (pieces.length === 0) return false;
    const size = this.#size;
    this.#pieces = [];
    this.#size = 0;
    const socket = this.#socket;
    if (socket.destroyed || !socket.writable) return false;
    this.#counted = size > joinBelow;
    if (!this.#counted) socket.write(pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces, size));
    else {
      this.#issued++;
      const last = pieces.length - 1;
      if (last > 0) socket.cork();
      for (let index = 0; index < last; index++) socket.write(pieces[index] as Uint8Array);
      socket.write(pieces[last] as Uint8Array, this.#left);
      if (last > 0) socket.uncork();
    }
    if (this.#slow && !socket.writableNeedDrain) {
      // Enough of it left at once although `write` had said to wait: no event of the socket will say so.
      this.#slow = false;
      process.nextTick(() => this.#sink?.drain());
    }
    return socket.writableLength > 0;
  }

  /** Takes a read buffer whose slices are on their way out; it is used again once the newest write has left. */
  giveBack(buffer: Buffer): void {
    if (this.#counted) this.#lent.push({ buffer, after: this.#issued });
  }

  /** Writes leave in their order. */
  readonly #left = (error?: Error | null): void => {
    this.#sent++;
    while (this.#lent.length > 0 && this.#lent[0]!.after <= this.#sent) {
      const { buffer } = this.#lent.shift()!;
      // After an error the kernel's side is unknown, so the memory is left alone.
      if (!error && spare.length < mostSpare) spare.push(buffer);
    }
  };

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (this.#sink) this.#socket.resume();
  }

  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.flush();
    this.#socket.end();
  }

  destroy(): void {
    this.#pieces = [];
    this.#size = 0;
    this.#socket.destroy();
  }

  /** Puts the same link on another socket that wraps the present one, as TLS does. Nothing may be waiting to be sent. */
  move(socket: Socket): void {
    this.flush();
    const before = this.#socket;
    this.#socket = socket;
    before.removeAllListeners('data');
    this.#watch(socket, false);
    if (this.#sink) socket.resume();
  }
}
