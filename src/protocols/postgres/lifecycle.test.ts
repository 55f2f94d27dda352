// How sessions are interrupted and end, and the laws that hold for any bytes.
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestPostgres, testPostgres } from '../../../test/peers/postgres.ts';
import { verifies } from '../../../test/requirements.ts';
import { Fault } from '../../domain/fault.ts';
import { clientMessage, targetMessage } from './codec.ts';
import { type Harness, type HarnessOptions, openHarness, token } from './harness.suite.ts';
import { RawClient, say } from './raw-client.suite.ts';

let server: TestPostgres;
const open: Harness[] = [];
const harness = async (options: HarnessOptions = {}) => {
  const made = await openHarness(server, options);
  open.push(made);
  return made;
};

beforeAll(async () => {
  server = await testPostgres();
});
afterAll(async () => {
  for (const each of open) await each.close();
  await server?.stop();
});

async function client(port: number): Promise<pg.Client> {
  const made = new pg.Client({ host: '127.0.0.1', port, user: 'agent', password: token, database: 'shop' });
  made.on('error', () => undefined);
  await made.connect();
  return made;
}
const raw = (port: number) => new RawClient(port).start({ user: 'agent', database: 'shop' }, token);
const error = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('no error'),
    (caught: pg.DatabaseError) => caught,
  );
const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
};

function cancel(db: pg.Client, port: number): void {
  const { processID, secretKey } = db as unknown as { processID: number; secretKey: number };
  const canceller = new pg.Connection({}) as unknown as {
    connect(port: number, host: string): void;
    once(event: string, call: () => void): void;
    cancel(pid: number, key: number): void;
  };
  canceller.connect(port, '127.0.0.1');
  canceller.once('connect', () => canceller.cancel(processID, secretKey));
}

describe('cancel', () => {
  test('interrupts what runs, of that session only, and is recorded', async () => {
    const { port, statements } = await harness();
    const [mine, other] = [await client(port), await client(port)];
    const [running, undisturbed] = [error(mine.query('select pg_sleep(60)')), other.query('select pg_sleep(0.5)')];
    await new Promise((resolve) => setTimeout(resolve, 150));
    cancel(mine, port);
    expect((await running).code).toBe('57014');
    expect((await undisturbed).rowCount).toBe(1);
    expect((await mine.query('select 1 one')).rows).toEqual([{ one: 1 }]);
    expect(statements.filter((each) => each.statement.kind === 'cancel')).toHaveLength(1);
    expect(statements.filter((each) => each.outcome?.status === 'cancelled')).toHaveLength(1);
    await Promise.all([mine.end(), other.end()]);
  });

  test('with a wrong key does nothing', async () => {
    const { port, statements } = await harness();
    const mine = await client(port);
    const running = mine.query('select pg_sleep(0.3)');
    (mine as unknown as { secretKey: number }).secretKey ^= 1;
    cancel(mine, port);
    expect((await running).rowCount).toBe(1);
    expect(statements.some((each) => each.statement.kind === 'cancel')).toBe(false);
    await mine.end();
  });
});

describe('the end', () => {
  test('a killed session is told why and closed at once', async () => {
    const { port, sessions, unsettled } = await harness();
    const mine = await client(port);
    const running = error(mine.query('select pg_sleep(60)'));
    await new Promise((resolve) => setTimeout(resolve, 100));
    sessions[0]?.end(new Fault('session.killed', 'An administrator ended this session: test.'));
    const told = await running;
    expect([told.code, told.message, told.severity]).toEqual([
      '57P01',
      'An administrator ended this session: test.',
      'FATAL',
    ]);
    await until(() => sessions[0]?.closed !== undefined);
    expect([sessions[0]?.closed, unsettled()]).toEqual(['session.killed', 0]);
  });

  test(
    verifies('ledger.down-stops', 'a statement that cannot be recorded is not sent, and the client is told'),
    async () => {
      const { port } = await harness({
        rule: (statement) =>
          statement.text.includes('made')
            ? new Fault('ledger.unavailable', 'The record cannot be written, so nothing was forwarded.')
            : 'permit',
      });
      const mine = await client(port);
      expect((await error(mine.query('create table made (a int)'))).code).toBe('57P03');
      const other = await client(port);
      expect((await other.query("select to_regclass('public.' || 'ma' || 'de') is null absent")).rows).toEqual([
        { absent: true },
      ]);
      await other.end();
    },
  );

  test('a server that ends the connection is passed on', async () => {
    const { port, sessions } = await harness();
    const mine = await client(port);
    const admin = new pg.Client({
      host: '127.0.0.1',
      port: server.port,
      user: server.superuser,
      password: server.password,
      database: 'postgres',
    });
    await admin.connect();
    const running = error(mine.query('select pg_sleep(60)'));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await admin.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid()",
    );
    expect((await running).code).toBe('57P01');
    await until(() => sessions[0]?.closed !== undefined);
    await admin.end();
  });

  test('Terminate ends both sides', async () => {
    const { port, sessions } = await harness();
    const mine = await client(port);
    await mine.end();
    await until(() => sessions[0]?.closed !== undefined);
    expect(sessions[0]?.closed).toBe('client left');
  });
});

