// The three that are compared, on one real PostgreSQL: direct, pgbouncer in session mode, and the gateway with everything on.
import { execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exportJWK, SignJWT } from 'jose';
import pg from 'pg';
import { startEmbeddedPostgres } from '../src/demo/postgres.ts';

export interface Contestant {
  readonly name: 'direct' | 'pgbouncer' | 'gateway';
  readonly env: Readonly<Record<string, string>>;
  /** Process to charge CPU to; absent for direct. */
  readonly pid?: number;
}

export interface Arena {
  readonly contestants: readonly Contestant[];
  readonly folder: string;
  /** Statements the target itself counted for the gateway's role. */
  executedByGateway(): Promise<number>;
  /** Stops the gateway in order and checks its ledger: counts by entry type. */
  audit(): Promise<{ ok: boolean; counts: Record<string, number>; failure?: unknown }>;
  admin(sql: string): Promise<void>;
  stop(): Promise<void>;
}

const taken = new Set<number>();
async function freePort(from: number): Promise<number> {
  for (let port = from; port < 32_768; port++) {
    if (taken.has(port)) continue;
    const server = createServer();
    const free = await new Promise<boolean>((done) =>
      server.once('error', () => done(false)).listen(port, '127.0.0.1', () => done(true)),
    );
    if (!free) continue;
    await new Promise((done) => server.close(done));
    taken.add(port);
    return port;
  }
  throw new Error('no free port');
}

async function answering(port: number, what: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const open = await new Promise<boolean>((done) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        done(true);
      }).once('error', () => done(false));
    });
    if (open) return;
    await sleep(25);
  }
  throw new Error(`${what} does not answer on ${port}`);
}

