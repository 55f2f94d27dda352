import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testPostgres, type TestPostgres } from '../../../test/peers/postgres.ts';
import { verifies } from '../../../test/requirements.ts';
import type { ReplayEvent } from '../../domain/replay-event.ts';
import { dialTarget } from '../../targets/dial.ts';
import { encodeCopyData, encodeCopyDone } from './codec-copy.ts';
import { encodeBind, encodeDescribe, encodeExecute, encodeParse } from './codec-extended.ts';
import { found, Framer } from './codec-framer.ts';
import { clientPeer, targetMessage, targetPeer } from './codec.ts';
import { encodeQuery, encodeSync } from './codec-simple.ts';
import { Writer } from './codec-writer.ts';
import { loginOver } from './login.ts';
import { ownLink } from './own-connection.ts';
import { type RecordedFrame, replayPostgres } from './replay.ts';

let server: TestPostgres;
let talk: (build: (writer: Writer) => void, until?: number) => Promise<Buffer>;
let leave: () => void;

beforeAll(async () => {
  server = await testPostgres();
  const stream = await dialTarget({ host: '127.0.0.1', port: server.port });
  const link = ownLink(stream, { user: server.superuser, password: async () => server.password, tls: 'disable' });
  const session = await loginOver(link, { database: 'postgres', parameters: new Map([['timezone', 'UTC']]) });
  let receive: (chunk: Buffer) => void = () => undefined;
  session.open({ data: (chunk) => receive(chunk), drain: () => undefined, end: () => undefined });
  leave = () => stream.destroy();
  // Everything the server says until the message awaited, as a recording would hold it.
  talk = (build, until = targetMessage.readyForQuery) =>
    new Promise((resolve) => {
      const chunks: Buffer[] = [];
      const framer = new Framer({ peer: targetPeer });
      receive = (chunk) => {
        const copy = Buffer.from(chunk);
        chunks.push(copy);
        framer.push(copy);
        while (framer.next() !== found.nothing) if (framer.type === until) return resolve(Buffer.concat(chunks));
      };
      const writer = new Writer();
      build(writer);
      stream.write(writer.take());
    });
});
afterAll(async () => {
  leave?.();
  await server?.stop();
});

const said = (text: string, parameters?: (string | null)[]): RecordedFrame => ({
  kind: 'client',
  at: 1,
  bytes: Buffer.from(`${JSON.stringify({ sequence: 1, text, parameters })}\n`),
});
const saw = (bytes: Buffer): RecordedFrame => ({ kind: 'target', at: 2, bytes });

async function* stream(frames: readonly RecordedFrame[]): AsyncGenerator<RecordedFrame> {
  yield* frames;
}
const replay = (frames: readonly RecordedFrame[], limits = { rows: 100 }) => replayPostgres(stream(frames), limits);
const results = (events: readonly ReplayEvent[]) => events.filter((event) => event.kind === 'result');

const query = (sql: string) => talk((writer) => encodeQuery(writer, sql));
const prepared = (sql: string, format: 0 | 1, describe: 'portal' | 'statement' | 'none') =>
  talk((writer) => {
    encodeParse(writer, { name: '', text: sql, types: [] });
    if (describe === 'statement') encodeDescribe(writer, { of: 'statement', name: '' });
    encodeBind(writer, { portal: '', statement: '', formats: [], parameters: [], results: [format] });
    if (describe === 'portal') encodeDescribe(writer, { of: 'portal', name: '' });
    encodeExecute(writer, { portal: '', limit: 0 });
    encodeSync(writer);
  });

