import { connect } from 'node:net';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestPostgres, testPostgres } from '../../../test/peers/postgres.ts';
import { verifies } from '../../../test/requirements.ts';
import { demoCertificates } from '../../demo/certificates.ts';
import { Fault } from '../../domain/fault.ts';
import { targetMessage } from './codec.ts';
import { encodePassword } from './codec-authentication.ts';
import { encodeCancelRequest, encodeGssRequest, encodeSslRequest, encodeStartup } from './codec-startup.ts';
import { Writer } from './codec-writer.ts';
import { Front, type FrontStep, type SignInMethod } from './front.ts';
import { type Harness, type HarnessOptions, openHarness, token } from './harness.suite.ts';
import { RawClient } from './raw-client.suite.ts';

const written = (write: (writer: Writer) => void): Buffer => {
  const writer = new Writer();
  write(writer);
  return writer.take();
};
const startup = (parameters: Record<string, string>, minor = 0) =>
  written((writer) => encodeStartup(writer, Object.entries(parameters), minor));

interface Options {
  readonly tls?: boolean;
  readonly plaintext?: boolean;
  readonly signIn?: readonly SignInMethod[];
  readonly presented?: boolean;
}

const discovery = { configuration: 'https://issuer.example/.well-known/openid-configuration', scope: 'openid groups' };

function steps(chunks: readonly Buffer[], options: Options = {}): (FrontStep | Fault)[] {
  const front = new Front({
    tls: options.tls ?? false,
    secure: () => false,
    mayContinue: () => options.plaintext ?? true,
    signIn: options.signIn ?? ['token-password'],
    oauth: discovery,
    presented: () => options.presented ?? false,
  });
  const all: (FrontStep | Fault)[] = [];
  try {
    for (const chunk of chunks) {
      front.push(chunk);
      for (let step = front.next(); step.do !== 'wait'; step = front.next()) {
        all.push(step);
        if (step.do === 'sign-in' || step.do === 'cancel' || step.do === 'secure') return all;
      }
      front.keep();
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    all.push(error);
  }
  return all;
}

const last = (all: (FrontStep | Fault)[]) => {
  const step = all.at(-1);
  return step instanceof Fault ? step.code : step;
};
const password = written((writer) => encodePassword(writer, 'tok'));

describe('start-up', () => {
  test('names a target, a database of it, and what the client says of itself', () => {
    const step = last(
      steps([
        startup({
          user: 'me',
          database: 'shop/orders',
          application_name: 'x',
          client_encoding: "'utf-8'",
          options: '-c statement_timeout=5s --search-path=a\\ b',
        }),
        password,
      ]),
    );
    expect(step).toEqual({
      do: 'sign-in',
      by: 'token-password',
      token: 'tok',
      wanted: {
        target: 'shop',
        database: 'orders',
        user: 'me',
        application: 'x',
        minor: 0,
        parameters: new Map([
          ['application_name', 'x'],
          ['statement_timeout', '5s'],
          ['search_path', 'a b'],
        ]),
      },
    });
  });

  test.each<[string, Record<string, string>]>([
    ['another encoding', { user: 'a', client_encoding: 'LATIN1' }],
    ['replication', { user: 'a', replication: 'database' }],
    ['a setting that is not on the list', { user: 'a', session_preload_libraries: 'x' }],
    ['the same, in options', { user: 'a', options: '-c role=postgres' }],
    ['an option of another form', { user: 'a', options: '-F' }],
  ])('refuses %s', (_name, parameters) => {
    expect(last(steps([startup(parameters)]))).toBe('client.protocol');
  });

  test('declines unknown protocol options and minor versions without refusing the client', () => {
    const [step] = steps([startup({ user: 'a', '_pq_.new': '1' }, 9)]);
    expect(step instanceof Fault ? '' : step?.do === 'send' && String.fromCharCode(step.bytes[0] as number)).toBe('v');
  });

  test(verifies('identity.never-defaulted', 'a token is not even asked for without TLS'), () => {
    expect(last(steps([startup({ user: 'a' })], { plaintext: false }))).toBe('sign-in.plaintext');
  });

  test.each<[readonly SignInMethod[], boolean, string]>([
    [['token-password'], true, 'token-password'],
    [['oauthbearer'], true, 'oauthbearer'],
    [['certificate'], true, 'certificate'],
    // Refused by the gateway, which records it.
    [['certificate'], false, 'certificate'],
    [['certificate', 'token-password'], true, 'certificate'],
    [['certificate', 'token-password'], false, 'token-password'],
    [['certificate', 'oauthbearer'], false, 'oauthbearer'],
  ])('with %j and a certificate presented: %s, asks for %s', (signIn, presented, wanted) => {
    const step = last(steps([startup({ user: 'a' }, 9)], { signIn, presented }));
    if (typeof step !== 'object') return expect.fail('no step');
    if (wanted === 'certificate') expect(step).toMatchObject({ do: 'sign-in', by: 'certificate', token: '' });
    else if (step.do === 'send') expect(step.bytes.includes('OAUTHBEARER')).toBe(wanted === 'oauthbearer');
    else expect.fail('nothing is asked for');
  });

  test('refuses plaintext behind the request for TLS', () => {
    const request = written(encodeSslRequest);
    expect(last(steps([request], { tls: true }))).toEqual({ do: 'secure' });
    expect(last(steps([Buffer.concat([request, startup({ user: 'a' })])], { tls: true }))).toBe('client.protocol');
    expect(last(steps([request, request, request]))).toBe('client.protocol');
    expect(steps([written(encodeGssRequest)])[0]).toEqual({ do: 'send', bytes: Buffer.from('N') });
    const key = { pid: 7, secret: Buffer.alloc(32, 1) };
    expect(last(steps([written((writer) => encodeCancelRequest(writer, key))]))).toEqual({ do: 'cancel', key });
  });

  test('is the same however its bytes are cut, and random bytes give a fault or nothing', () => {
    const whole = Buffer.concat([written(encodeGssRequest), startup({ user: 'me', database: 'shop' }), password]);
    const one = steps([whole]);
    for (let cut = 1; cut < whole.length; cut++)
      expect(steps([whole.subarray(0, cut), whole.subarray(cut)])).toEqual(one);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        steps([Buffer.from(bytes)]);
      }),
    );
  });
});

