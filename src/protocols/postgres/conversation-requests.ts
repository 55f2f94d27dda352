// Client to target: each message is read in order (`begin`), asks its question where it can act, waits in line, and is sent
// (`release`) when its turn and its ruling have come. Rulings are inputs; questions may run ahead of their turn, so that a
// pipeline costs one durable write.
import { Fault } from '../../domain/fault.ts';
import type { Permit } from '../../domain/permit.ts';
import type { Analysis } from '../../sql/analysis.ts';
import { clientMessage } from './codec.ts';
import { type Bind, decodeBind, decodeExecute, decodeNamed, decodeParse } from './codec-extended.ts';
import { decodeEmpty, decodeFunctionCall, decodeQuery, type FunctionCall } from './codec-simple.ts';
import { asBind, callText, notCallable, unknownRoutine } from './conversation-call.ts';
import { guessesOf } from './conversation-guesses.ts';
import { unsettled } from './conversation-names.ts';
import { cutName, refusedName, refusedNames } from './conversation-naming.ts';
import { recordedParameters } from './conversation-parameters.ts';
import { maskedBack } from './conversation-written-back.ts';
import { openWork, type Portal, type Prepared, stage, type Step, stepCost } from './conversation-queue.ts';
import { startReading } from './conversation-reading.ts';
import { currentAnalysis, endsTransaction, noteCalls } from './conversation-scope.ts';
import { separately, tooMany, unknownPortal, unknownStatement } from './conversation-refusals.ts';
import { settle, type Talk, end } from './conversation-state.ts';
import { namesTooMany, roomForText } from './conversation-room.ts';
import { Asked } from './conversation-statement.ts';
import { checkParameterTypes } from '../../sql/text.ts';
import { missingName, type Refusal, refusalOf } from './faults.ts';
import { drop, failed, flushTarget, mayRelease, release, survives } from './conversation-sending.ts';

/** Looks at what can be looked at, and sends what may be sent. Called after every input. */
export function pump(talk: Talk): void {
  for (let moved = true; moved && !talk.ended; ) {
    moved = false;
    while (talk.begun < talk.steps.length && begin(talk, talk.steps.at(talk.begun) as Step)) {
      talk.begun++;
      moved = true;
    }
    while (talk.begun > 0 && mayRelease(talk, talk.steps.at(0) as Step)) {
      const step = talk.steps.shift() as Step;
      talk.begun--;
      talk.waiting -= step.bytes.length + stepCost;
      if (failed(talk, step)) drop(talk, step);
      else release(talk, step);
      moved = true;
      if (talk.ended) return;
    }
  }
  // The server keeps its answers to itself until Sync or Flush, and what waits for them would wait for ever.
  if (talk.begun < talk.steps.length || talk.expected.length >= talk.limits.answers) flushTarget(talk);
  if (talk.leaving && talk.expected.length === 0) return end(talk, 'client left', undefined);
  if (talk.paused ? talk.waiting <= talk.limits.waitingBytes / 2 : talk.waiting > talk.limits.waitingBytes) {
    talk.paused = !talk.paused;
    if (talk.paused) talk.sink.pauseClient();
    else talk.sink.resumeClient();
  }
}

