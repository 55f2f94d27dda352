// PostgreSQL's own client library of version 18 signs in by OAUTHBEARER: it asks where tokens come from, gets one by its hook,
// connects again and presents it.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Harness, openHarness, token } from '../../src/protocols/postgres/harness.suite.ts';
import { type TestPostgres, testPostgres } from '../peers/postgres.ts';
import { nativePostgres } from '../peers/versions.ts';

let server: TestPostgres;
let gateway: Harness;
let library: string;
const issuer = 'https://issuer.example';

beforeAll(async () => {
  const native = await nativePostgres(18);
  library = join(native, 'lib');
  server = await testPostgres({ native });
  gateway = await openHarness(server, {
    postgres: {
      signIn: ['oauthbearer'],
      oauth: { configuration: `${issuer}/.well-known/openid-configuration`, scope: 'openid groups' },
    },
  });
}, 300_000);
afterAll(async () => {
  await gateway?.close();
  await server?.stop();
});

interface Answer {
  readonly version: number;
  /** 0 when it is connected. */
  readonly status: number;
  /** What the library was told about where tokens come from. */
  readonly asked: readonly (readonly [string, string])[];
  readonly error: string;
  readonly row?: string;
}

async function connect(of: { issuer?: string; token?: string } = {}): Promise<Answer> {
  const wanted = of.issuer ?? issuer;
  const conninfo = `host=127.0.0.1 port=${gateway.port} user=agent dbname=shop sslmode=disable gssencmode=disable oauth_issuer=${wanted} oauth_client_id=test require_auth=oauth`;
  const program = join(import.meta.dirname, 'programs', 'oauth_libpq.py');
  const { stdout } = await promisify(execFile)(
    'python3',
    [program, join(library, 'libpq.so.5'), conninfo, of.token ?? token],
    { env: { ...process.env, LD_LIBRARY_PATH: library } },
  );
  return JSON.parse(stdout) as Answer;
}

test('signs in after it was told where tokens come from', async () => {
  const answer = await connect();
  expect(answer.error).toBe('');
  expect(Math.floor(answer.version / 10_000)).toBe(18);
  expect(answer.asked).toEqual([[`${issuer}/.well-known/openid-configuration`, 'openid groups']]);
  expect(answer.row).toBe('signed in');
});

test('presents its token at once where it knows the place already', async () => {
  const before = gateway.faults.length;
  const answer = await connect({ issuer: `${issuer}/.well-known/openid-configuration` });
  expect([answer.error, answer.row]).toEqual(['', 'signed in']);
  expect(gateway.faults).toHaveLength(before);
});

test('says what is wrong with a refused token', async () => {
  const answer = await connect({ token: 'wrong' });
  expect(answer.status).not.toBe(0);
  expect(answer.error).toContain('The token is not valid.');
});

test('does not fetch a token for another issuer than its own', async () => {
  const answer = await connect({ issuer: 'https://other.example' });
  expect(answer.status).not.toBe(0);
  expect(answer.asked).toEqual([]);
});
