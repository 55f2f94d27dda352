import { openAnalyser } from '../../src/sql/analyse.ts';
import { openWorld } from '../adversarial/effects/world.ts';
import { generator } from '../nightly/mutation.ts';
import { emptyTally, openPeer, type Tally } from './compare.ts';
import { textOf } from './texts.ts';

/** All that the role of the peers may do is what stands in the database. */
const handOver = `
create role fuzz login;
do $$ declare r record; begin
  for r in select oid::regclass as name, relkind from pg_class where relnamespace in ('public'::regnamespace, 'private'::regnamespace) and relkind in ('r', 'p', 'v', 'm') loop
    execute format('alter table %s owner to fuzz', r.name); end loop;
  alter sequence tickets owner to fuzz;
end $$;
grant all on schema public, private to fuzz;
insert into customers select n, 'name ' || n, 'mail', 'ssn', 'city' from generate_series(1, 5) n;
insert into orders select n, 1 + n % 5, n, 'open' from generate_series(1, 9) n;
insert into guarded values (1, 'x'); insert into audit(what) values ('kept'); insert into private.keys values (1, 'k');
insert into measures values ('2025-02-03', 1);
create table dependent (id int primary key, order_id int references orders on delete cascade);
insert into dependent select n, n from generate_series(1, 9) n;
alter table dependent owner to fuzz;
create function stamp() returns trigger language plpgsql as $$ begin insert into private.keys values (2, 'fired'); return new; end $$;
create trigger stamp before update on customers for each row execute function stamp();
`;

/** Compares texts `0` to `count` of the seed with a real server. */
export async function playTexts(count: number, seed: number, told: (tally: Tally) => void = () => {}): Promise<Tally> {
  const world = await openWorld(handOver, { hba: ['host all fuzz 127.0.0.1/32 trust'] });
  const tally = emptyTally();
  try {
    const scope = { ...(await world.read()), role: 'fuzz' };
    const { port } = world.client as unknown as { port: number };
    const where = { port, user: 'fuzz', database: 'postgres' };
    const peer = await openPeer(where, openAnalyser(), scope);
    for (let index = 0; index < count; index++) {
      const before = tally.disagreements.length;
      await peer.compare(textOf(generator(seed, index)), tally);
      for (let n = before; n < tally.disagreements.length; n++)
        tally.disagreements[n] = `${index}: ${tally.disagreements[n]}`;
      if (index % 2_000 === 1_999) told(tally);
      if (tally.disagreements.length > 200) break;
    }
    peer.end();
    return tally;
  } finally {
    await world.stop();
  }
}
