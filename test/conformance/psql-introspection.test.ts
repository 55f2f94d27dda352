// What psql asks behind its backslash commands must be seen as reading, and nothing else (false positives make people switch guards off).
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAnalyser } from '../../src/sql/analyse.ts';
import { loadParser } from '../../src/sql/parse.ts';
import { openWorld, type World } from '../adversarial/effects/world.ts';

let world: World;
beforeAll(async () => {
  await loadParser();
  world = await openWorld();
});
afterAll(() => world.stop());

const commands = String.raw`\d;\d+;\d customers;\d+ customers;\dt+;\df+;\l+;\du+;\dn+;\dp;\dv+;\dx+;\dT+;\do;\dy;\di+;\ds+;\dm+;\dC;\dD;\des;\det;\dF;\dO;
\dRp;\dRs;\ddp;\drds;\dconfig;\dA;\db+;\dc;\dE;\dL;\dP+;\da;\dAc;\sf purge;\sv directory;\d tickets;\d directory;\d measures;\dd`;

test('psql introspection only reads', () => {
  const { host, port, user, password } = world.client;
  const run = spawnSync(
    'psql',
    [
      '-E',
      '-h',
      host,
      '-p',
      String(port),
      '-U',
      user!,
      'postgres',
      ...commands.split(';').flatMap((one) => ['-c', one.trim()]),
    ],
    { env: { ...process.env, PGPASSWORD: String(password) }, encoding: 'utf8' },
  );
  const queries = [...run.stdout.matchAll(/\*{9} QUERY \*{10}\n([\s\S]*?)\n\*{26}/g)].map((match) => match[1]!);
  expect(queries.length).toBeGreaterThan(60);
  const analyser = openAnalyser();
  for (const sql of queries) {
    const { effects } = analyser.analyse(sql, world.scope).meaning;
    expect(
      effects.filter((effect) => effect.action !== 'sql:read' && effect.action !== 'sql:probe'),
      sql,
    ).toEqual([]);
  }
});
