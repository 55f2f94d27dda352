import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testPostgres, type TestPostgres } from '../../../test/peers/postgres.ts';
import type { RecordingRule, Unkept } from '../../domain/recording-rule.ts';
import type { ReplayEvent } from '../../domain/replay-event.ts';
import { dialTarget } from '../../targets/dial.ts';
import { copyHeader, encodeCopyData, encodeCopyDone } from './codec-copy.ts';
import { encodeBind, encodeExecute, encodeParse } from './codec-extended.ts';
import { found, Framer } from './codec-framer.ts';
import { targetMessage, targetPeer } from './codec.ts';
import { encodeFunctionCall, encodeQuery, encodeSync } from './codec-simple.ts';
import { Writer } from './codec-writer.ts';
import { loginOver } from './login.ts';
import { ownLink } from './own-connection.ts';
import { lineEnds, tupleEnds } from './recorded-copy.ts';
import { openRecordedRows } from './recorded-rows.ts';
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

const query = (sql: string) => talk((writer) => encodeQuery(writer, sql));
const sha256 = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest('hex');

type Piece = readonly ['client' | 'target', Buffer];
type Rule = Exclude<RecordingRule, 'full'>;

/** What is recorded under a rule: frames of a recording, with what was left out in its place. */
function under(rule: Rule, pieces: readonly Piece[]): { frames: RecordedFrame[]; unkept: Unkept[] } {
  const frames: RecordedFrame[] = [];
  const unkept: Unkept[] = [];
  const meta = (of: object) => void frames.push({ kind: 'meta', at: 2, bytes: Buffer.from(JSON.stringify(of)) });
  meta({ rule: typeof rule === 'string' ? rule : `rows ${rule.rows}` });
  const rows = openRecordedRows(rule, {
    record: (kind, bytes) => void frames.push({ kind, at: 2, bytes: Buffer.from(bytes) }),
    unkept(of) {
      unkept.push(of);
      meta({ unkept: of });
    },
  });
  for (const [side, bytes] of pieces) {
    // Bytes are valid only during the call.
    const lent = Buffer.from(bytes);
    rows.record(side, lent);
    lent.fill(0x5a);
  }
  rows.end();
  return { frames, unkept };
}

async function* stream(frames: readonly RecordedFrame[]): AsyncGenerator<RecordedFrame> {
  yield* frames;
}
const events = (of: { frames: RecordedFrame[] }) => replayPostgres(stream(of.frames), { rows: 1_000 });

function messages(bytes: Buffer): { type: number; bytes: Buffer }[] {
  const framer = new Framer({ peer: targetPeer });
  framer.push(bytes);
  const all: { type: number; bytes: Buffer }[] = [];
  while (framer.next() !== found.nothing)
    all.push({ type: framer.type, bytes: Buffer.from(framer.buffer.subarray(framer.start, framer.end)) });
  return all;
}
const rowsIn = (bytes: Buffer) =>
  messages(bytes)
    .filter(({ type }) => type === targetMessage.dataRow)
    .map((one) => one.bytes);
const copiedIn = (bytes: Buffer) =>
  Buffer.concat(
    messages(bytes)
      .filter(({ type }) => type === targetMessage.copyData)
      .map((one) => one.bytes.subarray(copyHeader)),
  );
const shown = (list: readonly ReplayEvent[]) =>
  list.flatMap((event) => (event.kind === 'result' ? [[event.rows.length, event.total, event.unkept?.rows ?? 0]] : []));