/** Reads one message and asks what must be asked. False when it has to wait for something that is under way. */
function begin(talk: Talk, step: Step): boolean {
  step.segment = talk.segment;
  if (talk.questions.size >= talk.limits.questions) return false;
  const { type, bytes } = step;
  const size = bytes.length;
  if (failed(talk, step) || (step.segment === talk.refusedSegment && !survives(type))) {
    step.stage = stage.ready;
    return true;
  }
  if ((type === clientMessage.query || type === clientMessage.functionCall) && isOpen(talk)) return false;
  switch (type) {
    case clientMessage.query:
      return beginQuery(talk, step, decodeQuery(bytes, 0, size));
    case clientMessage.parse:
      return beginParse(talk, step);
    case clientMessage.bind:
      return beginBind(talk, step);
    case clientMessage.describe: {
      const named = decodeNamed(bytes, 0, size);
      const cut = cutName(talk, named.name);
      if (cut) return refuse(talk, step, cut);
      step.name = named.name;
      if (named.of === 'statement') {
        const prepared = talk.statements.get(named.name, step.segment);
        if (prepared === unsettled) return false;
        if (prepared === undefined) return unknown(talk, step, unknownStatement(named.name));
        step.prepared = prepared;
      } else {
        const portal = talk.portals.get(named.name, step.segment);
        if (portal === unsettled) return false;
        // A cursor of SQL's own is a portal to the server; its description tells no value.
        if (portal === undefined) step.analysis = talk.cursorView.get(named.name);
        if (portal === undefined && step.analysis === undefined) return unknownPortalOf(talk, step, named.name);
        step.portal = portal;
      }
      break;
    }
    case clientMessage.execute: {
      const { portal: name } = decodeExecute(bytes, 0, size);
      const portal = talk.portals.get(name, step.segment);
      if (portal === unsettled) return false;
      if (portal === undefined) return unknownPortalOf(talk, step, name);
      step.portal = portal;
      if (isBarrier(talk, portal.analysis)) raiseBarrier(talk, step);
      break;
    }
    case clientMessage.close: {
      const named = decodeNamed(bytes, 0, size);
      const cut = cutName(talk, named.name);
      if (cut) return refuse(talk, step, cut);
      step.name = named.name;
      (named.of === 'statement' ? talk.statements : talk.portals).propose(named.name, undefined, step.segment);
      break;
    }
    case clientMessage.sync:
      decodeEmpty(bytes, 0, size);
      talk.segment++;
      break;
    case clientMessage.flush:
    case clientMessage.terminate:
      decodeEmpty(bytes, 0, size);
      break;
    case clientMessage.functionCall:
      return beginCall(talk, step, decodeFunctionCall(bytes, 0, size));
    case clientMessage.copyData:
    case clientMessage.copyDone:
    case clientMessage.copyFail:
      break;
    default:
      throw new Fault('client.protocol', 'The client sent a password message after it had signed in.');
  }
  step.stage = stage.ready;
  return true;
}

/**
 * A Query behind extended messages without a Sync ends their segment only when none of them fails; otherwise the server skips it, and
 * all up to the Sync. So their answers are waited for (test: a query behind a failed pipeline without Sync).
 */
function isOpen(talk: Talk): boolean {
  const { begun, expected, segment, steps } = talk;
  if (begun > 0 && steps.at(begun - 1)?.segment === segment) return true;
  return expected.length > 0 && expected.at(expected.length - 1)?.segment === segment;
}

function beginQuery(talk: Talk, step: Step, text: string): boolean {
  if (!scopeReady(talk)) return false;
  const analysis = read(talk, step, text);
  if (analysis && looksAgain(talk, step, analysis)) return false;
  talk.segment++;
  if (analysis === undefined) return true;
  step.analysis = analysis;
  step.name = text;
  if (isBarrier(talk, analysis)) raiseBarrier(talk, step);
  if (analysis.parts.length === 0) step.stage = stage.ready;
  else {
    noteCalls(talk, analysis);
    const guesses = guessesOf(analysis);
    ask(talk, step, new Asked('execute', analysis.text, analysis.meaning, text, undefined, undefined, guesses));
  }
  return true;
}

/** A function call is judged as the SQL call of the same function (conversation-call.ts). */
function beginCall(talk: Talk, step: Step, call: FunctionCall): boolean {
  if (!scopeReady(talk)) return false;
  const routine = talk.catalogue.functions.get(call.routine);
  const text = callText(call, routine);
  const refusal = routine && notCallable(call, routine);
  const analysis = refusal ? undefined : read(talk, step, text);
  if (analysis && looksAgain(talk, step, analysis)) return false;
  talk.segment++;
  if (refusal) return refuse(talk, step, refusal);
  if (analysis === undefined) return true;
  if (routine === undefined && missingName(analysis.meaning.effects) === undefined)
    return refuse(talk, step, unknownRoutine(call.routine));
  const bind = asBind(call);
  const types = routine?.arguments ?? [];
  const back = maskedBack(talk.options.writtenBack, bind, types, analysis);
  if (back) return refuse(talk, step, back);
  step.analysis = analysis;
  step.name = text;
  step.call = { type: routine?.returnType ?? 0, format: call.result };
  if (isBarrier(talk, analysis)) raiseBarrier(talk, step);
  noteCalls(talk, analysis);
  const recorded = recordedParameters(bind, types, analysis.sensitiveParameters);
  ask(
    talk,
    step,
    new Asked('execute', analysis.text, analysis.meaning, text, bind, recorded, guessesOf(analysis, bind)),
  );
  return true;
}

