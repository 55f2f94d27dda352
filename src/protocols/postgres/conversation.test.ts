// Laws of the conversation, with no network: the same bytes cut anywhere give the same outputs; anything may come from either side.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../../test/requirements.ts';
import { Fault } from '../../domain/fault.ts';
import type { Denial, Permit } from '../../domain/permit.ts';
import type { Outcome, Statement } from '../../domain/statement.ts';
import type { Analysis } from '../../sql/analysis.ts';
import { catalogueQueries, readCatalogue } from '../../sql/catalogue.ts';
import { targetMessage } from './codec.ts';
import { encodeReport } from './codec-report.ts';
import { encodeCommandComplete, encodeDataRow, encodeRowDescription } from './codec-rows.ts';
import { encodeBare, encodeParameterStatus, encodeReadyForQuery } from './codec-status.ts';
import { Writer } from './codec-writer.ts';
import { type Conversation, openConversation } from './conversation.ts';
import { say } from './raw-client.suite.ts';

const catalogue = readCatalogue(
  catalogueQueries.map(() => []),
  [],
);
const base: Permit = { granted: true, entry: 0, sequence: 1, masks: [] };
const source = { schema: 'public', relation: 'customers', column: 'email', labels: ['pii'] };
const text = 'select id, email from customers';
const analysis: Analysis = {
  meaning: {
    effects: [{ action: 'sql:read', resource: source }],
    results: [
      [
        { name: 'id', sources: [], direct: true, opaque: false },
        { name: 'email', sources: [source], direct: true, opaque: false },
      ],
    ],
  },
  text,
  parts: [{ node: 'SelectStmt', result: 0, columns: [{}, { origin: { table: 16384, attribute: 2 } }], changes: {} }],
  barrier: false,
  quotesLabelled: true,
  sensitiveParameters: new Set(),
};
const masked: Permit = {
  granted: true,
  entry: 5,
  sequence: 2,
  masks: [[null, { label: 'pii', method: 'full', whole: false }]],
};

interface Talked {
  readonly conversation: Conversation;
  readonly toClient: Buffer[];
  readonly toTarget: Buffer[];
  readonly asked: { question: number; statement: Statement }[];
  readonly withdrawn: number[];
  readonly settled: Outcome[];
  readonly endings: string[];
  /** Whether the target is held up, each time that changed. */
  readonly paused: boolean[];
}

const bytes = (...writes: ((writer: Writer) => void)[]): Buffer => {
  const writer = new Writer();
  for (const write of writes) write(writer);
  return writer.take();
};
const bare = (type: number) => (writer: Writer) => encodeBare(writer, type);
const ready = (writer: Writer) => encodeReadyForQuery(writer, 'I');
/** The answer to the reading of the search path that every session starts with. */
const path = bytes(
  bare(targetMessage.parseComplete),
  bare(targetMessage.bindComplete),
  (writer) => encodeDataRow(writer, [Buffer.from('role'), Buffer.from('public')]),
  (writer) => encodeCommandComplete(writer, 'SELECT 1'),
  bare(targetMessage.closeComplete),
  bare(targetMessage.closeComplete),
  ready,
);
const field = { size: -1, modifier: -1, format: 0 } as const;
const described = (attribute: number) => (writer: Writer) =>
  encodeRowDescription(writer, [
    { ...field, name: 'id', table: 16384, attribute: 1, type: 23 },
    { ...field, name: 'email', table: 16384, attribute, type: 25 },
  ]);
const rows = (attribute = 2) =>
  bytes(
    described(attribute),
    (writer) => encodeDataRow(writer, [Buffer.from('1'), Buffer.from('clear@example.com')]),
    (writer) => encodeDataRow(writer, [Buffer.from('2'), null]),
    (writer) => encodeCommandComplete(writer, 'SELECT 2'),
    ready,
  );

