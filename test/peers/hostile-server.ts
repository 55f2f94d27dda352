// A PostgreSQL server that misbehaves on demand. It stands in front of a real one and passes everything on, until the text of a
// statement carries /* hostile:NAME */: that statement is swallowed and answered with what NAME stands for. With `login` set it
// misbehaves before anybody is signed in. Its bytes are made here, without the gateway's codec.
import { connect, createServer, type Socket } from 'node:net';

export interface HostileServer {
  readonly port: number;
  /** How it treats those who sign in from now on. */
  login: LoginTrick | undefined;
  stop(): void;
}

export type LoginTrick =
  | 'silent'
  | 'endless notices'
  | 'absurd SCRAM'
  | 'unknown method'
  | 'long message'
  | 'ok without more';

const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};
const int16 = (value: number) => int32(value).subarray(2);
const text = (value: string) => Buffer.from(`${value}\0`);
const head = (type: string, length: number) => Buffer.concat([Buffer.from(type), int32(length)]);
const message = (type: string, ...parts: Buffer[]) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([head(type, body.length + 4), body]);
};
const report = (type: 'E' | 'N', fields: Readonly<Record<string, string>>) =>
  message(
    type,
    ...Object.entries(fields).flatMap(([letter, value]) => [Buffer.from(letter), text(value)]),
    Buffer.alloc(1),
  );

const ready = message('Z', Buffer.from('I'));
const notice = report('N', { S: 'NOTICE', V: 'NOTICE', C: '00000', M: 'n'.repeat(200) });
const complete = message('C', text('SELECT 1'));
/** One int4 column without a base table, as `select 1` has it. */
const column = (name: string) =>
  Buffer.concat([text(name), int32(0), int16(0), int32(23), int16(4), int32(-1), int16(0)]);
const describe = (...names: string[]) => message('T', int16(names.length), ...names.map(column));
const row = (...values: string[]) =>
  message(
    'D',
    int16(values.length),
    ...values.flatMap((value) => [int32(Buffer.byteLength(value)), Buffer.from(value)]),
  );
const megabyte = Buffer.alloc(1 << 20, 'h');

/** Bytes to send, or what goes on sending until the other side has had enough. */
type Trick = Buffer | 'close' | ((socket: Socket) => void);

/** Sends the same bytes for as long as somebody takes them. */
const endless =
  (bytes: Buffer, first: Buffer = Buffer.alloc(0)) =>
  (socket: Socket): void => {
    const block = Buffer.concat(Array.from({ length: Math.max(1, Math.ceil(65_536 / bytes.length)) }, () => bytes));
    const more = (): void => {
      while (!socket.destroyed && socket.writableLength < 1 << 20) if (!socket.write(block)) break;
    };
    socket.write(first);
    socket.on('drain', more);
    more();
  };

