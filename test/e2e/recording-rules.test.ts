// What each recording rule keeps of a real session, what it says of the rest, and what the verifier makes of both.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ReplayEvent } from '../../src/domain/replay-event.ts';
import { openKeyring } from '../../src/ledger/keyring.ts';
import { readJournal } from '../../src/ledger/read-journal.ts';
import { verifyLedger } from '../../src/ledger/verify-disk.ts';
import { readRecording } from '../../src/recordings/reading.ts';
import { type RecordedFrame, replayPostgres } from '../../src/protocols/postgres/replay.ts';
import { wrongOf } from '../../src/recordings/held.ts';
import type { RecordingSeal } from '../../src/ledger/verify-recordings.ts';
import { register as ledger } from '../../src/cli/ledger.ts';
import { run } from '../../src/cli/run.ts';
import { startGateway, testIssuer, type TestGateway } from '../peers/gateway.ts';
import { testPostgres, type TestPostgres } from '../peers/postgres.ts';
import { RawClient, say } from '../peers/raw-client.ts';

const rules = { whole: 'full', first: { rows: 2 }, counted: 'digest', cut: { rows: 3 } } as const;
type Name = keyof typeof rules;

let folder: string;
let server: TestPostgres;
let gateway: TestGateway;
let token: string;
const sessions = new Map<
  Name,
  { events: ReplayEvent[]; frames: RecordedFrame[]; open: object; seal: object; texts: string }
>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'recording-rules-'));
  server = await testPostgres();
  const admin = new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    user: server.superuser,
    password: server.password,
    database: 'postgres',
  });
  await admin.connect();
  await admin.query(`create table people (id int primary key, email text);
    insert into people select g, 'person' || g || '@mail.example' from generate_series(1, 9) g`);
  await admin.end();
  const issuer = await testIssuer(folder);
  token = await issuer.token('bot', {});
  mkdirSync(join(folder, 'policies'));
  writeFileSync(
    join(folder, 'policies', 'all.cedar'),
    `@id("all")\npermit (principal, action, resource) unless { action == Action::"sql:reveal" };\n`,
  );
  writeFileSync(join(folder, 'password'), server.password);
  const target = (name: string, recording: object | string) => ({
    name,
    protocol: 'postgres',
    host: '127.0.0.1',
    port: server.port,
    database: 'postgres',
    tls: { mode: 'disable' },
    credential: { user: server.superuser, password: { file: 'password' } },
    labels: [{ columns: 'public.people.email', label: 'pii.email' }],
    recording,
  });
  gateway = await startGateway(folder, {
    listeners: [{ protocol: 'postgres', port: 0, plaintext: 'loopback' }],
    issuers: [{ ...issuer.entry, principal: { kind: 'agent' } }],
    targets: Object.entries(rules).map(([name, rule]) => target(name, rule)),
  });
  const names = Object.keys(rules) as Name[];
  for (const name of names) await (name === 'cut' ? leave(name) : session(name));
  await gateway.stop();
  await readBack(names);
}, 120_000);

afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The same session on each target. */
async function session(target: Name): Promise<void> {
  const client = new pg.Client({ host: '127.0.0.1', port: gateway.port, user: 'x', password: token, database: target });
  await client.connect();
  await client.query('select id, email from people order by id');
  await client.query('select id from people where email = $1 or id < $2', ['person3@mail.example', 6]);
  await client.query('select 1 as one; select g as two from generate_series(1, 4) g');
  await client.query('copy people (id) to stdout');
  await expect(client.query('select 1 / (4 - id) from people order by id')).rejects.toMatchObject({ code: '22012' });
  await client.query('select 1 where false');
  await client.end();
}

/** Gone in the middle of a result. */
async function leave(target: Name): Promise<void> {
  const client = await RawClient.open({ port: gateway.port, user: 'x', password: token, database: target });
  client.send(say.query(`select repeat('x', 1000) from generate_series(1, 300000)`));
  await client.until((all) => all.filter(({ type }) => type === 'D').length > 100, 20_000);
  client.end();
  // Before the gateway stops: it would put an error behind the rows.
  while ((await seals()) < Object.keys(rules).length) await new Promise((done) => setTimeout(done, 50));
}

async function seals(): Promise<number> {
  let count = 0;
  for await (const { entry } of readJournal(gateway.ledger, 0)) if (entry.t === 'session.seal') count++;
  return count;
}

async function readBack(names: readonly Name[]): Promise<void> {
  const state = join(folder, 'data', 'state');
  const keys = openKeyring(state);
  const ids = new Map<string, Name>();
  for await (const { entry } of readJournal(gateway.ledger, 0, keys)) {
    if (entry.t === 'session.open') ids.set(entry.sid!, entry.x['target'] as Name);
    const name = ids.get(entry.sid ?? '');
    if (!name) continue;
    const found = sessions.get(name) ?? { events: [], frames: [], open: {}, seal: {}, texts: '' };
    if (entry.t === 'session.open') found.open = entry.x;
    if (entry.t === 'session.seal') found.seal = entry.x;
    sessions.set(name, found);
  }
  for (const [id, name] of ids) {
    const found = sessions.get(name)!;
    const read = () => readRecording(join(folder, 'data', 'recordings'), id, keys);
    found.events = await replayPostgres(read(), { rows: 100 });
    for await (const frame of read()) {
      found.frames.push({ ...frame, bytes: Buffer.from(frame.bytes) });
      found.texts += frame.bytes.toString('latin1');
    }
  }
  keys.close();
  expect([...sessions.keys()].sort()).toEqual([...names].sort());
}

