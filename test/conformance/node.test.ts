// Mappers and streams of JavaScript over node-postgres, from the packages of test/conformance/npm, through the gateway and directly.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compare } from './compare.ts';
import type { ClientName } from './roster.ts';
import { openWays, type Ways } from './ways.ts';

const programs = [
  ['pg-cursor, pg-query-stream, pg-copy-streams', 'streams'],
  ['knex', 'knex'],
  ['TypeORM', 'typeorm'],
  ['Drizzle ORM and Kit', 'drizzle'],
] as const satisfies readonly (readonly [ClientName, string])[];

let ways: Ways;
beforeAll(async () => {
  ways = await openWays(programs.map(([, name]) => name));
});
afterAll(() => ways?.close());

test.each(programs)('%s', async (client, name) => {
  const file = join(import.meta.dirname, 'npm', `${name}_work.mjs`);
  await compare(client, ways, name, { command: () => [process.execPath, file] });
});

test('the gateway complained of nothing', () => expect(ways.complaints).toEqual([]));