describe('a recording that keeps less', () => {
  test('rows: the first ones as they were, then counts and a digest of all', async () => {
    const bytes = await query(`select g, repeat('x', g % 7) from generate_series(1, 1000) g`);
    const all = rowsIn(bytes);
    const of = under({ rows: 10 }, [['target', bytes]]);
    expect(of.unkept).toEqual([
      {
        of: 'rows',
        rows: 1000,
        bytes: Buffer.concat(all).length,
        keptRows: 10,
        keptBytes: Buffer.concat(all.slice(0, 10)).length,
        sha256: sha256(...all),
      },
    ]);
    const held = Buffer.concat(of.frames.filter(({ kind }) => kind === 'target').map((frame) => frame.bytes));
    expect(rowsIn(held)).toEqual(all.slice(0, 10));
    expect(messages(held).filter(({ type }) => type !== targetMessage.dataRow)).toEqual(
      messages(bytes).filter(({ type }) => type !== targetMessage.dataRow),
    );
    const [result] = (await events(of)).filter((event) => event.kind === 'result');
    expect(result).toMatchObject({
      total: 1000,
      unkept: { rule: 'rows 10', rows: 990, sha256: sha256(...all) },
      rows: Array.from({ length: 10 }, (_, index) => [String(index + 1), 'x'.repeat((index + 1) % 7)]),
    });
  });

  test('digest: no value of a result is in the recording, all counts are', async () => {
    const bytes = await query(`select 'secretly' || g from generate_series(1, 3) g; select 'secretly' where false`);
    const of = under('digest', [['target', bytes]]);
    expect(of.unkept).toEqual([
      expect.objectContaining({ rows: 3, keptRows: 0, keptBytes: 0, sha256: sha256(...rowsIn(bytes)) }),
    ]);
    expect(JSON.stringify(of.frames.map((frame) => frame.bytes.toString('latin1')))).not.toContain('secretly');
    expect(shown(await events(of))).toEqual([
      [0, 3, 3],
      [0, 0, 0],
    ]);
  });

  test('several results of one text, cursors, errors and notices between rows', async () => {
    const bytes = await query(
      `begin; declare c cursor for select g from generate_series(1, 9) g; fetch 4 from c; fetch 2 from c; fetch all from c; commit;
       create function pg_temp.loud(n int) returns int language plpgsql as $$ begin raise notice 'row %', n; return n; end $$;
       select pg_temp.loud(g) from generate_series(1, 5) g`,
    );
    const failing = await query('select 1 / (3 - g) from generate_series(1, 9) g');
    const of = under({ rows: 2 }, [
      ['target', bytes],
      ['target', failing],
    ]);
    expect(shown(await events(of))).toEqual([
      [2, 4, 2],
      [2, 2, 0],
      [2, 3, 1],
      [2, 5, 3],
      [2, 2, 0],
    ]);
    const list = await events(of);
    expect(list.filter((event) => event.kind === 'notice')).toHaveLength(5);
    expect(list.at(-1)).toMatchObject({ kind: 'error', code: '22012' });
  });

  test('fetched in pieces and in binary, each piece is a result', async () => {
    const bytes = await talk((writer) => {
      encodeParse(writer, { name: '', text: 'select g::int8 from generate_series(1, 25) g', types: [] });
      encodeBind(writer, { portal: 'p', statement: '', formats: [], parameters: [], results: [1] });
      for (let times = 0; times < 3; times++) encodeExecute(writer, { portal: 'p', limit: 10 });
      encodeSync(writer);
    });
    const of = under({ rows: 3 }, [['target', bytes]]);
    const all = rowsIn(bytes);
    expect(of.unkept.map(({ rows, keptRows, sha256: digest }) => [rows, keptRows, digest])).toEqual([
      [10, 3, sha256(...all.slice(0, 10))],
      [10, 3, sha256(...all.slice(10, 20))],
      [5, 3, sha256(...all.slice(20))],
    ]);
    expect(shown(await events(of))).toEqual([
      [3, 10, 7],
      [3, 10, 7],
      [3, 5, 2],
    ]);
  });

  test('COPY to the client: lines of text, tuples of binary, and the digest is that of the file', async () => {
    const text = await query(`copy (select g, 'line ' || g from generate_series(1, 40) g) to stdout`);
    const file = copiedIn(text);
    const of = under({ rows: 3 }, [['target', text]]);
    const first = Buffer.from('1\tline 1\n2\tline 2\n3\tline 3\n');
    expect(of.unkept).toEqual([
      {
        of: 'copy-out',
        rows: 40,
        bytes: file.length,
        keptRows: 3,
        keptBytes: first.length,
        sha256: sha256(file),
      },
    ]);
    expect(await events(of)).toMatchObject([
      { kind: 'copy', bytes: file.length, preview: first.toString(), unkept: { rows: 37 } },
      { kind: 'done', tag: 'COPY 40' },
    ]);
    const binary = await query(
      `copy (select g, null::int, repeat('y', g) from generate_series(1, 40) g) to stdout (format binary)`,
    );
    const kept = under({ rows: 3 }, [['target', binary]]);
    expect(kept.unkept).toMatchObject([
      { rows: 40, keptRows: 3, bytes: copiedIn(binary).length, sha256: sha256(copiedIn(binary)) },
    ]);
    const held = copiedIn(Buffer.concat(kept.frames.filter(({ kind }) => kind === 'target').map((one) => one.bytes)));
    const firstThree = await query(
      `copy (select g, null::int, repeat('y', g) from generate_series(1, 3) g) to stdout (format binary)`,
    );
    // All of the first three, and the count of fields that told of a fourth.
    expect(held.subarray(0, -2)).toEqual(copiedIn(firstThree).subarray(0, -2));
    for (const bytes of [text, binary]) expect(under({ rows: 40 }, [['target', bytes]]).unkept).toEqual([]);
    const none = under('digest', [['target', text]]);
    expect(none.unkept).toMatchObject([{ rows: 40, keptRows: 0, keptBytes: 0, sha256: sha256(file) }]);
    expect(copiedIn(Buffer.concat(none.frames.filter((one) => one.kind === 'target').map((one) => one.bytes)))).toEqual(
      Buffer.alloc(0),
    );
  });

  test('COPY from the client', async () => {
    await query('create temp table copied (id int, note text)');
    const opened = await talk((writer) => encodeQuery(writer, 'copy copied from stdin'), targetMessage.copyInResponse);
    const writer = new Writer();
    encodeCopyData(writer, Buffer.from('1\tone\n2\t'));
    encodeCopyData(writer, Buffer.from('two\n3\tthree\n4\tfour'));
    const data = writer.take();
    const closed = await talk((out) => {
      out.bytes(data);
      encodeCopyDone(out);
    });
    const file = Buffer.from('1\tone\n2\ttwo\n3\tthree\n4\tfour');
    const of = under({ rows: 2 }, [
      ['target', opened],
      ...[...data].map((_, index): Piece => ['client', data.subarray(index, index + 1)]),
      ['target', closed],
    ]);
    expect(of.unkept).toEqual([
      { of: 'copy-in', rows: 4, bytes: file.length, keptRows: 2, keptBytes: 12, sha256: sha256(file) },
    ]);
    expect(await events(of)).toMatchObject([
      { kind: 'copy', direction: 'in', bytes: file.length, preview: '1\tone\n2\ttwo\n', unkept: { rows: 2 } },
      { kind: 'done', tag: 'COPY 4' },
    ]);
  });

  test('what a function called by itself returned', async () => {
    const bytes = await talk((writer) =>
      encodeFunctionCall(writer, {
        // int4pl
        routine: 177,
        formats: [],
        values: [Buffer.from('40'), Buffer.from('2')],
        result: 0,
      }),
    );
    const [value] = messages(bytes).filter(({ type }) => type === targetMessage.functionCallResponse);
    const of = under('digest', [['target', bytes]]);
    expect(of.unkept).toEqual([
      expect.objectContaining({ of: 'function', rows: 1, keptRows: 0, sha256: sha256(value!.bytes) }),
    ]);
    expect(await events(of)).toMatchObject([{ kind: 'other', name: expect.stringContaining('not kept under') }]);
    expect(under({ rows: 1 }, [['target', bytes]]).unkept).toEqual([]);
  });

  test('split anywhere, the same is kept and the same is told', async () => {
    const bytes = Buffer.concat([
      await query(`select g, repeat('x', g) from generate_series(1, 9) g`),
      await query(`copy (select g from generate_series(1, 30) g) to stdout (format binary)`),
      await query(`copy (select g from generate_series(1, 30) g) to stdout (format csv)`),
      await query('select 1/0'),
      await query(`select repeat('large', 20000)`),
    ]);
    for (const rule of ['digest', { rows: 1 }, { rows: 5 }] as const) {
      const whole = under(rule, [['target', bytes]]);
      const expected = await events(whole);
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(fc.nat(bytes.length), { maxLength: 12 }), async (cuts) => {
          const at = [0, ...cuts.sort((one, other) => one - other), bytes.length];
          const pieces = at.slice(1).map((end, index): Piece => ['target', bytes.subarray(at[index], end)]);
          const of = under(rule, pieces);
          expect(of.unkept).toEqual(whole.unkept);
          expect(await events(of)).toEqual(expected);
        }),
        { numRuns: 60 },
      );
    }
  });

  test('a session that ends in the middle of a row says what it has not kept', async () => {
    const bytes = await query(`select repeat('z', 1000) from generate_series(1, 5) g`);
    const of = under({ rows: 2 }, [['target', bytes.subarray(0, bytes.length - 1_500)]]);
    expect(of.unkept).toMatchObject([{ rows: 4, keptRows: 2 }]);
  });
});

