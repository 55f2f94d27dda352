// An exporter over a real ledger, to receivers that fail, go away and come back.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { fillLedger, type LedgerPlace, ledgerPlace } from '../../test/peers/ledger.ts';
import { openKeyring } from '../ledger/keyring.ts';
import { type Ledger, openLedger } from '../ledger/ledger.ts';
import { readCursor, writeCursor } from './cursor.ts';
import { type Exporter, type ExporterOptions, openExporter, type Receipt } from './exporter.ts';
import { type FileSinkOptions, NotDelivered, type Outgoing, type Sink } from './sink.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const settings: FileSinkOptions = {
  name: 'siem',
  to: 'file',
  output: { file: '/nowhere' },
  sync: false,
  types: [],
  targets: [],
  statements: 'recorded',
  from: 'beginning',
  batch: 7,
  timeoutSeconds: 5,
  receiptSeconds: 3_600,
};

interface World {
  readonly place: LedgerPlace;
  readonly ledger: Ledger;
  readonly receipts: Receipt[];
  start(sink: Sink, more?: Partial<FileSinkOptions>, options?: Partial<ExporterOptions>): Exporter;
}

async function world(): Promise<World> {
  const place = await ledgerPlace();
  closers.push(() => place.remove());
  const { ledger } = await openLedger(place);
  closers.push(() => ledger.close());
  const receipts: Receipt[] = [];
  return {
    place,
    ledger,
    receipts,
    start(sink, more, options) {
      const keys = openKeyring(place.state);
      const exporter = openExporter(
        {
          logs: [{ folder: place.folder, origin: 'example.test/log' }],
          state: place.state,
          version: '0',
          keys,
          sink: { ...settings, ...more },
          lookMs: 5,
          retryMs: 5,
          mostRetryMs: 20,
          ...options,
        },
        sink,
        async (receipt) => {
          await ledger.append({ type: 'export.receipt', facts: { ...receipt } }, 'written').durable;
          receipts.push(receipt);
        },
      );
      closers.push(async () => {
        await exporter.close();
        keys.close();
      });
      void exporter.run();
      return exporter;
    },
  };
}

/** Takes everything but what `refuses` objects to. */
function memory(refuses: (batch: readonly Outgoing[]) => Error | undefined = () => undefined) {
  const taken: Outgoing[] = [];
  const sink: Sink = {
    async deliver(batch) {
      const wrong = refuses(batch);
      if (wrong) throw wrong;
      taken.push(...batch);
    },
    async close() {},
  };
  return { taken, sink, indices: () => taken.map(({ index }) => index) };
}

const upTo = (end: number) => Array.from({ length: end }, (_, index) => index);

async function reached(exporter: Exporter, next: number): Promise<void> {
  await expect.poll(() => exporter.status().next, { timeout: 10_000 }).toBeGreaterThanOrEqual(next);
}

test('sends every entry once and in order, across segments, and follows what comes', async () => {
  const { ledger, start } = await world();
  await fillLedger(ledger, 4, 30);
  await ledger.checkpointNow();
  const { indices, sink } = memory();
  const exporter = start(sink);
  await reached(exporter, ledger.status().entries);
  await fillLedger(ledger, 1, 3);
  await ledger.checkpointNow();
  const { entries } = ledger.status();
  await reached(exporter, entries);
  expect(indices()).toEqual(upTo(entries));
  expect(exporter.status()).toMatchObject({ name: 'siem', lag: 0, failures: 0, events: entries });
});

test('nothing is sent that no checkpoint covers: its index could come to mean another entry', async () => {
  const { ledger, place, start } = await world();
  await fillLedger(ledger, 1, 2);
  await ledger.checkpointNow();
  const signed = readFileSync(join(place.folder, 'checkpoint'));
  const { entries } = ledger.status();
  await fillLedger(ledger, 1, 5);
  await ledger.checkpointNow();
  writeFileSync(join(place.folder, 'checkpoint'), signed);
  const { indices, sink } = memory();
  const exporter = start(sink);
  await reached(exporter, entries);
  await new Promise((done) => setTimeout(done, 50));
  expect(indices()).toEqual(upTo(entries));
});

