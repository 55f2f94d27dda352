// node-postgres through the gateway and directly: what its users do gives the same results, errors with all their fields, notices and
// events. Directly and as a principal who sees all, everything is equal; with masks, all but labelled cells and guarded texts.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Asked, asked } from './node-postgres-queries.ts';
import { openWays, type Way, type Ways } from './ways.ts';

let ways: Ways;
let open: pg.Client[] = [];
beforeAll(async () => {
  ways = await openWays(['list', 'acts']);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.end().catch(() => undefined)));
});
afterAll(() => ways?.close());

const settings = (way: Way): pg.ClientConfig => ({
  host: '127.0.0.1',
  port: way.port,
  user: way.user,
  password: way.password,
  database: way.database,
  ssl: { ca: readFileSync(way.ca) },
});

async function connect(way: Way, more: pg.ClientConfig & { pipeline?: boolean } = {}): Promise<pg.Client> {
  const client = new pg.Client({ ...settings(way), ...more });
  client.on('error', () => undefined);
  await client.connect();
  open.push(client);
  return client;
}

/** OIDs of tables differ from database to database; that a column has one does not. */
function shownResult(result: pg.QueryArrayResult | pg.QueryResult): unknown {
  const { command, rowCount, oid, fields, rows } = result;
  return {
    command,
    rowCount,
    oid,
    rows,
    fields: fields.map((field) => ({
      ...field,
      tableID: field.tableID === 0 ? 0 : 1,
    })),
  };
}

const reported = [
  'name',
  'message',
  'length',
  'severity',
  'code',
  'detail',
  'hint',
  'position',
  'internalPosition',
  'internalQuery',
  'where',
  'schema',
  'table',
  'column',
  'dataType',
  'constraint',
  'file',
  'line',
  'routine',
] as const;

function shownError(error: unknown): unknown {
  return { error: Object.fromEntries(reported.map((name) => [name, (error as Record<string, unknown>)[name]])) };
}

async function outcome(asking: Promise<unknown>): Promise<unknown> {
  try {
    const result = await asking;
    return Array.isArray(result) ? result.map(shownResult) : shownResult(result as pg.QueryResult);
  } catch (error) {
    return shownError(error);
  }
}

/** As JSON, with numbers that JSON has none for as texts; names of databases and temporary schemas do not belong to the answer. */
const plain = (way: Way, shown: unknown): unknown =>
  JSON.parse(
    JSON.stringify(shown, (_key, value: unknown) =>
      typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)) ? `number ${value}` : value,
    )
      .replaceAll(way.work, 'work')
      .replaceAll(/pg_temp_\d+/g, 'pg_temp'),
  ) as unknown;

async function run(client: pg.Client, way: Way, { queries }: Asked): Promise<unknown> {
  const notices: unknown[] = [];
  const hear = (notice: unknown) => notices.push(shownError(notice));
  client.on('notice', hear);
  const outcomes: unknown[] = [];
  for (const query of queries)
    outcomes.push(await outcome(client.query(query as pg.QueryConfig)), client.getTransactionStatus?.());
  client.off('notice', hear);
  return plain(way, { outcomes, notices });
}

/** The same with something else in place of what stands under `key`. */
const replaced = (shown: unknown, key: string, by: (value: Record<string, unknown>) => unknown): unknown =>
  JSON.parse(
    JSON.stringify(shown, (name, value: unknown) => (name === key ? by(value as Record<string, unknown>) : value)),
  ) as unknown;

/** Of errors and notices only what a guarded text keeps. */
const withoutTexts = (shown: unknown) => replaced(shown, 'error', ({ code, severity }) => ({ code, severity }));
const withoutOrigin = (shown: unknown) =>
  replaced(shown, 'error', ({ name, severity, code, message, detail, position }) => ({
    name,
    severity,
    code,
    message,
    detail,
    position,
  }));
/** Rows with null for every cell. */
const withoutCells = (shown: unknown) =>
  replaced(shown, 'rows', (rows) =>
    (rows as unknown as object[]).map((row) => Object.fromEntries(Object.keys(row).map((name) => [name, null]))),
  );

