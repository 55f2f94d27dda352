// A throw-away database for recorded statements: made on a server that is no target, owned by a role of its own that may do
// nothing else, and dropped with it.
import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Config } from '../config/config.ts';
import type { Fault } from '../domain/fault.ts';
import { type OwnConnection, openOwnConnection, ownLink } from '../protocols/postgres/own-connection.ts';
import type { LoginLink } from '../protocols/postgres/login.ts';
import { dialTarget, type TlsMode } from '../targets/dial.ts';
import { Exit } from './output.ts';

interface Server {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly tls: TlsMode;
}

export interface Sandbox {
  readonly database: string;
  /** Functions of the server that are volatile. */
  readonly volatile: ReadonlySet<string>;
  dial(): Promise<LoginLink>;
  drop(): Promise<void>;
}

/** Of a URL such as postgres://admin@127.0.0.1:5433/postgres; the password may be PGPASSWORD's. */
export function serverOf(url: string, env: Readonly<Record<string, string | undefined>>): Server {
  const at = URL.canParse(url) ? new URL(url) : undefined;
  if (!at || !/^postgres(ql)?:$/.test(at.protocol) || at.hostname === '')
    throw new Exit(2, '--server is a URL such as postgres://admin@127.0.0.1:5433/postgres');
  const host = decodeURIComponent(at.hostname).replace(/^\[(.*)\]$/, '$1');
  const mode = at.searchParams.get('sslmode') ?? (isLoopback(host) ? 'disable' : 'verify-full');
  if (!['disable', 'require', 'verify-ca', 'verify-full'].includes(mode))
    throw new Exit(2, '--server: sslmode is disable, require, verify-ca or verify-full');
  if (mode === 'disable' && !isLoopback(host))
    throw new Exit(2, '--server: without TLS only on this machine; leave sslmode out');
  return {
    host,
    port: Number(at.port || 5_432),
    user: decodeURIComponent(at.username) || 'postgres',
    password: decodeURIComponent(at.password) || (env['PGPASSWORD'] ?? ''),
    database: decodeURIComponent(at.pathname.slice(1)) || 'postgres',
    tls: mode as TlsMode,
  };
}

/** Ends the command where the server is that of a configured target, under whatever name and database. */
export async function refuseTargets(server: Pick<Server, 'host' | 'port'>, targets: Config['targets']): Promise<void> {
  const here = await addressesOf(server.host);
  for (const target of targets) {
    if (target.port !== server.port) continue;
    const there = await addressesOf(target.host);
    if ([...here].some((address) => there.has(address)))
      throw new Exit(
        2,
        `--server is the server of the target ${target.name}: recorded statements never run there again`,
      );
  }
}

const thisMachine = 'this machine';

/** All that a name means; addresses of this machine are one. */
async function addressesOf(host: string): Promise<Set<string>> {
  const own = new Set(Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address)));
  const found = await lookup(host, { all: true }).catch(() => []);
  const addresses = [host.toLowerCase(), ...found.map(({ address }) => address.replace(/^::ffff:/, ''))];
  return new Set(addresses.map((address) => (isLoopback(address) || own.has(address) ? thisMachine : address)));
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || /^127\.|^0\.0\.0\.0$|^::1?$/.test(host);
}

/** Makes role and database, and loads the schema files as that role. Rejects with an Exit that says what to do. */
export async function openSandbox(server: Server, files: readonly string[]): Promise<Sandbox> {
  const name = `countersign_sandbox_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(18).toString('hex');
  const dialAs = (user: string, secret: string) => async () =>
    ownLink(await dialTarget(server), { user, tls: server.tls, password: async () => secret }, {});
  const connect = (user: string, secret: string, database: string) =>
    openOwnConnection(dialAs(user, secret), { database, deadlineMs: 300_000 });
  const admin = await connect(server.user, server.password, server.database).catch((error: Fault) => {
    throw new Exit(3, `the sandbox server cannot be used: ${told(error)}`);
  });
  const drop = async (): Promise<void> => {
    try {
      await admin.query(`drop database if exists ${name} with (force)`);
      await admin.query(`drop role if exists ${name}`);
    } finally {
      admin.close();
    }
  };
  try {
    await admin
      .query(`create role ${name} login nosuperuser nocreatedb nocreaterole noreplication password '${password}'`)
      .then(() => admin.query(`create database ${name} owner ${name}`))
      .catch((error: Fault) => {
        throw new Exit(2, `no database can be made on the sandbox server: ${told(error)}. Name a role that may.`);
      });
    const own = await connect(name, password, name);
    try {
      for (const file of files) await load(own, file);
      const rows = await own.query("select distinct proname::text from pg_proc where provolatile = 'v'");
      const volatile = new Set(rows.map(([proname]) => proname ?? ''));
      return { database: name, volatile, dial: dialAs(name, password), drop };
    } finally {
      own.close();
    }
  } catch (error) {
    await drop().catch(() => undefined);
    throw error;
  }
}

/** pg_dump frames its output by two commands of psql that mean nothing to a server. */
const framing = /^\\(un)?restrict .*$/gm;

async function load(own: OwnConnection, file: string): Promise<void> {
  const text = readSchema(file).replace(framing, '');
  if (/^COPY .* FROM stdin;$/im.test(text))
    throw new Exit(2, `${file} holds data as COPY: dump it with pg_dump --inserts, or --schema-only`);
  // pg_dump empties the search path for the connection that reads it.
  await own.query(`${text}\n;reset all`).catch((error: Fault) => {
    throw new Exit(
      2,
      `${file} cannot be loaded: ${told(error)}. Dump it with pg_dump --schema-only --no-owner --no-privileges.`,
    );
  });
}

function readSchema(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Exit(2, `--schema: ${(cause as Error).message}`);
  }
}

function told(error: Fault): string {
  const cause = error.cause as { readonly message?: string; readonly sqlstate?: string } | undefined;
  return cause?.sqlstate ? `${cause.message} (${cause.sqlstate})` : error.message;
}

/** A server of our own on loopback, where the optional package is installed. */
export async function embeddedServer(): Promise<{ readonly server: Server; stop(): Promise<void> }> {
  const { startEmbeddedPostgres } = await import('../demo/postgres.ts');
  const password = randomBytes(18).toString('hex');
  const port = await freePort();
  const started = await startEmbeddedPostgres({ port, superuser: 'sandbox', password }).catch((cause: Error) => {
    throw new Exit(2, `no embedded PostgreSQL can be started (${cause.message}): name a server with --server`);
  });
  const server = { host: '127.0.0.1', port, user: 'sandbox', password, database: 'postgres', tls: 'disable' as const };
  return { server, stop: () => started.stop() };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((ready, failed) => server.once('error', failed).listen(0, '127.0.0.1', ready));
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}
