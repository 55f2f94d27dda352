// Entries of traced statements → spans, and their way through the SDK.
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-base';
import { expect, test } from 'vitest';
import type { JournalItem } from '../ledger/read-journal.ts';
import { openSender } from './sender.ts';
import { openSpans, type SpanRecord } from './spans.ts';

const parent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const other = '00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01';

type Step = readonly [type: string, sequence: number | undefined, facts: object, payload?: object];

function spansOf(steps: readonly Step[], claimed: object = {}): SpanRecord[] {
  const spans = openSpans('example.test/log');
  const opening: Step = [
    'session.open',
    undefined,
    { target: 'shop', database: 'shop', protocol: 'postgres' },
    { who: { claimed } },
  ];
  return [opening, ...steps].flatMap(([t, sq, x, payload], index) => {
    const entry = { v: 1, t, ts: 1_000 + index, gw: 'g', boot: 'b', sid: 's', ...(sq === undefined ? {} : { sq }), x };
    return spans.add({ index, entry, ...(payload ? { payload } : {}) } as unknown as JournalItem) ?? [];
  });
}

const read = { e: ['sql:read'], k: 'execute', r: ['base'], tr: parent };
const what = {
  what: { text: "select 'secret' from customers", effects: [{ action: 'sql:read', resource: 'public.customers' }] },
};

test('a permitted statement is a span of the database, without its text', () => {
  const [span] = spansOf([
    ['statement.decision', 1, { ...read, d: 'permit' }, what],
    ['statement.outcome', 1, { status: 'done', rows: 3, us: 1_234, masked: [{ cells: 2 }] }],
  ]);
  expect(span).toMatchObject({
    name: 'SELECT public.customers',
    parent,
    start: 1_001,
    end: 1_002.234,
    attributes: {
      'db.system.name': 'postgresql',
      'db.namespace': 'shop',
      'db.operation.name': 'SELECT',
      'db.collection.name': 'public.customers',
      'db.query.summary': 'SELECT public.customers',
      'db.response.returned_rows': 3,
      'countersign.masked_cells': 2,
      'countersign.ruling': 'permit',
      'countersign.ledger.index': 1,
    },
  });
  expect(span!.error).toBeUndefined();
  expect(JSON.stringify(span)).not.toContain('secret');
});

test('a hold is events of the span; failures and denials are errors', () => {
  const spans = spansOf([
    ['statement.decision', 1, { ...read, e: ['sql:delete'], d: 'hold', approval: 'a-1' }],
    ['statement.decision', 1, { ...read, d: 'permit', approval: 'a-1' }],
    ['statement.outcome', 1, { status: 'failed', code: '23503', rows: 0 }],
    ['statement.decision', 2, { ...read, d: 'hold', approval: 'a-2' }],
    ['statement.decision', 2, { ...read, d: 'deny', approval: 'a-2', cause: 'expired' }],
    ['statement.decision', 3, { ...read, d: 'deny' }],
    ['statement.decision', 4, { ...read, k: 'prepare', d: 'deny' }],
  ]);
  expect(spans.map(({ error, events, name }) => [name, error, events.map((event) => event.name)])).toEqual([
    ['DELETE', '23503', ['countersign.held', 'countersign.granted']],
    ['SELECT', 'expired', ['countersign.held', 'countersign.expired']],
    ['SELECT', 'denied', []],
    ['SELECT', 'denied', []],
  ]);
  expect(spans[0]!.attributes).toMatchObject({ 'db.response.status_code': '23503', 'error.type': '23503' });
});

test('only what was sampled; the trace of the session is a link where the statement has another', () => {
  const steps: Step[] = [
    ['statement.decision', 1, { ...read, tr: parent.replace(/01$/, '00'), d: 'permit' }],
    ['statement.outcome', 1, { status: 'done' }],
    ['statement.decision', 2, { ...read, tr: undefined, d: 'permit' }],
    ['statement.outcome', 2, { status: 'done' }],
    ['statement.decision', 3, { ...read, k: 'prepare', d: 'permit' }],
    ['statement.decision', 4, { ...read, d: 'permit' }],
    ['statement.outcome', 4, { status: 'done' }],
  ];
  expect(spansOf(steps).map(({ link }) => link)).toEqual([undefined]);
  expect(spansOf(steps, { trace: other }).map(({ link }) => link)).toEqual([other]);
});

test('the SDK gets a server span below that of the client', async () => {
  const exporter = new InMemorySpanExporter();
  const kept: ReturnType<InMemorySpanExporter['getFinishedSpans']> = [];
  const sender = openSender({
    url: '',
    version: '1',
    gateway: 'gw-a',
    exporter: {
      export(spans, done) {
        kept.push(...spans);
        exporter.export(spans, done);
      },
      shutdown: async () => {},
    },
  });
  const [span] = spansOf([['statement.decision', 1, { ...read, d: 'deny' }]], { trace: other });
  sender.send(span!);
  await sender.close();
  expect(kept).toHaveLength(1);
  const [sent] = kept;
  expect(sent!.spanContext().traceId).toBe(parent.split('-')[1]);
  expect(sent!.parentSpanContext?.spanId).toBe(parent.split('-')[2]);
  expect(sent).toMatchObject({
    kind: 1,
    name: 'SELECT',
    status: { code: 2, message: 'denied' },
    startTime: [1, 1_000_000],
  });
  expect(sent!.links[0]!.context.traceId).toBe(other.split('-')[1]);
});
