// Two ways to the same database: directly, and through a whole gateway as it is shipped (token, the policies of `policies/`, ledger,
// masks). Each way exists in two worlds that differ only in their secrets. The target's role is a superuser, so that what fails
// through the gateway fails because of the gateway.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startGateway, testIssuer } from '../../peers/gateway.ts';
import { testPostgres } from '../../peers/postgres.ts';
import { RawClient } from '../../peers/raw-client.ts';
import { worlds } from './secrets.ts';
import { labels, seed } from './seed.ts';
import { readState, type State } from './state.ts';

export type World = keyof typeof worlds;
export type Road = 'direct' | 'gateway';
/** An agent without an owner: what would wait for a person is denied at once. `reader` may see personal data, `dba` may grant. */
export type Actor = 'agent' | 'other-agent' | 'reader' | 'dba';

/** One database by one road. */
export interface Way {
  readonly road: Road;
  readonly world: World;
  /** As the server names it. It changes with `reset`. */
  readonly database: string;
  /** A session of its own; every byte that it hears is kept. */
  open(actor?: Actor, parameters?: Readonly<Record<string, string>>): Promise<RawClient>;
  /** A client at the server itself, as the superuser; whoever asks for it ends it. */
  client(): Promise<pg.Client>;
  /** Runs a text at the server itself, as the superuser, and gives its last rows. */
  run(text: string): Promise<readonly Record<string, unknown>[]>;
  /** What the database holds now, place by place. */
  state(): Promise<State>;
  /** Whether anything is not as it was seeded. */
  changed(): Promise<boolean>;
  /** A database as it was seeded; it costs nothing where nothing changed. Sessions of the old one are over. */
  reset(): Promise<void>;
}

export interface Arena {
  way(road: Road, world?: World): Way;
  /** As every way was seeded. */
  pristine(world?: World): State;
  /** What the gateway logged as a warning or worse. */
  readonly complaints: string[];
  stop(): Promise<void>;
}

const shipped = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'policies');
const spare = 400;

const actors: Record<Actor, { kind: string; groups: string[] }> = {
  agent: { kind: 'agent', groups: [] },
  'other-agent': { kind: 'agent', groups: [] },
  reader: { kind: 'human', groups: ['pii-readers'] },
  dba: { kind: 'human', groups: ['dba'] },
};

export interface ArenaOptions {
  /** More SQL for the seed. */
  readonly extra?: string;
  /** `granted` leaves the rules that hold out: what a person would see after granting all they are asked. */
  readonly policies?: 'shipped' | 'granted';
}

