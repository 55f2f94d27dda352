// Names that the gateway did not know a moment ago: clients look for the server's own codes, and what somebody else has just made is there.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../../src/demo/world.ts';

let folder: string;
let world: World;
let agent: pg.Client;
let admin: pg.Client;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-names-'));
  world = await startWorld(folder, () => {});
  agent = new pg.Client({
    host: '127.0.0.1',
    port: world.ports.plain,
    user: 'x',
    password: await world.provider.tokenFor('migration-agent'),
    database: 'shop',
  });
  await agent.connect();
  const { user, password } = world.superuser;
  admin = new pg.Client({ host: '127.0.0.1', port: world.ports.target, user, password, database: 'shop' });
  await admin.connect();
}, 120_000);

afterAll(async () => {
  await agent?.end().catch(() => {});
  await admin?.end().catch(() => {});
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

test('what is not there is refused with the code of the server', async () => {
  await expect(agent.query('select * from nowhere')).rejects.toMatchObject({ code: '42P01' });
  await expect(agent.query('select * from public.nowhere where id = $1', [1])).rejects.toMatchObject({ code: '42P01' });
  await expect(agent.query('insert into nowhere values (1)')).rejects.toMatchObject({ code: '42P01' });
  await expect(agent.query('select no_such_function(1)')).rejects.toMatchObject({ code: '42883' });
  await expect(agent.query('select no_such_column from orders')).rejects.toMatchObject({ code: '42703' });
});

test('a table made a moment ago by somebody else is there, and its labels hold', async () => {
  await agent.query('select 1');
  await admin.query(
    "create table made_now (id int, note text); grant select on made_now to shop_app; insert into made_now values (1, 'x')",
  );
  expect((await agent.query('select * from made_now')).rows).toEqual([{ id: 1, note: 'x' }]);
  await admin.query('create table heirs () inherits (customers); grant select on heirs to shop_app');
  await admin.query('insert into heirs select * from customers where id = 1');
  const { rows } = await agent.query('select email, city from heirs');
  expect(rows[0].city).toBe('Lagos');
  expect(rows[0].email).not.toContain('ada');
});

test('what a transaction makes is there for the rest of it, and gone after its rollback', async () => {
  await agent.query('begin');
  await agent.query('create table mine (id serial primary key, t text)');
  await agent.query("insert into mine (t) values ('a')");
  expect((await agent.query('select * from mine')).rows).toEqual([{ id: 1, t: 'a' }]);
  await agent.query('rollback');
  await expect(agent.query('select * from mine')).rejects.toMatchObject({ code: '42P01' });
  await agent.query('create temp table passing (id int)');
  await agent.query('insert into passing values (3)');
  expect((await agent.query('select * from passing')).rows).toEqual([{ id: 3 }]);
});