function talk(ruling: Permit | Denial | Fault | null = masked): Talked {
  const toClient: Buffer[] = [];
  const toTarget: Buffer[] = [];
  const asked: Talked['asked'] = [];
  const withdrawn: number[] = [];
  const settled: Outcome[] = [];
  const endings: string[] = [];
  const paused: boolean[] = [];
  const conversation = openConversation(
    {
      toClient: (chunk) => void toClient.push(Buffer.from(chunk)),
      toTarget: (chunk) => void toTarget.push(Buffer.from(chunk)),
      ask: (question, statement) => void asked.push({ question, statement }),
      withdraw: (question) => void withdrawn.push(question),
      settle: (_permit, outcome) => void settled.push(outcome),
      record: () => undefined,
      readCatalogue: () => undefined,
      checkCatalogue: () => undefined,
      catalogueChanged: () => undefined,
      // As the target does: later, and once for each.
      cancelTarget: () => queueMicrotask(() => conversation.cancelTaken()),
      pauseClient: () => undefined,
      resumeClient: () => undefined,
      pauseTarget: () => void paused.push(true),
      resumeTarget: () => void paused.push(false),
      close: (ending) => void endings.push(ending.fault?.code ?? ending.cause),
    },
    {
      permit: base,
      analyse: () => analysis,
      preview: () => 'deny',
      catalogue,
      labels: () => [],
      compileMask: () => (value) => value && Buffer.from('****'),
      openCopyMasks: () => {
        throw new Fault('result.withheld', 'no COPY here');
      },
    },
  );
  conversation.fromTarget(path);
  toTarget.length = 0;
  const rule = () => {
    if (ruling === null) return;
    for (const { question } of asked.splice(0)) conversation.ruled(question, ruling);
  };
  const through = conversation.fromClient;
  return {
    conversation: {
      ...conversation,
      fromClient(chunk) {
        through(chunk);
        rule();
      },
    },
    toClient,
    toTarget,
    asked,
    withdrawn,
    settled,
    endings,
    paused,
  };
}

describe('cut anywhere, the same', () => {
  const client = Buffer.concat([say.query(text), say.parse('s', text), say.bind('', 's'), say.execute(''), say.sync()]);
  const target = Buffer.concat([
    rows(),
    bytes(
      bare(targetMessage.parseComplete),
      bare(targetMessage.bindComplete),
      described(2),
      (writer) => encodeDataRow(writer, [null, Buffer.from('again@example.com')]),
      (writer) => encodeCommandComplete(writer, 'SELECT 1'),
      ready,
    ),
  ]);
  const whole = talk();
  whole.conversation.fromClient(client);
  whole.conversation.fromTarget(target);
  const [out, sent] = [Buffer.concat(whole.toClient), Buffer.concat(whole.toTarget)];

  test('and what should be hidden is', () => {
    expect(out.includes('example.com')).toBe(false);
    expect(out.includes('****')).toBe(true);
    // The client asked for no description: ours was asked for and kept.
    expect(sent.length).toBeGreaterThan(client.length);
    expect(whole.settled.map((outcome) => [outcome.status, outcome.rows])).toEqual([
      ['done', 2],
      ['done', 0],
      ['done', 1],
    ]);
  });

  test('on both sides', () => {
    for (let cut = 1; cut < Math.max(client.length, target.length); cut++) {
      const parts = talk();
      for (const piece of [client.subarray(0, cut), client.subarray(cut)])
        if (piece.length > 0) parts.conversation.fromClient(Buffer.from(piece));
      for (const piece of [target.subarray(0, cut), target.subarray(cut)])
        if (piece.length > 0) parts.conversation.fromTarget(Buffer.from(piece));
      expect(Buffer.concat(parts.toClient).equals(out), `cut at ${cut}`).toBe(true);
      expect(Buffer.concat(parts.toTarget).equals(sent), `cut at ${cut}`).toBe(true);
    }
    const single = talk();
    for (const byte of client) single.conversation.fromClient(Buffer.from([byte]));
    for (const byte of target) single.conversation.fromTarget(Buffer.from([byte]));
    expect(Buffer.concat(single.toClient).equals(out)).toBe(true);
  });

  test('the memory of a chunk may be used again as soon as the call is over', () => {
    const reused = talk(null);
    const chunk = Buffer.from(say.query(text));
    reused.conversation.fromClient(chunk);
    chunk.fill(0);
    const { question } = reused.asked[0] ?? { question: 0 };
    reused.conversation.ruled(question, masked);
    expect(Buffer.concat(reused.toTarget).equals(say.query(text))).toBe(true);
  });
});