describe('replay', () => {
  test('a simple query: statement, result, end', async () => {
    const bytes = await query(`select 1 as one, null as nothing, 'ä' as text union all select 2, null, '' order by 1`);
    expect(await replay([said('select …', ['7', null]), saw(bytes)])).toEqual([
      { at: 1, kind: 'statement', sequence: 1, text: 'select …', parameters: ['7', null] },
      {
        at: 2,
        kind: 'result',
        columns: ['one', 'nothing', 'text'],
        rows: [
          ['1', null, 'ä'],
          ['2', null, ''],
        ],
        total: 2,
      },
      { at: 2, kind: 'done', tag: 'SELECT 2' },
    ]);
  });

  test('split anywhere, the events are the same', async () => {
    const bytes = Buffer.concat([
      await query(`select g, repeat('x', g) from generate_series(1, 9) g`),
      await query('select 1/0'),
      await query(''),
    ]);
    const whole = await replay([saw(bytes)]);
    expect(whole.map((event) => event.kind)).toEqual(['result', 'done', 'error', 'other']);
    for (let at = 1; at < bytes.length; at++) {
      expect(await replay([saw(bytes.subarray(0, at)), saw(bytes.subarray(at))])).toEqual(whole);
    }
  });

  test('several statements, notices and errors', async () => {
    const bytes = await query(
      `create temp table t (id int); do $$ begin raise notice 'careful' using hint = 'look'; end $$; select 1 where false; drop table missing`,
    );
    expect((await replay([saw(bytes)])).map((event) => JSON.stringify({ ...event, at: undefined }))).toEqual([
      '{"kind":"done","tag":"CREATE TABLE"}',
      '{"kind":"notice","severity":"NOTICE","message":"careful","hint":"look"}',
      '{"kind":"done","tag":"DO"}',
      '{"kind":"result","columns":["?column?"],"rows":[],"total":0}',
      '{"kind":"done","tag":"SELECT 0"}',
      '{"kind":"error","severity":"ERROR","code":"42P01","message":"table \\"missing\\" does not exist"}',
    ]);
  });

  test('binary cells are shown as the server writes them in text', async () => {
    const sql = `select true, false, 'a'::"char", 'ab'::name, -9223372036854775808::bigint, -7::int2, 2147483647, 'ü"x'::text, 4294967295::oid,
      '{"a":1}'::json, '{"b": [1]}'::jsonb, '<a/>'::xml, 1.5::float4, 0.1::float4, 16777216::float4, 1e-7::float8, 0.1::float8, 'NaN'::float8, '-Infinity'::float8,
      'ab'::char(4), 'v'::varchar, '2024-02-29'::date, '0044-03-15 BC'::date, 'infinity'::date, '-infinity'::timestamp, '23:59:59.5'::time,
      '1999-12-31 23:59:59.000001'::timestamp, '0001-01-01 00:00:00 BC'::timestamp, '2024-02-29 12:00:00+02'::timestamptz,
      '1 year -2 mons 3 days 04:05:06.7'::interval, '-1 day +02:03:04'::interval, '0'::interval, '-1 mon 5 days'::interval,
      0::numeric, -12345678.90120::numeric, 0.00001234::numeric(20, 10), 1e20::numeric, 'NaN'::numeric, 'Infinity'::numeric, 10000::numeric, 99990000.5::numeric,
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, '\\xdeadbeef'::bytea, '{1,NULL,3}'::int[], '{}'::text[], '{a,"b c","",null,"NULL","q\\"",x}'::text[],
      '{2024-01-01}'::date[], '{1.50,2}'::numeric[], null::int`;
    const [text] = results(await replay([saw(await prepared(sql, 0, 'portal'))]));
    for (const describe of ['portal', 'statement'] as const) {
      const [binary] = results(await replay([said(sql), saw(await prepared(sql, 1, describe))]));
      expect(binary?.kind === 'result' && binary.rows).toEqual(text?.kind === 'result' && text.rows);
    }
  });

  test('rows of a statement that was described earlier keep its columns; others are numbered', async () => {
    const sql = 'select 7 as seven, 8 as eight';
    const first = await prepared(sql, 0, 'statement');
    const again = await prepared(sql, 0, 'none');
    const events = await replay([
      said(sql),
      saw(first),
      said(sql),
      saw(again),
      said('select 7, 8 from elsewhere'),
      saw(again),
    ]);
    expect(results(events).map((event) => event.kind === 'result' && event.columns)).toEqual([
      ['seven', 'eight'],
      ['seven', 'eight'],
      ['column 1', 'column 2'],
    ]);
  });

  test('COPY in both directions', async () => {
    await query('create temp table copied (id int, note text)');
    const opened = await talk((writer) => encodeQuery(writer, 'copy copied from stdin'), targetMessage.copyInResponse);
    const writer = new Writer();
    encodeCopyData(writer, Buffer.from('1\tone\n{\ttwo\n'.replace('{', '2')));
    encodeCopyData(writer, Buffer.from('3\t{brace}\n'));
    const data = writer.take();
    const closed = await talk((out) => {
      out.bytes(data);
      encodeCopyDone(out);
    });
    const out = await query('copy copied to stdout');
    const sent: RecordedFrame[] = [...data].map((_, index) => ({
      kind: 'client',
      at: 3,
      bytes: data.subarray(index, index + 1),
    }));
    const events = await replay([saw(opened), ...sent, saw(closed), saw(out)]);
    const preview = '1\tone\n2\ttwo\n3\t{brace}\n';
    expect(events.map((event) => ({ ...event, at: 0 }))).toEqual([
      { at: 0, kind: 'copy', direction: 'in', bytes: 22, preview },
      { at: 0, kind: 'done', tag: 'COPY 3' },
      { at: 0, kind: 'copy', direction: 'out', bytes: 22, preview },
      { at: 0, kind: 'done', tag: 'COPY 3' },
    ]);
  });

  test(verifies('bounded', 'rows, cells and events have their limits, and the replay says so'), async () => {
    const bytes = await query(`select g, repeat('y', 50) from generate_series(1, 30) g; select repeat('z', 2000000)`);
    const events = await replayPostgres(stream([saw(bytes.subarray(0, 100_000)), saw(bytes.subarray(100_000))]), {
      rows: 3,
      cell: 10,
    });
    const [many, large] = results(events);
    expect(many?.kind === 'result' && [many.rows.length, many.total, many.rows[0]?.[1]]).toEqual([
      3,
      30,
      'yyyyyyyyyy… (50 bytes)',
    ]);
    expect(large?.kind === 'result' && large.rows).toEqual([
      [expect.stringMatching(/^… \(a row of 20000\d\d bytes\)$/)],
    ]);
    const cut = await replayPostgres(stream(Array<RecordedFrame>(50).fill(saw(await query('select 1')))), {
      rows: 1,
      events: 10,
    });
    expect(cut).toHaveLength(11);
    expect(cut.at(-1)).toMatchObject({ kind: 'other', name: expect.stringContaining('beginning only') });
  });

  test('a recording that stops in the middle shows what it has', async () => {
    const bytes = await query('select g from generate_series(1, 5) g');
    const [result] = await replay([saw(bytes.subarray(0, bytes.length - 30))]);
    expect(result?.kind === 'result' && result.rows.length).toBeGreaterThan(2);
  });

  test('random frames never throw', async () => {
    const letters = [...targetPeer.types, ...clientPeer.types];
    const message = fc.tuple(fc.constantFrom(...letters), fc.uint8Array({ maxLength: 40 })).map(([type, body]) => {
      const bytes = Buffer.alloc(body.length + 5);
      bytes[0] = type;
      bytes.writeInt32BE(body.length + 4, 1);
      bytes.set(body, 5);
      return bytes;
    });
    const frame = fc.record({
      kind: fc.constantFrom<'client' | 'target' | 'meta'>('client', 'target', 'meta'),
      at: fc.nat(),
      bytes: fc.oneof(
        message,
        fc.constant(Buffer.from('{"sequence":1,"text":"x"}\n')),
        fc.constant(Buffer.from('{nonsense')),
        fc.constant(Buffer.from('null')),
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 12 }), async (frames) => {
        expect(Array.isArray(await replay(frames))).toBe(true);
      }),
      { numRuns: 400 },
    );
  });
});