test('goes on where it stood, with the same events, and sends again what was not known to be taken', async () => {
  const { ledger, place, start } = await world();
  await fillLedger(ledger, 2, 10);
  await ledger.checkpointNow();
  const { entries } = ledger.status();
  const whole = memory();
  await reached(start(whole.sink, { name: 'other' }), entries);
  let left = 3;
  const first = memory(() => (left-- > 0 ? undefined : new NotDelivered('away')));
  const one = start(first.sink);
  await expect.poll(() => one.status().failures).toBeGreaterThan(2);
  expect(one.status()).toMatchObject({ state: 'failing', error: 'away', next: 21 });
  expect(one.status().lagSeconds).toBeGreaterThan(0);
  await one.close();
  expect(readCursor(place.state, 'siem', ['example.test/log'])?.next).toBe(21);
  const second = memory();
  await reached(start(second.sink), entries);
  expect([...first.taken, ...second.taken].slice(0, entries)).toEqual(whole.taken.slice(0, entries));
});

test('a receiver that cannot be reached holds nothing up, and gets everything in the end', async () => {
  const { ledger, start } = await world();
  let isAway = true;
  const { indices, sink } = memory(() => (isAway ? new NotDelivered('away') : undefined));
  const exporter = start(sink);
  await fillLedger(ledger, 2, 20);
  await ledger.checkpointNow();
  const { entries } = ledger.status();
  await expect.poll(() => exporter.status().lag).toBeGreaterThanOrEqual(entries);
  isAway = false;
  await reached(exporter, entries);
  expect(indices().slice(0, entries)).toEqual(upTo(entries));
  expect(exporter.status()).toMatchObject({ failures: 0, state: expect.stringMatching('idle|sending') });
  expect(exporter.status().error).toBeUndefined();
});

test('a batch that is too large is halved until it fits', async () => {
  const { ledger, start } = await world();
  await fillLedger(ledger, 1, 20);
  await ledger.checkpointNow();
  const sizes: number[] = [];
  const { indices, sink } = memory((batch) => {
    sizes.push(batch.length);
    return batch.length > 2 ? new NotDelivered('413', { tooLarge: true }) : undefined;
  });
  const exporter = start(sink);
  const { entries } = ledger.status();
  await reached(exporter, entries);
  expect(indices().slice(0, entries)).toEqual(upTo(entries));
  expect(sizes.slice(0, 3)).toEqual([7, 4, 2]);
});

test('filters by type and target; what belongs to no session passes the targets', async () => {
  const { ledger, start } = await world();
  await fillLedger(ledger, 1, 2);
  const other = ledger.newKey();
  ledger.append(
    { type: 'session.open', session: 'b', facts: { target: 'billing' }, payload: { who: {} } },
    'written',
    other,
  );
  ledger.append({ type: 'session.seal', session: 'b', facts: { n: 0 } }, 'written');
  await ledger.checkpointNow();
  const { entries } = ledger.status();
  const [some, billing] = [memory(), memory()];
  await reached(start(some.sink, { name: 'some', types: ['statement.*', 'log.genesis'] }), entries);
  await reached(start(billing.sink, { name: 'billing', targets: ['billing'] }), entries);
  expect(some.taken.map(({ type }) => type)).toEqual([
    'log.genesis',
    'statement.decision',
    'statement.outcome',
    'statement.decision',
    'statement.outcome',
  ]);
  expect(billing.taken.slice(0, 5).map(({ type }) => type)).toEqual([
    'log.genesis',
    'gateway.start',
    'journal.seal',
    'session.open',
    'session.seal',
  ]);
});

test('receipts say what was delivered, by a digest that the receiver can compute', async () => {
  const { ledger, receipts, start } = await world();
  await fillLedger(ledger, 1, 10);
  await ledger.checkpointNow();
  const { entries } = ledger.status();
  const { sink, taken } = memory();
  const exporter = start(sink, {}, { receiptEvents: entries });
  await expect.poll(() => receipts.length, { timeout: 10_000 }).toBeGreaterThan(0);
  const [receipt] = receipts;
  let digest = Buffer.alloc(32);
  for (const { json } of taken.slice(0, receipt!.events)) {
    const inner = createHash('sha256').update(json).digest();
    digest = createHash('sha256').update(digest).update(inner).digest();
  }
  expect(receipt).toMatchObject({
    sink: 'siem',
    first: 0,
    next: entries,
    events: entries,
    digest: digest.toString('hex'),
  });
  await expect.poll(() => exporter.status().receipted).toBe(entries);
});