function beginParse(talk: Talk, step: Step): boolean {
  if (!scopeReady(talk)) return false;
  const { name, text, types } = decodeParse(step.bytes, 0, step.bytes.length);
  const unnameable = refusedName(talk, name);
  if (unnameable) return refuse(talk, step, unnameable);
  if (talk.statements.size >= talk.limits.names || !roomForText(talk, text))
    return refuse(talk, step, tooMany('prepared statements'));
  const analysis = read(talk, step, text, types);
  if (analysis === undefined) return true;
  if (looksAgain(talk, step, analysis)) return false;
  if (analysis.parts.length > 1) {
    return refuse(talk, step, {
      severity: 'ERROR',
      code: '42601',
      message: 'cannot insert multiple commands into a prepared statement',
    });
  }
  const prepared: Prepared = {
    text,
    types,
    analysis,
    scope: talk.scopeNumber,
    describing: undefined,
    fields: undefined,
  };
  step.analysis = analysis;
  step.prepared = prepared;
  step.name = name;
  talk.statements.propose(name, prepared, step.segment);
  if (analysis.parts.length === 0) step.stage = stage.ready;
  else ask(talk, step, new Asked('prepare', analysis.text, analysis.meaning, text));
  return true;
}

function beginBind(talk: Talk, step: Step): boolean {
  const bind: Bind = decodeBind(step.bytes, 0, step.bytes.length);
  const unnameable = refusedName(talk, bind.portal);
  if (unnameable) return refuse(talk, step, unnameable);
  const prepared = talk.statements.get(bind.statement, step.segment);
  if (prepared === unsettled || !scopeReady(talk)) return false;
  if (prepared === undefined) return unknown(talk, step, unknownStatement(bind.statement));
  if (talk.portals.size >= talk.limits.names) return refuse(talk, step, tooMany('portals'));
  let analysis: Analysis;
  try {
    analysis = currentAnalysis(talk, prepared);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return refuse(talk, step, refusalOf(error));
  }
  step.analysis = analysis;
  step.name = bind.portal;
  step.prepared = prepared;
  const portal: Portal = {
    name: bind.portal,
    prepared,
    analysis,
    results: bind.results,
    work: undefined,
    described: false,
    masks: undefined,
  };
  step.portal = portal;
  talk.portals.propose(bind.portal, portal, step.segment);
  if (analysis.parts.length === 0) {
    step.stage = stage.ready;
    return true;
  }
  const back = maskedBack(talk.options.writtenBack, bind, prepared.types, analysis);
  if (back) return refuse(talk, step, back);
  noteCalls(talk, analysis);
  const recorded = recordedParameters(bind, prepared.types, analysis.sensitiveParameters);
  ask(
    talk,
    step,
    new Asked('execute', analysis.text, analysis.meaning, prepared.text, bind, recorded, guessesOf(analysis, bind)),
  );
  return true;
}

/** The text's analysis, or `undefined` when the step is refused for it. */
function read(talk: Talk, step: Step, text: string, types: readonly number[] = []): Analysis | undefined {
  try {
    checkParameterTypes(types, talk.scope);
    const analysis = talk.options.analyse(text, talk.scope);
    const unnameable = refusedNames(talk, analysis);
    if (unnameable) refuse(talk, step, unnameable);
    else if (namesTooMany(talk, analysis, text)) refuse(talk, step, tooMany('prepared statements or cursors'));
    else if (dependsOnUnread(talk, analysis)) refuse(talk, step, separately);
    else return analysis;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    refuse(talk, step, refusalOf(error));
  }
  return undefined;
}

/** In one text, what follows the end of a transaction would be read under what that end may take back. */
function dependsOnUnread(talk: Talk, analysis: Analysis): boolean {
  if (analysis.parts.length < 2 || !(talk.touchedPath || talk.touchedCatalogue || talk.needPath || talk.needCatalogue))
    return false;
  const at = analysis.parts.findIndex((part) => endsTransaction(part.changes));
  return at >= 0 && at < analysis.parts.length - 1;
}

/**
 * A name that the catalogue does not have may be younger than what we read of it: it is looked at once more before anybody
 * judges. True while that is under way (test: e2e/names, "a table made a moment ago").
 */
