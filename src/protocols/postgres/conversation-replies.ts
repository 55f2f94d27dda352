// Target to client: each message belongs to the oldest answer that the target still owes. What needs no change leaves as a slice of what was read.
import { Fault } from '../../domain/fault.ts';
import type { Part } from '../../sql/analysis.ts';
import { targetMessage } from './codec.ts';
import { decodeCopyResponse } from './codec-copy.ts';
import { formatAt } from './codec-extended.ts';
import {
  decodeCommandComplete,
  decodeParameterDescription,
  decodeRowDescription,
  type Field,
  rowsOf,
} from './codec-rows.ts';
import { decodeReadyForQuery } from './codec-status.ts';
import { copyOutMasked, abandonCopyIn, endCopyOut, openCopyIn, openCopyOut } from './conversation-copy.ts';
import { agreesWhenReadAgain, doubts } from './conversation-doubt.ts';
import { returned } from './conversation-call.ts';
import { answer, type Doubt, type Expected, expectation, type Portal } from './conversation-queue.ts';
import { readingAnswer } from './conversation-reading.ts';
import { disagreement, masksFor, RowMasks, spread } from './conversation-results.ts';
import { applyChanges, transactionEnded } from './conversation-scope.ts';
import { closePortal, emit, closeSegment, sendFailure, sendSync, settle, type Talk } from './conversation-state.ts';
import {
  error,
  finish,
  must,
  notice,
  notification,
  parameter,
  passes,
  unasked,
  unexpected,
  withheldBytes,
  withhold,
} from './conversation-texts.ts';

/** Takes one message of the target. True when it leaves as it is. */
export function reply(talk: Talk, type: number, buffer: Buffer, start: number, stop: number): boolean {
  switch (type) {
    case targetMessage.noticeResponse:
      return notice(talk, buffer, start, stop);
    case targetMessage.parameterStatus:
      return parameter(talk, buffer, start, stop);
    case targetMessage.notificationResponse:
      return notification(talk, buffer, start, stop);
  }
  const entry = talk.expected.at(0);
  if (entry === undefined) return unasked(talk, type, buffer, start, stop);
  if (entry.kind === answer.own) {
    if (talk.reading && readingAnswer(talk, talk.reading, type, buffer, start, stop)) talk.expected.shift();
    return false;
  }
  try {
    return answered(talk, entry, type, buffer, start, stop);
  } catch (fault) {
    return withholdFor(talk, entry, fault);
  }
}

/** The description that was doubted, under the catalogue of now. */
export function describedAgain(talk: Talk, { entry, fields, bytes }: Doubt): boolean {
  try {
    return description(talk, entry, fields, bytes, 0, bytes.length, true);
  } catch (fault) {
    return withholdFor(talk, entry, fault);
  }
}

/** What cannot be masked is withheld; the session goes on. */
function withholdFor(talk: Talk, entry: Expected, fault: unknown): false {
  if (fault instanceof Fault && fault.code === 'result.withheld') return withhold(talk, entry, fault.message);
  throw fault;
}

/** Messages without a body. */
const bare: ReadonlySet<number> = new Set([
  targetMessage.bindComplete,
  targetMessage.closeComplete,
  targetMessage.copyDone,
  targetMessage.emptyQueryResponse,
  targetMessage.noData,
  targetMessage.parseComplete,
  targetMessage.portalSuspended,
]);