describe('rulings', () => {
  test('nothing is sent before one comes, and what follows waits in order', () => {
    const { conversation, toTarget, asked } = talk(null);
    conversation.fromClient(Buffer.concat([say.query(text), say.query(`${text} `)]));
    expect([toTarget.length, asked.length]).toEqual([0, 2]);
    conversation.ruled(2, masked);
    expect(toTarget.length).toBe(0);
    conversation.ruled(1, masked);
    expect(Buffer.concat(toTarget).equals(Buffer.concat([say.query(text), say.query(`${text} `)]))).toBe(true);
  });

  test('one that comes for a message which the server would skip is not used', () => {
    const late = talk(null);
    late.conversation.fromClient(
      Buffer.concat([
        say.parse('', text),
        say.bind('', ''),
        say.execute(''),
        say.parse('', text),
        say.bind('', ''),
        say.execute(''),
        say.sync(),
      ]),
    );
    // Questions are numbered in the order of the messages: Parse, Bind, Parse, Bind.
    for (const question of [1, 2, 3]) late.conversation.ruled(question, masked);
    late.conversation.fromTarget(
      bytes(bare(targetMessage.parseComplete), (writer) =>
        encodeReport(writer, 'error', [
          ['S', 'ERROR'],
          ['V', 'ERROR'],
          ['C', '22012'],
          ['M', 'division by zero'],
        ]),
      ),
    );
    expect(late.withdrawn).toEqual([4]);
    const before = Buffer.concat(late.toTarget);
    late.conversation.ruled(4, masked);
    late.conversation.fromTarget(bytes(ready));
    expect(Buffer.concat(late.toTarget).equals(before)).toBe(true);
    expect(late.settled.map((outcome) => outcome.status)).toEqual(['done', 'failed', 'skipped', 'skipped']);
    expect(late.endings).toEqual([]);
  });

  test('one that comes after the end is told as skipped', () => {
    const { conversation, settled, toTarget, endings } = talk(null);
    conversation.fromClient(say.query(text));
    conversation.clientGone();
    conversation.ruled(1, masked);
    expect([settled.map((outcome) => outcome.status), toTarget.length, endings]).toEqual([
      ['skipped'],
      0,
      ['client left'],
    ]);
  });

  test('a fault ends the session and sends nothing', () => {
    const { conversation, endings, toTarget, toClient } = talk(
      new Fault('ledger.unavailable', 'The record cannot be written.'),
    );
    conversation.fromClient(say.query(text));
    expect([endings, toTarget.length]).toEqual([['ledger.unavailable'], 0]);
    expect(Buffer.concat(toClient).includes('57P03')).toBe(true);
  });
});