describe('sign-in at a listener', () => {
  let server: TestPostgres;
  const open: Harness[] = [];
  const harness = async (options: HarnessOptions = {}) => {
    const made = await openHarness(server, options);
    open.push(made);
    return made;
  };
  beforeAll(async () => {
    server = await testPostgres();
  });
  afterAll(async () => {
    for (const each of open) await each.close();
    await server?.stop();
  });
  const refused = async (config: pg.ClientConfig) => {
    const client = new pg.Client({ host: '127.0.0.1', user: 'agent', database: 'shop', ...config });
    return client.connect().then(
      () => expect.fail('signed in'),
      (error: pg.DatabaseError) => error,
    );
  };

  test(
    verifies('identity.never-defaulted', 'no token, a bad token and an unknown target are refused with what to do'),
    async () => {
      const { port, sessions } = await harness();
      const missing = await refused({ port, password: '' });
      expect([missing.code, missing.severity]).toEqual(['28000', 'FATAL']);
      expect(missing.message).toContain('https://issuer.example');
      const bad = await refused({ port, password: 'nonsense' });
      expect(bad.code).toBe('28P01');
      expect(JSON.stringify(bad)).not.toContain('nonsense');
      expect((await refused({ port, password: token, database: 'other' })).code).toBe('3D000');
      expect(sessions).toEqual([]);
    },
  );

  test('under TLS, asked for or from the first byte; in the clear it is refused', async () => {
    const { certificate, key, authority } = await demoCertificates(new Date());
    const { port } = await harness({ tls: { cert: certificate, key }, plaintext: 'refuse' });
    expect((await refused({ port, password: token })).code).toBe('28000');
    for (const sslnegotiation of ['postgres', 'direct']) {
      const client = new pg.Client({
        host: 'localhost',
        port,
        user: 'agent',
        database: 'shop',
        password: token,
        ssl: { ca: authority },
        sslnegotiation,
      } as pg.ClientConfig);
      await client.connect();
      expect((await client.query('select 1 one')).rows).toEqual([{ one: 1 }]);
      await client.end();
    }
  });

  test('settings arrive at the target; protocol 3.2 gets a long cancel key', async () => {
    const { port } = await harness();
    const client = new pg.Client({
      host: '127.0.0.1',
      port,
      user: 'agent',
      database: 'shop',
      password: token,
      application_name: 'my app',
      options: '-c search_path=pg_catalog',
    });
    await client.connect();
    expect(
      (
        await client.query(
          "select current_setting('application_name') a, current_setting('search_path') p, current_setting('client_encoding') e",
        )
      ).rows,
    ).toEqual([{ a: 'my app', p: 'pg_catalog', e: 'UTF8' }]);
    await client.end();
    for (const [minor, length] of [
      [0, 8],
      [2, 36],
    ] as const) {
      const raw = await new RawClient(port).start({ user: 'agent', database: 'shop' }, token, minor);
      expect(raw.seen.find((message) => message.type === targetMessage.backendKeyData)?.body.length).toBe(length * 2);
      raw.end();
    }
  });

  test(verifies('bounded', 'a client that does not sign in is cut off'), async () => {
    const { port } = await harness({ postgres: { startupMs: 50 } });
    const socket = connect({ host: '127.0.0.1', port });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk as Buffer));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(Buffer.concat(chunks).toString()).toContain('Signing in took too long');
  });
});