function answered(talk: Talk, entry: Expected, type: number, buffer: Buffer, start: number, stop: number): boolean {
  // What passes on unread has to be of its form: nothing else may travel in it (test: nightly/corpus, "body-in-a-message-without-one").
  must(!bare.has(type) || stop - start === 5);
  switch (type) {
    case targetMessage.dataRow:
      return dataRow(talk, entry, buffer, start, stop);
    case targetMessage.rowDescription:
      return description(talk, entry, decodeRowDescription(buffer, start, stop), buffer, start, stop);
    case targetMessage.commandComplete:
      return commandComplete(talk, entry, decodeCommandComplete(buffer, start, stop), stop - start);
    case targetMessage.readyForQuery:
      return ready(talk, entry, buffer, start, stop);
    case targetMessage.errorResponse:
      entry.copiesOut = false;
      return error(talk, entry, buffer, start, stop);
    case targetMessage.emptyQueryResponse:
      if (entry.kind === answer.execute) {
        finish(talk, entry);
        settle(talk, entry.work, 'done');
      } else if (entry.kind === answer.left) talk.expected.shift();
      else must(entry.kind === answer.query);
      return passes(talk, entry);
    case targetMessage.parseComplete: {
      must(entry.kind === answer.parse && entry.prepared !== undefined);
      talk.statements.confirm(entry.name, entry.prepared);
      if (entry.name !== '' && entry.prepared) talk.preparedView.set(entry.name, entry.prepared.analysis);
      settle(talk, entry.work, 'done');
      talk.expected.shift();
      return passes(talk, entry);
    }
    case targetMessage.bindComplete: {
      must(entry.kind === answer.bind && entry.portal !== undefined);
      const before = talk.portals.confirm(entry.name, entry.portal);
      if (before !== entry.portal) closePortal(talk, before);
      if (entry.name !== '' && entry.portal) talk.cursorView.set(entry.name, entry.portal.analysis);
      talk.expected.shift();
      return passes(talk, entry);
    }
    case targetMessage.closeComplete:
      must(entry.kind === answer.close);
      if (entry.ofStatement) {
        talk.statements.confirm(entry.name, undefined);
        talk.preparedView.delete(entry.name);
      } else {
        closePortal(talk, talk.portals.confirm(entry.name, undefined));
        talk.cursors.delete(entry.name);
        talk.cursorView.delete(entry.name);
      }
      talk.expected.shift();
      return passes(talk, entry);
    case targetMessage.parameterDescription:
      must(entry.kind === answer.describeStatement && entry.prepared !== undefined);
      if (entry.prepared) entry.prepared.types = decodeParameterDescription(buffer, start, stop);
      return passes(talk, entry);
    case targetMessage.noData:
      must(
        entry.kind === answer.describeStatement || entry.kind === answer.describePortal || entry.kind === answer.left,
      );
      talk.expected.shift();
      return passes(talk, entry);
    case targetMessage.portalSuspended:
      must(entry.kind === answer.execute);
      finish(talk, entry);
      suspended(talk, entry);
      return passes(talk, entry, stop - start);
    case targetMessage.copyInResponse:
      decodeCopyResponse(buffer, start, stop);
      return copyInResponse(talk, entry);
    case targetMessage.copyOutResponse: {
      must(entry.kind === answer.query || entry.kind === answer.execute);
      const reason = openCopyOut(talk, entry, part(entry), buffer, start, stop);
      if (reason !== undefined) return withhold(talk, entry, reason);
      entry.copiesOut = true;
      return passes(talk, entry, stop - start);
    }
    case targetMessage.copyData:
      // Data that was never announced has no masks (test: nightly/corpus, "copy-data-unannounced").
      must(talk.withheld || entry.copiesOut);
      if (!passes(talk, entry, talk.copyOut ? 0 : stop - start)) return withheldBytes(talk, stop - start);
      if (talk.copyOut === null) return true;
      copyOutMasked(talk, entry, buffer, start, stop);
      return false;
    case targetMessage.copyDone:
      must(entry.kind === answer.query || entry.kind === answer.execute);
      if (!talk.withheld) endCopyOut(talk, entry);
      talk.copyOut = null;
      entry.copiesOut = false;
      return passes(talk, entry, stop - start);
    case targetMessage.functionCallResponse:
      must(entry.kind === answer.call && entry.part === 0);
      return returned(talk, entry, buffer, start, stop);
    default:
      // CopyBothResponse belongs to replication, the rest to sign-in.
      throw unexpected();
  }
}

/** Messages up to this long are sent whole, so that a session that ends in the middle of a result can say so (test: limits/stopping). */
const shortest = 4_096;

/**
 * Whether a message that is not whole yet passes on in pieces, unlooked at, or is swallowed so. Throws a Fault for one that would
 * have to be held whole and is too long for that (test: limits/values).
 */
export function mayStream(talk: Talk, type: number, length: number): boolean {
  if (length <= shortest) return false;
  const large = length > talk.limits.wholeBytes;
  const entry = talk.expected.at(0);
  if (type === targetMessage.dataRow || type === targetMessage.copyData) {
    must(type === targetMessage.dataRow || talk.withheld || entry?.copiesOut === true);
    if (entry && (entry.kind === answer.query || entry.kind === answer.execute))
      return large || talk.withheld || !masked(talk, entry, type);
  }
  if (!large) return false;
  throw new Fault(
    'target.protocol',
    `The target announced a message of ${length} bytes that has to be read whole; at most ${talk.limits.wholeBytes} are.`,
  );
}

