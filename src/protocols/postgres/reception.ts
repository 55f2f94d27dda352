// Stands at the client's link until the conversation takes over: bytes are kept, and waiting ends when the client leaves.
import { Fault } from '../../domain/fault.ts';
import type { Link } from '../../domain/link.ts';
import type { Wire } from '../wire.ts';

/** Bytes that a client may send ahead of its sign-in's answer. */
const earlyBytes = 64 * 1024;

export class Reception {
  readonly client: Link;
  gone = false;
  readonly left = new AbortController();
  wire: Wire | undefined;
  #early: Buffer[] = [];
  #size = 0;
  #wake: (() => void) | undefined;
  #fault: Fault | undefined;
  #over = false;
  #lingers: NodeJS.Timeout | undefined;

  constructor(client: Link) {
    this.client = client;
    client.open({
      data: (chunk) => {
        if (this.wire) this.wire.data(chunk);
        else if (!this.#over) this.#keep(chunk);
      },
      drain: () => this.wire?.drain(),
      end: () => {
        this.gone = true;
        clearTimeout(this.#lingers);
        this.left.abort(new Fault('client.protocol', 'The client left.'));
        this.#wake?.();
        this.wire?.end();
      },
    });
  }

  #keep(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > earlyBytes)
      return this.fail(new Fault('client.protocol', 'The client sent too much before it had signed in.'));
    this.#early.push(Buffer.from(chunk));
    // A client that sends byte by byte must not cost an object for each.
    if (this.#early.length >= 64) this.#early = [Buffer.concat(this.#early)];
    this.#wake?.();
  }

  fail(fault: Fault): void {
    this.#fault ??= fault;
    this.left.abort(fault);
    this.#wake?.();
  }

  /** The next bytes, or `undefined` when the client has left. Rejects with what failed meanwhile. */
  async bytes(): Promise<Buffer | undefined> {
    while (this.#early.length === 0 && !this.gone && !this.#fault) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#fault) throw this.#fault;
    return this.take();
  }

  /** Puts bytes back that were taken too early: a client may not wait for the answer to its sign-in. */
  before(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#early.unshift(Buffer.from(bytes));
    this.#size += bytes.length;
  }

  take(): Buffer | undefined {
    if (this.#early.length === 0) return undefined;
    const bytes = Buffer.concat(this.#early);
    this.#early = [];
    this.#size = 0;
    return bytes;
  }

  check(): void {
    if (this.#fault) throw this.#fault;
    if (this.gone) throw this.left.signal.reason;
  }

  linger(ms: number): void {
    if (!this.gone) this.#lingers = setTimeout(() => this.client.destroy(), ms).unref();
  }

  over(): void {
    this.#over = true;
    this.#early = [];
  }
}
