// The story of `npm run demo -- --once`: scripted agents and approvers use real clients, and every step is asserted against the
// target (looked at directly, without the gateway), the API and the ledger. A step returns what it proved, in one line.
import { strict as assert } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ClientConfig } from 'pg';
import type { ApprovalRow, LedgerStatus, Page, Replay, SessionSummary, StatementRow } from '../api/contract.ts';
import { customers } from './data.ts';
import { checkFlippedBytes, checkLedger, findSecrets } from './inspection.ts';
import type { AgentName, Person, World } from './world.ts';

export interface Step {
  readonly title: string;
  run(): Promise<string>;
}

interface ServerError extends Error {
  readonly code?: string;
  readonly hint?: string;
  readonly detail?: string;
}

interface Notice {
  readonly message?: string;
  readonly hint?: string;
}

const first = customers[0]!;

export async function story(world: World): Promise<readonly Step[]> {
  const { default: pg } = await import('pg');
  const { default: postgres } = await import('postgres');
  const tokens = new Map<string, string>();
  const token = async (who: AgentName | Person) =>
    tokens.get(who) ?? tokens.set(who, await world.provider.tokenFor(who)).get(who)!;

  const options = async (who: AgentName): Promise<ClientConfig> => ({
    host: '127.0.0.1',
    port: world.ports.plain,
    user: who,
    password: await token(who),
    database: 'shop',
  });
  const connect = async (who: AgentName): Promise<Client> => {
    const client = new pg.Client(await options(who));
    client.on('error', () => {});
    await client.connect();
    return client;
  };
  const directly = async <T>(query: string): Promise<T[]> => {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: world.ports.target,
      user: world.superuser.user,
      password: world.superuser.password,
      database: 'shop',
    });
    await client.connect();
    try {
      return (await client.query(query)).rows as T[];
    } finally {
      await client.end();
    }
  };
  const count = async (query: string) => Number((await directly<{ n: string }>(query))[0]!.n);

  const api = async <T>(
    who: Person | AgentName,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: T }> => {
    const response = await fetch(`${world.consoleUrl}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${await token(who)}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json', 'x-countersign': '1' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as T };
  };
  const pending = async (text: string): Promise<ApprovalRow> => {
    for (const started = Date.now(); ; await sleep(25)) {
      const { body } = await api<Page<ApprovalRow>>('dana', '/api/approvals?state=pending');
      const found = body.items.find((row) => row.text.includes(text));
      if (found) return found;
      if (Date.now() - started > 10_000) throw new Error(`no pending approval for ${text}`);
    }
  };
  const resolved = async (id: string): Promise<ApprovalRow> => {
    for (const started = Date.now(); ; await sleep(25)) {
      const { body } = await api<ApprovalRow>('dana', `/api/approvals/${id}`);
      if (body.state !== 'pending') return body;
      if (Date.now() - started > 10_000) throw new Error(`approval ${id} stays pending`);
    }
  };
  const vote = (who: Person | AgentName, row: ApprovalRow, answer: 'grant' | 'refuse') =>
    api<ApprovalRow & { code?: string }>(who, `/api/approvals/${row.id}/votes`, { answer, digest: row.digest });
  const failing = async (run: Promise<unknown>): Promise<ServerError> => {
    try {
      await run;
    } catch (error) {
      return error as ServerError;
    }
    throw new Error('it succeeded');
  };

  let agent: Client;

  return [
    {
      title: 'No token, no session',
      async run() {
        const client = new pg.Client({ ...(await options('reporting-agent')), password: 'letmein' });
        client.on('error', () => {});
        const error = await failing(client.connect());
        assert.match(error.code ?? '', /^28/);
        const forged = (await token('reporting-agent')).replace(/\.[^.]+$/, '.AAAA');
        const second = new pg.Client({ ...(await options('reporting-agent')), password: forged });
        second.on('error', () => {});
        assert.match((await failing(second.connect())).code ?? '', /^28/);
        return `a password and a forged token are refused: ${error.code} ${error.message}`;
      },
    },
    {
      title: 'Labelled columns come back masked',
      async run() {
        agent = await connect('reporting-agent');
        const { rows } = await agent.query(
          'select id, name, email, phone, card, city from customers order by id limit 3',
        );
        assert.equal(rows.length, 3);
        assert.equal(rows[0].name, first.name);
        assert.equal(rows[0].city, first.city);
        for (const column of ['email', 'phone', 'card'] as const) assert.notEqual(rows[0][column], first[column]);
        assert.equal(
          (await directly<{ email: string }>('select email from customers where id = 1'))[0]!.email,
          first.email,
        );
        return `email ${rows[0].email}, phone ${rows[0].phone}, card ${rows[0].card}; the target still holds the originals`;
      },
    },
    {
      title: 'No way around the mask',
      async run() {
        const probes = [
          'select email as city from customers where id = 1',
          "select email || '' as x from customers where id = 1",
          'select c::text as x from customers c where id = 1',
          'select row_to_json(c)::text as x from customers c where id = 1',
          'select contact as x from customer_directory where id = 1',
          'select reverse(email) as x from customers where id = 1',
          "select encode(email::bytea, 'hex') as x from customers where id = 1",
          "select string_agg(email, '') as x from customers where id = 1",
          'with w as (select email from customers where id = 1) select upper(email) as x from w',
          'select email::int as x from customers where id = 1',
        ];
        const local = first.email.split('@')[0]!;
        const shapes = [
          local,
          [...local].reverse().join(''),
          Buffer.from(local).toString('hex'),
          Buffer.from(local).toString('base64').slice(0, 8),
          local.toUpperCase(),
        ];
        const leaked = (text: string) => shapes.some((shape) => text.includes(shape));
        for (const probe of probes) {
          const seen = await agent.query(probe).then(
            (result) => JSON.stringify(result.rows),
            (error: ServerError) => `${error.message} ${error.detail ?? ''} ${error.hint ?? ''}`,
          );
          assert.ok(!leaked(seen), `${probe} gave ${seen}`);
        }
        const prepared = { name: 'twice', text: 'select email from customers where id = $1', values: [1] };
        for (let run = 0; run < 2; run++) assert.ok(!leaked(JSON.stringify((await agent.query(prepared)).rows)));
        const sql = postgres({
          host: '127.0.0.1',
          port: world.ports.plain,
          user: 'reporting-agent',
          password: await token('reporting-agent'),
          database: 'shop',
          max: 1,
        });
        try {
          const copied = await sql`copy customers to stdout`.readable();
          let out = '';
          for await (const chunk of copied) out += chunk;
          assert.equal(out.trimEnd().split('\n').length, 200);
          assert.ok(!customers.some((customer) => out.includes(customer.email) || out.includes(customer.card)));
        } finally {
          await sql.end();
        }
        return `${probes.length} disguises, a re-executed prepared statement and COPY of 200 rows: nothing leaked`;
      },
    },
    {
      title: 'A destructive statement is an ordinary error, and the connection goes on',
      async run() {
        const error = await failing(agent.query('drop table customers'));
        assert.equal(error.code, '42501');
        assert.ok(error.hint);
        const all = await failing(agent.query('delete from orders'));
        assert.equal(all.code, '42501');
        assert.equal((await agent.query('select 1 as one')).rows[0].one, 1);
        assert.equal(await count('select count(*) n from customers'), 200);
        return `DROP TABLE: ${error.message} (hint: ${error.hint}); next statement on the same connection worked`;
      },
    },
    {
      title: 'A risky statement is held, and runs once after it is granted',
      async run() {
        const client = await connect('migration-agent');
        const notices: Notice[] = [];
        client.on('notice', (notice) => notices.push(notice as Notice));
        const before = await count('select count(*) n from orders where id = 7');
        assert.equal(before, 1);
        const asked = Date.now();
        const running = client.query('delete from orders where id = 7 returning id');
        // When a check below fails, the step fails with that, not with what becomes of this later.
        running.catch(() => {});
        const row = await pending('delete from orders where id = 7');
        const seen = Date.now() - asked;
        assert.ok(seen < 1_000, `shown after ${seen} ms`);
        assert.equal(await count('select count(*) n from orders where id = 7'), 1);
        assert.ok(
          notices.some((notice) => `${notice.message} ${notice.hint}`.includes(world.consoleUrl)),
          'the client was told where to ask',
        );
        const own = await vote('omar', row, 'grant');
        assert.equal(own.status, 403, 'the owner of the agent may not approve');
        const robot = await vote('migration-agent', row, 'grant');
        assert.equal(robot.status, 403, 'an agent may not approve');
        assert.equal(await count('select count(*) n from orders where id = 7'), 1);
        const granted = await vote('dana', row, 'grant');
        assert.equal(granted.body.state, 'granted');
        assert.equal((await running).rowCount, 1);
        assert.equal(await count('select count(*) n from orders where id = 7'), 0);
        const again = await vote('dana', row, 'grant');
        assert.equal(again.status, 409);
        await client.end();
        return `in the inbox after ${seen} ms; owner and agent may not approve; dana granted; deleted 1 row once`;
      },
    },
    {
      title: 'Refused, expired or left: it never runs',
      async run() {
        const client = await connect('migration-agent');
        const refusing = failing(client.query('delete from orders where id = 8'));
        await vote('dana', await pending('delete from orders where id = 8'), 'refuse');
        const refused = await refusing;
        const expired = await failing(client.query('delete from carts where id = 9'));
        assert.notEqual(expired.message, refused.message);
        await client.end();

        const leaver = await connect('migration-agent');
        leaver.query('delete from orders where id = 10').catch(() => {});
        const row = await pending('delete from orders where id = 10');
        // A client that vanishes, without a goodbye.
        (leaver as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
        assert.equal((await resolved(row.id)).state, 'withdrawn');
        assert.equal((await vote('dana', row, 'grant')).status, 409);
        await sleep(200);
        assert.equal(
          await count(
            'select (select count(*) from orders where id in (8, 10)) + (select count(*) from carts where id = 9) n',
          ),
          3,
        );
        return `refused (${refused.code}), expired (${expired.code}) and withdrawn told apart; all three rows are still there`;
      },
    },
    {
      title: 'The record shows it',
      async run() {
        await sleep(300);
        const { body } = await api<Page<SessionSummary>>('dana', '/api/sessions?state=all&limit=100');
        const mine = body.items.filter((item) => item.maskedCells > 0);
        assert.ok(mine.length >= 1);
        const session = mine.find((item) => item.closed === undefined) ?? mine[0]!;
        const statements = (await api<Page<StatementRow>>('dana', `/api/sessions/${session.id}/statements?limit=100`))
          .body.items;
        const dropped = statements.find((statement) => statement.text.startsWith('drop table'));
        assert.equal(dropped?.ruling, 'deny');
        assert.ok((dropped?.rules.length ?? 0) > 0);
        const selected = statements.find((statement) => statement.text.startsWith('select id, name, email'));
        assert.equal(selected?.outcome?.rows, 3);
        assert.ok(selected?.outcome?.masked.some((cells) => cells.label === 'pii.email' && cells.cells === 3));
        await agent.end();
        await sleep(1_500);
        const replay = (await api<Replay>('dana', `/api/sessions/${session.id}/replay`)).body;
        const result = replay.events.find((event) => event.kind === 'result' && event.columns.includes('email'));
        assert.ok(
          result?.kind === 'result' && result.rows.length > 0 && !JSON.stringify(result.rows).includes(first.email),
        );
        const foreign = await api(`reporting-agent`, '/api/approvals?state=all');
        assert.ok(!JSON.stringify(foreign.body).includes('orders where id = 7'), 'an agent sees only its own requests');
        return `${statements.length} statements of one session with decision, rules, masked cells and outcome; replay shows the masked result`;
      },
    },
    {
      title: 'A killed gateway loses no decision and continues its log',
      async run() {
        const before = (await api<LedgerStatus>('dana', '/api/ledger')).body.entries;
        const writer = await connect('migration-agent');
        let executed = 0;
        let stopped = false;
        const writing = (async () => {
          for (let n = 0; !stopped; n++) {
            await writer.query(`update orders set status = 'paid' where id = ${100 + (n % 800)}`);
            executed++;
          }
        })().catch(() => {});
        while (executed < 50) await sleep(5);
        await world.stopGateway('SIGKILL');
        stopped = true;
        await writing;
        await world.startGateway();
        const after = (await api<LedgerStatus>('dana', '/api/ledger')).body.entries;
        assert.ok(after > before + executed, `${after} entries after ${before} and ${executed} statements`);
        await world.stopGateway('SIGTERM');
        const report = await checkLedger(world);
        assert.ok(report.ok, report.words);
        assert.ok((report.counts['statement.decision'] ?? 0) >= executed);
        await world.startGateway();
        return `killed after ${executed} updates under load; all are decided in the ledger; the log went on from ${before} to ${after} entries`;
      },
    },
    {
      title: 'The record verifies offline, and any changed byte is found',
      async run() {
        await world.stopGateway('SIGTERM');
        const report = await checkLedger(world);
        assert.ok(report.ok, report.words);
        const flips = await checkFlippedBytes(world);
        assert.deepEqual(flips.unnoticed, []);
        return `${report.words}; ${flips.tried} flipped bytes, one at a time, in ${flips.files} files: each was found`;
      },
    },
    {
      title: 'Nothing sensitive is on disk',
      async run() {
        const secrets = [
          ...customers.flatMap((customer) => [customer.email, customer.phone, customer.card]),
          world.targetPassword,
          ...tokens.values(),
        ];
        const found = await findSecrets(world, secrets);
        assert.deepEqual(found.where, []);
        return `${found.bytes} bytes in ${found.files} files that the gateway wrote hold none of ${secrets.length} values, passwords and tokens`;
      },
    },
  ];
}