function masked(talk: Talk, entry: Expected, type: number): boolean {
  return type === targetMessage.copyData ? talk.copyOut !== null : rowMasks(talk, entry) !== null;
}

/** Counts the beginning of such a message. True when it leaves. */
export function streamed(talk: Talk, type: number, size: number): boolean {
  const entry = talk.expected.at(0) as Expected;
  if (!talk.withheld && masked(talk, entry, type)) {
    withhold(talk, entry, `a row of ${size} bytes is too long to be masked; leave its large columns out`);
  }
  if (talk.withheld) return withheldBytes(talk, size);
  if (type === targetMessage.dataRow && entry.work) entry.work.rows++;
  if (entry.work) entry.work.bytes += size;
  return true;
}

/** The part of the text that the answer at hand is about. */
function part(entry: Expected): Part | undefined {
  return entry.analysis?.parts[entry.kind === answer.query ? entry.part : 0];
}

function rowMasks(talk: Talk, entry: Expected): RowMasks | null | undefined {
  if (entry.kind === answer.query) return entry.masks;
  const portal = entry.portal as Portal;
  // Described as a statement: the formats are those that Bind asked for.
  if (portal.masks === undefined && portal.prepared.describing === portal.analysis && portal.prepared.fields) {
    openPortalRows(talk, portal, portal.prepared.fields);
  }
  return portal.masks;
}

function dataRow(talk: Talk, entry: Expected, buffer: Buffer, start: number, stop: number): boolean {
  if (talk.withheld) return withheldBytes(talk, stop - start);
  must(entry.kind === answer.query || entry.kind === answer.execute);
  const masks = rowMasks(talk, entry);
  if (masks === undefined) return withhold(talk, entry, 'the target sent rows without describing them');
  const { work } = entry;
  if (work === undefined) throw unexpected();
  work.rows++;
  if (masks === null) {
    work.bytes += stop - start;
    return true;
  }
  masks.rewrite(buffer, start, stop, talk.writer);
  const bytes = talk.writer.take();
  work.bytes += bytes.length;
  emit(talk, bytes);
  return false;
}

function openPortalRows(talk: Talk, portal: Portal, fields: readonly Field[]): void {
  const of = portal.analysis.parts[0];
  const permit = portal.work?.permit;
  if (of?.result === undefined || permit === undefined) return;
  const masks = masksFor(permit.masks, of.result, fields.length, of);
  portal.masks =
    masks && new RowMasks(masks, fields, (index) => formatAt(portal.results, index), talk.options.compileMask);
}

/** `asked`: the catalogue was brought up to date since it came in. */
function description(
  talk: Talk,
  entry: Expected,
  fields: readonly Field[],
  buffer: Buffer,
  start: number,
  stop: number,
  asked = false,
): boolean {
  const { kind, portal } = entry;
  const analysis = portal?.analysis ?? entry.analysis;
  must(analysis !== undefined);
  const of = kind === answer.query ? analysis.parts[entry.part] : analysis.parts[0];
  const read = of?.result === undefined ? undefined : analysis.meaning.results[of.result];
  const outputs = read && spread(read, of, fields.length);
  let reason = disagreement(fields, outputs, of?.columns ?? [], talk.catalogue);
  if (reason !== undefined && !talk.withheld) {
    if (agreesWhenReadAgain(talk, entry, analysis, fields)) reason = undefined;
    else if (!asked && doubts(talk, { entry, fields, bytes: Buffer.from(buffer.subarray(start, stop)) })) return false;
  }
  if (kind === answer.query) {
    must(entry.work !== undefined);
    if (reason !== undefined) return withhold(talk, entry, reason);
    const masks = masksFor(entry.work.permit.masks, of?.result ?? 0, fields.length, of);
    entry.masks = masks && new RowMasks(masks, fields, (index) => fields[index]?.format ?? 0, talk.options.compileMask);
    return passes(talk, entry);
  }
  must(kind === answer.describeStatement || kind === answer.describePortal);
  talk.expected.shift();
  if (reason !== undefined) return withhold(talk, entry, reason);
  if (kind === answer.describeStatement && entry.prepared) entry.prepared.fields = fields;
  if (portal) openPortalRows(talk, portal, fields);
  return passes(talk, entry);
}