describe(`${asked.length} queries on one connection`, () => {
  const clients = new Map<Way, pg.Client>();
  let all: readonly Way[];
  beforeAll(async () => {
    const { direct, revealed, masked } = ways.of('list');
    all = [direct, revealed, masked];
    for (const way of all) {
      const client = new pg.Client({ ...settings(way), application_name: 'list' });
      client.on('error', () => undefined);
      await client.connect();
      clients.set(way, client);
    }
  });
  afterAll(async () => {
    for (const client of clients.values()) await client.end();
  });

  test.each(asked)('$title', async (one) => {
    const [theirs, ours, hidden] = await Promise.all(all.map((way) => run(clients.get(way)!, way, one)));
    if (one.own) {
      expect(withoutOrigin(ours)).toEqual(withoutOrigin(theirs));
      expect(hidden).toEqual(ours);
      return;
    }
    expect(ours).toEqual(theirs);
    if (one.masked) {
      expect(JSON.stringify(theirs)).toContain('mail.example');
      expect(JSON.stringify(hidden)).not.toContain('mail.example');
      expect(JSON.stringify(hidden)).toContain('****');
    } else if (one.opaque) expect(hidden).toEqual(withoutCells(theirs));
    else if (one.guarded) expect(withoutTexts(hidden)).toEqual(withoutTexts(theirs));
    else expect(hidden).toEqual(theirs);
  });
});

/** The same deeds all ways; what they tell must be equal. */
function same(title: string, deed: (way: Way) => Promise<unknown>, hidden: 'too' | 'not' = 'too'): void {
  test(title, async () => {
    const { direct, revealed, masked } = ways.of('acts');
    const [theirs, ours, guarded] = await Promise.all(
      [direct, revealed, ...(hidden === 'too' ? [masked] : [])].map(async (way) => plain(way, await deed(way))),
    );
    expect(ours).toEqual(theirs);
    if (hidden === 'too') expect(guarded).toEqual(theirs);
  });
}

describe('connections', () => {
  same('settings given at the start', async (way) => {
    const client = await connect(way, {
      application_name: 'conformance',
      statement_timeout: 1234,
      lock_timeout: 2345,
      idle_in_transaction_session_timeout: 34567,
      options: '-c search_path=public,pg_temp',
    });
    const shown: unknown[] = [];
    for (const name of [
      'application_name',
      'statement_timeout',
      'lock_timeout',
      'idle_in_transaction_session_timeout',
      'search_path',
      'client_encoding',
    ])
      shown.push((await client.query(`show ${name}`)).rows);
    return shown;
  });

  same('a name of the application that stands in for another', async (way) => {
    const client = await connect(way, { fallback_application_name: 'fallback' });
    return (await client.query('show application_name')).rows;
  });

  same('a statement timeout of the connection', async (way) => {
    const client = await connect(way, { statement_timeout: 60 });
    return [await outcome(client.query('select pg_sleep(3)')), await outcome(client.query('select 1'))];
  });

  same('a query timeout of the client ends its wait', async (way) => {
    const client = await connect(way, { query_timeout: 100 });
    const late = await client.query('select pg_sleep(0.5)').catch((error: Error) => error.message);
    return late;
  });

  same('the server ends a transaction that idles', async (way) => {
    const client = await connect(way, { idle_in_transaction_session_timeout: 100 });
    const ended = new Promise((resolve) => client.once('error', (error) => resolve(shownError(error))));
    await client.query('begin');
    return ended;
  });

  same('leaving and what comes after', async (way) => {
    const client = await connect(way);
    const answers = [client.query('select 1 as a'), client.query('select 2 as b')].map(outcome);
    const left = client.end().then(() => 'left');
    return [await Promise.all(answers), await left, await outcome(client.query('select 3'))];
  });

  same('leaving while a statement runs', async (way) => {
    const client = await connect(way);
    const asking = client.query({ name: 'long', text: 'select pg_sleep(3)' }).catch((error: Error) => error.message);
    await sleep(100);
    void client.end();
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    return asking;
  });

  same('a backend that is ended by another', async (way) => {
    const [one, other] = [await connect(way), await connect(way)];
    const { rows } = await one.query('select pg_backend_pid() as pid');
    const fatal = new Promise((resolve) => one.once('error', (error) => resolve(shownError(error))));
    await other.query('select pg_terminate_backend($1)', [rows[0].pid]);
    const { error } = (await fatal) as { error: Record<string, unknown> };
    // Whether the client hears the last words or the end of the stream first is a race that both ways have.
    return error.code ?? '57P01';
  });
});

