// Target to client, what is no result: errors, notices, notifications, settings; and results that are withheld.
import { Fault } from '../../domain/fault.ts';
import { targetMessage } from './codec.ts';
import { decodeReport, encodeReport, type Report, sqlState } from './codec-report.ts';
import { decodeNotification, decodeParameterStatus, decodeReadyForQuery, encodeNotification } from './codec-status.ts';
import { abandonCopyIn } from './conversation-copy.ts';
import { answer, type Expected } from './conversation-queue.ts';
import { noteUnread } from './conversation-unread.ts';
import { revealsAll, textsWithheld } from './conversation-scope.ts';
import { cancelTarget, emit, end, closeSegment, stopSegment, settle, type Talk } from './conversation-state.ts';
import { encodeRefusal, refusalOf } from './faults.ts';
import { withoutValues } from './notices.ts';

export function passes(talk: Talk, entry: Expected, size = 0): boolean {
  if (talk.withheld || entry.swallow) return false;
  if (size > 0 && entry.work) entry.work.bytes += size;
  return true;
}

export function must(condition: boolean): asserts condition {
  if (!condition) throw unexpected();
}

export function unexpected(): Fault {
  return new Fault('target.protocol', 'The target sent an answer that no message of this session asked for.');
}

/** An Execute has been answered. */
export function finish(talk: Talk, entry: Expected): void {
  talk.expected.shift();
  if (entry.barrier) talk.barriers--;
  if (talk.copyGate === entry) talk.copyGate = undefined;
}

export function error(talk: Talk, entry: Expected, buffer: Buffer, start: number, stop: number): boolean {
  const report = decodeReport(buffer, start, stop);
  let code = stateOf(report);
  const severity = report.get('V') ?? report.get('S');
  if (severity === 'FATAL' || severity === 'PANIC')
    return unasked(talk, targetMessage.errorResponse, buffer, start, stop);
  talk.copyOut = null;
  if (talk.copyingIn) abandonCopyIn(talk);
  const analysis = entry.analysis ?? entry.portal?.analysis ?? entry.prepared?.analysis;
  let pass = passes(talk, entry) || (entry.swallow && !talk.withheld && entry.kind !== answer.failure);
  if (entry.kind === answer.failure) {
    pass = false;
    if (entry.refusal && !talk.withheld) emit(talk, encodeRefusal(entry.refusal));
  } else if (entry.refusal && code === '57014') {
    // The COPY that we gave up ends with our words. One that failed by itself first keeps the server's.
    code = entry.refusal.code;
    if (pass) emit(talk, encodeRefusal(entry.refusal));
    pass = false;
  } else if (pass && textsWithheld(talk, analysis)) {
    const kept = withoutValues(report);
    if (kept !== report) {
      encodeReport(talk.writer, 'error', kept);
      emit(talk, talk.writer.take());
      pass = false;
    }
  }
  // What it did with the names of prepared statements is not taken back.
  if (entry.kind === answer.query || entry.kind === answer.call || entry.kind === answer.execute)
    noteUnread(talk, analysis);
  const status = code === '57014' ? 'cancelled' : 'failed';
  if (entry.kind === answer.query || entry.kind === answer.call) {
    if (entry.work) entry.masks?.collect(entry.work.masked);
    entry.masks = undefined;
    settle(talk, entry.work, status, code);
    return pass;
  }
  if (entry.kind === answer.sync) return pass;
  if (entry.work && entry.portal?.masks) entry.portal.masks.collect(entry.work.masked);
  const work = entry.work ?? entry.portal?.work;
  if (entry.kind !== answer.failure) settle(talk, work, status, code);
  finish(talk, entry);
  skip(talk);
  stopSegment(talk, entry.segment);
  closeSegment(talk, entry.segment);
  return pass;
}

/** It goes into the record, so it has to be a code. */
function stateOf(report: Report): string {
  const state = report.get('C') ?? '';
  return sqlState.test(state) ? state : 'XX000';
}

