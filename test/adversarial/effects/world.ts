import pg from 'pg';
import type { Scope } from '../../../src/sql/analysis.ts';
import { catalogueQueries, type LabelRule, readCatalogue } from '../../../src/sql/catalogue.ts';
import { testPostgres } from '../../peers/postgres.ts';

/** What the statements of the corpus act on: tables, views, partitions, triggers, rules, and routines that do more than they say. */
const schema = `
create table customers (id integer primary key, name text not null, email text, ssn text, city text, purge_date date);
create table orders (id integer primary key, customer_id integer references customers, amount numeric, status text);
create table audit (at timestamptz default now(), what text);
create table guarded (id integer primary key, note text);
create table ruled (id integer, note text);
create table measures (at date not null, value integer) partition by range (at);
create table measures_2025 partition of measures for values from ('2025-01-01') to ('2026-01-01');
create table measures_2026 partition of measures for values from ('2026-01-01') to ('2027-01-01');
create view directory as select id, name, email as contact from customers;
create view directory_names as select name from directory;
create materialized view totals as select customer_id, sum(amount) as total from orders group by 1;
create sequence tickets;
create schema private;
create table private.keys (id integer, secret text);
create type mood as enum ('ok', 'bad');
create function purge() returns bigint language sql as 'delete from orders where true; select 1::bigint';
create function purge_one(c customers) returns integer language sql as 'delete from orders where customer_id = c.id; select 1';
create function harmless(a integer) returns integer language sql immutable as 'select a + 1';
create function atomic_delete() returns void language sql begin atomic delete from public.orders; end;
create function plain(a integer) returns integer language plpgsql as $$ declare v integer; begin v := a + 1; update audit set what = 'x' where at < now(); return v; end $$;
create function dynamic(t text) returns void language plpgsql as $$ begin execute format('delete from %I', t); end $$;
create function path_set() returns void language sql set search_path = private as 'delete from keys';
create function recursive_a() returns integer language plpgsql as $$ begin return recursive_a(); end $$;
create procedure sweep(inout n integer) language plpgsql as $$ begin delete from carts_gone; commit; end $$;
create function audit_row() returns trigger language plpgsql as $$ begin insert into audit(what) values ('t'); return new; end $$;
create trigger guard after insert or update or delete on guarded for each row execute function audit_row();
create rule redirect as on insert to ruled do instead delete from orders;
create function eats(a text, b text) returns boolean language sql as 'delete from customers where name = a; select true';
create operator public.=== (leftarg = text, rightarg = text, function = eats);
create function to_mood(text) returns integer language plpgsql as $$ begin execute $1; return 1; end $$;
create function private.hidden() returns integer language sql as 'select 1';
create table lower_names (id integer, "Upper" text, "select" text);
`;

export const labels: readonly LabelRule[] = [
  { columns: 'public.customers.email', label: 'pii.email' },
  { columns: 'public.customers.ssn', label: 'pii' },
  { columns: 'private.keys.secret', label: 'secret' },
];

export interface World {
  readonly client: pg.Client;
  readonly scope: Scope;
  /** The scope under what the catalogue holds now. */
  read(): Promise<Scope>;
  stop(): Promise<void>;
}

/** A real server with the schema above, and the scope of a session on it. */
export async function openWorld(extra = '', options: Parameters<typeof testPostgres>[0] = {}): Promise<World> {
  const server = await testPostgres(options);
  const { port, superuser, password } = server;
  const connect = async () => {
    const client = new pg.Client({ host: '127.0.0.1', port, user: superuser, password, database: 'postgres' });
    await client.connect();
    return client;
  };
  const client = await connect();
  await client.query(schema + extra);
  const read = async (): Promise<Scope> => {
    const own = await connect();
    const results: string[][][] = [];
    for (const text of catalogueQueries) {
      const answer = await own.query({
        text,
        rowMode: 'array',
        types: { getTypeParser: () => (value: string) => value } as never,
      });
      results.push(answer.rows as unknown as string[][]);
    }
    await own.end();
    return {
      catalogue: readCatalogue(results, labels),
      searchPath: ['pg_catalog', 'public'],
      role: 'agent',
      prepared: new Map(),
      cursors: new Map(),
    };
  };
  return {
    client,
    scope: await read(),
    read,
    async stop() {
      await client.end();
      await server.stop();
    },
  };
}