/** One answer of a query's text, or all of an Execute. */
function commandComplete(talk: Talk, entry: Expected, tag: string, size: number): boolean {
  must(entry.kind === answer.query || entry.kind === answer.execute);
  const { work, analysis } = entry;
  const done = part(entry);
  if (work) {
    work.tag = tag;
    if (done?.result === undefined || done.copy) work.rows += rowsOf(tag);
  }
  talk.copyOut = null;
  entry.copiesOut = false;
  if (talk.copyingIn) abandonCopyIn(talk);
  const pass = passes(talk, entry, size);
  if (entry.kind === answer.query) {
    if (work) entry.masks?.collect(work.masked);
    entry.masks = undefined;
    entry.part++;
    if (analysis && done) applyChanges(talk, analysis, done, entry.name, entry.part - 1);
  } else {
    finish(talk, entry);
    if (work && entry.portal?.masks) entry.portal.masks.collect(work.masked);
    settle(talk, work, 'done');
    if (analysis && done) {
      applyChanges(talk, analysis, done, entry.portal?.prepared.text ?? '', 0);
      if (done.changes.transaction === 'commit' || done.changes.transaction === 'rollback') talk.status = 'I';
      else if (done.changes.transaction === 'rollback-to') talk.status = 'T';
    }
  }
  return pass;
}

/** What a portal called so far has been done, although it is not over. */
function suspended(talk: Talk, { analysis, portal }: Expected): void {
  const of = analysis?.parts[0];
  if (analysis === undefined || of === undefined || portal === undefined) return;
  const changes = { ...of.changes, doubtedCursors: { except: portal.name } };
  if (of.changes.doubtedCursors || of.changes.settings === 'unknown')
    applyChanges(talk, analysis, { ...of, changes }, portal.prepared.text, 0);
}

function ready(talk: Talk, entry: Expected, buffer: Buffer, start: number, stop: number): boolean {
  if (entry.kind !== answer.query && entry.kind !== answer.sync && entry.kind !== answer.call) {
    // The Sync that a client sends behind COPY is answered after all when the COPY failed before the server read it.
    must(talk.strayReady > 0);
    talk.strayReady--;
    talk.status = decodeReadyForQuery(buffer, start, stop);
    return true;
  }
  talk.status = decodeReadyForQuery(buffer, start, stop);
  talk.expected.shift();
  closeSegment(talk, entry.segment);
  if (entry.kind === answer.call) {
    if (entry.barrier) talk.barriers--;
    settle(talk, entry.work, 'done');
  }
  if (entry.kind === answer.query) {
    if (entry.barrier) talk.barriers--;
    if (talk.copyGate === entry) talk.copyGate = undefined;
    if (talk.copyingIn) abandonCopyIn(talk);
    settle(talk, entry.work, 'done');
    // A Query takes the place of the unnamed statement and the unnamed portal.
    talk.statements.delete('');
    closePortal(talk, talk.portals.delete(''));
  }
  if (talk.status === 'I') {
    for (const [name, portal] of talk.portals.confirmed()) {
      closePortal(talk, portal);
      talk.portals.delete(name);
    }
    transactionEnded(talk, true);
  }
  if (!talk.withheld) return true;
  if (talk.status === 'T' && talk.expected.length === 0) {
    // The client was told of an error, so the transaction has to be failed: this ReadyForQuery is replaced by the next one.
    sendFailure(talk);
    sendSync(talk);
    talk.expected.push(expectation(answer.failure, entry.segment, { swallow: true }));
    talk.expected.push(expectation(answer.sync, entry.segment));
    return false;
  }
  talk.withheld = false;
  talk.withheldBytes = 0;
  return true;
}

/** The server now reads data until CopyDone or CopyFail; it ignores Sync and Flush until then (manual 53.2.6). */
function copyInResponse(talk: Talk, entry: Expected): boolean {
  must(entry.kind === answer.query || entry.kind === answer.execute);
  const of = part(entry);
  if (of?.copy?.direction !== 'in' || talk.copyGate !== entry) throw unexpected();
  while (talk.expected.at(1)?.kind === answer.sync) {
    talk.expected.remove(1);
    talk.strayReady++;
    talk.segmentOpen = true;
  }
  openCopyIn(talk, of);
  return passes(talk, entry);
}
