// The server side of TLS on a link that is already open: after the protocol's own negotiation, or from its first byte.
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { Fault } from '../domain/fault.ts';
import type { SocketLink } from './socket-link.ts';

export interface ListenerTls {
  /** PEM. */
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** PEM of the authorities whose client certificates are accepted; without it none is asked for. */
  readonly ca?: string | Buffer;
}

interface Waiting {
  readonly link: SocketLink;
  readonly alpn: string | undefined;
  /** ALPN must have been agreed on, as for TLS from the first byte. */
  readonly demanded: boolean;
  resolve(): void;
  reject(fault: Fault): void;
}

export interface TlsServer {
  /** Turns the link to TLS; `first` are bytes of the handshake that were already read. */
  upgrade(link: SocketLink, options: { alpn?: string; demanded?: boolean; first?: Buffer }): Promise<void>;
}

const handshakeFailed =
  'The TLS handshake failed; check that the client trusts the gateway and speaks TLS 1.2 or newer.';

/** A TLS server that does not listen: connections are given to it one by one. `handshakeMs` bounds each handshake. */
export function tlsServer(tls: ListenerTls, handshakeMs: number): TlsServer {
  const waiting = new Map<string, Waiting>();
  const server: Server = createServer({
    cert: tls.cert,
    key: tls.key,
    ca: tls.ca,
    requestCert: tls.ca !== undefined,
    // A certificate that does not verify is no certificate; whether one is needed is the protocol's to say.
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    handshakeTimeout: handshakeMs,
    ALPNCallback: ({ protocols }) => protocols.find((name) => acceptable.has(name)),
  });
  const acceptable = new Set<string>();

  const settle = (socket: TLSSocket): Waiting | undefined => {
    const name = nameOf(socket);
    const found = waiting.get(name);
    waiting.delete(name);
    return found;
  };
  server.on('secureConnection', (socket) => {
    const one = settle(socket);
    if (!one) return void socket.destroy();
    if (one.demanded && socket.alpnProtocol !== one.alpn) {
      socket.destroy();
      return one.reject(new Fault('client.protocol', `Direct TLS needs the ALPN protocol ${one.alpn}.`));
    }
    const peer = socket.getPeerX509Certificate();
    one.link.secure = true;
    one.link.startTls = undefined;
    if (peer && socket.authorized)
      one.link.certificate = { fingerprint256: peer.fingerprint256, subject: peer.subject, raw: peer.raw };
    else if (peer) one.link.certificateRefused = String(socket.authorizationError);
    one.link.move(socket);
    one.resolve();
  });
  server.on('tlsClientError', (error, socket) => {
    settle(socket)?.reject(new Fault('client.protocol', handshakeFailed, error));
    socket.destroy();
  });

  return {
    upgrade(link, { alpn, demanded = false, first }) {
      if (link.secure) return Promise.reject(new Fault('client.protocol', 'The link is already under TLS.'));
      if (alpn !== undefined) acceptable.add(alpn);
      return new Promise<void>((resolve, reject) => {
        const raw = link.socket;
        const name = nameOf(raw);
        waiting.set(name, { link, alpn, demanded, resolve, reject });
        raw.once('close', () => {
          if (waiting.get(name)?.link !== link) return;
          waiting.delete(name);
          reject(new Fault('client.protocol', handshakeFailed));
        });
        link.flush();
        link.startTls = undefined;
        if (first) {
          // A flowing socket would hand the bytes out again before TLS takes them.
          raw.pause();
          raw.unshift(first);
        }
        server.emit('connection', raw);
      });
    },
  };
}

/** Both sockets of one connection have the same peer; two live connections of a listener never do. */
function nameOf(socket: { remoteAddress?: string; remotePort?: number; localPort?: number }): string {
  return `${socket.remoteAddress}|${socket.remotePort}|${socket.localPort}`;
}
