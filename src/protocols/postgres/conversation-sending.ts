// Client to target, second half: what was read and permitted is sent in its turn, with the answers it will bring noted down.
import { Fault } from '../../domain/fault.ts';
import type { Analysis } from '../../sql/analysis.ts';
import { clientMessage } from './codec.ts';
import { encodeClose, encodeDescribe } from './codec-extended.ts';
import { copyIn } from './conversation-copy.ts';
import {
  answer,
  type AnswerKind,
  type Expected,
  expectation,
  type Portal,
  stage,
  type Step,
} from './conversation-queue.ts';
import { stopSegment, sendFailure, sendFlush, sendSync, settle, type Talk } from './conversation-state.ts';
import { type Refusal } from './faults.ts';

/** Makes the server send what it has, where it would keep it until Sync. */
export function flushTarget(talk: Talk): void {
  if (!talk.segmentOpen || talk.flushed || talk.expected.length === 0) return;
  talk.flushed = true;
  sendFlush(talk);
}

export function failed(talk: Talk, step: Step): boolean {
  return step.segment <= talk.failedSegment && !survives(step.type);
}

/** What the server still reads after an error in a pipeline. */
export function survives(type: number): boolean {
  return type === clientMessage.sync || type === clientMessage.terminate;
}

export function mayRelease(talk: Talk, step: Step): boolean {
  if (talk.leaving) return false;
  if (failed(talk, step)) return true;
  if (step.stage !== stage.ready || talk.reading !== undefined) return false;
  // A client that asks and does not read must not make us remember without end what it is owed.
  if (talk.expected.length >= talk.limits.answers) return false;
  if (talk.copyGate === undefined) return true;
  switch (step.type) {
    case clientMessage.copyData:
    case clientMessage.copyDone:
    case clientMessage.copyFail:
      // Sent before the server asks for it, it could not be told from what the server ignores.
      return talk.copyingIn;
    case clientMessage.sync:
    case clientMessage.flush:
    case clientMessage.terminate:
      return true;
  }
  if (!talk.copyingIn) return false;
  throw new Fault('client.protocol', 'The client sent something else than data while its COPY was running.');
}

/** A message that the server would skip after an error is not sent. */
export function drop(talk: Talk, step: Step): void {
  step.dropped = true;
  if (step.barrier) talk.barriers--;
  if (step.work) settle(talk, step.work, 'skipped');
  else if (step.stage === stage.asked) talk.sink.withdraw(step.question);
}

export function release(talk: Talk, step: Step): void {
  const { type, bytes, segment } = step;
  if (step.refusal) return releaseRefusal(talk, step, step.refusal);
  const permit = step.work?.permit ?? talk.options.permit;
  switch (type) {
    case clientMessage.query: {
      talk.sink.toTarget(bytes, permit);
      if (step.work) step.work.sent = true;
      talk.segmentOpen = false;
      const entry = expect(talk, answer.query, step);
      if (copiesIn(step.analysis)) talk.copyGate = entry;
      return;
    }
    case clientMessage.functionCall:
      talk.sink.toTarget(bytes, permit);
      if (step.work) step.work.sent = true;
      talk.segmentOpen = false;
      expect(talk, answer.call, step);
      return;
    case clientMessage.sync:
      releaseSync(talk, step);
      return;
    case clientMessage.copyData:
    case clientMessage.copyDone:
    case clientMessage.copyFail:
      copyIn(talk, type, bytes);
      return;
    case clientMessage.terminate:
      talk.leaving = true;
      return;
    case clientMessage.flush:
      talk.sink.toTarget(bytes, permit);
      return;
  }
  talk.segmentOpen = true;
  talk.flushed = false;
  if (step.left) {
    talk.sink.toTarget(bytes, permit);
    expect(talk, answer.left, step);
    return;
  }
  switch (type) {
    case clientMessage.parse:
      talk.sink.toTarget(bytes, permit);
      if (step.work) step.work.sent = true;
      expect(talk, answer.parse, step);
      return;
    case clientMessage.bind: {
      talk.sink.toTarget(bytes, permit);
      expect(talk, answer.bind, step);
      return;
    }
    case clientMessage.describe:
      talk.sink.toTarget(bytes, permit);
      if (step.prepared) step.analysis = step.prepared.describing = step.prepared.analysis;
      if (step.portal) step.portal.described = true;
      expect(talk, step.prepared ? answer.describeStatement : answer.describePortal, step);
      return;
    case clientMessage.execute: {
      const portal = step.portal as Portal;
      describeFirst(talk, portal, segment);
      const of = portal.work?.permit ?? permit;
      talk.sink.toTarget(bytes, of);
      if (portal.work) portal.work.sent = true;
      const entry = expectation(answer.execute, segment, {
        work: portal.work,
        analysis: portal.analysis,
        portal,
        barrier: step.barrier,
      });
      talk.expected.push(entry);
      if (copiesIn(portal.analysis)) talk.copyGate = entry;
      return;
    }
    case clientMessage.close:
      talk.sink.toTarget(bytes, permit);
      talk.expected.push(expectation(answer.close, segment, { name: step.name, ofStatement: bytes[5] === 0x53 }));
  }
}

