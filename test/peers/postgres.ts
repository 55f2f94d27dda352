import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from '../../src/demo/postgres.ts';

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface TestPostgres extends EmbeddedPostgres {
  readonly superuser: string;
  readonly password: string;
}

/** A real PostgreSQL in a folder of its own, removed with it. */
export async function testPostgres(extra: Partial<EmbeddedPostgresOptions> = {}): Promise<TestPostgres> {
  const superuser = 'admin';
  const password = randomBytes(12).toString('hex');
  const server = await startEmbeddedPostgres({ port: await freePort(), superuser, password, ...extra });
  return { ...server, superuser, password };
}
