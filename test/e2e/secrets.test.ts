// What must stay where it is: the target's credential, tokens, and labelled values. Searched for in every byte that a client received and
// in every file that the gateway wrote, after a session that did all it could to spill them.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { customers } from '../../src/demo/data.ts';
import { findSecrets } from '../../src/demo/inspection.ts';
import { startWorld, type World } from '../../src/demo/world.ts';
import { verifies } from '../requirements.ts';

let folder: string;
let world: World;
let tap: Server;
let token: string;
const received: Buffer[] = [];
const values = customers.flatMap((customer) => [customer.email, customer.phone, customer.card]);
/** Written by the agent itself; what it sends for a labelled column is not kept either. */
const written = 'zelda.unseen@mail.example';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-secrets-'));
  world = await startWorld(folder, () => {});
  tap = createServer((client) => {
    const gateway = connect(world.ports.plain, '127.0.0.1');
    gateway.on('data', (chunk) => {
      received.push(Buffer.from(chunk));
      client.write(chunk);
    });
    client.on('data', (chunk) => gateway.write(chunk));
    client.on('error', () => gateway.destroy()).on('close', () => gateway.destroy());
    gateway.on('error', () => client.destroy()).on('close', () => client.destroy());
  });
  await new Promise<void>((ready) => tap.listen(0, '127.0.0.1', ready));

  token = await world.provider.tokenFor('reporting-agent');
  const client = new pg.Client({
    host: '127.0.0.1',
    port: (tap.address() as { port: number }).port,
    user: 'x',
    password: token,
    database: 'shop',
  });
  client.on('error', () => {});
  await client.connect();
  const attempts = [
    'select * from customers',
    'select c from customers c',
    "select email, phone || card from customers where email = 'ada.okafor.1@mail.example'",
    'select email::int from customers',
    `insert into customers values (1, 'x', '${written}', null, null, 'y', now())`,
    `update customers set email = '${written}' where id = 1 returning email`,
    `do $$ begin raise notice '%', (select email from customers limit 1); end $$`,
    'select json_agg(customers) from customers',
    'explain select * from customers where email > $$a$$',
    'select most_common_vals from pg_stats',
    'select query from pg_stat_activity',
    'select rolpassword from pg_authid',
    'select * from pg_shadow',
    "select set_config('a.b', email, false) from customers",
    'show all',
  ];
  for (const text of attempts) {
    await client.query(text).catch(() => {});
    await client.query({ text, rowMode: 'array' }).catch(() => {});
  }
  await client.query('select * from customers where email = $1', [written]).catch(() => {});
  await client
    .query({ name: 'again', text: 'select card from customers where card = $1', values: [customers[0]!.card] })
    .catch(() => {});
  await client.end();
  await world.stopGateway('SIGKILL');
  await world.startGateway();
  await world.stopGateway('SIGTERM');
}, 120_000);

afterAll(async () => {
  tap?.close();
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

const shapes = (value: string) => [
  value,
  Buffer.from(value).toString('base64').replace(/=+$/, ''),
  Buffer.from(value).toString('hex'),
];

test(verifies('credential.never-held', 'no byte that the client received holds the credential of the target'), () => {
  const all = Buffer.concat(received).toString('latin1');
  expect(all.length).toBeGreaterThan(5_000);
  expect(shapes(world.targetPassword).filter((shape) => all.includes(shape))).toEqual([]);
  expect(all).not.toContain('SCRAM-SHA-256$');
});

test(verifies('masked-or-withheld', 'no byte that the client received holds a labelled value'), () => {
  const all = Buffer.concat(received).toString('latin1');
  // The client's own values may come back to it in an error of its own making; the target's may not.
  expect(values.filter((value) => all.includes(value))).toEqual([]);
});

test(
  verifies('never-raw-at-rest', 'no file that the gateway wrote holds a labelled value, the credential or a token'),
  async () => {
    const found = await findSecrets(world, [...values, written, world.targetPassword, token]);
    expect(found.files).toBeGreaterThan(8);
    expect(found.where).toEqual([]);
  },
);

test('everything under the checkpoint was exported, over a killed gateway, each event the same whenever it was sent', () => {
  const data = join(folder, 'data');
  const byId = new Map<string, string>();
  for (const line of readFileSync(join(data, 'events.jsonl'), 'utf8').trimEnd().split('\n')) {
    const { uid } = (JSON.parse(line) as { metadata: { uid: string } }).metadata;
    expect(byId.get(uid) ?? line).toBe(line);
    byId.set(uid, line);
  }
  // The last ones are the receipt of the stop, and the stop itself.
  const [, size] = readFileSync(join(data, 'ledger', 'checkpoint'), 'utf8').split('\n');
  const exported = Number(size) - 2;
  expect(exported).toBeGreaterThan(60);
  const missing = Array.from({ length: exported }, (_, index) => `countersign.example/demo#${index}`);
  expect(missing.filter((uid) => !byId.has(uid))).toEqual([]);
});
