// Receivers of events: a syslog server that counts octets, and an HTTP server that keeps what it was sent.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net';
import { createServer as createTls, type TlsOptions } from 'node:tls';
import { gunzipSync } from 'node:zlib';

export interface SyslogReceiver {
  readonly port: number;
  readonly messages: string[];
  /** What came and could not be framed. */
  readonly broken: string[];
  /** From now on: take a connection, and break it after the first bytes. */
  breaks: boolean;
  close(): Promise<void>;
}

/** RFC 6587, 3.4.1: `MSG-LEN SP SYSLOG-MSG`, over TCP, or TLS with a certificate. */
export async function syslogReceiver(tls?: TlsOptions): Promise<SyslogReceiver> {
  const messages: string[] = [];
  const broken: string[] = [];
  const state = { breaks: false };
  const serve = (socket: Socket) => {
    let rest = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      if (state.breaks) return void socket.destroy();
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        const space = rest.indexOf(' ');
        if (space < 0) return;
        const length = Number(rest.toString('latin1', 0, space));
        if (!Number.isSafeInteger(length)) {
          broken.push(rest.toString('latin1'));
          return void socket.destroy();
        }
        if (rest.length < space + 1 + length) return;
        messages.push(rest.toString('utf8', space + 1, space + 1 + length));
        rest = rest.subarray(space + 1 + length);
      }
    });
    socket.on('end', () => {
      if (rest.length > 0) broken.push(rest.toString('latin1'));
    });
  };
  const server: Server = tls ? createTls(tls, serve) : createTcp(serve);
  const port = await listening(server);
  return {
    port,
    messages,
    broken,
    get breaks() {
      return state.breaks;
    },
    set breaks(value) {
      state.breaks = value;
    },
    close: () => closed(server),
  };
}

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Unpacked. */
  readonly body: string;
}

export interface HttpReceiver {
  readonly url: string;
  readonly received: Received[];
  /** Answers; 200 with an empty object where nothing else is said. */
  answer: (of: Received, response: ServerResponse) => void;
  close(): Promise<void>;
}

export async function httpReceiver(): Promise<HttpReceiver> {
  const received: Received[] = [];
  const of: { answer: HttpReceiver['answer'] } = { answer: (_, response) => void response.end('{}') };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const bytes = Buffer.concat(parts);
      const body = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString('utf8');
      const one = { path: request.url ?? '', headers: request.headers, body };
      received.push(one);
      of.answer(one, response);
    });
  });
  const port = await listening(server);
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    get answer() {
      return of.answer;
    },
    set answer(value) {
      of.answer = value;
    },
    async close() {
      server.closeAllConnections();
      await closed(server);
    },
  };
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

function closed(server: Server): Promise<void> {
  return new Promise((done) => void server.close(() => done()));
}
