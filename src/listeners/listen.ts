// Accepts TCP connections and hands them over as links; TLS starts where the protocol asks for it, or at the first byte.
import { createServer, type Server, Socket } from 'node:net';
import type { Link } from '../domain/link.ts';
import { ReadBuffer, SocketLink } from './socket-link.ts';
import { type ListenerTls, type TlsServer, tlsServer } from './tls-server.ts';

export interface ListenOptions {
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls?: ListenerTls;
  /** Whether a peer on the loopback interface may go on without TLS; the protocol enforces it by `Link.plaintextAllowed`. */
  readonly plaintext: 'refuse' | 'loopback';
  /** ALPN name under which TLS may start at the first byte, such as `postgresql` (PostgreSQL 17). */
  readonly directTls?: string;
  readonly limits: ListenerLimits;
  /** What a peer above the limit is told, in its protocol's own form, before the connection is closed. */
  readonly refusal?: Uint8Array;
  onLink(link: Link): void;
}

export interface ListenerLimits {
  /** Open connections at the same time. */
  readonly links: number;
  /** Of these, links whose peer has not signed in: above it, and wherever room is needed, the oldest of them is cut, or the new one refused when all came just now. No such cap where absent. */
  readonly signingIn?: number;
  /** Milliseconds a TLS handshake may take. Default 10,000. */
  readonly handshakeMs?: number;
}

export interface Listener {
  readonly address: string;
  readonly port: number;
  /** Open connections now. */
  readonly links: number;
  /** Stops accepting, waits up to `graceMs` for links to end by themselves (0: not at all), and closes the rest. */
  close(graceMs?: number): Promise<void>;
}

/** Milliseconds in which a link that has not signed in is not cut for another one. */
const graceMs = 250;

const tlsHandshakeByte = 0x16;

/** Rejects with the operating system's error when the address cannot be taken. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const open = new Set<SocketLink>();
  /** Links that have not signed in, the oldest first, with when they came. */
  const strangers = new Map<SocketLink, number>();
  const { signingIn } = options.limits;
  const tls = options.tls && tlsServer(options.tls, options.limits.handshakeMs ?? 10_000);
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000, pauseOnConnect: true });
  server.on('connection', (accepted) => {
    // Whoever signs in at once gets in, however many others only sit there; those who came just now may still be at it.
    if (strangers.size >= (signingIn ?? Number.POSITIVE_INFINITY) || open.size >= options.limits.links) {
      const [oldest, since] = strangers.entries().next().value ?? [];
      if (oldest === undefined || performance.now() - (since ?? 0) < graceMs) return refuse(accepted, options.refusal);
      strangers.delete(oldest);
      open.delete(oldest);
      oldest.destroy();
    }
    const buffer = new ReadBuffer();
    const { remoteAddress = 'unknown', remotePort = 0 } = accepted;
    const { socket, reused } = withReadBuffer(accepted, buffer);
    const link = new SocketLink(socket, `${remoteAddress}:${remotePort}`, reused ? buffer : undefined);
    link.plaintextAllowed = options.plaintext === 'loopback' && isLoopback(remoteAddress);
    open.add(link);
    if (signingIn !== undefined) {
      strangers.set(link, performance.now());
      link.signedIn = () => void strangers.delete(link);
    }
    void link.closed.then(() => {
      open.delete(link);
      strangers.delete(link);
    });
    if (tls) link.startTls = (wish) => tls.upgrade(link, { alpn: wish?.alpn });
    if (tls && options.directTls) direct(link, tls, options.directTls, options.onLink);
    else options.onLink(link);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.address, port: options.port }, () => {
      server.off('error', reject);
      // Running out of file descriptors must not end the process; the next accept tries again.
      server.on('error', () => undefined);
      resolve();
    });
  });
  const { address, port } = server.address() as { address: string; port: number };
  return {
    address,
    port,
    get links() {
      return open.size;
    },
    close: (graceMs = 0) => close(server, open, graceMs),
  };
}

/** TLS from the first byte is taken up here, so that the protocol sees a link that is secure from its start. */
function direct(link: SocketLink, tls: TlsServer, alpn: string, onLink: (link: Link) => void): void {
  link.first = (chunk) => {
    if (chunk[0] !== tlsHandshakeByte) return false;
    // A failed handshake has already closed the socket, and the peer was told by TLS itself.
    tls.upgrade(link, { alpn, demanded: true, first: Buffer.from(chunk) }).then(
      () => undefined,
      () => link.destroy(),
    );
    return true;
  };
  onLink(link);
}

/** Milliseconds that a refused peer has to take its refusal, and how many may do so at once. */
const farewellMs = 1_000;
const mostFarewells = 256;
let farewells = 0;

function refuse(accepted: Socket, refusal: Uint8Array | undefined): void {
  accepted.on('error', () => undefined);
  if (!refusal || farewells >= mostFarewells) return void accepted.destroy();
  farewells++;
  const timer = setTimeout(() => accepted.destroy(), farewellMs);
  accepted.once('close', () => {
    farewells--;
    clearTimeout(timer);
  });
  // Closing over unread bytes would be a reset, which takes back what was sent.
  accepted.resume();
  accepted.end(refusal);
}

/**
 * Puts the accepted handle on a socket that reads into our buffer: `onread` (8–20 % less CPU) exists for sockets one makes,
 * not for those a server makes. Where the handle cannot be moved, the accepted socket stays as it is.
 */
function withReadBuffer(accepted: Socket, buffer: ReadBuffer): { socket: Socket; reused: boolean } {
  const holder = accepted as unknown as { _handle: unknown };
  const handle = holder._handle;
  if (!handle) return { socket: accepted, reused: false };
  holder._handle = null;
  accepted.destroy();
  const options = { handle, onread: buffer.onread, manualStart: true } as unknown as ConstructorParameters<
    typeof Socket
  >[0];
  return { socket: new Socket(options), reused: true };
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}

async function close(server: Server, open: Set<SocketLink>, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  if (graceMs > 0 && open.size > 0) {
    let timer: NodeJS.Timeout | undefined;
    const waited = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    await Promise.race([Promise.all([...open].map((link) => link.closed)), waited]);
    clearTimeout(timer);
  }
  const rest = [...open];
  for (const link of rest) link.destroy();
  await Promise.all(rest.map((link) => link.closed));
  await closed;
}
