import { createHash, pbkdf2Sync } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { testPostgres, type TestPostgres } from '../../../test/peers/postgres.ts';
import { selfSigned } from '../../../test/peers/self-signed.ts';
import { verifies } from '../../../test/requirements.ts';
import { demoCertificates, type DemoCertificates } from '../../demo/certificates.ts';
import { Fault } from '../../domain/fault.ts';
import { dialTarget, type TlsMode } from '../../targets/dial.ts';
import { encodeAuthentication } from './codec-authentication.ts';
import { encodeParameterStatus, encodeReadyForQuery } from './codec-status.ts';
import { Writer } from './codec-writer.ts';
import { Login, type LoginStep, type LoginWish } from './login-steps.ts';
import { loginOver, type LoginOptions } from './login.ts';
import { openOwnConnection, ownLink } from './own-connection.ts';
import { checkServer, preparePassword, proveScram, readChallenge, startScram } from './scram.ts';

let server: TestPostgres;
let certificates: DemoCertificates;

let own: { cert: string; key: string };
let folder: string;

beforeAll(async () => {
  own = await selfSigned('certified');
  folder = mkdtempSync(join(tmpdir(), 'countersign-login-'));
  // The server may run as another user.
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, 'ca.pem'), own.cert, { mode: 0o644 });
  certificates = await demoCertificates(new Date());
  server = await testPostgres({
    tls: { cert: certificates.certificate, key: certificates.key },
    settings: { ssl_ca_file: join(folder, 'ca.pem') },
    hba: [
      'hostssl all certified 127.0.0.1/32 cert',
      'host all trusted 127.0.0.1/32 trust',
      'host all cleartext 127.0.0.1/32 password',
      'host all hashed 127.0.0.1/32 md5',
      'hostssl all tlsonly 127.0.0.1/32 scram-sha-256',
      'host all tlsonly 127.0.0.1/32 reject',
    ],
  });
  const client = new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    user: server.superuser,
    password: server.password,
    database: 'postgres',
  });
  await client.connect();
  for (const role of ['trusted', 'cleartext', 'tlsonly', 'scrammed', 'certified'])
    await client.query(`create role ${role} login password 'right ${role}'`);
  await client.query(`create role odd login password E'p\\u00e4ss\\u00a0w\\u00f6rd'`);
  await client.query(`set password_encryption = 'md5'; create role hashed login password 'right hashed'`);
  await client.end();
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true });
});

interface As {
  readonly user: string;
  readonly password?: string;
  readonly tls?: TlsMode;
  readonly ca?: string;
  readonly port?: number;
  readonly cert?: string;
  readonly key?: string;
}

async function enter({ user, password, tls = 'disable', ca, port }: As, options: Partial<LoginOptions> = {}) {
  const stream = await dialTarget({ host: '127.0.0.1', port: port ?? server.port });
  const link = ownLink(stream, { user, password: () => Promise.resolve(password), tls }, { ca });
  return { stream, session: await loginOver(link, { database: 'postgres', ...options }) };
}

/** Logs in, asks who we are, and leaves. */
async function whoami(as: As, options: Partial<LoginOptions> = {}): Promise<string> {
  const { user, password, tls = 'disable', ca, cert, key } = as;
  const dial = async () =>
    ownLink(
      await dialTarget({ host: '127.0.0.1', port: server.port }),
      { user, password: () => Promise.resolve(password), tls },
      { ca, cert, key },
    );
  const connection = await openOwnConnection(dial, { database: 'postgres', ...options });
  const rows = await connection.query(
    `select current_user, (select ssl from pg_stat_ssl where pid = pg_backend_pid()), current_setting('application_name')`,
  );
  connection.close();
  return (rows[0] as string[]).join('|');
}

