// One real server and, in front of it, a whole gateway as it is shipped: its own policies, nothing added.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { EmbeddedPostgresOptions } from '../../src/demo/postgres.ts';
import { startGateway, testIssuer } from '../peers/gateway.ts';
import { type TestPostgres, testPostgres } from '../peers/postgres.ts';
import { RawClient } from '../peers/raw-client.ts';

export const people = {
  agent: { kind: 'agent', groups: [] },
  human: { kind: 'human', groups: [] },
  reader: { kind: 'human', groups: ['pii-readers'] },
} as const;
export type Who = keyof typeof people;

export interface Place {
  /** A client of the server itself, as the role that the gateway uses too. */
  direct(): Promise<RawClient>;
  through(who: Who): Promise<RawClient>;
  /** A client of the usual library through the gateway. */
  pg(who: Who): Promise<pg.Client>;
  /** As the owner, without the gateway. */
  run(sql: string): Promise<void>;
  readonly ledger: string;
  /** Folder of the configuration, `countersign.yaml`. */
  readonly folder: string;
  readonly server: TestPostgres;
  close(): Promise<void>;
}

export interface PlaceOptions {
  readonly seed: string;
  readonly labels: readonly { readonly columns: string; readonly label: string }[];
  readonly server?: Partial<EmbeddedPostgresOptions>;
  /** Further keys of the target and of the configuration. */
  readonly target?: Readonly<Record<string, unknown>>;
  readonly configuration?: Readonly<Record<string, unknown>>;
}

const policies = new URL('../../policies/', import.meta.url).pathname;

export async function openPlace(options: PlaceOptions): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'fidelity-'));
  const closing: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })];
  const close = async () => {
    for (const step of closing.splice(0).toReversed()) await step();
  };
  try {
    const server = await testPostgres({ hba: ['host shop app 127.0.0.1/32 trust'], ...options.server });
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
    await as(admin, 'postgres', `create role app login password '${app.password}'`, 'create database shop owner app');
    await as(app, 'shop', options.seed);

    const issuer = await testIssuer(folder);
    writeFileSync(join(folder, 'app.password'), app.password, { mode: 0o600 });
    const token = (who: Who) =>
      issuer.token(who, { kind: people[who].kind, groups: people[who].groups, owner: 'somebody@mail.example' });
    const gateway = await startGateway(folder, {
      listeners: [{ protocol: 'postgres', port: 0, plaintext: 'loopback' }],
      issuers: [
        {
          ...issuer.entry,
          principal: { kind: { claim: 'kind', agent: ['agent'], human: ['human'] }, groups: 'groups', owner: 'owner' },
        },
      ],
      targets: [
        {
          name: 'shop',
          protocol: 'postgres',
          host: '127.0.0.1',
          port: server.port,
          database: 'shop',
          tls: { mode: 'disable' },
          credential: { user: app.user, password: { file: 'app.password' } },
          ack: { read: 'written', write: 'written' },
          labels: options.labels,
          ...options.target,
        },
      ],
      policies,
      ...options.configuration,
    });
    closing.push(() => gateway.stop());
    const { port } = gateway;
    const user = app.user;
    return {
      ledger: gateway.ledger,
      folder,
      server,
      direct: () => RawClient.open({ port: server.port, ...app, database: 'shop' }),
      through: async (who) => RawClient.open({ port, user, database: 'shop', password: await token(who) }),
      async pg(who) {
        const client = new pg.Client({ host: '127.0.0.1', port, user, database: 'shop', password: await token(who) });
        client.on('error', () => {});
        await client.connect();
        return client;
      },
      run: (sql) => as(app, 'shop', sql),
      close,
    };
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
}
