// A gateway process in front of a target, for the tests of limits: a real PostgreSQL, or a server that misbehaves in front of it.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exportJWK, SignJWT } from 'jose';
import pg from 'pg';
import { readJournal } from '../../src/ledger/read-journal.ts';
import { verifyLedger } from '../../src/ledger/verify-disk.ts';
import { freePort, testPostgres, type TestPostgres } from '../peers/postgres.ts';
import { RawClient } from '../peers/raw-client.ts';

export interface PlaceOptions {
  /** `schema.relation.column` of the columns that are labelled, and masked for everybody. */
  readonly labels?: readonly string[];
  /** Lines of YAML: keys of `limits`, of the listener, of the target. */
  readonly limits?: string;
  readonly listener?: string;
  readonly target?: string;
  /** More policies, beside one that permits everything but to reveal. */
  readonly policies?: string;
  /** Puts something between the gateway and the server; returns the port that the gateway is told. */
  between?(server: TestPostgres): Promise<number>;
  /** SQL of the superuser before the gateway starts. */
  readonly setup?: string;
}

export interface Place {
  readonly port: number;
  readonly console: number;
  readonly token: string;
  readonly server: TestPostgres;
  readonly gateway: ChildProcess;
  /** Kilobytes of memory that the gateway's process holds now. */
  memory(): number;
  /** Runs a few statements and waits until memory stands still: the engine compiles what it has just seen, on the side. */
  settle(): Promise<void>;
  client(): Promise<RawClient>;
  /** A client of the usual library; the caller ends it. */
  pg(): Promise<pg.Client>;
  atTarget(sql: string): Promise<Record<string, unknown>[]>;
  /** Stops the gateway in order; resolves with its exit code and milliseconds. */
  stopGateway(): Promise<{ code: number | null; ms: number }>;
  /** Stops the gateway and reads its ledger: it must verify, and every session must be sealed or be told of. */
  seals(): Promise<{ cause: string; statements: number }[]>;
  stop(): Promise<void>;
}

const bin = join(import.meta.dirname, '..', '..', 'src', 'bin', 'countersign.ts');

