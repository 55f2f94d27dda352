// policy explain, test and backtest, and catalogue dump: whole command lines over a real server and a real ledger.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import pg from 'pg';
import { testPostgres, type TestPostgres } from '../../test/peers/postgres.ts';
import type { Explanation } from '../policy/explain-statement.ts';
import type { Principal } from '../domain/principal.ts';
import { createLedger, openLedger } from '../ledger/ledger.ts';
import { openPolicy } from '../policy/policy.ts';
import { loadPolicies } from '../policy/policy-set.ts';
import { decisionDraft, openDraft, prepareRecord } from '../session/records.ts';
import { register as catalogue } from './catalogue.ts';
import type { Io } from './output.ts';
import { register as policy } from './policy.ts';
import { run } from './run.ts';

const root = mkdtempSync(join(tmpdir(), 'policy-cli-'));
const shipped = new URL('../../policies/', import.meta.url).pathname;
const file = join(root, 'countersign.yaml');
const dump = join(root, 'shop.json.gz');
let server: TestPostgres;

async function line(...args: string[]) {
  const written = { out: '', err: '' };
  const io: Io = {
    stdout: { write: (text) => void (written.out += text) },
    stderr: { write: (text) => void (written.err += text) },
    env: { COUNTERSIGN_CONFIG: file },
    now: Date.now,
  };
  const code = await run(args, { version: '9.9.9', commands: [policy, catalogue] }, io);
  return { code, ...written };
}

beforeAll(async () => {
  server = await testPostgres();
  const client = new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    user: 'admin',
    password: server.password,
    database: 'postgres',
  });
  await client.connect();
  await client.query(readFileSync(join(shipped, 'shop.sql'), 'utf8'));
  await client.end();
  writeFileSync(join(root, 'password'), server.password);
  cpSync(shipped, join(root, 'policies'), { recursive: true });
  writeFileSync(
    file,
    `version: 1
gateway: { name: gw, origin: example.org/gw }
listeners: [{ protocol: postgres, port: 6432, plaintext: loopback }]
console: { url: "http://127.0.0.1:8080" }
issuers: [{ name: one, issuer: "https://one.example", audience: c, jwks: { file: one.json }, principal: { kind: agent } }]
masks: { pii.email: partial }
targets:
  - { name: shop, protocol: postgres, host: 127.0.0.1, port: ${server.port}, database: postgres, tls: { mode: disable },
      credential: { user: admin, password: { file: password } }, labels: [{ columns: public.customers.email, label: pii.email }] }
`,
  );
}, 60_000);
afterAll(async () => {
  await server?.stop();
  rmSync(root, { recursive: true });
});

describe('policy explain', () => {
  test('reads names from the target, or from a dump of it, and says the same', async () => {
    const written = await line('catalogue', 'dump', '-o', dump);
    expect(written).toMatchObject({ code: 0, err: '' });
    const statement = 'select id, email, upper(email) as loud from customers where id = 1';
    const online = await line('policy', 'explain', statement, '--json');
    expect({ ...online, out: '' }).toEqual({ code: 0, out: '', err: '' });
    expect(await line('policy', 'explain', statement, '--json', '--catalogue', dump)).toEqual(online);
    const explanation = JSON.parse(online.out) as Explanation;
    const email = { column: 'public.customers.email', labels: ['pii.email'] };
    expect(explanation.results).toEqual([
      [
        { name: 'id', sources: [], direct: true, opaque: false },
        {
          name: 'email',
          sources: [email],
          direct: true,
          opaque: false,
          mask: { label: 'pii.email', method: 'partial', whole: false },
        },
        {
          name: 'loud',
          sources: [email],
          direct: false,
          opaque: false,
          mask: { label: 'pii.email', method: 'partial', whole: true },
        },
      ],
    ]);
    expect(explanation.decision).toMatchObject({ ruling: 'permit', rules: ['base.read'] });
  });

  test('for people: the ruling first, then effects, columns and the recorded form', async () => {
    const { code, out } = await line(
      'policy',
      'explain',
      "select email from customers where email = 'a@b.example'",
      '--catalogue',
      dump,
    );
    expect(code).toBe(0);
    expect(out.split('\n')[0]).toBe('Permitted by base.read.');
    expect(out).toContain('sql:read on public.customers');
    expect(out).toContain('email\tmasked: partial (pii.email)\tpublic.customers.email [pii.email]');
    expect(out).not.toContain('a@b.example');
    const revealed = await line(
      'policy',
      'explain',
      'select email from customers',
      '--catalogue',
      dump,
      '-k',
      'human',
      '-g',
      'pii-readers',
    );
    expect(revealed.out).toContain('email\tin clear');
    const held = await line('policy', 'explain', 'drop table orders', '--catalogue', dump);
    expect(held).toMatchObject({ code: 1 });
    expect(held.out).toContain('Held by guard.destructive-ddl.');
    const refused = await line('policy', 'explain', 'selec 1', '--catalogue', dump);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.out.split('\n')[0]).toBe('Denied.');
  });

  test('a file that is no catalogue, or one of another version, is told with what to do', async () => {
    const path = join(root, 'wrong.json');
    writeFileSync(path, '{"format":"countersign-catalogue/1","queries":"0","results":[]}');
    const old = await line('policy', 'explain', 'select 1', '--catalogue', path);
    expect(old).toMatchObject({ code: 2 });
    expect(old.err).toContain('make it again with `countersign catalogue dump`');
    expect((await line('policy', 'explain', 'select 1', '--catalogue', join(root, 'none.json'))).code).toBe(2);
    expect((await line('policy', 'explain', 'select 1', '--target', 'elsewhere')).code).toBe(2);
  });
});