export const tricks = {
  'unknown type': message('\x01', text('what')),
  'negative length': head('D', 0xffff_fff0),
  'length below four': head('D', 3),
  'length beyond the protocol': head('T', 0x7fff_ffff),
  'description of hundreds of megabytes': endless(megabyte, head('T', 0x3000_0000)),
  'error of hundreds of megabytes': endless(megabyte, head('E', 0x3000_0000)),
  'endless notices': endless(notice),
  'endless settings': endless(message('S', text('application_name'), text('x'.repeat(100)))),
  'endless rows of nothing': endless(message('D', int16(0)), describe('?column?')),
  'row without description': Buffer.concat([row('secret'), complete, ready]),
  'row of another width': Buffer.concat([describe('?column?'), row('1', '2'), complete, ready]),
  'description of another width': Buffer.concat([describe('a', 'b'), row('1', '2'), complete, ready]),
  'cell longer than its row': Buffer.concat([
    describe('?column?'),
    message('D', int16(1), int32(1_000), Buffer.from('x')),
  ]),
  'description that ends early': message('T', int16(9), column('a')),
  'more columns than bytes': message('T', int16(-1)),
  'answer nobody asked for': message('1'),
  'copy nobody asked for': message('G', Buffer.from([0]), int16(0)),
  'copy in both directions': message('W', Buffer.from([0]), int16(0)),
  'function result': message('V', int32(1), Buffer.from('x')),
  'authentication again': message('R', int32(3)),
  'ready twice': Buffer.concat([describe('?column?'), row('1'), complete, ready, ready]),
  'ready without end': Buffer.concat([ready, complete]),
  'unknown transaction status': message('Z', Buffer.from('X')),
  'error without SQLSTATE': Buffer.concat([report('E', { S: 'ERROR', M: 'no code' }), ready]),
  'error with a long SQLSTATE': Buffer.concat([report('E', { S: 'ERROR', C: 'C'.repeat(1 << 20), M: 'm' }), ready]),
  'error without an end': message('E', Buffer.from('S'), Buffer.from('ERROR')),
  'long command tag': Buffer.concat([describe('?column?'), row('1'), message('C', text('T'.repeat(1 << 20))), ready]),
  'close in a message': (socket: Socket) => {
    socket.write(Buffer.concat([describe('?column?'), head('D', 100), Buffer.from('abc')]));
    setTimeout(() => socket.end(), 50);
  },
  'close in a large row': (socket: Socket) => {
    socket.write(
      Buffer.concat([describe('?column?'), head('D', 300_000), int16(1), int32(299_990), megabyte.subarray(0, 99_999)]),
    );
    setTimeout(() => socket.destroy(), 50);
  },
  close: 'close',
} as const satisfies Record<string, Trick>;
export type TrickName = keyof typeof tricks;

const logins: Readonly<Record<LoginTrick, (socket: Socket, saslContinued: boolean, client: Buffer) => void>> = {
  silent: () => {},
  'endless notices': (socket) => endless(notice)(socket),
  'absurd SCRAM': (socket, continued, client) => {
    if (!continued) return void socket.write(message('R', int32(10), text('SCRAM-SHA-256'), Buffer.alloc(1)));
    const nonce = /r=([^,]+)$/.exec(client.toString('latin1'))?.[1] ?? '';
    socket.write(message('R', int32(11), Buffer.from(`r=${nonce}more,s=c2FsdHNhbHQ=,i=999999999`)));
  },
  'unknown method': (socket) => socket.write(message('R', int32(7))),
  'long message': (socket) => endless(megabyte, head('N', 0x3000_0000))(socket),
  'ok without more': (socket) => socket.write(message('R', int32(0))),
};

/** `server` is the port of the real one, on loopback. */
export async function hostileServer(server: number): Promise<HostileServer> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    return socket;
  };
  const listener = createServer({ noDelay: true }, (client) => {
    keep(client);
    if (running.login !== undefined) return misbehave(client, logins[running.login]);
    const real = keep(connect({ port: server, host: '127.0.0.1', noDelay: true }));
    real.on('data', (chunk: Buffer) => {
      if (!client.write(chunk)) real.pause();
    });
    client.on('drain', () => real.resume());
    real.on('close', () => client.destroy());
    client.on('close', () => real.destroy());
    client.on('data', (chunk: Buffer) => {
      const name = /hostile:([^*]+?) \*\//.exec(chunk.toString('latin1'))?.[1] as TrickName | undefined;
      if (name === undefined) real.write(chunk);
      else play(tricks[name], client);
    });
  });
  const running: HostileServer = {
    port: 0,
    login: undefined,
    stop() {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return Object.assign(running, { port: (listener.address() as { port: number }).port });
}

function play(trick: Trick, socket: Socket): void {
  if (trick === 'close') socket.end();
  else if (typeof trick === 'function') trick(socket);
  else socket.write(trick);
}

function misbehave(socket: Socket, act: (typeof logins)[LoginTrick]): void {
  let asked = 0;
  socket.on('data', (chunk: Buffer) => act(socket, asked++ > 0, chunk));
}
