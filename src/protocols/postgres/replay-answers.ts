// A recording cut into the answers of its statements. A recording holds statements when they were decided and answers when they
// came; which belong together follows from the order in which a server answers. Pure.
import { readUnkept } from '../../domain/recording-rule.ts';
import { clientPeer, targetMessage, targetPeer } from './codec.ts';
import { copyHeader } from './codec-copy.ts';
import { found, Framer } from './codec-framer.ts';
import { decodeReport } from './codec-report.ts';
import { decodeCommandComplete, decodeRowDescription, type Field } from './codec-rows.ts';
import { Answer, type Answered, type Hidden } from './replay-answer.ts';
import type { RecordedFrame } from './replay.ts';

/** A statement whose answer is in the recording. */
export interface Asking {
  readonly sequence: number;
  readonly text: string;
  /** Sent as a Query or a function call: its answer goes up to ReadyForQuery. */
  readonly whole: boolean;
  /** Rows that its outcome counts. */
  readonly rows: number;
  readonly hidden: Hidden;
}

export interface RecordedAnswer extends Answered {
  /** Data that the client copied in; absent where there was none or not all of it was kept. */
  readonly copyIn?: Buffer;
  /** Data was copied in, and the recording does not hold it. */
  readonly copyInLost: boolean;
}

interface Open {
  readonly of: Asking;
  readonly answer: Answer;
  readonly copyIn: Buffer[];
  copyInBytes: number;
  copyInLost: boolean;
  /** Something that ends an answer came: the next ReadyForQuery is its own, and not that of a Sync before it. */
  heard: boolean;
}

const mostCopied = 64 * 1024 * 1024;

/** `asking` by sequence number: only statements that an answer came for. */
export async function readAnswers(
  frames: AsyncIterable<RecordedFrame>,
  asking: ReadonlyMap<number, Asking>,
): Promise<Map<number, RecordedAnswer>> {
  const target = new Framer({ peer: targetPeer });
  const client = new Framer({ peer: clientPeer });
  const described = new Map<string, readonly Field[]>();
  const answers = new Map<number, RecordedAnswer>();
  const queue: Open[] = [];
  let ofStatement = false;

  const done = (): void => {
    const open = queue.shift();
    if (!open) return;
    const { of, answer, copyIn, copyInLost } = open;
    const copied = copyIn.length > 0 && !copyInLost ? { copyIn: Buffer.concat(copyIn) } : {};
    answers.set(of.sequence, { ...answer.finish(), ...copied, copyInLost });
  };
  const ended = (): void => {
    const [open] = queue;
    if (open?.of.whole) open.heard = true;
    else if (open) done();
  };

  const fromTarget = (): void => {
    const { type, buffer, start, end } = target;
    const open = queue[0];
    switch (type) {
      case targetMessage.parameterDescription:
        ofStatement = true;
        return;
      case targetMessage.noData:
        ofStatement = false;
        return;
      case targetMessage.rowDescription: {
        const fields = decodeRowDescription(buffer, start, end);
        if (open && ofStatement) described.set(open.of.text, fields);
        else open?.answer.describe(fields, true);
        ofStatement = false;
        return;
      }
      case targetMessage.dataRow: {
        const fields = open && !open.answer.described ? described.get(open.of.text) : undefined;
        if (fields) open?.answer.describe(fields, false);
        return open?.answer.row(buffer, start, end);
      }
      case targetMessage.copyData:
        return open?.answer.copied(buffer.subarray(start + copyHeader, end));
      case targetMessage.commandComplete:
        open?.answer.tag(decodeCommandComplete(buffer, start, end));
        return ended();
      case targetMessage.emptyQueryResponse:
      case targetMessage.functionCallResponse:
        return ended();
      case targetMessage.portalSuspended:
        // More of it may be fetched; what its outcome counts says whether it was.
        if (open && open.answer.rows >= open.of.rows) done();
        return;
      case targetMessage.errorResponse: {
        const report = decodeReport(buffer, start, end);
        open?.answer.failed(report.get('C') ?? '', report.get('M') ?? '');
        return ended();
      }
      case targetMessage.readyForQuery:
        if (open?.heard) done();
    }
  };

  const fromClient = (bytes: Buffer): void => {
    if (bytes[0] === 0x7b && client.pending === 0) {
      for (const line of bytes.toString('utf8').split('\n')) {
        const { sequence } = line === '' ? {} : (JSON.parse(line) as { readonly sequence?: number });
        const of = sequence === undefined ? undefined : asking.get(sequence);
        if (!of) continue;
        const answer = new Answer(of.hidden);
        queue.push({ of, answer, copyIn: [], copyInBytes: 0, copyInLost: false, heard: false });
      }
      return;
    }
    client.push(bytes);
    while (client.next() !== found.nothing) {
      const [open] = queue;
      if (!open) continue;
      const data = client.buffer.subarray(client.start + copyHeader, client.end);
      open.copyInBytes += data.length;
      open.copyInLost ||= open.copyInBytes > mostCopied;
      if (!open.copyInLost) open.copyIn.push(Buffer.from(data));
    }
  };

  for await (const { kind, bytes } of frames) {
    if (kind === 'client') fromClient(bytes);
    else if (kind === 'target') {
      target.push(bytes);
      while (target.next() !== found.nothing) fromTarget();
    } else {
      const of = readUnkept((JSON.parse(bytes.toString('utf8')) as { readonly unkept?: unknown }).unkept);
      if (of?.of === 'copy-in' && queue[0]) queue[0].copyInLost = true;
      else if (of) queue[0]?.answer.unkept(of);
    }
  }
  while (queue.length > 0) done();
  return answers;
}