test('no receipts of receipts: two sinks that export everything come to rest', async () => {
  const { ledger, receipts, start } = await world();
  const [one, two] = [memory(), memory()];
  start(one.sink, { name: 'one' }, { receiptEvents: 1 });
  start(two.sink, { name: 'two' }, { receiptEvents: 1 });
  await expect.poll(() => receipts.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(2);
  await expect
    .poll(async () => {
      const before = ledger.status().entries;
      await new Promise((done) => setTimeout(done, 300));
      return ledger.status().entries - before;
    })
    .toBe(0);
  expect(receipts.length).toBeLessThan(10);
});

test('a closing exporter has its last receipt recorded', async () => {
  const { ledger, receipts, start } = await world();
  await fillLedger(ledger, 1, 2);
  await ledger.checkpointNow();
  const exporter = start(memory().sink);
  const { entries } = ledger.status();
  await reached(exporter, entries);
  expect(receipts).toEqual([]);
  await exporter.close();
  expect(receipts).toMatchObject([{ first: 0, next: expect.any(Number) }]);
  expect(receipts[0]!.next).toBeGreaterThanOrEqual(entries);
  expect(exporter.status().state).toBe('stopped');
});

test('a closing exporter sends what is signed by then', async () => {
  const { ledger, start } = await world();
  const { indices, sink } = memory();
  const exporter = start(sink, {}, { lookMs: 60_000 });
  await expect.poll(() => exporter.status().state).toBe('idle');
  await fillLedger(ledger, 1, 20);
  await ledger.checkpointNow();
  const { entries } = ledger.status();
  await exporter.close();
  expect(indices()).toEqual(upTo(entries));
});

test('a sink that begins now sends nothing of before', async () => {
  const { ledger, start } = await world();
  await fillLedger(ledger, 1, 5);
  await ledger.checkpointNow();
  const { entries } = ledger.status();
  const { indices, sink } = memory();
  const exporter = start(sink, { from: 'now' });
  await reached(exporter, entries);
  await fillLedger(ledger, 1, 1);
  await ledger.checkpointNow();
  await reached(exporter, ledger.status().entries);
  expect(indices()[0]).toBeGreaterThanOrEqual(entries);
});

test('what a rotation left unsent is sent first, and its receipt names the log', async () => {
  const { ledger, place, receipts, start } = await world();
  const before = await ledgerPlace();
  closers.push(() => before.remove());
  const { ledger: old } = await openLedger(before);
  await fillLedger(old, 1, 10);
  await old.close();
  const logs = [
    { folder: before.folder, origin: 'example.test/old' },
    { folder: place.folder, origin: 'example.test/log' },
  ];
  const first = memory();
  const one = start(first.sink, {}, { logs: logs.slice(0, 1) });
  await reached(one, 10);
  await one.close();
  receipts.splice(0);
  // As if it had not got further than that.
  writeCursor(place.state, 'siem', { ...readCursor(place.state, 'siem', ['example.test/old'])!, next: 10, since: 0 });
  await fillLedger(ledger, 1, 3);
  await ledger.checkpointNow();
  const { entries } = ledger.status();
  const { sink, taken } = memory();
  const two = start(sink, {}, { logs });
  await expect
    .poll(() => taken.filter(({ uid }) => uid.startsWith('example.test/log#')).length)
    .toBeGreaterThanOrEqual(entries);
  await two.close();
  const ofOld = taken.filter(({ uid }) => uid.startsWith('example.test/old#')).map(({ index }) => index);
  expect(ofOld).toEqual(upTo(old.status().entries).slice(10));
  expect(taken.slice(ofOld.length, ofOld.length + entries).map(({ uid }) => uid)).toEqual(
    upTo(entries).map((index) => `example.test/log#${index}`),
  );
  expect(receipts.map((receipt) => receipt.log)).toEqual(['example.test/old', undefined]);
  expect(receipts[1]!.first).toBe(0);
});

test('a test event says so and stands in no ledger', async () => {
  const { start } = await world();
  const { sink, taken } = memory();
  const exporter = start(sink, { types: ['no.such'] });
  await exporter.test();
  expect(taken.map(({ type, uid }) => [type, uid.startsWith('example.test/log#test-')])).toEqual([['test', true]]);
  expect(JSON.parse(taken[0]!.json)).toMatchObject({ class_uid: 6002, unmapped: { countersign: { type: 'test' } } });
});
