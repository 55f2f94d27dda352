// The ways to sign in, through the whole gateway as a process: OAUTHBEARER with a provider's token, and client certificates.
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../../src/demo/world.ts';
import { targetMessage } from '../../src/protocols/postgres/codec.ts';
import { encodeSaslInitial, encodeSaslResponse } from '../../src/protocols/postgres/codec-authentication.ts';
import { encodeStartup } from '../../src/protocols/postgres/codec-startup.ts';
import { Writer } from '../../src/protocols/postgres/codec-writer.ts';
import { RawClient, say } from '../../src/protocols/postgres/raw-client.suite.ts';
import { type Authority, newAuthority, type Wish } from '../peers/authority.ts';
import { freePort } from '../peers/postgres.ts';
import { verifies } from '../requirements.ts';

let folder: string;
let world: World;
let authority: Authority;
let ports: { bearer: number; certificate: number; both: number };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-sign-in-'));
  world = await startWorld(folder, () => undefined);
  await world.stopGateway('SIGTERM');
  authority = await newAuthority('workloads');
  writeFileSync(join(folder, 'tls', 'clients.pem'), authority.cert);
  ports = { bearer: await freePort(), certificate: await freePort(), both: await freePort() };
  const tls = 'cert: { file: tls/server.pem }, key: { file: tls/server.key }';
  const config = readFileSync(world.config, 'utf8')
    .replace(
      'listeners:\n',
      `listeners:
  - { protocol: postgres, port: ${ports.bearer}, plaintext: loopback, signIn: [oauthbearer], oauth: { issuer: demo, scopes: [openid, profile] } }
  - { protocol: postgres, port: ${ports.certificate}, signIn: [certificate], tls: { ${tls}, clientCa: { file: tls/clients.pem } } }
  - { protocol: postgres, port: ${ports.both}, signIn: [certificate, token-password], tls: { ${tls}, clientCa: { file: tls/clients.pem } } }
`,
    )
    .replace(
      'targets:\n',
      `certificates:
  - name: workloads
    match: spiffe://example.org/agents/*
    principal: { kind: agent, subject: uri, groups: [agents], owner: dana@example.org }
targets:
`,
    );
  writeFileSync(world.config, config);
  await world.startGateway();
}, 120_000);
afterAll(async () => {
  await world?.stop();
  await rm(folder, { recursive: true, force: true });
});

const spiffe = (path: string): Wish => ({ names: [{ type: 'url', value: `spiffe://example.org/${path}` }] });

async function connected(port: number, mine: { cert: string; key: string } | undefined, password?: string) {
  const client = new pg.Client({
    host: 'localhost',
    port,
    user: 'whoever',
    database: 'shop',
    ...(password === undefined ? {} : { password }),
    ssl: { ca: readFileSync(join(folder, 'tls', 'ca.pem'), 'utf8'), ...mine },
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

const refused = (port: number, mine: { cert: string; key: string } | undefined, password?: string) =>
  connected(port, mine, password).then(
    () => expect.fail('signed in'),
    (error: pg.DatabaseError) => error.code,
  );

const agentToken = () => world.provider.tokenFor('reporting-agent');

function bytes(write: (writer: Writer) => void): Buffer {
  const writer = new Writer();
  write(writer);
  return writer.take();
}

test('a token by OAUTHBEARER, and the place where it comes from', async () => {
  const exchange = async (auth: string) => {
    const client = new RawClient(ports.bearer);
    client.send(
      bytes((writer) =>
        encodeStartup(writer, [
          ['user', 'agent'],
          ['database', 'shop'],
        ]),
      ),
    );
    await client.until((all) => all.length > 0);
    client.take();
    const data = Buffer.from(`n,,\x01auth=${auth}\x01\x01`);
    client.send(bytes((writer) => encodeSaslInitial(writer, { mechanism: 'OAUTHBEARER', data })));
    await client.until((all) => all.length > 0);
    return client;
  };
  const asking = await exchange('');
  expect(JSON.parse(Buffer.from(asking.take()[0]?.body.slice(8) ?? '', 'hex').toString())).toEqual({
    status: 'invalid_token',
    'openid-configuration': `${world.provider.issuer}/.well-known/openid-configuration`,
    scope: 'openid profile',
  });
  asking.send(bytes((writer) => encodeSaslResponse(writer, Buffer.from('\x01'))));
  await asking.until(() => false);
  expect(asking.take()[0]?.body).toMatch(/^FATAL\|28000/);
  const client = await exchange(`Bearer ${await agentToken()}`);
  await client.ready(1);
  client.take();
  client.send(say.query('select count(*) from orders'));
  await client.ready(1);
  expect(client.seen.map((message) => message.type)).toContain(targetMessage.dataRow);
  client.end();
});

test('a certificate is an agent, masked as agents are; no password is asked for', async () => {
  const client = await connected(ports.certificate, await authority.issue(spiffe('agents/nightly')));
  const { rows } = await client.query<{ email: string }>('select email from customers limit 3');
  expect(rows).toHaveLength(3);
  for (const { email } of rows) expect(email).toContain('*');
  await client.end();
});

test(
  verifies('identity.never-defaulted', 'no, an expired, an untrusted and an unknown certificate are refused'),
  async () => {
    const stranger = await newAuthority('workloads');
    const good = await agentToken();
    const past = Date.now() - 1_000;
    for (const port of [ports.certificate, ports.both]) {
      expect(await refused(port, await stranger.issue(spiffe('agents/nightly')), good)).toBe('28P01');
      expect(await refused(port, await authority.issue({ ...spiffe('agents/nightly'), notAfter: past }), good)).toBe(
        '28P01',
      );
      expect(await refused(port, await authority.issue(spiffe('jobs/nightly')), good)).toBe('28P01');
    }
    expect(await refused(ports.certificate, undefined, good)).toBe('28000');
    // Where both are accepted, who has no certificate is asked for a token.
    const client = await connected(ports.both, undefined, good);
    expect((await client.query('select 1 one')).rows).toEqual([{ one: 1 }]);
    await client.end();
  },
);

test('a session ends when its certificate does', async () => {
  const notAfter = Date.now() + 3_000;
  const client = await connected(ports.certificate, await authority.issue({ ...spiffe('agents/nightly'), notAfter }));
  const ended = new Promise<pg.DatabaseError>((resolve) => client.on('error', resolve as (error: Error) => void));
  expect((await client.query('select 1 one')).rows).toEqual([{ one: 1 }]);
  expect((await ended).code).toBe('57P01');
  expect(Date.now()).toBeGreaterThan(notAfter - 1_000);
});