export async function openArena(options: {
  readonly ack: 'written' | 'synced';
  readonly labels: readonly string[];
}): Promise<Arena> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
  chmodSync(folder, 0o755);
  const stops: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const stop = async () => {
    for (const step of stops.splice(0).toReversed()) await step();
  };
  try {
    const target = await freePort(15_500);
    const password = randomBytes(12).toString('hex');
    const postgres = await startEmbeddedPostgres({
      port: target,
      superuser: 'admin',
      password,
      settings: {
        fsync: 'on',
        max_connections: '400',
        shared_buffers: '256MB',
        shared_preload_libraries: 'pg_stat_statements',
        'pg_stat_statements.track_utility': 'off',
      },
    });
    stops.push(() => postgres.stop());
    const superuser = { host: '127.0.0.1', port: target, user: 'admin', password, database: 'postgres' };
    const admin = async (sql: string) => {
      const client = new pg.Client(superuser);
      await client.connect();
      try {
        await client.query(sql);
      } finally {
        await client.end();
      }
    };
    await admin('create extension if not exists pg_stat_statements');
    for (const role of ['bench_direct', 'bench_pgbouncer', 'bench_gateway'])
      await admin(`create role ${role} login superuser password '${password}'`);

    const bouncerPort = await freePort(15_600);
    const bouncer = join(folder, 'bouncer');
    mkdirSync(bouncer);
    writeFileSync(join(bouncer, 'users.txt'), `"bench_pgbouncer" "${password}"\n`);
    writeFileSync(
      join(bouncer, 'pgbouncer.ini'),
      `[databases]\npostgres = host=127.0.0.1 port=${target} dbname=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${bouncerPort}\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = ${join(bouncer, 'users.txt')}\npool_mode = session\nmax_client_conn = 400\ndefault_pool_size = 300\nlogfile = ${join(bouncer, 'log')}\npidfile = ${join(bouncer, 'pid')}\nignore_startup_parameters = extra_float_digits\n`,
    );
    const lent = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    if ('uid' in lent)
      for (const path of ['', 'users.txt', 'pgbouncer.ini']) chownSync(join(bouncer, path), 65_534, 65_534);
    const bouncerProcess = spawn('pgbouncer', ['-q', join(bouncer, 'pgbouncer.ini')], { ...lent, stdio: 'ignore' });
    stops.push(() => void bouncerProcess.kill('SIGTERM'));
    await answering(bouncerPort, 'pgbouncer');

    const gateway = await startGateway(folder, { target, password, ...options });
    stops.push(() => gateway.stop());
    const base = { PGDATABASE: 'postgres', PGHOST: '127.0.0.1', PGSSLMODE: 'disable', PGGSSENCMODE: 'disable' };
    return {
      folder,
      contestants: [
        { name: 'direct', env: { ...base, PGPORT: String(target), PGUSER: 'bench_direct', PGPASSWORD: password } },
        {
          name: 'pgbouncer',
          pid: bouncerProcess.pid!,
          env: { ...base, PGPORT: String(bouncerPort), PGUSER: 'bench_pgbouncer', PGPASSWORD: password },
        },
        {
          name: 'gateway',
          pid: gateway.pid,
          env: {
            ...base,
            PGPORT: String(gateway.port),
            PGDATABASE: 'bench',
            PGUSER: 'bench-agent',
            PGPASSWORD: gateway.token,
          },
        },
      ],
      async executedByGateway() {
        const client = new pg.Client(superuser);
        await client.connect();
        try {
          const { rows } = await client.query(
            `select coalesce(sum(s.calls), 0)::int n from pg_stat_statements s join pg_roles r on r.oid = s.userid where r.rolname = 'bench_gateway'`,
          );
          return rows[0].n as number;
        } finally {
          await client.end();
        }
      },
      audit: () => gateway.audit(),
      admin,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startGateway(
  folder: string,
  of: { target: number; password: string; ack: string; labels: readonly string[] },
) {
  const port = await freePort(15_700);
  const consolePort = await freePort(15_800);
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const kid = randomUUID();
  writeFileSync(
    join(folder, 'jwks.json'),
    JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' }] }),
  );
  const token = await new SignJWT({ kind: 'agent', groups: ['bench'], name: 'bench agent' })
    .setProtectedHeader({ alg: 'ES256', kid })
    .setIssuer('https://bench.example')
    .setSubject('bench-agent')
    .setAudience('countersign')
    .setIssuedAt()
    .setExpirationTime('6h')
    .sign(privateKey);
  writeFileSync(join(folder, 'password'), of.password, { mode: 0o600 });
  mkdirSync(join(folder, 'policies'));
  writeFileSync(
    join(folder, 'policies', 'bench.cedar'),
    '@id("bench.all")\npermit (principal, action, resource) unless { action == Action::"sql:reveal" };\n',
  );
  const config = join(folder, 'countersign.yaml');
  const labels =
    of.labels.length === 0
      ? ''
      : `\n    labels: [${of.labels.map((column) => `{ columns: ${column}, label: pii }`).join(', ')}]`;
  writeFileSync(
    config,
    `version: 1
gateway: { name: bench, origin: countersign.example/bench }
data: ./data
listeners: [{ protocol: postgres, address: 127.0.0.1, port: ${port}, plaintext: loopback }]
console: { address: 127.0.0.1, port: ${consolePort}, url: "http://127.0.0.1:${consolePort}", viewers: [bench], admins: [bench] }
issuers: [{ name: bench, issuer: "https://bench.example", audience: countersign, jwks: { file: jwks.json }, algorithms: [ES256], principal: { kind: { claim: kind, agent: [agent] }, name: name, groups: groups } }]
targets:
  - name: bench
    protocol: postgres
    host: 127.0.0.1
    port: ${of.target}
    database: postgres
    tls: { mode: disable }
    credential: { user: bench_gateway, password: { file: password } }
    ack: { read: written, write: ${of.ack} }${labels}
policies: ./policies
`,
  );
  const bin = join(import.meta.dirname, '..', 'dist', 'bin');
  execFileSync(process.execPath, [join(bin, 'countersign.js'), 'ledger', 'init', '--config', config], {
    stdio: 'pipe',
  });
  const child = spawn(process.execPath, [join(bin, 'countersign.js'), 'serve', '--config', config], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString('utf8')).slice(-4_000);
  });
  await new Promise<void>((ready, failed) => {
    child.once('message', () => ready());
    child.once('exit', (code) => failed(new Error(`the gateway ended with ${code}: ${errors}`)));
  });
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill('SIGTERM');
    await gone;
  };
  return {
    port,
    token,
    pid: child.pid!,
    stop,
    async audit() {
      await stop();
      const key = readFileSync(join(folder, 'data', 'state', 'ledger.vkey'), 'utf8').trim();
      const verifier = spawn(
        process.execPath,
        [join(bin, 'verify.js'), join(folder, 'data', 'ledger'), '--key', key, '--json'],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      let out = '';
      verifier.stdout.on('data', (chunk: Buffer) => {
        out += chunk.toString('utf8');
      });
      await new Promise((done) => verifier.once('close', done));
      const report = JSON.parse(out) as { ok: boolean; types: Record<string, number>; failure?: unknown };
      return { ok: report.ok, counts: report.types, failure: report.failure };
    },
  };
}