describe('cancelling', () => {
  /** By the key that this client was given: the gateway's own on its way, the server's directly. */
  const cancel = (way: Way, client: pg.Client) =>
    new Promise<void>((resolve) => {
      const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
      const asker = new pg.Connection({ ssl: { ca: readFileSync(way.ca) } } as never) as pg.Connection & {
        connect(port: number, host: string): void;
        cancel(pid: number, key: number): void;
        requestSsl(): void;
      };
      asker.on('connect', () => asker.requestSsl());
      asker.on('sslconnect', () => asker.cancel(processID, secretKey));
      asker.on('error', () => resolve());
      asker.on('end', () => resolve());
      asker.connect(way.port, '127.0.0.1');
    });

  same('by the key of the connection', async (way) => {
    const client = await connect(way);
    const asking = outcome(client.query('select pg_sleep(20)'));
    await sleep(250);
    await cancel(way, client);
    return [await asking, await outcome(client.query('select 1 as alive'))];
  });

  same('by SQL, from another connection', async (way) => {
    const [one, other] = [await connect(way), await connect(way)];
    const { rows } = await one.query('select pg_backend_pid() as pid');
    const asking = outcome(one.query({ text: 'select pg_sleep($1)', values: [20] }));
    await sleep(250);
    const asked = await outcome(other.query('select pg_cancel_backend($1) as done', [rows[0].pid]));
    return [asked, await asking, await outcome(one.query('select 1 as alive'))];
  });

  same('a query that waits in the client', async (way) => {
    const client = await connect(way);
    const first = outcome(client.query('select pg_sleep(0.1)'));
    const waiting = new pg.Query('select 1 as never') as pg.Query & { text: string };
    client.query(waiting);
    (client as unknown as { cancel(client: pg.Client, query: pg.Query): void }).cancel(client, waiting);
    return [await first, await outcome(client.query('select 2 as next'))];
  });
});

describe('events', () => {
  same('rows as they come, then the end', async (way) => {
    const client = await connect(way);
    const heard: unknown[] = [];
    const query = client.query(new pg.Query('select g from generate_series(1, 4) g'));
    query.on('row', (row: unknown) => heard.push(row));
    await new Promise<void>((resolve, reject) => {
      query.on('end', () => resolve());
      query.on('error', reject);
    });
    return heard;
  });

  same('rows before an error, then the error', async (way) => {
    const client = await connect(way);
    const heard: unknown[] = [];
    const query = client.query(new pg.Query('select 10 / (3 - g) as q from generate_series(1, 5) g'));
    query.on('row', (row: unknown) => heard.push(row));
    heard.push(await new Promise((resolve) => query.on('error', (error) => resolve(shownError(error)))));
    return heard;
  });

  same('drain comes when all is answered', async (way) => {
    const client = await connect(way);
    const drained = new Promise((resolve) => client.once('drain', () => resolve('drained')));
    const answers = Array.from({ length: 50 }, (_, index) => client.query('select $1::int as n', [index]));
    return [(await Promise.all(answers)).map(({ rows }) => rows[0].n), await drained];
  });

  const notified = async (way: Way) => {
    const [listener, speaker] = [await connect(way), await connect(way)];
    const heard: unknown[] = [];
    listener.on('notification', ({ channel, payload }) => heard.push({ channel, payload }));
    await listener.query('listen news; listen "Odd Name"');
    await speaker.query("notify news, 'first ü'");
    await speaker.query("select pg_notify('Odd Name', $1)", ['x'.repeat(4_000)]);
    await speaker.query("begin; notify news, 'lost'; rollback");
    await speaker.query('notify news');
    for (let turn = 0; heard.length < 3 && turn < 40; turn++) {
      await sleep(25);
      await listener.query('select 1');
    }
    await listener.query('unlisten *');
    await speaker.query("notify news, 'unheard'");
    await listener.query('select 1');
    return heard;
  };
  same('notifications and their payloads', notified, 'not');

  test('notifications of others lose their payload for one who may not reveal', async () => {
    const heard = await notified(ways.of('acts').masked);
    expect(heard).toEqual([
      { channel: 'news', payload: '' },
      { channel: 'Odd Name', payload: '' },
      { channel: 'news', payload: '' },
    ]);
  });
});

