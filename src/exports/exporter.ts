// One sink and its way through the record. It reads what is under a signed checkpoint, so that an id never names two entries, sends
// it in order, and moves its cursor when the receiver has taken it: at least once, whatever ends the process (test:
// exporter.test.ts, "killed"). Nothing waits for it.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { asDigest, eventOf } from '../events/event.ts';
import { fields, type Fields } from '../events/ocsf.ts';
import { openSessions, type Sessions } from '../events/sessions.ts';
import type { KeyOpener } from '../ledger/keyring.ts';
import { parseCheckpoint, parseNote } from '../ledger/note.ts';
import { type JournalItem, openJournalTail } from '../ledger/read-journal.ts';
import { type Cursor, readCursor, startingAt, writeCursor } from './cursor.ts';
import { NotDelivered, type Outgoing, type Sink, type SinkOptions } from './sink.ts';

export interface LogPlace {
  readonly folder: string;
  /** Name of the log. */
  readonly origin: string;
}

export interface ExporterOptions {
  /** The log that is written, and before it those that it continues, oldest first. */
  readonly logs: readonly LogPlace[];
  readonly state: string;
  readonly version: string;
  readonly keys: KeyOpener;
  readonly sink: SinkOptions;
  /** Milliseconds between looks at the checkpoint, and between attempts at first. */
  readonly lookMs?: number;
  readonly retryMs?: number;
  readonly mostRetryMs?: number;
  /** Events after which a receipt is due before its time. */
  readonly receiptEvents?: number;
  now?(): number;
}

/** What the ledger is to say of a delivery. */
export interface Receipt {
  readonly sink: string;
  /** The earlier log that the indices are of; absent for this one. */
  readonly log?: string;
  /** Leaf indices, from the first to before the last. */
  readonly first: number;
  readonly next: number;
  /** Events that were delivered of them. */
  readonly events: number;
  /** Over the events in order: d = SHA-256(d ‖ SHA-256(event)), beginning with 32 zero bytes; hex. */
  readonly digest: string;
  /** When the receiver took the last of them, in milliseconds since the epoch. */
  readonly acknowledged: number;
}

export interface SinkStatus {
  readonly name: string;
  readonly to: SinkOptions['to'];
  readonly state: 'idle' | 'sending' | 'failing' | 'stopped';
  /** Index of the next entry to send. */
  readonly next: number;
  /** Entries that have a receipt. */
  readonly receipted: number;
  /** Entries under the checkpoint that were not taken yet, and the age of the oldest of them. */
  readonly lag: number;
  readonly lagSeconds: number;
  readonly events: number;
  /** Attempts that failed in a row. */
  readonly failures: number;
  readonly error?: string;
}

export interface Exporter {
  /** Runs until `close`. Never rejects. */
  run(): Promise<void>;
  status(): SinkStatus;
  /** Sends one event that stands in no ledger. Rejects with NotDelivered. */
  test(): Promise<void>;
  /** Ends the loop after what is under way, and asks for the last receipt. */
  close(): Promise<void>;
}

const mostBytes = 4 * 1024 * 1024;
/** Entries that are not for this sink, after which the cursor is kept all the same. */
const mostSkipped = 10_000;

