// Everything the demo needs, started embedded in one go: a real PostgreSQL with the shop, an OpenID Connect provider with two people
// and two agents, and the gateway with its console as a process of its own, so that it can be killed and started again.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { demoCertificates } from './certificates.ts';
import { shopSql } from './data.ts';
import { demoPolicy } from './policy.ts';
import { startEmbeddedPostgres } from './postgres.ts';
import { type Provider, startProvider } from './provider.ts';

export type Person = 'dana' | 'omar';
export type AgentName = 'reporting-agent' | 'migration-agent';

export interface World {
  readonly folder: string;
  readonly config: string;
  /** TLS listener for PostgreSQL clients; `plain` is the loopback-only one. */
  readonly ports: { readonly tls: number; readonly plain: number; readonly console: number; readonly target: number };
  readonly consoleUrl: string;
  readonly provider: Provider;
  /** Superuser at the target, for looking at it without the gateway. */
  readonly superuser: { readonly user: string; readonly password: string };
  readonly targetPassword: string;
  gateway(): ChildProcess;
  /** Milliseconds from the start of its process until it served, and what of that its ledger took. */
  startGateway(): Promise<StartTimes>;
  /** Ends the gateway: `SIGTERM` is orderly, `SIGKILL` is a crash. */
  stopGateway(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  stop(): Promise<void>;
}

export interface StartTimes {
  readonly readyMs: number;
  readonly ledgerMs: number;
}

export type Progress = (what: string) => void;

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '..', '..');
/** The same code that runs now, sources or compiled. */
const bin = join(here, '..', 'bin', import.meta.url.endsWith('.ts') ? 'countersign.ts' : 'countersign.js');

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await new Promise<void>((done, failed) => server.once('error', failed).listen(port, '127.0.0.1', done));
    await new Promise((done) => server.close(done));
    return true;
  } catch {
    return false;
  }
}

/** The wished port, or the next one that is free. Below 32768, where the system does not hand out ports by itself. */
async function choosePort(wished: number, taken: Set<number>): Promise<number> {
  for (let port = wished; port < 32_768; port++) {
    if (taken.has(port) || !(await isFree(port))) continue;
    taken.add(port);
    return port;
  }
  throw new Error(`no free port at or above ${wished}`);
}

const secretFile = (path: string, value: string) => {
  writeFileSync(path, value, { mode: 0o600 });
  chmodSync(path, 0o600);
};

/** `usual` ports are easy to remember; `any` ones let several worlds start at the same moment. */
export async function startWorld(folder: string, progress: Progress, wish: 'usual' | 'any' = 'any'): Promise<World> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of ['tls', 'tokens', 'secrets', 'policies'])
    mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
  const taken = new Set<number>();
  const near = (port: number) => (wish === 'usual' ? port : 18_000 + randomInt(13_000));
  const ports = {
    tls: await choosePort(near(6432), taken),
    plain: await choosePort(near(6433), taken),
    console: await choosePort(near(8080), taken),
    target: await choosePort(near(15432), taken),
  };
  const providerPort = await choosePort(near(9090), taken);
  // A name and not an address: passkeys are tied to names.
  const consoleUrl = `http://localhost:${ports.console}`;

  progress('certificates for loopback');
  const pem = await demoCertificates(new Date());
  writeFileSync(join(folder, 'tls', 'ca.pem'), pem.authority);
  writeFileSync(join(folder, 'tls', 'server.pem'), pem.certificate);
  secretFile(join(folder, 'tls', 'server.key'), pem.key);

  progress('PostgreSQL with the sample shop');
  const superuser = { user: 'admin', password: randomBytes(18).toString('base64url') };
  const targetPassword = randomBytes(18).toString('base64url');
  const postgres = await startEmbeddedPostgres({
    port: ports.target,
    superuser: superuser.user,
    password: superuser.password,
    tls: { cert: pem.certificate, key: pem.key },
  });
  const stops: (() => Promise<void>)[] = [() => postgres.stop()];
  const unwind = async () => {
    for (const stop of stops.toReversed()) await stop().catch(() => {});
  };
  try {
    await buildShop(ports.target, superuser, targetPassword);
    secretFile(join(folder, 'secrets', 'shop.password'), targetPassword);

    progress('OpenID Connect provider with two people and two agents');
    const provider = await startProvider({ port: providerPort, consoleRedirect: `${consoleUrl}/auth/callback` });
    stops.push(() => provider.stop());
    secretFile(join(folder, 'secrets', 'people.password'), provider.password);

    for (const file of readdirSync(join(root, 'policies')))
      copyFileSync(join(root, 'policies', file), join(folder, 'policies', file));
    writeFileSync(join(folder, 'policies', 'demo.cedar'), demoPolicy);
    const config = join(folder, 'countersign.yaml');
    writeFileSync(config, configuration({ ports, consoleUrl, issuer: provider.issuer }));
    if (!existsSync(join(folder, 'data', 'ledger'))) await command(['ledger', 'init', '--config', config]);

    let child: ChildProcess | undefined;
    const world: World = {
      folder,
      config,
      ports,
      consoleUrl,
      provider,
      superuser,
      targetPassword,
      gateway: () => child!,
      async startGateway() {
        const started = await spawnGateway(config);
        child = started.child;
        return started.times;
      },
      async stopGateway(signal) {
        const running = child;
        if (!running || running.exitCode !== null || running.signalCode !== null) return;
        const gone = new Promise((done) => running.once('exit', done));
        running.kill(signal);
        await gone;
      },
      async stop() {
        await world.stopGateway('SIGTERM');
        await unwind();
      },
    };
    progress('gateway and console');
    await world.startGateway();
    return world;
  } catch (error) {
    await unwind();
    throw error;
  }
}