export async function openPlace(options: PlaceOptions = {}): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-limits-'));
  const server = await testPostgres();
  const atTarget = async (sql: string) => {
    const { port, superuser: user, password } = server;
    const client = new pg.Client({ host: '127.0.0.1', port, user, password, database: 'postgres' });
    await client.connect();
    try {
      return (await client.query(sql)).rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  };
  let gateway: ChildProcess | undefined;
  const stopGateway = async () => {
    const child = gateway!;
    if (child.exitCode !== null || child.signalCode !== null) return { code: child.exitCode, ms: 0 };
    const began = Date.now();
    const gone = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    return { code: await gone, ms: Date.now() - began };
  };
  const stop = async () => {
    if (gateway) await stopGateway();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const role = randomBytes(12).toString('hex');
    await atTarget(`create role gateway login superuser password '${role}'; ${options.setup ?? ''}`);
    const target = (await options.between?.(server)) ?? server.port;
    const [port, console] = [await freePort(), await freePort()];
    const { token, jwks } = await credentials();
    mkdirSync(join(folder, 'policies'));
    const put = (name: string, content: string) => writeFileSync(join(folder, name), content, { mode: 0o600 });
    put('jwks.json', jwks);
    put('password', role);
    put('policies/all.cedar', `${everything}\n${options.policies ?? ''}`);
    put('countersign.yaml', configuration({ port, console, target, options }));
    const config = join(folder, 'countersign.yaml');
    await run(['ledger', 'init', '--config', config]);
    gateway = await serve(config);
    const { pid } = gateway;
    const where = { port, user: 'agent', database: 'bench', password: token };
    return {
      port,
      console,
      token,
      server,
      gateway,
      memory: () => residentOf(pid!),
      async settle() {
        const client = new pg.Client({ host: '127.0.0.1', ...where });
        await client.connect();
        for (let round = 0; round < 3; round++)
          await client.query("select n, repeat('x', 100) from generate_series(1, 50000) n");
        await client.end();
        for (let still = 0, last = 0; still < 8; last = residentOf(pid!)) {
          await sleep(100);
          still = Math.abs(residentOf(pid!) - last) < 2_048 ? still + 1 : 0;
        }
      },
      client: () => RawClient.open(where),
      async pg() {
        const client = new pg.Client({ host: '127.0.0.1', ...where });
        client.on('error', () => {});
        await client.connect();
        return client;
      },
      atTarget,
      stopGateway,
      async seals() {
        await stopGateway();
        return readSeals(join(folder, 'data'));
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const everything = '@id("test.all")\npermit (principal, action, resource) unless { action == Action::"sql:reveal" };';

async function credentials(): Promise<{ token: string; jwks: string }> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const kid = randomUUID();
  const token = await new SignJWT({
    kind: 'agent',
    groups: ['bench'],
    name: 'bench agent',
    owner: 'somebody@mail.example',
  })
    .setProtectedHeader({ alg: 'ES256', kid })
    .setIssuer('https://issuer.example')
    .setSubject('agent')
    .setAudience('countersign')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(privateKey);
  return {
    token,
    jwks: JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' }] }),
  };
}

function configuration(of: { port: number; console: number; target: number; options: PlaceOptions }): string {
  const { labels = [], limits = '', listener = '', target = '' } = of.options;
  const labelled = labels.map((column) => `{ columns: ${column}, label: pii }`).join(', ');
  return `version: 1
gateway: { name: limits, origin: countersign.example/limits }
data: ./data
listeners: [{ protocol: postgres, address: 127.0.0.1, port: ${of.port}, plaintext: loopback${listener && `, ${listener}`} }]
console: { address: 127.0.0.1, port: ${of.console}, url: "http://127.0.0.1:${of.console}", viewers: [bench], admins: [bench] }
issuers: [{ name: tests, issuer: "https://issuer.example", audience: countersign, jwks: { file: jwks.json }, algorithms: [ES256], principal: { kind: { claim: kind, agent: [agent] }, name: name, groups: groups, owner: owner } }]
targets:
  - { name: bench, protocol: postgres, host: 127.0.0.1, port: ${of.target}, database: postgres, tls: { mode: disable }, credential: { user: gateway, password: { file: password } }, ack: { read: written, write: written }, labels: [${labelled}]${target && `, ${target}`} }
limits: { ${limits} }
policies: ./policies
log: { level: error }
`;
}

function run(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString('utf8')));
  return new Promise((done, failed) =>
    child.once('exit', (code) => (code === 0 ? done() : failed(new Error(`${args.join(' ')}: ${errors}`)))),
  );
}

function serve(config: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [bin, 'serve', '--config', config], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString('utf8')).slice(-4_000)));
  return new Promise((ready, failed) => {
    child.once('message', () => ready(child));
    child.once('exit', (code) => failed(new Error(`the gateway ended with ${code} before it was ready:\n${errors}`)));
  });
}

function residentOf(pid: number): number {
  if (process.platform !== 'linux') return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)]));
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

async function readSeals(data: string): Promise<{ cause: string; statements: number }[]> {
  const key = readFileSync(join(data, 'state', 'ledger.vkey'), 'utf8').trim();
  const report = await verifyLedger(join(data, 'ledger'), key);
  if (!report.ok) throw new Error(`the ledger does not verify: ${JSON.stringify(report)}`);
  const open = new Set<string>();
  const seals: { cause: string; statements: number }[] = [];
  for await (const { entry } of readJournal(join(data, 'ledger'), 0)) {
    if (entry.t === 'session.open') open.add(entry.sid!);
    if (entry.t !== 'session.seal') continue;
    open.delete(entry.sid!);
    seals.push({ cause: String(entry.x.cause), statements: Number(entry.x.n) });
  }
  if (open.size > 0) throw new Error(`${open.size} sessions are not sealed`);
  return seals;
}
