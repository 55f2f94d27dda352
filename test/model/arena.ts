// One real PostgreSQL and the real gateway in front of it, in this process, with everything on and a policy that
// permits all, but not to see labelled columns.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, SignJWT } from 'jose';
import pg from 'pg';
import pino from 'pino';
import { serve } from '../../src/bin/serve.ts';
import { dataPaths, parseConfig } from '../../src/config/config.ts';
import { createLedger } from '../../src/ledger/ledger.ts';
import { freePort, testPostgres } from '../peers/postgres.ts';
import type { Where } from '../peers/raw-client.ts';

export interface Arena {
  readonly direct: Where;
  readonly gateway: Where;
  /** Runs SQL as superuser in both databases. */
  admin(sql: string): Promise<void>;
  /** Whether a statement of the role sleeps at the server. */
  sleeps(): Promise<boolean>;
  /** Warnings of the gateway's log since the last call. */
  complaints(): string[];
  stop(): Promise<void>;
}

/** `labels` are columns as in the configuration. The two routes lead to databases of their own, by the same role. */
export async function openArena(options: {
  readonly schema: string;
  readonly labels?: readonly string[];
  readonly connections?: number;
}): Promise<Arena> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-model-'));
  const stops: (() => Promise<unknown> | void)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const stop = async () => {
    for (const step of stops.splice(0).toReversed()) await step();
  };
  try {
    const server = await testPostgres({
      // The direct route signs in without a password: the same role serves the gateway with one.
      hba: ['host straight model 127.0.0.1/32 trust'],
      settings: { max_connections: String(options.connections ?? 40) },
    });
    stops.push(() => server.stop());
    const admins = new Map<string, pg.Client>();
    const as = async (database: string) => {
      const client = new pg.Client({
        host: '127.0.0.1',
        port: server.port,
        database,
        user: server.superuser,
        password: server.password,
      });
      await client.connect();
      admins.set(database, client);
      stops.push(() => client.end());
      return client;
    };
    const root = await as('postgres');
    await root.query(`create role model login password '${server.password}'`);
    for (const database of ['straight', 'through']) {
      await root.query(`create database ${database} owner model`);
      const client = await as(database);
      await client.query('set role model');
      await client.query(options.schema);
    }

    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const kid = randomUUID();
    const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' };
    writeFileSync(join(folder, 'jwks.json'), JSON.stringify({ keys: [jwk] }));
    const token = await new SignJWT({ name: 'model' })
      .setProtectedHeader({ alg: 'ES256', kid })
      .setIssuer('https://model.example')
      .setSubject('model')
      .setAudience('countersign')
      .setIssuedAt()
      .setExpirationTime('6h')
      .sign(privateKey);
    writeFileSync(join(folder, 'password'), server.password, { mode: 0o600 });
    mkdirSync(join(folder, 'policies'));
    writeFileSync(
      join(folder, 'policies', 'model.cedar'),
      `@id("model.all")\npermit (principal, action, resource)${options.labels ? ' unless { action == Action::"sql:reveal" }' : ''};\n`,
    );
    const labels = (options.labels ?? []).map((columns) => `{ columns: ${columns}, label: pii }`).join(', ');
    const file = join(folder, 'countersign.yaml');
    const console = await freePort();
    const config = parseConfig(
      `version: 1
gateway: { name: model, origin: countersign.example/model }
data: ./data
listeners: [{ protocol: postgres, address: 127.0.0.1, port: 0, plaintext: loopback }]
console: { address: 127.0.0.1, port: ${console}, url: "http://127.0.0.1:${console}" }
issuers: [{ name: model, issuer: "https://model.example", audience: countersign, jwks: { file: jwks.json }, algorithms: [ES256], principal: { kind: agent, name: name } }]
targets:
  - { name: model, protocol: postgres, host: 127.0.0.1, port: ${server.port}, database: through, tls: { mode: disable }, credential: { user: model, password: { file: password } }, ack: { read: written, write: written }, labels: [${labels}] }
policies: ./policies
`,
      file,
    );
    const { ledger, state } = dataPaths(config);
    await createLedger({
      folder: ledger,
      state,
      gateway: 'model',
      origin: config.gateway.origin,
      config: config.digest,
    });
    const complaints: string[] = [];
    const log = pino({ level: 'warn', base: null }, { write: (line: string) => void complaints.push(line) });
    const running = await serve(config, log);
    stops.push(() => running.stop('the test is over'));
    return {
      direct: { port: server.port, user: 'model', database: 'straight' },
      gateway: { port: running.listeners[0]!.port, user: 'model', database: 'model', password: token },
      async admin(sql) {
        await Promise.all(['straight', 'through'].map((database) => admins.get(database)!.query(sql)));
      },
      async sleeps() {
        const text = `select exists (select from pg_stat_activity where usename = 'model' and wait_event = 'PgSleep') as sleeps`;
        return (await root.query(text)).rows[0].sleeps as boolean;
      },
      complaints: () => complaints.splice(0),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
