// COPY: rows leave masked or as slices of what was read; what the client copies in is recorded with labelled columns masked.
import { Fault } from '../../domain/fault.ts';
import { openCopyRecord } from '../../masking/copy.ts';
import type { Part } from '../../sql/analysis.ts';
import { placeOf } from '../../sql/literals.ts';
import { copyHeader, decodeCopyFail, decodeCopyResponse, encodeCopyData, encodeCopyFail } from './codec-copy.ts';
import { clientMessage } from './codec.ts';
import { decodeEmpty } from './codec-simple.ts';
import { answer, type Expected } from './conversation-queue.ts';
import { type CopyMasks, masksFor } from './conversation-results.ts';
import { type CopyColumn, emit, type Talk } from './conversation-state.ts';
import { refusalOfCopy } from './faults.ts';

/** Opens the masks of a COPY to the client. Returns why it must be withheld, if so. */
export function openCopyOut(
  talk: Talk,
  entry: Expected,
  part: Part | undefined,
  buffer: Buffer,
  start: number,
  end: number,
): string | undefined {
  const response = decodeCopyResponse(buffer, start, end);
  const { work, analysis } = entry;
  if (part?.copy?.direction !== 'out' || part.result === undefined || !work || !analysis) {
    return 'the statement was not read as one that copies out';
  }
  const outputs = analysis.meaning.results[part.result];
  if (outputs === undefined || outputs.length !== response.columns.length) {
    return `the target copies ${response.columns.length} columns where ${outputs?.length ?? 0} were read`;
  }
  if ((response.format === 1) !== (part.copy.format === 'binary'))
    return 'the target copies in another format than was read';
  const masks = masksFor(work.permit.masks, part.result, outputs.length);
  talk.copyOut =
    masks &&
    talk.options.openCopyMasks(
      part.copy,
      masks.map((mask, index): CopyColumn => ({ mask, type: part.columns[index]?.type })),
    );
  return undefined;
}

/** Sends the rows in a CopyData of the target on, masked. */
export function copyOutMasked(talk: Talk, entry: Expected, buffer: Buffer, start: number, end: number): void {
  sendCopy(talk, entry, (talk.copyOut as CopyMasks).push(buffer.subarray(start + copyHeader, end)));
}

export function endCopyOut(talk: Talk, entry: Expected): void {
  if (talk.copyOut === null) return;
  sendCopy(talk, entry, talk.copyOut.end());
  if (entry.work) talk.copyOut.collect(entry.work.masked);
  talk.copyOut = null;
}

function sendCopy(talk: Talk, entry: Expected, rows: Buffer): void {
  if (rows.length === 0) return;
  encodeCopyData(talk.writer, rows);
  const bytes = talk.writer.take();
  if (entry.work) entry.work.bytes += bytes.length;
  emit(talk, bytes);
}

/** The target waits for data: how it will be recorded. */
export function openCopyIn(talk: Talk, part: Part | undefined): void {
  talk.copyingIn = true;
  const copy = part?.copy;
  talk.copyRecord = null;
  if (copy?.direction !== 'in' || !copy.labelled.some((labelled) => labelled)) return;
  const places = copy.labelled.map((labelled, index) =>
    labelled ? placeOf(copy.labels?.[index] ?? 'any', undefined) : null,
  );
  talk.copyRecord = openCopyRecord(copy, places, talk.options.writtenBack);
}

/** Sends one COPY message of the client on, and records its data. A server that is not copying would ignore it: it is dropped. */
export function copyIn(talk: Talk, type: number, bytes: Buffer): void {
  if (!talk.copyingIn) return;
  if (type === clientMessage.copyDone) decodeEmpty(bytes, 0, bytes.length);
  else if (type === clientMessage.copyFail) decodeCopyFail(bytes, 0, bytes.length);
  const permit = talk.copyGate?.work?.permit ?? talk.options.permit;
  let last = type !== clientMessage.copyData;
  let sent = bytes;
  try {
    if (last) endCopyIn(talk);
    else recordCopyIn(talk, bytes);
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    // What cannot be recorded or must not be written is not sent: the server is told to give the COPY up, and its error is ours.
    talk.copyRecord = null;
    const refusal = refusalOfCopy(fault);
    if (talk.copyGate) talk.copyGate.refusal = refusal;
    encodeCopyFail(talk.writer, refusal.message);
    sent = talk.writer.take();
    last = true;
  }
  talk.sink.toTarget(sent, permit);
  if (!last) return;
  talk.copyingIn = false;
  // A query's text may hold another COPY; an Execute is over.
  if (talk.copyGate?.kind === answer.execute) talk.copyGate = undefined;
}

/** Records the data of one CopyData message, as CopyData messages. */
function recordCopyIn(talk: Talk, bytes: Buffer): void {
  if (talk.copyRecord === null) talk.sink.record('client', bytes);
  else recordRows(talk, talk.copyRecord.push(bytes.subarray(copyHeader)));
}

/** The server took the COPY as over: what is left of a row is not recorded. */
export function abandonCopyIn(talk: Talk): void {
  talk.copyingIn = false;
  talk.copyRecord = null;
}

function endCopyIn(talk: Talk): void {
  talk.copyingIn = false;
  const { copyRecord } = talk;
  talk.copyRecord = null;
  if (copyRecord !== null) recordRows(talk, copyRecord.end());
}

function recordRows(talk: Talk, rows: Buffer): void {
  if (rows.length === 0) return;
  encodeCopyData(talk.writer, rows);
  talk.sink.record('client', talk.writer.take());
}
