// SASL OAUTHBEARER to the letter of RFC 7628: the grammar, the exchange, and both through a real listener.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestPostgres, testPostgres } from '../../../test/peers/postgres.ts';
import { verifies } from '../../../test/requirements.ts';
import { Fault } from '../../domain/fault.ts';
import { clientMessage, targetMessage } from './codec.ts';
import { encodeSaslInitial, encodeSaslResponse } from './codec-authentication.ts';
import { encodeStartup } from './codec-startup.ts';
import { Writer } from './codec-writer.ts';
import { type Harness, openHarness, token } from './harness.suite.ts';
import { checkAcknowledgement, readResponse } from './oauthbearer.ts';
import { RawClient, say } from './raw-client.suite.ts';

const read = (text: string): string => {
  try {
    return readResponse(Buffer.from(text, 'latin1'));
  } catch (error) {
    if (error instanceof Fault) return error.code;
    throw error;
  }
};

describe('a client’s response', () => {
  test.each([
    ['of libpq', 'n,,\x01auth=Bearer abc\x01\x01', 'abc'],
    [
      'with host and port (RFC 7628, 4.1)',
      'n,,\x01host=db.example\x01port=5432\x01auth=Bearer a.b-c_d~e+f/g==\x01\x01',
      'a.b-c_d~e+f/g==',
    ],
    ['with the scheme in other letters', 'n,,\x01auth=bEARER abc\x01\x01', 'abc'],
    ['with more than one space', 'n,,\x01auth=Bearer   abc\x01\x01', 'abc'],
    ['that knows channel binding', 'y,,\x01auth=Bearer abc\x01\x01', 'abc'],
    ['with a key that is not known', 'n,,\x01new=x y\tz\x01auth=Bearer abc\x01\x01', 'abc'],
    ['that asks where tokens come from', 'n,,\x01auth=\x01\x01', ''],
    ['with an empty token', 'n,,\x01auth=Bearer \x01\x01', ''],
  ])('%s', (_title, text, wanted) => {
    expect(read(text)).toBe(wanted);
  });

  test.each([
    ['nothing', ''],
    ['the refusal’s acknowledgement', '\x01'],
    ['channel binding', 'p=tls-unique,,\x01auth=Bearer abc\x01\x01'],
    ['another identity', 'n,a=root,\x01auth=Bearer abc\x01\x01'],
    ['no header', 'auth=Bearer abc\x01\x01'],
    ['no final separator', 'n,,\x01auth=Bearer abc\x01'],
    ['no separator at all', 'n,,\x01auth=Bearer abc'],
    ['bytes behind the end', 'n,,\x01auth=Bearer abc\x01\x01x'],
    ['pairs behind the end', 'n,,\x01auth=Bearer abc\x01\x01auth=Bearer x\x01\x01'],
    ['two of auth', 'n,,\x01auth=Bearer abc\x01auth=Bearer abc\x01\x01'],
    ['no auth', 'n,,\x01host=x\x01\x01'],
    ['no pairs', 'n,,\x01\x01'],
    ['a key in other letters', 'n,,\x01Auth=Bearer abc\x01\x01'],
    ['a key with a digit', 'n,,\x01h2=x\x01auth=Bearer abc\x01\x01'],
    ['a key without a value', 'n,,\x01host\x01auth=Bearer abc\x01\x01'],
    ['an empty key', 'n,,\x01=x\x01auth=Bearer abc\x01\x01'],
    ['a zero byte', 'n,,\x01auth=Bearer a\0c\x01\x01'],
    ['bytes above ASCII', 'n,,\x01auth=Bearer \xe4\x01\x01'],
    ['another scheme', 'n,,\x01auth=Basic abc\x01\x01'],
    ['no scheme', 'n,,\x01auth=abc\x01\x01'],
    ['no space behind the scheme', 'n,,\x01auth=Bearerabc\x01\x01'],
    ['a tab behind the scheme', 'n,,\x01auth=Bearer\tabc\x01\x01'],
    ['a space behind the token', 'n,,\x01auth=Bearer abc \x01\x01'],
    ['two tokens', 'n,,\x01auth=Bearer abc def\x01\x01'],
    ['only padding', 'n,,\x01auth=Bearer ==\x01\x01'],
  ])('with %s is refused', (_title, text) => {
    expect(read(text)).toBe('client.protocol');
  });

  test('of random bytes gives a token or a fault, and never one that holds anything else', () => {
    const part = fc.constantFrom('n,,', 'y,,', '\x01', 'auth=', 'Bearer ', 'abc', '=', 'host=x', 'a=b,', '\0', 'ä');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
        ),
        (text) => {
          expect(read(text)).toMatch(/^(client\.protocol|[\w.~+/-]*=*)$/);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('to a refusal is one separator and nothing else', () => {
    checkAcknowledgement(Buffer.from('\x01'));
    for (const wrong of ['', '\x01\x01', 'n,,\x01\x01', '\0'])
      expect(() => checkAcknowledgement(Buffer.from(wrong))).toThrow(Fault);
  });
});

describe('at a listener', () => {
  let server: TestPostgres;
  let gateway: Harness;
  const oauth = { configuration: 'https://issuer.example/.well-known/openid-configuration', scope: 'openid groups' };
  beforeAll(async () => {
    server = await testPostgres();
    gateway = await openHarness(server, { postgres: { signIn: ['oauthbearer'], oauth } });
  });
  afterAll(async () => {
    await gateway?.close();
    await server?.stop();
  });

  const bytes = (write: (writer: Writer) => void): Buffer => {
    const writer = new Writer();
    write(writer);
    return writer.take();
  };
  const initial = (text: string | null, mechanism = 'OAUTHBEARER') =>
    bytes((writer) => encodeSaslInitial(writer, { mechanism, data: text === null ? null : Buffer.from(text) }));
  const response = (text: string) => bytes((writer) => encodeSaslResponse(writer, Buffer.from(text)));
  const bearer = (text: string) => `n,,\x01auth=Bearer ${text}\x01\x01`;
  /** A client that has been asked by which mechanism it signs in. */
  const asked = async (parameters: Record<string, string> = { user: 'agent', database: 'shop' }) => {
    const client = new RawClient(gateway.port);
    client.send(bytes((writer) => encodeStartup(writer, Object.entries(parameters), 0)));
    await client.until((all) => all.length > 0);
    const [first] = client.take();
    expect([first?.type, first?.body]).toEqual([
      targetMessage.authentication,
      `0000000a${Buffer.from('OAUTHBEARER\0\0').toString('hex')}`,
    ]);
    return client;
  };
  const challenge = async (client: RawClient) => {
    await client.until((all) => all.length > 0);
    const [message] = client.take();
    expect([message?.type, message?.body.slice(0, 8)]).toEqual([targetMessage.authentication, '0000000b']);
    return Buffer.from(message?.body.slice(8) ?? '', 'hex').toString();
  };
  const failure = async (client: RawClient) => {
    await client.until(() => false);
    const all = client.take();
    expect(all.map((message) => message.type)).toEqual([targetMessage.errorResponse]);
    return all[0]?.body ?? '';
  };

  test('a token signs in, at once or when it is asked for', async () => {
    for (const late of [false, true]) {
      const client = await asked();
      client.send(initial(late ? null : bearer(token)));
      if (late) {
        expect(await challenge(client)).toBe('');
        client.send(response(bearer(token)));
      }
      await client.ready(1);
      expect(client.take()[0]?.body).toBe('00000000');
      client.send(say.query('select 1'));
      await client.ready(1);
      expect(client.seen.some((message) => message.type === targetMessage.commandComplete)).toBe(true);
      client.end();
    }
  });

  test('a client may send its first statement together with the token', async () => {
    const client = await asked();
    client.send(Buffer.concat([initial(bearer(token)), say.query('select 1')]));
    await client.ready(2);
    expect(client.seen.some((message) => message.type === targetMessage.dataRow)).toBe(true);
    client.end();
  });

  test('a client without a token learns where tokens come from, and the exchange fails', async () => {
    const before = gateway.sessions.length;
    const client = await asked();
    client.send(initial('n,,\x01auth=\x01\x01'));
    expect(JSON.parse(await challenge(client))).toEqual({
      status: 'invalid_token',
      'openid-configuration': oauth.configuration,
      scope: oauth.scope,
    });
    client.send(response('\x01'));
    expect(await failure(client)).toMatch(/^FATAL\|28000\|/);
    expect(gateway.sessions).toHaveLength(before);
  });

  test(verifies('identity.never-defaulted', 'a refused token of OAUTHBEARER is told so, and fails'), async () => {
    const before = gateway.sessions.length;
    const client = await asked();
    client.send(initial(bearer('wrong-token')));
    expect(JSON.parse(await challenge(client))).toMatchObject({ status: 'invalid_token' });
    client.send(response('\x01'));
    const said = await failure(client);
    expect(said).toMatch(/^FATAL\|28P01\|/);
    expect(said).not.toContain('wrong-token');
    const again = await asked();
    again.send(initial(bearer('wrong-token')));
    await challenge(again);
    again.send(initial(bearer(token)));
    expect(await failure(again)).toMatch(/^FATAL\|08P01\|/);
    expect(gateway.sessions).toHaveLength(before);
  });

  test('a good token for an unknown target is not called invalid', async () => {
    const client = await asked({ user: 'agent', database: 'other' });
    client.send(initial(bearer(token)));
    expect(await failure(client)).toMatch(/^FATAL\|3D000\|/);
  });

  test.each<[string, () => Buffer]>([
    ['another mechanism', () => initial(bearer(token), 'SCRAM-SHA-256')],
    ['a password', () => bytes((writer) => writer.open(clientMessage.password).text(token).close())],
    ['a token outside the grammar', () => initial(`${bearer(token)}x`)],
    ['a statement', () => say.query('select 1')],
  ])(verifies('understood-or-refused', '%s in place of the token ends the link'), async (_title, message) => {
    const client = await asked();
    client.send(message());
    expect(await failure(client)).toMatch(/^FATAL\|08P01\|/);
  });

  test(verifies('bounded', 'a message of SASL longer than 16 KiB ends the link'), async () => {
    const client = await asked();
    client.send(initial(bearer('a'.repeat(16 * 1024))));
    expect(await failure(client)).toMatch(/^FATAL\|(08P01|54000)\|/);
  });
});