/** After an error the server answers nothing until Sync. */
function skip(talk: Talk): void {
  for (let next = talk.expected.at(0); next && next.kind !== answer.sync; next = talk.expected.at(0)) {
    finish(talk, next);
    if (next.kind === answer.execute && next.portal?.work?.settled === false && next.portal.work.rows > 0)
      settle(talk, next.work, 'done');
    else settle(talk, next.work, 'skipped');
  }
}

/** FATAL errors come at any time; anything else that nobody asked for breaks the protocol. */
export function unasked(talk: Talk, type: number, buffer: Buffer, start: number, stop: number): boolean {
  if (type === targetMessage.readyForQuery && talk.strayReady > 0) {
    talk.strayReady--;
    talk.status = decodeReadyForQuery(buffer, start, stop);
    return true;
  }
  if (type !== targetMessage.errorResponse) throw unexpected();
  const report = decodeReport(buffer, start, stop);
  encodeReport(talk.writer, 'error', textsWithheld(talk, undefined) ? withoutValues(report) : report);
  emit(talk, talk.writer.take());
  const severity = report.get('V') ?? report.get('S');
  if (severity === 'FATAL' || severity === 'PANIC')
    end(talk, `target ended the session (SQLSTATE ${stateOf(report)})`, undefined);
  return false;
}

/**
 * In place of a result that must not leave, an error; until the end of the segment nothing else reaches the client
 * (test: a result that disagrees is withheld).
 */
export function withhold(talk: Talk, entry: Expected, reason: string): false {
  if (talk.withheld) return false;
  talk.withheld = true;
  talk.copyOut = null;
  emit(
    talk,
    encodeRefusal(refusalOf(new Fault('result.withheld', `The result was withheld: ${reason.replace(/\.$/, '')}.`))),
  );
  const work = entry.work ?? entry.portal?.work;
  if (work) work.withheld = true;
  if (entry.kind !== answer.query && entry.kind !== answer.call) stopSegment(talk, entry.segment);
  return false;
}

export function withheldBytes(talk: Talk, size: number): false {
  const before = talk.withheldBytes;
  talk.withheldBytes += size;
  if (before <= talk.limits.withheldBytes && talk.withheldBytes > talk.limits.withheldBytes)
    cancelTarget(talk, talk.options.permit);
  return false;
}

export function notice(talk: Talk, buffer: Buffer, start: number, stop: number): boolean {
  const entry = talk.expected.at(0);
  if (entry?.kind === answer.own || talk.withheld) return false;
  const analysis = entry && (entry.analysis ?? entry.portal?.analysis ?? entry.prepared?.analysis);
  if (!textsWithheld(talk, analysis)) return true;
  const report = decodeReport(buffer, start, stop);
  const kept = withoutValues(report);
  if (kept === report) return true;
  encodeReport(talk.writer, 'notice', kept);
  emit(talk, talk.writer.take());
  return false;
}

/** Two settings must stay as they are, or the server reads texts in another way than we did. */
export function parameter(talk: Talk, buffer: Buffer, start: number, stop: number): boolean {
  const [name, value] = decodeParameterStatus(buffer, start, stop);
  if ((name === 'client_encoding' && value !== 'UTF8') || (name === 'standard_conforming_strings' && value !== 'on')) {
    throw new Fault(
      'statement.not-understood',
      `The session's ${name} became ${value}, under which statements cannot be read here. Connect again and leave it as it is.`,
    );
  }
  // The server also reports the search path that our own reading sets and sets back.
  return talk.reading === undefined;
}

/** Another session may have put anything into a notification. */
export function notification(talk: Talk, buffer: Buffer, start: number, stop: number): boolean {
  if (revealsAll(talk)) return true;
  const { pid, channel, payload } = decodeNotification(buffer, start, stop);
  if (payload === '') return true;
  encodeNotification(talk.writer, { pid, channel, payload: '' });
  emit(talk, talk.writer.take());
  return false;
}
