// Python's drivers, its best known mapper, and a client made of them, through the gateway and directly.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compare } from './compare.ts';
import type { ClientName } from './roster.ts';
import { openWays, type Ways } from './ways.ts';

const programs = [
  ['psycopg2', 'psycopg2'],
  ['psycopg 3', 'psycopg'],
  ['asyncpg', 'asyncpg'],
  ['SQLAlchemy', 'sqlalchemy'],
  ['pgcli', 'pgcli'],
] as const satisfies readonly (readonly [ClientName, string])[];

let ways: Ways;
beforeAll(async () => {
  ways = await openWays(programs.map(([, name]) => name));
});
afterAll(() => ways?.close());

test.each(programs)('%s', async (client, name) => {
  const file = join(import.meta.dirname, 'programs', `${name}_work.py`);
  await compare(client, ways, name, { command: () => ['/usr/bin/python3', file] });
});

test('the gateway complained of nothing', () => expect(ways.complaints).toEqual([]));
