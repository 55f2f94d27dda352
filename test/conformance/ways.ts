// Two ways to one real server: directly, and through a whole gateway (TLS, token, Cedar policy, ledger, masks) as it is served.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { demoCertificates } from '../../src/demo/certificates.ts';
import { startGateway, testIssuer } from '../peers/gateway.ts';
import { testPostgres } from '../peers/postgres.ts';
import { seed } from './seed.ts';

export interface Way {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** As this way names it: the database itself, or `target/database`. */
  readonly database: string;
  /** The database itself. */
  readonly work: string;
  readonly ca: string;
}

export interface Ways {
  /** The database of that name, once for each way, with the same content. */
  of(database: string): { readonly direct: Way; readonly masked: Way; readonly revealed: Way };
  /** What the gateway logged as a warning or worse. */
  readonly complaints: string[];
  /** Runs a text as the owner, without the gateway. */
  run(work: string, text: string): Promise<void>;
  close(): Promise<void>;
}

/** Everything but revealing is permitted, so that clients can do all they do, and masking stays on for all but one group. */
const policy = `@id("conformance.all") permit (principal, action, resource) unless { action == Action::"sql:reveal" };
@id("conformance.reveal") permit (principal in Group::"readers", action == Action::"sql:reveal", resource);
`;

/** The server of the distribution, of the same version as its pg_dump: an older pg_dump refuses a newer server. */
export function distributionServer(): string {
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : [];
  const native = versions
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join('/usr/lib/postgresql', version))
    .find((folder) => existsSync(join(folder, 'bin', 'initdb')));
  if (!native) throw new Error('PostgreSQL of the distribution is missing: apt-get install postgresql');
  return native;
}

/**
 * Starts server and gateway. Every database of `names` exists three times: `<name>_d` is worked on directly, `<name>_m` through the
 * gateway by a principal who sees labelled columns masked, `<name>_r` by one who sees them in clear.
 */
export async function openWays(
  names: readonly string[],
  options: { native?: string; seed?: string } = {},
): Promise<Ways> {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  const closing: (() => Promise<unknown>)[] = [
    async () => {
      rmSync(folder, { recursive: true, force: true });
    },
  ];
  const close = async () => {
    for (const step of closing.splice(0).toReversed()) await step();
  };
  try {
    const pem = await demoCertificates(new Date());
    const ca = join(folder, 'ca.pem');
    writeFileSync(ca, pem.authority);
    writeFileSync(join(folder, 'server.pem'), pem.certificate);
    writeFileSync(join(folder, 'server.key'), pem.key, { mode: 0o600 });
    const server = await testPostgres({
      tls: { cert: pem.certificate, key: pem.key },
      ...(options.native ? { native: options.native } : {}),
    });
    closing.push(() => server.stop());
    const app = { user: 'app', password: 'of the application' };
    const as = async (who: { user: string; password: string }, database: string, ...texts: string[]) => {
      const client = new pg.Client({ host: '127.0.0.1', port: server.port, ...who, database });
      await client.connect();
      try {
        for (const text of texts) await client.query(text);
      } finally {
        await client.end();
      }
    };
    const admin = { user: server.superuser, password: server.password };
    await as(
      admin,
      'postgres',
      `create role app login createdb password '${app.password}'`,
      'create database base owner app',
    );
    await as(app, 'base', options.seed ?? seed);
    const works = names.flatMap((name) => [`${name}_d`, `${name}_m`, `${name}_r`]);
    await as(app, 'postgres', ...works.map((work) => `create database ${work} template base`));

    const issuer = await testIssuer(folder);
    const token = (groups: readonly string[]) => issuer.token('client', { groups: [...groups] });
    const tokens = { masked: await token([]), revealed: await token(['readers']) };
    mkdirSync(join(folder, 'policies'));
    writeFileSync(join(folder, 'policies', 'conformance.cedar'), policy);
    writeFileSync(join(folder, 'app.password'), app.password, { mode: 0o600 });
    const gateway = await startGateway(folder, {
      listeners: [
        { protocol: 'postgres', port: 0, tls: { cert: { file: 'server.pem' }, key: { file: 'server.key' } } },
      ],
      issuers: [{ ...issuer.entry, principal: { kind: 'service', groups: 'groups' } }],
      targets: [
        {
          name: 'shop',
          protocol: 'postgres',
          host: '127.0.0.1',
          port: server.port,
          database: 'base',
          databases: ['base', ...works],
          tls: { mode: 'verify-full', ca: { file: 'ca.pem' } },
          credential: { user: app.user, password: { file: 'app.password' } },
          labels: [{ columns: 'public.people.email', label: 'pii.email' }],
        },
      ],
    });
    closing.push(() => gateway.stop());
    const { port, complaints } = gateway;
    return {
      complaints,
      of: (database) => {
        // The name of the role is that of the direct way, so that messages that quote it are equal.
        const through = (work: string, password: string) => {
          return { port, user: app.user, password, database: `shop/${work}`, work, ca };
        };
        return {
          direct: { port: server.port, ...app, database: `${database}_d`, work: `${database}_d`, ca },
          masked: through(`${database}_m`, tokens.masked),
          revealed: through(`${database}_r`, tokens.revealed),
        };
      },
      run: (work, text) => as(app, work, text),
      close,
    };
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
}

/** What libpq and those who follow it read. */
export const libpqEnvironment = (way: Way): Record<string, string> => ({
  PGHOST: '127.0.0.1',
  PGPORT: String(way.port),
  PGUSER: way.user,
  PGPASSWORD: way.password,
  PGDATABASE: way.database,
  PGSSLMODE: 'verify-full',
  PGSSLROOTCERT: way.ca,
  PGCONNECT_TIMEOUT: '10',
  PGTZ: 'UTC',
});

/** Whether a command can be run and succeeds. */
export function works(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore', timeout: 30_000 });
    return true;
  } catch {
    return false;
  }
}
