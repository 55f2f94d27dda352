// Reaches a target: TCP with a deadline, and TLS where the protocol turns to it. The session wraps what is returned here
// so that every send demands a permit.
import { Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type ConnectionOptions } from 'node:tls';
import { Fault } from '../domain/fault.ts';
import type { Link } from '../domain/link.ts';
import { ReadBuffer, SocketLink } from '../listeners/socket-link.ts';
import { endpointHash } from './channel-binding.ts';

/** How far TLS to the target is demanded and verified; the words of libpq's `sslmode`, without those that fall back. */
export type TlsMode = 'disable' | 'require' | 'verify-ca' | 'verify-full';

export interface ReachableTarget {
  readonly host: string;
  readonly port: number;
  /** Milliseconds to connect, and again for the TLS handshake. Default 10,000. */
  readonly connectMs?: number;
}

export interface TargetTls {
  readonly mode: Exclude<TlsMode, 'disable'>;
  /** PEM of the authorities that the target's certificate must come from; the system's where absent. */
  readonly ca?: string | Buffer;
  /** PEM of the gateway's own certificate and key, for targets that ask for one. */
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** Name to ask for and to verify; the target's host where absent. */
  readonly servername?: string;
  readonly alpn?: string;
}

export interface TargetStream extends Link {
  /** tls-server-end-point (RFC 5929) of the target's certificate, where TLS is up and the signature names a hash. */
  readonly endpoint?: Buffer;
  /** Our own end, `address:port`, as the target sees it where nothing stands in between. */
  readonly local?: string;
  /** Sends what was written, then turns the stream to TLS. Rejects with Fault target.unreachable, closing the stream. */
  secureNow(tls: TargetTls): Promise<void>;
}

class TargetSocketLink extends SocketLink implements TargetStream {
  endpoint: Buffer | undefined;
  readonly local: string;
  readonly #target: ReachableTarget;

  constructor(socket: Socket, target: ReachableTarget, buffer: ReadBuffer) {
    super(socket, `${target.host}:${target.port}`, buffer);
    this.#target = target;
    this.local = `${socket.localAddress}:${socket.localPort}`;
  }

  secureNow(tls: TargetTls): Promise<void> {
    if (this.secure) return Promise.reject(new Fault('target.protocol', 'The target is already under TLS.'));
    this.flush();
    const { host, connectMs = 10_000 } = this.#target;
    return new Promise((resolve, reject) => {
      const socket = connectTls(tlsOptions(this.socket, host, tls));
      const fail = (cause: unknown): void => {
        clearTimeout(timer);
        this.destroy();
        socket.destroy();
        const message = `TLS to the target ${this.remote} failed; check its certificate and the target's tls settings.`;
        reject(new Fault('target.unreachable', message, cause));
      };
      const timer = setTimeout(() => fail(new Error('TLS handshake timed out')), connectMs);
      socket.once('error', fail);
      socket.once('close', fail);
      socket.once('secureConnect', () => {
        clearTimeout(timer);
        socket.off('error', fail);
        socket.off('close', fail);
        if (tls.alpn !== undefined && socket.alpnProtocol && socket.alpnProtocol !== tls.alpn) {
          return fail(new Error('another ALPN protocol was chosen'));
        }
        const certificate = socket.getPeerX509Certificate();
        this.secure = true;
        this.endpoint = certificate && endpointHash(certificate.raw);
        this.move(socket);
        resolve();
      });
    });
  }
}

function tlsOptions(socket: Socket, host: string, tls: TargetTls): ConnectionOptions {
  const name = tls.servername ?? host;
  return {
    socket,
    ca: tls.ca,
    cert: tls.cert,
    key: tls.key,
    minVersion: 'TLSv1.2',
    // `require` encrypts without knowing to whom, as the configuration says in its own words.
    rejectUnauthorized: tls.mode !== 'require',
    // An address is no server name (RFC 6066 §3).
    servername: /^[\d.]+$|:/.test(name) ? '' : name,
    checkServerIdentity: (_name, certificate) =>
      tls.mode === 'verify-full' ? checkServerIdentity(name, certificate) : undefined,
    ALPNProtocols: tls.alpn === undefined ? undefined : [tls.alpn],
  };
}

/** Connects. Rejects with Fault target.unreachable; the cause says why, for the operator. */
export function dialTarget(target: ReachableTarget): Promise<TargetStream> {
  return new Promise((resolve, reject) => {
    const buffer = new ReadBuffer();
    const socket = new Socket({ onread: buffer.onread });
    const fail = (cause: unknown): void => {
      clearTimeout(timer);
      socket.destroy();
      const message = `The target ${target.host}:${target.port} cannot be reached; check that it runs and that the gateway may connect to it.`;
      reject(new Fault('target.unreachable', message, cause));
    };
    const timer = setTimeout(() => fail(new Error('connecting timed out')), target.connectMs ?? 10_000);
    socket.once('error', fail);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', fail);
      socket.pause();
      resolve(new TargetSocketLink(socket, target, buffer));
    });
    // Both wait inside until the socket has its handle.
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.connect({ host: target.host, port: target.port });
  });
}