describe('pipelines', () => {
  same('many at once, with an error among them', async (way) => {
    const client = await connect(way, { pipeline: true });
    const answers = [
      client.query('select 1 as n'),
      client.query('select $1::int as n', [2]),
      client.query({ name: 'p', text: 'select $1::int + 1 as n', values: [2] }),
      client.query('select wrong'),
      client.query({ name: 'p', text: 'select $1::int + 1 as n', values: [4] }),
      client.query({ text: 'select $1::int as n', values: [6], rowMode: 'array' }),
      client.query('select 7 as a; select 8 as b'),
      client.query({ text: 'select 1 / $1::int as n', values: [0] }),
      client.query('create temporary table piped (n int); insert into piped values (9)'),
      client.query('select n from piped'),
    ];
    return Promise.all(answers.map(outcome));
  });

  same('two hundred of them', async (way) => {
    const client = await connect(way, { pipeline: true });
    const answers = Array.from({ length: 200 }, (_, index) => client.query('select $1::int as n', [index]));
    return (await Promise.all(answers)).map(({ rows }) => rows[0].n as number);
  });

  same('a transaction in one go', async (way) => {
    const client = await connect(way, { pipeline: true });
    const answers = ['begin', 'select 1', 'select 1 / 0', 'select 2', 'rollback', 'select 3'].map((text) =>
      client.query(text),
    );
    return Promise.all(answers.map(outcome));
  });
});

describe('pools', () => {
  const pool = (way: Way, more: pg.PoolConfig = {}) => {
    const made = new pg.Pool({ ...settings(way), max: 3, ...more });
    made.on('error', () => undefined);
    return made;
  };

  same('more work than connections', async (way) => {
    const work = pool(way);
    try {
      const answers = await Promise.all(
        Array.from({ length: 60 }, (_, index) => work.query('select $1::int as n, pg_sleep(0.002)', [index])),
      );
      return [answers.map(({ rows }) => rows[0].n as number), work.totalCount, work.waitingCount];
    } finally {
      await work.end();
    }
  });

  same('an error leaves the connection in the pool', async (way) => {
    const work = pool(way, { max: 1 });
    try {
      const { rows: before } = await work.query('select pg_backend_pid() as pid');
      const error = await outcome(work.query('select wrong'));
      const { rows: after } = await work.query('select pg_backend_pid() as pid');
      return [error, before[0].pid === after[0].pid, work.totalCount];
    } finally {
      await work.end();
    }
  });

  same('what a session sets stays in it', async (way) => {
    const work = pool(way, { max: 1 });
    try {
      const one = await work.connect();
      await one.query("set application_name = 'kept'; create temporary table kept (n int)");
      one.release();
      const kept = [
        await outcome(work.query('show application_name')),
        await outcome(work.query('select * from kept')),
      ];
      const other = await work.connect();
      other.release(true);
      return [...kept, await outcome(work.query('select * from kept'))];
    } finally {
      await work.end();
    }
  });

  same('a connection that idles is closed, and another is opened', async (way) => {
    const work = pool(way, { idleTimeoutMillis: 20 });
    try {
      await work.query('select 1');
      for (let turn = 0; work.totalCount > 0 && turn < 100; turn++) await sleep(20);
      return [work.totalCount, await outcome(work.query('select 2 as n'))];
    } finally {
      await work.end();
    }
  });

  same('transactions side by side do not see each other', async (way) => {
    const work = pool(way);
    try {
      const [one, other] = [await work.connect(), await work.connect()];
      await one.query("begin; insert into people (name) values ('unseen')");
      const seen = await outcome(other.query("select count(*) from people where name = 'unseen'"));
      await one.query('rollback');
      one.release();
      other.release();
      return seen;
    } finally {
      await work.end();
    }
  });
});

test('the gateway complained of nothing', () => expect(ways.complaints).toEqual([]));