describe('a description that disagrees', () => {
  test.each([
    ['another column', rows(3)],
    [
      'another number of columns',
      bytes(
        (writer) => encodeRowDescription(writer, [{ ...field, name: 'id', table: 16384, attribute: 1, type: 23 }]),
        (writer) => encodeDataRow(writer, [Buffer.from('clear@example.com')]),
        (writer) => encodeCommandComplete(writer, 'SELECT 1'),
        ready,
      ),
    ],
    [
      'rows without one',
      bytes(
        (writer) => encodeDataRow(writer, [Buffer.from('1'), Buffer.from('clear@example.com')]),
        (writer) => encodeCommandComplete(writer, 'SELECT 1'),
        ready,
      ),
    ],
  ])('%s: the rows are withheld and the session goes on', (_name, answer) => {
    const { conversation, toClient, endings, settled, paused } = talk();
    conversation.fromClient(say.query(text));
    const before = toClient.length;
    conversation.fromTarget(answer);
    // The target is asked first whether the catalogue is of now; until then nothing of the result moves.
    if (paused.length > 0) {
      expect([toClient.length - before, paused]).toEqual([0, [true]]);
      conversation.catalogueRead(catalogue);
      expect(paused).toEqual([true, false]);
    }
    const out = Buffer.concat(toClient);
    expect([out.includes('example.com'), out.includes('42501'), out.at(-6)]).toEqual([
      false,
      true,
      targetMessage.readyForQuery,
    ]);
    expect([endings, settled.map((outcome) => [outcome.status, outcome.code])]).toEqual([[], [['done', '42501']]]);
    conversation.fromClient(say.query(text));
    conversation.fromTarget(rows());
    expect(Buffer.concat(toClient).includes('****')).toBe(true);
  });
});

test.each([
  ['client_encoding', 'SQL_ASCII'],
  ['standard_conforming_strings', 'off'],
])('a session whose %s became %s is over: its texts could not be read any more', (name, value) => {
  const { conversation, endings, toClient } = talk();
  conversation.fromTarget(bytes((writer) => encodeParameterStatus(writer, name, value)));
  expect(endings).toEqual(['statement.not-understood']);
  expect(Buffer.concat(toClient).includes('FATAL')).toBe(true);
});

test('whatever a target sends, the client sees no clear value, and nothing is thrown', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      rows(),
      rows(3),
      bytes(ready),
      bytes(described(2)),
      bytes((writer) => encodeDataRow(writer, [Buffer.from('1'), Buffer.from('clear@example.com')])),
    ),
    fc.constant('a catalogue' as const),
    fc.uint8Array({ maxLength: 20 }).map((random) => Buffer.from(random)),
    fc.constantFrom(...Object.values(targetMessage)).map((type) => Buffer.from([type, 0, 0, 0, 4])),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), fc.boolean(), (pieces, extended) => {
      const { conversation, toClient } = talk();
      conversation.fromClient(
        extended
          ? Buffer.concat([say.parse('', text), say.bind('', ''), say.execute(''), say.sync()])
          : say.query(text),
      );
      for (const chunk of pieces)
        if (chunk === 'a catalogue') conversation.catalogueRead(catalogue);
        else conversation.fromTarget(Buffer.from(chunk));
      expect(Buffer.concat(toClient).includes('clear@')).toBe(false);
    }),
    { numRuns: 500 },
  );
});

test('whatever a client sends, nothing is thrown and nothing is sent unasked', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }), (chunks) => {
      const { conversation, endings } = talk();
      for (const chunk of chunks) conversation.fromClient(Buffer.from(chunk));
      expect(endings.filter((ending) => !['client.protocol', 'client.limit', 'client left'].includes(ending))).toEqual(
        [],
      );
    }),
  );
});

test(
  verifies('bounded', 'no more is asked of the target than can be remembered, and the rest follows its answers'),
  () => {
    const { conversation, toTarget, toClient } = talk();
    const syncs = (count: number) => Buffer.concat(Array.from({ length: count }, () => say.sync()));
    const answered = Buffer.from('Z\0\0\0\x05I');
    const sent = () => toTarget.reduce((sum, bytes) => sum + bytes.length, 0) / say.sync().length;
    for (let round = 0; round < 30; round++) conversation.fromClient(syncs(1_000));
    expect(sent()).toBe(10_000);
    for (let round = 0; round < 30; round++)
      conversation.fromTarget(Buffer.concat(Array.from({ length: 1_000 }, () => answered)));
    expect(sent()).toBe(30_000);
    expect(toClient.reduce((sum, bytes) => sum + bytes.length, 0)).toBe(30_000 * answered.length);
  },
);
