// A catalogue for commands: from a target by its own credential, from a file that `catalogue dump` wrote, or from SQL that a
// throwaway server runs.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Config } from '../config/config.ts';
import { Fault } from '../domain/fault.ts';
import { catalogueQueries } from '../sql/catalogue.ts';
import { type CatalogueDump, makeDump, parseDump, placeQuery } from '../sql/catalogue-dump.ts';
import type { OwnConnection } from '../protocols/postgres/own-connection.ts';
import { Exit } from './output.ts';

type ConfiguredTarget = Config['targets'][number];

/** The named target of the configuration, else its first. */
export function targetNamed(config: Config, name: string | undefined): ConfiguredTarget {
  const found = name === undefined ? config.targets[0] : config.targets.find((target) => target.name === name);
  if (found) return found;
  throw new Exit(2, `there is no target ${name}: write one of ${config.targets.map((one) => one.name).join(', ')}`);
}

/** Signs in as the gateway does, with the target's own credential. Rejects with a Fault when the target cannot be asked. */
export async function connectTo(of: ConfiguredTarget, database: string, deadlineMs: number): Promise<OwnConnection> {
  const [{ openTarget }, { dialTarget }, { openOwnConnection, ownLink }] = await Promise.all([
    import('../bin/configured.ts'),
    import('../targets/dial.ts'),
    import('../protocols/postgres/own-connection.ts'),
  ]);
  const { credential, tls } = openTarget(of);
  const dial = async () => ownLink(await dialTarget({ host: of.host, port: of.port }), credential, tls);
  return openOwnConnection(dial, { database, deadlineMs });
}

/** Reads it as the gateway does. Rejects with a Fault when the target cannot be asked. */
export async function readTarget(of: ConfiguredTarget, database = of.database): Promise<CatalogueDump> {
  const connection = await connectTo(of, database, of.loginSeconds * 1_000);
  try {
    return await readOver(connection);
  } finally {
    connection.close();
  }
}

/** `*.sql` is run by a throwaway server; anything else is a dump, gzip or not. */
export async function readCatalogueFile(path: string): Promise<CatalogueDump> {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new Exit(2, `${path} cannot be read (${(error as NodeJS.ErrnoException).code}): name a catalogue`);
  }
  if (path.endsWith('.sql')) return readSql(bytes.toString('utf8'), path);
  try {
    return parseDump((bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8'));
  } catch (error) {
    throw new Exit(2, `${path} is not a catalogue: ${(error as Error).message}`);
  }
}

async function readSql(sql: string, path: string): Promise<CatalogueDump> {
  const [{ startEmbeddedPostgres }, { dialTarget }, { openOwnConnection, ownLink }] = await Promise.all([
    import('../demo/postgres.ts'),
    import('../targets/dial.ts'),
    import('../protocols/postgres/own-connection.ts'),
  ]);
  const password = randomBytes(12).toString('hex');
  const port = await freePort();
  const server = await startEmbeddedPostgres({ port, superuser: 'policy', password });
  try {
    const credential = { user: 'policy', tls: 'disable' as const, password: async () => password };
    const dial = async () => ownLink(await dialTarget({ host: '127.0.0.1', port }), credential);
    const connection = await openOwnConnection(dial, { database: 'postgres' });
    try {
      await connection.query(sql);
      return await readOver(connection);
    } catch (error) {
      const cause = error instanceof Fault && error.cause instanceof Error ? error.cause.message : undefined;
      if (cause === undefined) throw error;
      throw new Exit(2, `${path}: the server refused it: ${cause}`);
    } finally {
      connection.close();
    }
  } finally {
    await server.stop();
  }
}

async function readOver(connection: OwnConnection): Promise<CatalogueDump> {
  const ask = async (sql: string) => (await connection.query(sql)) as string[][];
  await ask('begin transaction isolation level repeatable read read only');
  const [place = []] = await ask(placeQuery);
  const results: string[][][] = [];
  for (const query of catalogueQueries) results.push(await ask(query));
  await ask('commit');
  return makeDump(place, results);
}

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