describe('against a real server', () => {
  test.each<As>([
    { user: 'trusted' },
    { user: 'hashed', password: 'right hashed' },
    { user: 'scrammed', password: 'right scrammed' },
    { user: 'odd', password: 'p\u00e4ss\u00a0w\u00f6rd' },
    { user: 'odd', password: 'pa\u0308ss w\u00f6rd' },
  ])('$user logs in', async (as) => {
    expect(await whoami(as)).toBe(`${as.user}|f|`);
  });

  test('start-up parameters are passed on, and the result says what the server reported', async () => {
    const parameters = new Map([
      ['application_name', 'nightly'],
      ['statement_timeout', '7000'],
    ]);
    const { session, stream } = await enter({ user: 'trusted' }, { parameters });
    expect(session.status).toBe('I');
    expect(session.key?.secret).toHaveLength(4);
    expect(session.parameters.get('application_name')).toBe('nightly');
    expect(session.parameters.get('client_encoding')).toBe('UTF8');
    stream.destroy();
  });

  test.each<TlsMode>(['require', 'verify-ca', 'verify-full'])('under %s, bound to the channel', async (tls) => {
    const as = { user: 'tlsonly', password: 'right tlsonly', tls, ca: certificates.authority };
    expect(await whoami(as)).toBe('tlsonly|t|');
  });

  test.each<As>([
    { user: 'scrammed', password: 'wrong' },
    { user: 'hashed', password: 'wrong' },
    { user: 'tlsonly', password: 'right tlsonly' },
  ])('$user with $password is refused with its SQLSTATE in the cause', async (as) => {
    const fault = await enter(as).then(
      () => undefined,
      (error: unknown) => error as Fault,
    );
    expect(fault?.code).toBe('target.refused');
    expect((fault?.cause as { sqlstate?: string } | undefined)?.sqlstate).toMatch(/^28/);
    expect(`${fault?.message} ${fault?.stack}`).not.toContain(as.password);
  });

  test('with a certificate in place of a password', async () => {
    const as = { user: 'certified', tls: 'verify-full', ca: certificates.authority } as const;
    expect(await whoami({ ...as, ...own })).toBe('certified|t|');
    await expect(whoami({ ...as, ...(await selfSigned('certified')) })).rejects.toThrow(Fault);
    await expect(whoami(as)).rejects.toThrow(expect.objectContaining({ code: 'target.refused' }));
  });

  test('no password where one is needed', async () => {
    await expect(enter({ user: 'scrammed' })).rejects.toThrow(expect.objectContaining({ code: 'target.refused' }));
  });

  test(
    verifies(
      'credential.never-held',
      'the password is not given away in the clear, unless configuration says so or TLS is up',
    ),
    async () => {
      const as = { user: 'cleartext', password: 'right cleartext' };
      await expect(enter(as)).rejects.toThrow(/asks for the password in the clear/);
      expect(await whoami(as, { cleartextPassword: true })).toBe('cleartext|f|');
      expect(await whoami({ ...as, tls: 'require' })).toBe('cleartext|t|');
    },
  );

  test('a failed statement of the own connection is a fault, and the next one runs', async () => {
    const dial = async () =>
      ownLink(await dialTarget({ host: '127.0.0.1', port: server.port }), {
        user: 'trusted',
        password: async () => undefined,
        tls: 'disable',
      });
    const connection = await openOwnConnection(dial, { database: 'postgres' });
    const bad = connection.query('select nonsense');
    const good = connection.query(`select 1, null, '', repeat('x', 200000)`);
    await expect(bad).rejects.toThrow(expect.objectContaining({ code: 'target.refused' }));
    expect((await good).map((row) => row.map((cell) => cell?.length))).toEqual([[1, undefined, 0, 200000]]);
    expect(await connection.query('')).toEqual([]);
    await expect(connection.query('select pg_terminate_backend(pg_backend_pid())')).rejects.toThrow(Fault);
    expect(connection.open).toBe(false);
    await expect(connection.query('select 1')).rejects.toThrow(Fault);
  });
});

const fakes: Server[] = [];
afterEach(() => {
  for (const fake of fakes.splice(0)) fake.close();
});

/** A target that says what it is told to, whatever it is asked. */
async function fakeTarget(onData: (socket: Socket, chunk: Buffer) => void): Promise<number> {
  const fake = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => onData(socket, chunk));
  });
  fakes.push(fake);
  await new Promise<void>((resolve) => fake.listen(0, '127.0.0.1', resolve));
  return (fake.address() as { port: number }).port;
}