export function openExporter(of: ExporterOptions, sink: Sink, receipt: (of: Receipt) => Promise<void>): Exporter {
  const { logs, state, version, keys, now = Date.now, lookMs = 500, retryMs = 500, mostRetryMs = 60_000 } = of;
  const { name, to, targets, batch: fullBatch, receiptSeconds } = of.sink;
  const wanted = of.sink.types.map(pattern);
  const wording = of.sink.statements === 'digest' ? asDigest : undefined;
  const closing = new AbortController();
  const newest = logs.at(-1)!;
  /** The log that is read now. */
  let log = newest;
  let tail = openJournalTail(log.folder, keys);
  let cursor: Cursor;
  let sessions: Sessions = openSessions();
  let covered = 0;
  let delivered = 0;
  let failures = 0;
  let error: string | undefined;
  let mood: SinkStatus['state'] = 'idle';
  let oldest: number | undefined;
  let largest = fullBatch;
  let turn: Promise<unknown> = Promise.resolve();

  const sleep = (ms: number) => pause(ms, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);

  /** Entries that are signed for. */
  function signed(folder = log.folder): number {
    try {
      return parseCheckpoint(parseNote(readFileSync(join(folder, 'checkpoint'), 'utf8')).text).size;
    } catch {
      return 0;
    }
  }

  function isWanted(type: string, target: string | undefined): boolean {
    if (wanted.length > 0 && !wanted.some((one) => one.test(type))) return false;
    return targets.length === 0 || target === undefined || targets.includes(target);
  }

  function outgoing(item: JournalItem): Outgoing | undefined {
    const { entry, index } = item;
    const session = entry.sid ?? (typeof entry.x.session === 'string' ? entry.x.session : undefined);
    const before = sessions.of(session)?.target;
    const event = eventOf(item, sessions, { origin: log.origin, version, wording });
    const target = before ?? sessions.of(session)?.target;
    if (index < cursor.next || !isWanted(entry.t, target)) return undefined;
    return shaped(event, index, entry.ts, entry.t);
  }

  /** Sends until the receiver has taken it, or the process ends. */
  async function insist(batch: readonly Outgoing[]): Promise<boolean> {
    let rest = batch;
    for (let wait = retryMs; rest.length > 0; ) {
      const part = rest.slice(0, largest);
      try {
        await exclusively(() => sink.deliver(part));
        rest = rest.slice(part.length);
        failures = 0;
        error = undefined;
        wait = retryMs;
        if (largest < fullBatch) largest = Math.min(fullBatch, largest * 2);
      } catch (cause) {
        failures++;
        error = cause instanceof NotDelivered ? cause.message : 'a bug in the sink, please report it';
        mood = 'failing';
        if (cause instanceof NotDelivered && cause.tooLarge && part.length > 1) {
          largest = Math.ceil(part.length / 2);
          continue;
        }
        if (closing.signal.aborted) return false;
        await sleep(wait + Math.random() * 0.2 * wait);
        if (closing.signal.aborted) return false;
        wait = Math.min(wait * 2, mostRetryMs);
      }
    }
    return true;
  }

  /** Test events and deliveries never overlap. */
  function exclusively(work: () => Promise<void>): Promise<void> {
    const next = turn.then(work);
    turn = next.catch(() => undefined);
    return next;
  }

  function keep(next: number, batch: readonly Outgoing[]): void {
    let { digest } = cursor;
    for (const { json } of batch) digest = chained(digest, json);
    cursor = {
      origin: log.origin,
      next,
      since: sessions.since(next),
      receipted: cursor.receipted,
      events: cursor.events + batch.length,
      others: cursor.others + batch.filter(({ type }) => type !== 'export.receipt').length,
      digest,
      from: cursor.from || (batch.length > 0 ? now() : 0),
    };
    delivered += batch.length;
    writeCursor(state, name, cursor);
  }

  /** Receipts alone are no reason for a receipt: they would go on for ever (test: exporter.test.ts, "no receipts of receipts"). */
  async function settle(force: boolean): Promise<void> {
    if (cursor.others === 0) return;
    const due = cursor.events >= (of.receiptEvents ?? 10_000) || now() - cursor.from >= receiptSeconds * 1_000;
    if (!due && !force) return;
    const { receipted: first, next, events, digest } = cursor;
    const earlier = log === newest ? {} : { log: log.origin };
    await receipt({ sink: name, ...earlier, first, next, events, digest, acknowledged: now() });
    cursor = { ...startingAt(log.origin, next), since: cursor.since };
    writeCursor(state, name, cursor);
  }

  /** Everything from the cursor to the checkpoint. False when the process ends before that. */
  async function follow(upTo: number): Promise<boolean> {
    let batch: Outgoing[] = [];
    let bytes = 0;
    let reached = cursor.next;
    const flush = async () => {
      mood = 'sending';
      if (!(await insist(batch))) return false;
      keep(reached, batch);
      batch = [];
      bytes = 0;
      await settle(false).catch(() => undefined);
      return true;
    };
    for await (const items of tail.blocks(covered)) {
      for (const item of items) {
        if (item.index >= upTo) break;
        const one = outgoing(item);
        covered = reached = item.index + 1;
        oldest ??= item.entry.ts;
        if (one) {
          batch.push(one);
          bytes += one.json.length;
        }
        const skipped = reached - cursor.next - batch.length;
        if (batch.length < fullBatch && bytes < mostBytes && skipped < mostSkipped) continue;
        if (!(await flush())) return false;
        oldest = undefined;
      }
      if (covered >= upTo) break;
    }
    return reached > cursor.next ? flush() : true;
  }

  function begin(): void {
    const known = logs.map(({ origin }) => origin);
    const found = readCursor(state, name, known);
    const from = found ? logs[known.indexOf(found.origin)]! : of.sink.from === 'now' ? newest : logs[0]!;
    enter(from);
    cursor = found ?? startingAt(from.origin, of.sink.from === 'now' ? signed() : 0);
    // A cursor beyond the log is that of a log that was put back: what comes is new to the receiver, what it has it knows by id.
    if (cursor.next > signed()) cursor = startingAt(from.origin, Math.min(cursor.receipted, signed()));
    if (!found) writeCursor(state, name, cursor);
    restart();
  }

  function enter(place: LogPlace): void {
    log = place;
    tail = openJournalTail(place.folder, keys);
  }

  /** An earlier log has ended for good: what continues it begins where its last receipt is recorded. */
  async function goOn(): Promise<void> {
    await settle(true);
    enter(logs[logs.indexOf(log) + 1]!);
    cursor = startingAt(log.origin, 0);
    writeCursor(state, name, cursor);
    restart();
  }

  /** Reads again from where what is open can be known. */
  function restart(): void {
    sessions = openSessions();
    covered = cursor.since;
  }

  async function run(): Promise<void> {
    for (let begun = false; ; await sleep(lookMs)) {
      // A closing exporter has one last look, so that an orderly stop leaves little behind.
      const isLast = closing.signal.aborted;
      try {
        if (!begun) begin();
        begun = true;
        const upTo = signed();
        oldest = undefined;
        if (upTo > cursor.next && !(await follow(upTo))) break;
        if (log !== newest) {
          await goOn();
          continue;
        }
        await settle(isLast).catch(() => undefined);
        if (failures === 0) mood = 'idle';
        oldest = undefined;
      } catch (cause) {
        failures++;
        mood = 'failing';
        error = `the record cannot be read: ${cause instanceof Error ? cause.message : 'unknown'}`;
        if (begun) restart();
        await sleep(retryMs);
      }
      if (isLast) break;
    }
    if (cursor !== undefined) await settle(true).catch(() => undefined);
    mood = 'stopped';
  }

  const running = { done: undefined as Promise<void> | undefined };
  return {
    run: () => (running.done ??= run()),
    status() {
      const later = logs.slice(logs.indexOf(log) + 1).reduce((sum, { folder }) => sum + signed(folder), 0);
      const lag = cursor === undefined ? 0 : Math.max(0, signed() - cursor.next) + later;
      const lagSeconds = lag === 0 || oldest === undefined ? 0 : Math.max(0, (now() - oldest) / 1_000);
      const next = cursor?.next ?? 0;
      const receipted = cursor?.receipted ?? 0;
      return {
        name,
        to,
        state: mood,
        next,
        receipted,
        lag,
        lagSeconds,
        events: delivered,
        failures,
        ...(error ? { error } : {}),
      };
    },
    test: () => exclusively(() => sink.deliver([testEvent(newest.origin, version, now())])),
    async close() {
      closing.abort();
      await running.done;
      await sink.close();
    },
  };
}

