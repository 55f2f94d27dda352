import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { selfSigned } from '../../test/peers/self-signed.ts';
import { verifies } from '../../test/requirements.ts';
import { demoCertificates, type DemoCertificates } from '../demo/certificates.ts';
import { Fault } from '../domain/fault.ts';
import type { Link } from '../domain/link.ts';
import { dialTarget, type TargetStream } from '../targets/dial.ts';
import { listen, type Listener, type ListenOptions } from './listen.ts';

let certificates: DemoCertificates;
const listeners: Listener[] = [];
beforeAll(async () => {
  certificates = await demoCertificates(new Date());
});
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close();
});

async function start(onLink: (link: Link) => void, more: Partial<ListenOptions> = {}): Promise<Listener> {
  const listener = await listen({
    address: '127.0.0.1',
    port: 0,
    plaintext: 'loopback',
    limits: { links: 10 },
    onLink,
    ...more,
  });
  listeners.push(listener);
  return listener;
}

const tls = () => ({ cert: certificates.certificate, key: certificates.key });

/** Sends back all that it gets, and stops reading while its peer is slow. */
function echo(link: Link): void {
  link.open({
    data: (chunk) => void (link.write(chunk) || link.pause()),
    drain: () => link.resume(),
    end: () => link.end(),
  });
}

/** Starts TLS at an `S`, as a protocol with a negotiation of its own does, and echoes afterwards. */
function negotiated(faults: unknown[], alpn?: string): (link: Link) => void {
  return (link) =>
    link.open({
      data: (chunk) => {
        if (link.secure) return void link.write(chunk);
        link.write(Buffer.from('S'));
        link.startTls?.({ alpn }).catch((fault: unknown) => faults.push(fault));
      },
      drain: () => undefined,
      end: () => link.end(),
    });
}

function collect(socket: Socket): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(Buffer.concat(chunks)));
  });
}

const once = (socket: Socket, event: string) => new Promise<unknown>((resolve) => socket.once(event, resolve));

async function askTls(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.write('?');
  expect(String(await once(socket, 'data'))).toBe('S');
  return socket;
}