function looksAgain(talk: Talk, step: Step, analysis: Analysis): boolean {
  if (step.lookedAgain || talk.status === 'E' || missingName(analysis.meaning.effects) === undefined) return false;
  step.lookedAgain = true;
  if (talk.status === 'I' && !talk.segmentOpen && !talk.temporary) {
    talk.awaitingCatalogue = true;
    talk.sink.checkCatalogue();
  } else {
    talk.needCatalogue = true;
    scopeReady(talk);
  }
  return true;
}

/** Whether what follows can only be read once this statement is over. */
function isBarrier(talk: Talk, analysis: Analysis): boolean {
  if (analysis.barrier) return true;
  const pending = talk.touchedPath || talk.touchedCatalogue || talk.cursors.size > 0;
  return pending && analysis.parts.some((part) => endsTransaction(part.changes));
}

function raiseBarrier(talk: Talk, step: Step): void {
  step.barrier = true;
  talk.barriers++;
}

/** Whether a text can be read now; starts the reading of what is missing as soon as nothing else is under way. */
function scopeReady(talk: Talk): boolean {
  if (talk.barriers > 0 || talk.reading || talk.awaitingCatalogue) return false;
  if (endsBefore(talk)) return false;
  if (!talk.needPath && !talk.needCatalogue) return true;
  if (talk.begun > 0 || talk.expected.length > 0 || talk.cancelling > 0) return false;
  // The server refuses everything but the end of the transaction, and what follows that end waits for it (isBarrier).
  if (talk.status === 'E') return true;
  const shared = talk.needCatalogue && talk.status === 'I' && !talk.segmentOpen && !talk.temporary;
  if (shared) {
    talk.needCatalogue = false;
    talk.awaitingCatalogue = true;
    talk.sink.readCatalogue();
  }
  if (talk.needPath || talk.needCatalogue) startReading(talk, talk.needCatalogue);
  return false;
}

/**
 * Whether a Sync on its way ends a transaction that changed what is read under: that end runs what was deferred, and what it changes is
 * read behind it (test: prepared-names, "a deferred trigger that runs at Sync").
 */
function endsBefore(talk: Talk): boolean {
  if (talk.status !== 'I' || !(talk.touchedPath || talk.touchedCatalogue)) return false;
  const oldest = talk.expected.at(0) ?? (talk.begun > 0 ? talk.steps.at(0) : undefined);
  return oldest !== undefined && oldest.segment < talk.segment;
}

function ask(talk: Talk, step: Step, statement: Asked): void {
  step.stage = stage.asked;
  step.question = ++talk.lastQuestion;
  talk.questions.set(step.question, step);
  talk.sink.ask(step.question, statement);
}

/** Always true, so that `begin` can return it: the step is looked at. */
function refuse(talk: Talk, step: Step, refusal: Refusal): true {
  if (step.type !== clientMessage.query && step.type !== clientMessage.functionCall) talk.refusedSegment = step.segment;
  step.refusal = refusal;
  step.stage = stage.ready;
  return true;
}

/** What is under way may still make the name (PREPARE, DECLARE); after that it is the server's own error. */
function unknown(talk: Talk, step: Step, refusal: Refusal): boolean {
  return talk.barriers === 0 && refuse(talk, step, refusal);
}

/**
 * What fails inside a transaction can leave an unnamed portal behind that nobody bound: a Query's own, or one that Bind had only begun.
 * In a failed transaction the server can run none of them, so it is asked which error that is (test: pipelines, "left behind").
 */
function unknownPortalOf(talk: Talk, step: Step, name: string): boolean {
  if (name !== '') return unknown(talk, step, unknownPortal(name));
  const before = talk.begun > 0 ? talk.steps.at(0) : undefined;
  if ((before ?? step).segment < step.segment || (talk.expected.at(0)?.segment ?? step.segment) < step.segment)
    return false;
  if (talk.status !== 'E') return unknown(talk, step, unknownPortal(name));
  step.left = true;
  step.stage = stage.ready;
  return true;
}

/** A ruling came in for a step that still stands. */
export function grant(talk: Talk, step: Step, permit: Permit): void {
  const work = openWork(permit, step.analysis as Analysis);
  talk.works.add(work);
  if (step.dropped) return settle(talk, work, 'skipped');
  step.work = work;
  if (step.portal) step.portal.work = work;
  step.holding = undefined;
  step.stage = stage.ready;
}