function chained(digest: string, json: string): string {
  const inner = createHash('sha256').update(json).digest();
  return createHash('sha256').update(Buffer.from(digest, 'hex')).update(inner).digest('hex');
}

/** `statement.*` → a pattern for types of entries. */
function pattern(text: string): RegExp {
  return new RegExp(
    `^${text
      .split('*')
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  );
}

function shaped(event: Fields, index: number, time: number, type: string): Outgoing {
  return {
    index,
    time,
    type,
    uid: String(fields(event.metadata).uid),
    classUid: Number(event.class_uid),
    severity: Number(event.severity_id),
    json: JSON.stringify(event),
  };
}

/** It says that it is a test, and its id is no leaf's. */
function testEvent(origin: string, version: string, time: number): Outgoing {
  const entry = { v: 1, t: 'heartbeat', ts: time, gw: 'test', boot: 'test', x: { test: true } } as const;
  const event = eventOf({ index: 0, entry }, openSessions(), { origin, version });
  const uid = `${origin}#test-${time}`;
  const marked = {
    ...event,
    message: 'a test of this export: nothing happened',
    metadata: { ...fields(event.metadata), uid, event_code: 'test' },
    unmapped: { countersign: { type: 'test' } },
  };
  return shaped(marked, 0, time, 'test');
}