const results = (name: Name) =>
  sessions
    .get(name)!
    .events.flatMap((event) =>
      event.kind === 'result' ? [[event.rows.length, event.total, event.unkept?.rows ?? 0]] : [],
    );

test('full keeps both directions as the client saw them', () => {
  const { events, open, seal, texts } = sessions.get('whole')!;
  expect(open).toMatchObject({ recording: 'full' });
  expect(seal).toMatchObject({ recording: { rule: 'full' } });
  expect(JSON.stringify(seal)).not.toContain('unkept');
  expect(results('whole').map(([kept, total]) => [kept, total])).toEqual([
    [9, 9],
    [5, 5],
    [1, 1],
    [4, 4],
    [3, 3],
    [0, 0],
  ]);
  const statements = events.filter((event) => event.kind === 'statement');
  expect(statements.find((event) => event.parameters)?.parameters).toEqual(['***', '6']);
  expect(texts).not.toContain('mail.example');
});

test('rows: the first of each result, and of the rest counts and a digest that the whole gives', () => {
  const { events, open, seal } = sessions.get('first')!;
  expect(open).toMatchObject({ recording: 'rows 2' });
  expect(results('first')).toEqual([
    [2, 9, 7],
    [2, 5, 3],
    [1, 1, 0],
    [2, 4, 2],
    [2, 3, 1],
    [0, 0, 0],
  ]);
  const copied = events.find((event) => event.kind === 'copy');
  const file = Array.from({ length: 9 }, (_, index) => `${index + 1}\n`).join('');
  expect(copied).toMatchObject({
    bytes: file.length,
    preview: '1\n2\n',
    unkept: { rule: 'rows 2', rows: 7, sha256: createHash('sha256').update(file).digest('hex') },
  });
  const left = (seal as { recording: { unkept: { rows: number } } }).recording.unkept;
  expect(left.rows).toBe(7 + 3 + 2 + 1 + 7);
});

test('digest: no value, every count, and the same digests as under the other rules', () => {
  const { events, seal } = sessions.get('counted')!;
  expect(seal).toMatchObject({ recording: { rule: 'digest', unkept: { rows: 9 + 5 + 1 + 4 + 3 + 9 } } });
  expect(results('counted').map(([kept, total]) => [kept, total])).toEqual([
    [0, 9],
    [0, 5],
    [0, 1],
    [0, 4],
    [0, 3],
    [0, 0],
  ]);
  const digests = (name: Name) =>
    sessions.get(name)!.events.flatMap((event) => ('unkept' in event && event.unkept ? [event.unkept.sha256] : []));
  expect(digests('counted')).toEqual(expect.arrayContaining(digests('first')));
  expect(events.filter((event) => event.kind === 'statement').map((event) => event.text)).toContain(
    'copy people (id) to stdout',
  );
  expect(events.filter((event) => event.kind === 'error')).toMatchObject([{ code: '22012' }]);
});

test('what a client that left in the middle was sent is accounted for', () => {
  const { events, seal } = sessions.get('cut')!;
  const [result] = events.filter((event) => event.kind === 'result');
  expect(result).toMatchObject({ unkept: { rule: 'rows 3', sha256: expect.any(String) } });
  const { total, rows, unkept } = result as Extract<ReplayEvent, { kind: 'result' }>;
  expect([rows.length, total - 3]).toEqual([3, unkept!.rows]);
  expect(total).toBeGreaterThan(100);
  expect(seal).toMatchObject({ recording: { unkept: { rows: total - 3 } } });
});

test('each recording holds what its seal says; one that does not is named', async () => {
  const said = { out: '', err: '' };
  const io = {
    stdout: { write: (text: string) => void (said.out += text) },
    stderr: { write: (text: string) => void (said.err += text) },
    env: {},
    now: Date.now,
  };
  const line = ['ledger', 'recordings', '--json', '--config', join(folder, 'countersign.yaml')];
  expect([await run(line, { version: '0', commands: [ledger] }, io), said.err]).toEqual([0, '']);
  expect(JSON.parse(said.out)).toEqual({ checked: 4, unchecked: 0, wrong: [] });
  for (const name of Object.keys(rules) as Name[]) {
    const { frames, seal } = sessions.get(name)!;
    const { recording } = seal as { recording: RecordingSeal };
    const wrong = (of: readonly RecordedFrame[], change: object = {}) =>
      wrongOf(Readable.from(of) as AsyncIterable<RecordedFrame>, { ...recording, ...change });
    expect(await wrong(frames)).toBeUndefined();
    expect(await wrong(frames.slice(1))).toContain('begins under the rule none');
    expect(await wrong(frames.slice(0, -1))).toMatch(/bytes of the (client|target), its seal says/);
    const promised = { whole: /begins under/, first: /promises 4/, counted: /promises 4/, cut: /promises 4/ }[name];
    expect(await wrong(frames, { rule: 'rows 4' })).toMatch(promised);
    const told = frames.findIndex((frame, index) => index > 0 && frame.kind === 'meta');
    if (told >= 0) expect(await wrong(frames.toSpliced(told, 1))).toContain('left out');
  }
});

test('the ledger verifies with its recordings, each under the rule of its opening', async () => {
  const vkey = readFileSync(join(folder, 'data', 'state', 'ledger.vkey'), 'utf8').trim();
  const report = await verifyLedger(gateway.ledger, vkey, { recordings: join(folder, 'data', 'recordings') });
  expect(report.failure).toBeUndefined();
  expect(report.recordings).toBe(4);
  expect(gateway.complaints.filter((line) => !line.includes('label'))).toEqual([]);
});
