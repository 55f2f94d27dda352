// What graphical clients ask before anybody has typed: catalogue queries in the manner of pgAdmin, DBeaver and DataGrip, written for
// these tests. Databases are copies of one template, so that even OIDs must be equal.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { plain } from './compare.ts';
import { openWays, type Way, type Ways } from './ways.ts';

const queries = readFileSync(join(import.meta.dirname, 'programs', 'gui_queries.sql'), 'utf8')
  .split(/^-- /m)
  .filter((part) => part.trim() !== '')
  .map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)] as const);

let ways: Ways;
const clients: Record<string, pg.Client> = {};
let all: ReturnType<Ways['of']>;
beforeAll(async () => {
  ways = await openWays(['gui']);
  all = ways.of('gui');
  for (const [name, way] of Object.entries(all) as [string, Way][]) {
    const { port, user, password, database } = way;
    const ssl = { ca: readFileSync(way.ca), servername: 'localhost' };
    clients[name] = new pg.Client({ host: '127.0.0.1', port, user, password, database, ssl });
    await clients[name].connect();
  }
});
afterAll(async () => {
  for (const client of Object.values(clients)) await client.end();
  await ways?.close();
});

test('there are queries', () => expect(queries.length).toBeGreaterThan(40));

test.each(queries)('%s', async (_name, text) => {
  const ask = async (way: 'direct' | 'masked' | 'revealed') => {
    const { fields, rows } = await clients[way]!.query({ text, rowMode: 'array' });
    return plain(all[way], JSON.stringify([fields.map((field) => [field.name, field.dataTypeID]), rows]));
  };
  const [theirs, hidden, shown] = [await ask('direct'), await ask('masked'), await ask('revealed')];
  expect(hidden).toBe(theirs);
  expect(shown).toBe(theirs);
});

test('the gateway complained of nothing', () => expect(ways.complaints).toEqual([]));