describe('policy test', () => {
  test('the shipped cases hold, and every shipped rule has one for it and one against it', async () => {
    const { code, out, err } = await line('policy', 'test', shipped, '--coverage', '--json');
    const report = JSON.parse(out) as { cases: { differences: unknown[] }[]; uncovered: unknown };
    expect({ failed: report.cases.filter((one) => one.differences.length > 0), err }).toEqual({ failed: [], err: '' });
    expect(report.cases.length).toBeGreaterThan(30);
    expect(report.uncovered).toEqual({ positive: [], negative: [] });
    expect(code).toBe(0);
  }, 60_000);

  test('a decision that is not what its case expects is shown, and a rule without cases with --coverage', async () => {
    const folder = join(root, 'cases');
    mkdirSync(folder);
    writeFileSync(
      join(folder, 'a.cedar'),
      '@id("all") permit (principal, action, resource) when { principal.hasTag("repo") };\n@id("none") forbid (principal, action == Action::"sql:drop", resource);',
    );
    const cases = (ruling: string) => `principals: { bot: { kind: agent, claims: { repo: x } } }
cases:
  - { name: reads, as: bot, effects: [{ action: "sql:read", resource: public.orders }], expect: { ruling: ${ruling}, rules: [all], not: [none] } }
  - { name: without the claim, as: { kind: service }, effects: [{ action: "sql:read", resource: public.orders }], expect: { ruling: deny, not: [all], next: final } }
`;
    writeFileSync(join(folder, 'a.test.yaml'), cases('permit'));
    expect(await line('policy', 'test', folder)).toMatchObject({ code: 0, out: '2 cases, 0 failed\n' });
    expect(await line('policy', 'test', folder, '--coverage')).toMatchObject({
      code: 1,
      out: '2 cases, 0 failed\nnone: no case in which it decides (expect.rules)\n',
    });
    writeFileSync(join(folder, 'a.test.yaml'), cases('hold'));
    expect(await line('policy', 'test', folder)).toMatchObject({
      code: 1,
      out: 'a.test.yaml: reads\n  ruling\n    - hold\n    + permit\n2 cases, 1 failed\n',
    });
    writeFileSync(join(folder, 'a.test.yaml'), 'cases: [{ name: x, as: bot, expect: { ruling: perhaps } }]');
    expect(await line('policy', 'test', folder)).toMatchObject({ code: 2 });
  });
});

describe('policy backtest', () => {
  test('beside the ledger of a running gateway', async () => {
    const set = loadPolicies([{ name: 'a.cedar', text: '@id("all") permit (principal, action, resource);' }]);
    const place = { folder: join(root, 'data', 'ledger'), state: join(root, 'data', 'state'), gateway: 'gw' };
    await createLedger({ ...place, origin: 'example.org/gw' });
    const { ledger } = await openLedger(place);
    const bot: Principal = {
      kind: 'agent',
      issuer: 'https://one.example',
      subject: 'bot',
      name: 'Bot',
      groups: [],
      claims: {},
      delegation: [],
      credential: { type: 'jwt', sha256: '' },
    };
    const key = ledger.newKey();
    const policies = openPolicy(set, { methodFor: () => ({ method: 'full' }) });
    ledger.append(openDraft('s-1', bot, {}, 'shop', 'postgres', policies.version, []), 'written', key);
    const target = {
      name: 'shop',
      protocol: 'postgres',
      host: 'db',
      port: 1,
      database: 'postgres',
      ack: { read: 'written', write: 'written' },
    } as const;
    for (const [index, action] of (['sql:read', 'sql:drop', 'sql:drop'] as const).entries()) {
      const meaning = { effects: [{ action, resource: { schema: 'public', relation: 'orders' } }], results: [] };
      const view = policies.view({
        principal: bot,
        target: 'shop',
        database: 'postgres',
        unattended: true,
        labels: [],
      });
      const of = prepareRecord(
        view.decide('execute', meaning, Date.now()),
        'execute',
        meaning,
        target,
        policies.version,
      );
      const statement = { kind: 'execute', text: `drop table orders -- ${index}`, digest: () => '', meaning } as const;
      await ledger.append(decisionDraft('s-1', index + 1, of, statement), 'written', key).durable;
    }
    const { code, out, err } = await line('policy', 'backtest', '--since', '1h', '--json');
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(JSON.parse(out)).toMatchObject({
      statements: 3,
      changed: 2,
      changes: [
        {
          from: 'permit',
          to: 'hold',
          before: ['all'],
          after: ['guard.destructive-ddl'],
          count: 2,
          examples: [{ entry: expect.any(Number), session: 's-1', sequence: 2 }, { sequence: 3 }],
        },
      ],
      agents: [{ name: 'Bot', statements: 3, changed: 2 }],
    });
    const words = await line('policy', 'backtest', '--since', '2026-01-01');
    expect(words.out).toContain('2 would change');
    expect(words.out).toContain('http://127.0.0.1:8080/sessions/s-1#2');
    expect((await line('policy', 'backtest', '--agent', 'nobody')).code).toBe(0);
    await ledger.close();
  });
});
