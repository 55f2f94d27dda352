// GET /metrics, on an address of its own: loopback, or anywhere with TLS and a token.
import { timingSafeEqual } from 'node:crypto';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

export interface MetricsListenerOptions {
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** PEM. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
  /** The secret itself; without one everybody who reaches the address may read. */
  readonly token?: string;
}

export interface MetricsListener {
  readonly port: number;
  close(): Promise<void>;
}

const mostConnections = 32;

export async function listenForScrapes(of: MetricsListenerOptions, registry: Registry): Promise<MetricsListener> {
  const serve = (request: IncomingMessage, response: ServerResponse) =>
    void answer(request, response, of.token, registry);
  const limits = { requestTimeout: 10_000, headersTimeout: 5_000, keepAliveTimeout: 5_000, maxHeaderSize: 16 * 1024 };
  const server = of.tls
    ? createHttps({ ...limits, ...of.tls, minVersion: 'TLSv1.2' }, serve)
    : createHttp(limits, serve);
  server.maxConnections = mostConnections;
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen(of.port, of.address, done);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((done) => void server.close(() => done()));
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  token: string | undefined,
  registry: Registry,
): Promise<void> {
  const say = (status: number, text: string, headers: Record<string, string> = {}) =>
    void response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(text);
  request.resume();
  if (request.url?.split('?')[0] !== '/metrics') return say(404, 'Only /metrics is here.\n');
  if (request.method !== 'GET') return say(405, 'GET it.\n', { allow: 'GET' });
  if (token !== undefined && !isToken(request.headers.authorization, token))
    return say(401, 'Send the token of metrics.token.\n', { 'www-authenticate': 'Bearer' });
  try {
    say(200, await registry.metrics(), { 'content-type': registry.contentType });
  } catch {
    say(500, 'The metrics could not be collected.\n');
  }
}

function isToken(header: string | undefined, token: string): boolean {
  const [given, wanted] = [Buffer.from(header ?? ''), Buffer.from(`Bearer ${token}`)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