describe('links', () => {
  test('32 MiB come back unchanged through a peer that reads slowly', async () => {
    const { port } = await start(echo);
    const stream: TargetStream = await dialTarget({ host: '127.0.0.1', port });
    const sent = createHash('sha256');
    const got = createHash('sha256');
    const block = Buffer.alloc(256 * 1024);
    let left = 128;
    let size = 0;
    await new Promise<void>((resolve, reject) => {
      let seed = 1;
      const fill = (): void => {
        while (left > 0) {
          left--;
          for (let index = 0; index < block.length; index += 4)
            block.writeInt32LE((seed = (seed * 1103515245 + 12345) | 0), index);
          sent.update(block);
          if (!stream.write(Buffer.from(block))) return;
        }
      };
      let reads = 0;
      stream.open({
        data(chunk) {
          got.update(chunk);
          size += chunk.length;
          if (size === 32 * 1024 * 1024) resolve();
          if (++reads % 50 === 0) {
            stream.pause();
            setTimeout(() => stream.resume(), 1);
          }
        },
        drain: fill,
        end: (error) => reject(error ?? new Error('ended early')),
      });
      fill();
    });
    stream.destroy();
    expect(got.digest('hex')).toBe(sent.digest('hex'));
  });

  test('writes of one turn leave together, and bytes that came before `open` are kept', async () => {
    let link: Link | undefined;
    const { port } = await start((one) => (link = one));
    const socket = connect(port, '127.0.0.1');
    socket.write('early');
    await once(socket, 'connect');
    await expect.poll(() => link).toBeDefined();
    const seen = await new Promise<string>((resolve) =>
      link?.open({ data: (chunk) => resolve(String(chunk)), drain: () => undefined, end: () => undefined }),
    );
    expect(seen).toBe('early');
    for (const letter of 'abc') link?.write(Buffer.from(letter));
    expect(String(await once(socket, 'data'))).toBe('abc');
    socket.destroy();
  });

  test('what is written before `end` arrives, and `end` of the sink is called once', async () => {
    let ends = 0;
    const { port } = await start((link) => {
      link.open({ data: () => undefined, drain: () => undefined, end: () => void ends++ });
      link.write(Buffer.alloc(3_000_000, 1));
      link.end();
      link.end();
    });
    const socket = connect(port, '127.0.0.1');
    expect((await collect(socket)).length).toBe(3_000_000);
    await expect.poll(() => ends).toBe(1);
  });

  test('writing to a peer that is gone is harmless', async () => {
    let link: Link | undefined;
    let ended = false;
    const { port } = await start((one) => {
      link = one;
      one.open({ data: () => undefined, drain: () => undefined, end: () => (ended = true) });
    });
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    await expect.poll(() => link).toBeDefined();
    socket.resetAndDestroy();
    await expect.poll(() => ended).toBe(true);
    link?.write(Buffer.from('late'));
    link?.destroy();
  });

  test(verifies('bounded', 'a connection above the limit is told so and closed'), async () => {
    const { port } = await start(echo, { limits: { links: 1 }, refusal: Buffer.from('full') });
    const first = connect(port, '127.0.0.1');
    first.write('x');
    await once(first, 'data');
    expect(String(await collect(connect(port, '127.0.0.1')))).toBe('full');
    first.destroy();
    await once(first, 'close');
    await expect.poll(() => listeners.at(-1)?.links).toBe(0);
    const next = connect(port, '127.0.0.1');
    next.write('y');
    expect(String(await once(next, 'data'))).toBe('y');
    next.destroy();
  });

  test.each(['refuse', 'loopback'] as const)(
    'a peer on loopback may go on without TLS as configured: %s',
    async (plaintext) => {
      const links: Link[] = [];
      const { port } = await start((link) => links.push(link), { plaintext });
      const socket = connect(port, '127.0.0.1');
      await expect.poll(() => links[0]?.plaintextAllowed).toBe(plaintext === 'loopback');
      expect(links[0]?.startTls).toBeUndefined();
      socket.destroy();
    },
  );

  test('closing the listener closes its links', async () => {
    const listener = await start(echo);
    const socket = connect(listener.port, '127.0.0.1');
    socket.write('x');
    await once(socket, 'data');
    const gone = collect(socket);
    await listener.close();
    await gone;
    expect(listener.links).toBe(0);
  });
});

