// pgAudit instead of log_statement: Debian's server with its own package of it. Its lines match the ledger as the server's own do.
import { join } from 'node:path';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openKeyring } from '../../src/ledger/keyring.ts';
import { readJournal } from '../../src/ledger/read-journal.ts';
import { logFiles } from '../../src/reconcile/log-files.ts';
import { readRecordedSessions } from '../../src/reconcile/recorded-sessions.ts';
import { reconcile } from '../../src/reconcile/reconcile.ts';
import { type LoggedPlace, loggedPlace } from '../reconcile/place.ts';

let place: LoggedPlace;

beforeAll(async () => {
  place = await loggedPlace({
    server: {
      native: '/usr/lib/postgresql/15',
      settings: {
        shared_preload_libraries: 'pgaudit',
        'pgaudit.log': 'all',
        log_statement: 'none',
        log_destination: 'csvlog',
      },
    },
  });
  const client = await place.pg('agent');
  await client.query('select id,\n name from customers where name = \'a, "b"\'');
  await client.query('select name from customers where id = $1', [1]);
  await client.query('select 1; select 2');
  await client.query("select id from customers where email = 'ada@mail.example'");
  await client.end();
  const around = new pg.Client({
    host: '127.0.0.1',
    port: place.server.port,
    user: 'app',
    password: 'of the application',
    database: 'shop',
  });
  await around.connect();
  await around.query("update customers set name = 'behind'");
  await around.end();
  await sleep(300);
}, 60_000);
afterAll(() => place?.close());

test('statements that only pgAudit logged are matched, and a session around the gateway is named with them', async () => {
  const keys = openKeyring(join(place.folder, 'data', 'state'));
  const recorded = readRecordedSessions('shop');
  for await (const item of readJournal(place.ledger, 0, keys)) recorded.entry(item);
  keys.close();
  const names = readdirSync(place.logs).filter((name) => name.endsWith('.csv'));
  const found = await reconcile({
    target: 'shop',
    databases: ['shop'],
    role: 'app',
    log: names.flatMap((name) => logFiles(join(place.logs, name))),
    ledger: recorded.end(),
  });
  expect(found.onlyInTarget.statements).toEqual([]);
  expect(found.statements.matched).toBe(4);
  expect(found.statements.own).toBeGreaterThan(10);
  const around = found.onlyInTarget.sessions.at(-1)!;
  expect(around).toMatchObject({ why: 'our-role', statements: [{ text: "update customers set name = 'behind'" }] });
});