describe('against a hostile target', () => {
  const cases: [string, string, (socket: Socket) => void, TlsMode][] = [
    [
      'target.protocol',
      'bytes in the clear behind its yes to TLS',
      (socket) => socket.write('SR\0\0\0\x08\0\0\0\0'),
      'require',
    ],
    ['target.refused', 'no to TLS', (socket) => socket.write('N'), 'require'],
    [
      'target.refused',
      'an error in place of an answer to TLS',
      (socket) => socket.write('E\0\0\0\x0eMhello\0\0'),
      'require',
    ],
    ['target.protocol', 'a message of unknown type', (socket) => socket.write('?\0\0\0\x04'), 'disable'],
    [
      'target.protocol',
      'a message of 2 GiB',
      (socket) => socket.write(Buffer.from([0x52, 0x7f, 0xff, 0xff, 0xff])),
      'disable',
    ],
    ['target.protocol', 'rows before it knows us', (socket) => socket.write('D\0\0\0\x06\0\0'), 'disable'],
    ['target.protocol', 'readiness before it knows us', (socket) => socket.write('Z\0\0\0\x05I'), 'disable'],
    ['target.refused', 'Kerberos', (socket) => socket.write('R\0\0\0\x08\0\0\0\x07'), 'disable'],
    ['target.unreachable', 'nothing and leaves', (socket) => socket.end(), 'disable'],
    ['target.unreachable', 'nothing at all', () => undefined, 'disable'],
  ];
  test.each(cases)('%s: %s', async (code, _title, answer, tls) => {
    const port = await fakeTarget(answer);
    await expect(enter({ user: 'a', password: 'p', port, tls }, { deadlineMs: 80 })).rejects.toThrow(
      expect.objectContaining({ code }),
    );
  });

  test('the caller may give up', async () => {
    const port = await fakeTarget(() => undefined);
    const controller = new AbortController();
    const waiting = enter({ user: 'a', port }, { signal: controller.signal });
    const reason = new Fault('session.killed', 'The session was ended.');
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });
});

const wish: LoginWish = {
  user: 'a',
  database: 'd',
  parameters: new Map(),
  tls: 'disable',
  cleartextPassword: false,
  nonce: 'client-nonce',
};

function say(login: Login, build: (writer: Writer) => void): LoginStep {
  const writer = new Writer();
  build(writer);
  const bytes = writer.take();
  return login.message(bytes[0] as number, bytes, 0, bytes.length);
}