describe('TLS', () => {
  test('is negotiated inside the stream, and large echoes pass', async () => {
    const faults: unknown[] = [];
    const { port } = await start(negotiated(faults, 'postgresql'), { tls: tls() });
    const secure = connectTls({
      socket: await askTls(port),
      ca: certificates.authority,
      host: 'localhost',
      servername: 'localhost',
    });
    await once(secure, 'secureConnect');
    expect(secure.authorized).toBe(true);
    const data = Buffer.alloc(1_000_000, 'abcdef');
    let got = 0;
    const all = new Promise<void>((resolve) =>
      secure.on('data', (chunk: Buffer) => void ((got += chunk.length) === data.length && resolve())),
    );
    secure.write(data);
    await all;
    secure.destroy();
    expect(faults).toEqual([]);
  });

  test('a dialled stream turns to TLS in place, verified, with its end-point hash', async () => {
    const { port } = await start(negotiated([]), { tls: tls() });
    const stream = await dialTarget({ host: '127.0.0.1', port });
    let answer: ((text: string) => void) | undefined;
    const next = () => new Promise<string>((resolve) => (answer = resolve));
    stream.open({ data: (chunk) => answer?.(String(chunk)), drain: () => undefined, end: () => undefined });
    const agreed = next();
    stream.write(Buffer.from('?'));
    expect(await agreed).toBe('S');
    await stream.secureNow({ mode: 'verify-full', ca: certificates.authority });
    expect(stream.secure).toBe(true);
    expect(stream.endpoint).toHaveLength(32);
    const echoed = next();
    stream.write(Buffer.from('hello'));
    expect(await echoed).toBe('hello');
    stream.destroy();
  });

  test.each([
    ['verify-full', undefined, 'an authority that is not known'],
    ['verify-ca', undefined, 'an authority that is not known'],
    ['verify-full', 'other.example', 'another name'],
  ] as const)('%s refuses %s (%s)', async (mode, servername, _title) => {
    const { port } = await start(negotiated([]), { tls: tls() });
    const stream = await dialTarget({ host: '127.0.0.1', port });
    const agreed = new Promise<void>((resolve) =>
      stream.open({ data: () => resolve(), drain: () => undefined, end: () => undefined }),
    );
    stream.write(Buffer.from('?'));
    await agreed;
    const ca = servername ? certificates.authority : undefined;
    await expect(stream.secureNow({ mode, ca, servername })).rejects.toThrow(
      expect.objectContaining({ code: 'target.unreachable' }),
    );
  });

  test('require and verify-ca accept another name, as their words say', async () => {
    const { port } = await start(negotiated([]), { tls: tls() });
    for (const wish of [
      { mode: 'require' },
      { mode: 'verify-ca', ca: certificates.authority, servername: 'other.example' },
    ] as const) {
      const stream = await dialTarget({ host: '127.0.0.1', port });
      const agreed = new Promise<void>((resolve) =>
        stream.open({ data: () => resolve(), drain: () => undefined, end: () => undefined }),
      );
      stream.write(Buffer.from('?'));
      await agreed;
      await stream.secureNow(wish);
      stream.destroy();
    }
  });

  test('from the first byte needs the ALPN name', async () => {
    const secured: boolean[] = [];
    const onLink = (link: Link) =>
      link.open({
        data: (chunk) => void (secured.push(link.secure), link.write(chunk)),
        drain: () => undefined,
        end: () => link.end(),
      });
    const { port } = await start(onLink, { tls: tls(), directTls: 'postgresql' });
    const good = connectTls({ port, host: 'localhost', ca: certificates.authority, ALPNProtocols: ['postgresql'] });
    good.write('hello');
    expect(String(await once(good, 'data'))).toBe('hello');
    good.destroy();
    for (const ALPNProtocols of [undefined, ['http/1.1']]) {
      const bad = connectTls({ port, host: 'localhost', ca: certificates.authority, ALPNProtocols });
      bad.write('hello');
      expect((await collect(bad)).length).toBe(0);
    }
    expect(secured).toEqual([true]);
    const plain = connect(port, '127.0.0.1');
    plain.write('plain');
    expect(String(await once(plain, 'data'))).toBe('plain');
    expect(secured).toEqual([true, false]);
    plain.destroy();
  });

  test(verifies('identity.never-defaulted', 'only a client certificate that verifies is one'), async () => {
    const links: Link[] = [];
    const onLink = (link: Link) => {
      links.push(link);
      negotiated([])(link);
    };
    const known = await selfSigned('agent');
    const { port } = await start(onLink, { tls: { ...tls(), ca: known.cert } });
    const shown = [{}, known, await selfSigned('agent')];
    for (const mine of shown) {
      const secure = connectTls({
        socket: await askTls(port),
        ca: certificates.authority,
        host: 'localhost',
        servername: 'localhost',
        ...mine,
      });
      secure.on('error', () => undefined);
      secure.write('x');
      await once(secure, 'data');
      secure.destroy();
    }
    expect(links.map((link) => link.certificate?.subject)).toEqual([undefined, 'CN=agent', undefined]);
    expect(links[1]?.certificate?.fingerprint256).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  });

  test(verifies('bounded', 'a handshake that does not go on ends at its deadline'), async () => {
    const faults: unknown[] = [];
    const { port } = await start(negotiated(faults), { tls: tls(), limits: { links: 3, handshakeMs: 60 } });
    const socket = await askTls(port);
    await collect(socket);
    await expect.poll(() => faults).toHaveLength(1);
    expect(faults[0]).toBeInstanceOf(Fault);
  });

  test('rubbish in place of a handshake is a fault, not a crash', async () => {
    const faults: unknown[] = [];
    const { port } = await start(negotiated(faults), { tls: tls() });
    const socket = await askTls(port);
    socket.write('this is no ClientHello, whatever it may be');
    await collect(socket);
    await expect.poll(() => faults).toHaveLength(1);
    expect(faults[0]).toBeInstanceOf(Fault);
  });
});
