// Python's drivers, its best known mappers, and a client made of them, through the gateway and directly.
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
  ['Django', 'django'],
  ['pgcli', 'pgcli'],
] as const satisfies readonly (readonly [ClientName, string])[];

let ways: Ways;
beforeAll(async () => {
  // Their names come back in what is printed, where no other word may begin like one of them.
  ways = await openWays(programs.map(([, name]) => `of_${name}`));
});
afterAll(() => ways?.close());

test.each(programs)('%s', async (client, name) => {
  const file = join(import.meta.dirname, 'programs', `${name}_work.py`);
  await compare(client, ways, `of_${name}`, { command: () => ['/usr/bin/python3', file] });
});

test('the gateway complained of nothing', () => expect(ways.complaints).toEqual([]));