describe('what is not understood is not forwarded', () => {
  test(verifies('understood-or-refused', 'bytes that are no message end the session and reach no target'), async () => {
    const { port, faults } = await harness();
    for (const bytes of [
      Buffer.from('!!!!!!!!'),
      Buffer.from([0x51, 0xff, 0xff, 0xff, 0xff]),
      Buffer.from([0x51, 0, 0, 0, 3]),
      Buffer.from([0x51, 0x7f, 0xff, 0xff, 0xff]),
      Buffer.from([0x51, 0, 0, 0, 6, 0x41, 0x42]),
    ]) {
      const mine = await raw(port);
      mine.take();
      mine.send(bytes);
      await mine.until(() => false);
      expect(mine.seen.map((message) => [message.type, message.body.split('|').slice(0, 2).join('|')])).toEqual([
        [targetMessage.errorResponse, 'FATAL|08P01'],
      ]);
    }
    expect(faults.every((fault) => fault.code === 'client.protocol')).toBe(true);
  });

  test('random messages never leave a session hanging, and every permit has its outcome', async () => {
    const { port, unsettled, faults } = await harness();
    const message = fc
      .tuple(
        fc.constantFrom(...Object.values(clientMessage).filter((type) => type !== clientMessage.terminate)),
        fc.uint8Array({ maxLength: 12 }),
      )
      .map(([type, body]) => {
        const header = Buffer.alloc(5);
        header[0] = type;
        header.writeInt32BE(body.length + 4, 1);
        return Buffer.concat([header, body]);
      });
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 6 }), async (messages) => {
        const mine = await raw(port);
        mine.take();
        mine.send(Buffer.concat([...messages, say.copyFail('over'), say.sync(), say.query("select 'the end'")]));
        await mine.until((all) => all.some((each) => each.type === targetMessage.dataRow));
        mine.end();
      }),
      { numRuns: 60 },
    );
    await until(() => unsettled() === 0);
    expect(faults.filter((fault) => fault.code === 'gateway.internal')).toEqual([]);
  });
});

describe('backpressure', () => {
  test(verifies('bounded', 'what waits behind a hold stops the reading, and goes on afterwards'), async () => {
    const { port, holds } = await harness({
      rule: (statement) => (statement.text.includes('held') ? 'hold' : 'permit'),
    });
    const mine = await raw(port);
    mine.take();
    const long = `select length('${'x'.repeat(100_000)}')`;
    mine.send(Buffer.concat([say.query("select 'held'"), ...Array.from({ length: 60 }, () => say.query(long))]));
    await until(() => holds.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 100));
    holds[0]?.resolve('grant');
    await mine.ready(61);
    expect(mine.seen.filter((message) => message.type === targetMessage.dataRow)).toHaveLength(61);
    mine.end();
  });

  test('a client that does not read does not fill the gateway', async () => {
    const { port } = await harness();
    const mine = await client(port);
    const stream = (mine as unknown as { connection: { stream: { pause(): void; resume(): void } } }).connection.stream;
    const before = process.memoryUsage().rss;
    const result = mine.query("select repeat('y', 1000) from generate_series(1, 200000)");
    stream.pause();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(process.memoryUsage().rss - before).toBeLessThan(120 << 20);
    stream.resume();
    expect((await result).rowCount).toBe(200_000);
    await mine.end();
  });
});