describe('steps', () => {
  const ok = (writer: Writer) => encodeAuthentication(writer, { kind: 'ok' });
  const sasl = (writer: Writer) => encodeAuthentication(writer, { kind: 'sasl', mechanisms: ['SCRAM-SHA-256'] });

  test('a server that says yes in the middle of SCRAM is not believed', () => {
    const login = new Login(wish);
    login.begin();
    expect(say(login, sasl).do).toBe('send');
    expect(() => say(login, ok)).toThrow(expect.objectContaining({ code: 'target.protocol' }));
  });

  test('a server that asks for another method after SCRAM began is not answered', () => {
    for (const other of [{ kind: 'cleartext' }, { kind: 'md5', salt: Buffer.alloc(4) }] as const) {
      const login = new Login({ ...wish, cleartextPassword: true });
      login.begin();
      say(login, sasl);
      expect(() => say(login, (writer) => encodeAuthentication(writer, other))).toThrow(Fault);
    }
  });

  test('a server that does not take our encoding is refused, for we would read another SQL', () => {
    for (const [name, value] of [
      ['client_encoding', 'LATIN1'],
      ['standard_conforming_strings', 'off'],
    ] as const) {
      const login = new Login(wish);
      login.begin();
      say(login, ok);
      const settings = new Map([
        ['client_encoding', 'UTF8'],
        ['standard_conforming_strings', 'on'],
        [name, value],
      ]);
      for (const [key, setting] of settings) say(login, (writer) => encodeParameterStatus(writer, key, setting));
      expect(() => say(login, (writer) => encodeReadyForQuery(writer, 'I'))).toThrow(
        expect.objectContaining({ code: 'target.refused' }),
      );
    }
  });

  test.each(['user', 'replication', 'options', 'client_encoding', '_pq_.x'])(
    'the start-up parameter %s cannot be passed on',
    (name) => {
      expect(() => new Login({ ...wish, parameters: new Map([[name, 'x']]) })).toThrow(Fault);
    },
  );

  test('random messages give a step or a fault', () => {
    const type = fc.constantFrom(...[...'RSKZENv'].map((letter) => letter.charCodeAt(0)));
    fc.assert(
      fc.property(fc.array(fc.tuple(type, fc.uint8Array({ maxLength: 40 })), { maxLength: 8 }), (messages) => {
        const login = new Login(wish);
        login.begin();
        try {
          for (const [letter, body] of messages) {
            const bytes = Buffer.alloc(body.length + 5);
            bytes[0] = letter;
            bytes.writeInt32BE(body.length + 4, 1);
            bytes.set(body, 5);
            login.message(letter, bytes, 0, bytes.length);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(Fault);
        }
      }),
      { numRuns: 400 },
    );
  });
});

describe('SCRAM', () => {
  // RFC 7677 §3, whose user name is in the message; PostgreSQL's is empty, so the name is put back for the vector.
  test('the vector of RFC 7677', () => {
    const start = {
      mechanism: 'SCRAM-SHA-256' as const,
      first: Buffer.alloc(0),
      nonce: 'rOprNGfwEbeRWgbNEkqO',
      bare: 'n=user,r=rOprNGfwEbeRWgbNEkqO',
      binding: 'biws',
    };
    const challenge = readChallenge(
      start,
      Buffer.from('r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'),
    );
    const proof = proveScram(
      start,
      challenge,
      pbkdf2Sync('pencil', challenge.salt, challenge.iterations, 32, 'sha256'),
    );
    expect(String(proof.final)).toBe(
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    );
    checkServer(proof, Buffer.from('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='));
    for (const bad of ['v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=', 'v=', '', 'e=other-error']) {
      expect(() => checkServer(proof, Buffer.from(bad))).toThrow(expect.objectContaining({ code: 'target.protocol' }));
    }
  });

  test.each([
    [['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'], true, true, 'p=tls-server-end-point,,'],
    [['SCRAM-SHA-256'], true, true, 'y,,'],
    [['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'], true, false, 'n,,'],
    [['SCRAM-SHA-256'], false, false, 'n,,'],
    [['SCRAM-SHA-256-PLUS'], false, false, undefined],
    [['OAUTHBEARER'], true, true, undefined],
  ])('of %j, TLS %s, binding %s: %s', (mechanisms, secure, bindable, header) => {
    const start = startScram({
      mechanisms,
      secure,
      endpoint: bindable ? createHash('sha256').digest() : undefined,
      nonce: 'n',
    });
    expect(start?.first.toString().split('n=')[0]).toBe(header);
    expect(start?.mechanism).toBe(header && (header.startsWith('p') ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256'));
  });

  test(verifies('bounded', 'challenges that are not ours, malformed or too costly are refused'), () => {
    const start = startScram({ mechanisms: ['SCRAM-SHA-256'], secure: false, endpoint: undefined, nonce: 'abc' });
    if (!start) throw new Error('no start');
    expect(readChallenge(start, Buffer.from('r=abcdef,s=AAAA,i=4096')).iterations).toBe(4096);
    for (const bad of [
      'r=abc,s=AAAA,i=4096',
      'r=xyz,s=AAAA,i=4096',
      'r=xyzdef,s=AAAA,i=4096',
      'r=abcd,s=AAAA,i=1000001',
      'r=abcd,s=AAAA,i=0',
      'r=abcd,s=AAAA,i=-1',
      'm=x,r=abcd,s=AAAA,i=1',
      'r=abcd,s=,i=1',
      '',
    ]) {
      expect(() => readChallenge(start, Buffer.from(bad))).toThrow(
        expect.objectContaining({ code: 'target.protocol' }),
      );
    }
  });

  test('passwords are prepared as RFC 4013 says', () => {
    expect(preparePassword('plain ~')).toBe('plain ~');
    expect(preparePassword('I\u00adX')).toBe('IX');
    expect(preparePassword('\u2168')).toBe('IX');
    expect(preparePassword('a\u00a0b')).toBe('a b');
    expect(preparePassword('\u0007\u00e9')).toBe('\u0007\u00e9');
  });
});