/** The shipped policies without the forbids that carry `@hold`. */
function granted(text: string): string {
  return text
    .split(/\n(?=@id\()/)
    .filter((rule) => !/^@hold\(/m.test(rule))
    .join('\n');
}

export async function openArena(options: ArenaOptions = {}): Promise<Arena> {
  const folder = mkdtempSync(join(tmpdir(), 'adversarial-'));
  const closing: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })];
  const stop = async () => {
    for (const step of closing.splice(0).toReversed()) await step();
  };
  try {
    const server = await testPostgres({
      // Nothing may change by itself while an attack is judged.
      settings: {
        autovacuum: 'off',
        max_connections: '60',
        max_prepared_transactions: '4',
        wal_level: 'logical',
        max_wal_senders: '2',
      },
      hba: ['host all all 127.0.0.1/32 trust'],
    });
    closing.push(() => server.stop());
    const connect = async (database: string) => {
      const { port, superuser: user, password } = server;
      const client = new pg.Client({ host: '127.0.0.1', port, user, password, database });
      client.on('error', () => {});
      await client.connect();
      return client;
    };
    const admin = await connect('postgres');
    closing.push(() => admin.end());
    await admin.query(`create role keeper login superuser password 'of the target'; create role reader`);
    const pristine = {} as Record<World, State>;
    for (const world of Object.keys(worlds) as World[]) {
      await admin.query(`create database seed_${world} owner keeper`);
      const client = await connect(`seed_${world}`);
      await client.query(seed(worlds[world]) + (options.extra ?? ''));
      await client.end();
    }

    /** What belongs to the server and not to one database. */
    const sweep = async () => {
      await admin.query('alter system reset all');
      const slots = 'select pg_drop_replication_slot(slot_name) from pg_replication_slots';
      const strange = `select quote_ident(rolname) as name from pg_roles where rolname !~ '^pg_' and rolname not in ('admin', 'keeper', 'reader')`;
      await admin.query(slots);
      for (const { name } of (await admin.query(strange)).rows) await admin.query(`drop role ${name}`);
      for (const role of ['keeper', 'reader']) await admin.query(`alter role ${role} reset all`);
      await admin.query(
        `alter role keeper login superuser password 'of the target'; alter role reader nologin nosuperuser`,
      );
    };

    const issuer = await testIssuer(folder);
    const tokens = {} as Record<Actor, string>;
    for (const actor of Object.keys(actors) as Actor[])
      tokens[actor] = await issuer.token(actor, { ...actors[actor], email: `${actor}@staff.example` });
    const policies = join(folder, 'policies');
    cpSync(shipped, policies, { recursive: true });
    if (options.policies === 'granted')
      for (const file of readdirSync(policies).filter((name) => name.endsWith('.cedar')))
        writeFileSync(join(policies, file), granted(readFileSync(join(shipped, file), 'utf8')));
    writeFileSync(join(folder, 'keeper.password'), 'of the target', { mode: 0o600 });
    const names = (Object.keys(worlds) as World[]).flatMap((world) =>
      Array.from({ length: spare }, (_, n) => `gateway_${world}_${n}`),
    );
    const gateway = await startGateway(folder, {
      listeners: [{ protocol: 'postgres', port: 0, plaintext: 'loopback' }],
      issuers: [
        {
          ...issuer.entry,
          principal: { kind: { claim: 'kind', agent: ['agent'], human: ['human'] }, groups: 'groups', email: 'email' },
        },
      ],
      targets: [
        {
          name: 'shop',
          protocol: 'postgres',
          host: '127.0.0.1',
          port: server.port,
          database: names[0],
          databases: names,
          tls: { mode: 'disable' },
          credential: { user: 'keeper', password: { file: 'keeper.password' } },
          labels,
        },
      ],
      policies: './policies',
    });
    closing.push(() => gateway.stop());

    const openWay = async (road: Road, world: World): Promise<Way> => {
      let round = 0;
      const name = () => `${road}_${world}_${round}`;
      let own: pg.Client | null = null;
      const create = () => admin.query(`create database ${name()} template seed_${world} owner keeper`);
      const runner = async () => (own ??= await connect(name()));
      const state = async () => readState(await runner());
      await create();
      closing.push(async () => own?.end());
      pristine[world] ??= await state();
      // Where the log of the server stands still and no setting is in its file, nothing can have changed since it was looked at.
      let seen = { mark: '', changed: false };
      const mark = async () => {
        const text = `select pg_current_wal_insert_lsn() || ' ' || count(*) as mark from pg_file_settings where sourcefile like '%auto.conf'`;
        return String((await (await runner()).query(text)).rows[0].mark);
      };
      const changed = async () => {
        const now = await mark();
        if (seen.mark !== now) seen = { mark: now, changed: (await state()).text !== pristine[world].text };
        return seen.changed;
      };
      return {
        road,
        world,
        get database() {
          return name();
        },
        open: (actor = 'agent', parameters = {}) =>
          RawClient.open(
            road === 'direct'
              ? { port: server.port, user: 'keeper', database: name(), parameters }
              : { port: gateway.port, user: 'keeper', password: tokens[actor], database: `shop/${name()}`, parameters },
          ),
        client: () => connect(name()),
        async run(text) {
          const answer = (await (await runner()).query(text)) as pg.QueryResult | pg.QueryResult[];
          return (Array.isArray(answer) ? answer.at(-1)! : answer).rows;
        },
        state,
        changed,
        async reset() {
          if (!(await changed())) return;
          const old = name();
          await own?.end();
          own = null;
          // A new name, so that nothing that the gateway knows of the old one is in the way.
          round++;
          if (round >= spare) throw new Error('more resets than there are databases');
          await create();
          await admin.query(`drop database ${old} with (force)`);
          await sweep();
        },
      };
    };
    const ways = new Map<string, Way>();
    for (const road of ['direct', 'gateway'] as const)
      for (const world of Object.keys(worlds) as World[]) ways.set(`${road} ${world}`, await openWay(road, world));
    return {
      complaints: gateway.complaints,
      way: (road, world = 'a') => ways.get(`${road} ${world}`)!,
      pristine: (world = 'a') => pristine[world],
      stop,
    };
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
}
