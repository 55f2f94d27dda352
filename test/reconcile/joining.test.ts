// Which process of the target serves a session is on record before the session's first statement, and the target's own views agree.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type pg from 'pg';
import { readJournal } from '../../src/ledger/read-journal.ts';
import { openKeyring } from '../../src/ledger/keyring.ts';
import { join } from 'node:path';
import { verifies } from '../requirements.ts';
import { type LoggedPlace, loggedPlace } from './place.ts';

let place: LoggedPlace;
let client: pg.Client;

beforeAll(async () => {
  place = await loggedPlace({ target: { tagSessions: true } });
  client = await place.pg('agent');
}, 60_000);
afterAll(async () => {
  await client?.end();
  await place?.close();
});

async function entries() {
  const keys = openKeyring(join(place.folder, 'data', 'state'));
  const found = [];
  for await (const item of readJournal(place.ledger, 0, keys)) found.push(item);
  keys.close();
  return found;
}

test(verifies('recorded.before-executed', 'so is the process of the target, and our port'), async () => {
  const { rows } = await client.query(
    'select pid, client_port, application_name from pg_stat_activity where pid = pg_backend_pid()',
  );
  const all = await entries();
  const reached = all.find(({ entry }) => entry.t === 'session.target' && entry.x.pid === rows[0].pid)!;
  expect(reached.entry.x).toMatchObject({ target: 'shop', database: 'shop', port: rows[0].client_port });
  expect(reached.payload).toEqual({ target: { local: `127.0.0.1:${rows[0].client_port}` } });
  const first = all.find(
    ({ entry }) => entry.t === 'statement.decision' && entry.sid === reached.entry.sid && entry.x.k !== 'connect',
  )!;
  expect(reached.index).toBeLessThan(first.index);
  // The client sees what the target holds: its own name and the tag.
  expect(rows[0].application_name).toBe(`cs:${reached.entry.sid}`);
  expect((await client.query('show application_name')).rows).toEqual([{ application_name: `cs:${reached.entry.sid}` }]);
  await client.query("set application_name = 'mine'");
  expect((await client.query('show application_name')).rows).toEqual([{ application_name: 'mine' }]);
});

test('the connection that reads the catalogue is on record too, and every text that it may ask', async () => {
  const own = (await entries()).filter(({ entry }) => entry.t === 'session.target' && entry.sid === undefined);
  expect(own.map(({ entry }) => entry.x.own)).toEqual(['catalogue']);
  const start = (await entries()).find(({ entry }) => entry.t === 'gateway.start')!.entry.x;
  expect((start['asks'] as string[]).length).toBeGreaterThan(10);
  const { rows } = await client.query('select pid, client_port from pg_stat_activity where pid = $1', [
    own[0]!.entry.x.pid,
  ]);
  expect(rows).toEqual([{ pid: own[0]!.entry.x.pid, client_port: own[0]!.entry.x.port }]);
});