describe('where rows of a COPY end', () => {
  test('however it is cut, and never less than the first rows', () => {
    const lines = fc.array(
      fc.string({ maxLength: 5 }).map((line) => line.replaceAll('\n', '')),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(lines, fc.boolean(), fc.integer({ min: 1, max: 9 }), fc.nat(9), (given, ends, limit, size) => {
        const data = Buffer.from(given.join('\n') + (ends && given.length > 0 ? '\n' : ''));
        const counted = lineEnds(limit);
        let kept = 0;
        for (let at = 0; at < data.length; at += size + 1) kept += counted.take(data.subarray(at, at + size + 1));
        const rows = data.toString().match(/[^\n]*\n|[^\n]+$/g) ?? [];
        expect(counted.rows).toBe(rows.length);
        const first = rows.slice(0, limit).join('');
        expect(data.subarray(0, kept)).toEqual(Buffer.from(first));
      }),
    );
  });

  test('what is not of the binary format is kept', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(5), (bytes, size) => {
        const data = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1'), bytes]);
        const cut = tupleEnds(2);
        const whole = tupleEnds(2).take(data);
        let kept = 0;
        for (let at = 0; at < data.length; at += size + 1) kept += cut.take(data.subarray(at, at + size + 1));
        expect(kept).toBe(whole);
      }),
    );
  });
});