function expect(talk: Talk, kind: AnswerKind, step: Step): Expected {
  const entry = expectation(kind, step.segment, step);
  talk.expected.push(entry);
  return entry;
}

function copiesIn(analysis: Analysis | undefined): boolean {
  return analysis?.parts.some((part) => part.copy?.direction === 'in') ?? false;
}

/** Rows are only believed and masked by a description: where the client asked for none, we do. */
function describeFirst(talk: Talk, portal: Portal, segment: number): void {
  if (portal.described || portal.analysis.parts[0]?.result === undefined || portal.analysis.parts[0].copy) return;
  portal.described = true;
  if (portal.prepared.describing === portal.analysis) return;
  encodeDescribe(talk.writer, { of: 'portal', name: portal.name });
  talk.sink.toTarget(talk.writer.take(), talk.options.permit);
  talk.expected.push(expectation(answer.describePortal, segment, { portal, analysis: portal.analysis, swallow: true }));
}

/**
 * In place of what was refused goes a message that fails at the server. So the answer comes in its turn, the rest of the
 * pipeline is skipped, and a transaction is failed, all exactly as after an error of the server's own
 * (test: denied inside a transaction).
 */
function releaseRefusal(talk: Talk, step: Step, refusal: Refusal): void {
  if (step.barrier) talk.barriers--;
  if (step.type === clientMessage.query) {
    // The server drops the unnamed statement before it reads a Query, even one with an error (test: a refused query and the unnamed statement).
    encodeClose(talk.writer, { of: 'statement', name: '' });
    talk.sink.toTarget(talk.writer.take(), talk.options.permit);
    talk.expected.push(expectation(answer.close, step.segment, { name: '', ofStatement: true, swallow: true }));
  }
  sendFailure(talk);
  talk.expected.push(expectation(answer.failure, step.segment, { refusal }));
  if (step.type === clientMessage.query || step.type === clientMessage.functionCall) {
    sendSync(talk);
    talk.segmentOpen = false;
    talk.expected.push(expectation(answer.sync, step.segment));
  } else {
    talk.segmentOpen = true;
    talk.flushed = false;
    stopSegment(talk, step.segment);
  }
}

function releaseSync(talk: Talk, step: Step): void {
  // A result of this segment was withheld: the client saw an error, so the server has to see one as well.
  if (talk.withheld && step.segment <= talk.failedSegment && talk.segmentOpen) {
    sendFailure(talk);
    talk.expected.push(expectation(answer.failure, step.segment, { swallow: true }));
  }
  talk.sink.toTarget(step.bytes, talk.options.permit);
  if (talk.copyingIn) {
    // Ignored by the server while it copies (manual 53.2.6).
    talk.strayReady++;
    return;
  }
  talk.segmentOpen = false;
  talk.expected.push(expectation(answer.sync, step.segment));
}