async function buildShop(
  port: number,
  superuser: { user: string; password: string },
  targetPassword: string,
): Promise<void> {
  const { default: pg } = await import('pg');
  const connection = { host: '127.0.0.1', port, user: superuser.user, password: superuser.password };
  const admin = new pg.Client({ ...connection, database: 'postgres' });
  await admin.connect();
  await admin.query(`create role shop_app login password '${targetPassword}'`);
  await admin.query('create database shop owner admin');
  await admin.end();
  const shop = new pg.Client({ ...connection, database: 'shop' });
  await shop.connect();
  await shop.query(shopSql('shop_app'));
  await shop.end();
}

function spawnGateway(config: string): Promise<{ child: ChildProcess; times: StartTimes }> {
  const began = performance.now();
  const child = spawn(process.execPath, [bin, 'serve', '--config', config], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    detached: true,
  });
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString('utf8')).slice(-8_000);
  });
  return new Promise((ready, failed) => {
    child.once('message', (message: { recoveryMs: number }) =>
      ready({ child, times: { readyMs: performance.now() - began, ledgerMs: message.recoveryMs } }),
    );
    child.once('exit', (code) => failed(new Error(`the gateway ended with ${code} before it was ready:\n${errors}`)));
  });
}

function command(args: string[]): Promise<void> {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8');
  });
  return new Promise((done, failed) =>
    child.once('exit', (code) => (code === 0 ? done() : failed(new Error(`countersign ${args[0]} failed: ${errors}`)))),
  );
}

function configuration(of: { ports: World['ports']; consoleUrl: string; issuer: string }): string {
  return `# Written by \`npm run demo\`; every key is explained in docs/config.md.
version: 1
gateway: { name: demo, origin: countersign.example/demo }
data: ./data
listeners:
  - { protocol: postgres, address: 127.0.0.1, port: ${of.ports.tls}, tls: { cert: { file: tls/server.pem }, key: { file: tls/server.key } } }
  - { protocol: postgres, address: 127.0.0.1, port: ${of.ports.plain}, plaintext: loopback }
console:
  address: 127.0.0.1
  port: ${of.ports.console}
  url: ${of.consoleUrl}
  signIn: { issuer: demo, clientId: countersign-console }
  viewers: [engineering, auditors]
  admins: [dba]
issuers:
  - name: demo
    issuer: ${of.issuer}
    audience: countersign
    discovery: true
    algorithms: [ES256]
    principal:
      kind: { claim: kind, agent: [agent], human: [human] }
      name: name
      groups: groups
      email: email
      owner: owner
targets:
  - name: shop
    protocol: postgres
    host: 127.0.0.1
    port: ${of.ports.target}
    database: shop
    tls: { mode: verify-ca, ca: { file: tls/ca.pem } }
    credential: { user: shop_app, password: { file: secrets/shop.password } }
    ack: { read: written, write: synced }
    labels:
      - { columns: public.customers.email, label: pii.email }
      - { columns: public.customers.phone, label: pii.phone }
      - { columns: public.customers.card, label: pci.pan }
masks: { default: full, pii.email: partial, pci.pan: partial }
policies: ./policies
# Everything in the ledger as OCSF events, for a SIEM: docs/events.md
exports:
  - { name: archive, to: file, output: { file: ./data/events.jsonl } }
approvals: { ttlSeconds: 900 }
`;
}
