// The gateway's own connection to a target: simple protocol, one question at a time, all values as text. It carries no
// principal's statement, so it has no permit and is never lent to a session.
import { Fault } from '../../domain/fault.ts';
import type { TargetStream, TargetTls } from '../../targets/dial.ts';
import type { Backend, TargetCredential } from '../protocol.ts';
import { targetMessage, targetPeer } from './codec.ts';
import { found, Framer } from './codec-framer.ts';
import { decodeReport } from './codec-report.ts';
import { Cells } from './codec-rows.ts';
import { encodeQuery, encodeTerminate } from './codec-simple.ts';
import { Writer } from './codec-writer.ts';
import { backendOf, type LoginLink, loginOver } from './login.ts';

export interface OwnConnection {
  /**
   * Runs one SQL text; NULL is `null`. Rejects with Fault target.refused when the server reports an error (its SQLSTATE is
   * in the cause), target.unreachable when the connection is or gets lost; calls are answered in order.
   */
  query(sql: string): Promise<(string | null)[][]>;
  readonly open: boolean;
  close(): void;
}

export interface OwnConnectionOptions {
  readonly database: string;
  readonly parameters?: ReadonlyMap<string, string>;
  readonly cleartextPassword?: boolean;
  /** Resolves once the connection is on record; nothing is asked before. */
  reached?(backend: Backend): Promise<void>;
  /** Milliseconds for the login, and again for each query. Default 30,000. */
  readonly deadlineMs?: number;
  /** Bytes of an answer that are kept; more is a fault. Default 256 MiB. */
  readonly limit?: number;
}

interface Question {
  readonly sql: string;
  readonly rows: (string | null)[][];
  size: number;
  error: Fault | undefined;
  resolve(rows: (string | null)[][]): void;
  reject(error: Error): void;
}

/** Puts a dialled stream and its credential together for a login. */
export function ownLink(
  stream: TargetStream,
  credential: TargetCredential,
  tls?: Omit<TargetTls, 'mode' | 'alpn'>,
): LoginLink {
  return {
    credential,
    local: stream.local,
    get endpoint() {
      return stream.endpoint;
    },
    open: (sink) => stream.open(sink),
    send: (bytes) => stream.write(bytes),
    secureNow: async (wish) => {
      if (credential.tls === 'disable') throw new Fault('target.refused', 'The target is configured without TLS.');
      await stream.secureNow({ ...tls, ...wish, mode: credential.tls });
    },
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    destroy: () => stream.destroy(),
  };
}

/** Dials and logs in. Rejects with the fault of either. */
export async function openOwnConnection(
  dial: () => Promise<LoginLink>,
  options: OwnConnectionOptions,
): Promise<OwnConnection> {
  const link = await dial();
  const session = await loginOver(link, options);
  try {
    await options.reached?.(backendOf(session, link.local));
  } catch (error) {
    link.destroy();
    throw error;
  }
  const { deadlineMs = 30_000, limit = 256 * 1024 * 1024 } = options;
  const framer = new Framer({ peer: targetPeer, limit });
  const cells = new Cells();
  const questions: Question[] = [];
  let timer: NodeJS.Timeout | undefined;
  let lost: Fault | undefined;

  const lose = (fault: Fault): void => {
    if (lost) return;
    lost = fault;
    clearTimeout(timer);
    link.destroy();
    for (const question of questions.splice(0)) question.reject(fault);
  };
  const ask = (): void => {
    const [question] = questions;
    if (!question) return;
    const writer = new Writer();
    encodeQuery(writer, question.sql);
    link.send(writer.take());
    timer = setTimeout(
      () => lose(new Fault('target.unreachable', 'The target did not answer the gateway in time.')),
      deadlineMs,
    );
    timer.unref();
  };
  const receive = (type: number, buffer: Buffer, start: number, end: number): void => {
    const [question] = questions;
    switch (type) {
      case targetMessage.dataRow:
        if (!question) break;
        // A row costs more here than its bytes.
        question.size += end - start + 64;
        if (question.size > limit)
          throw new Fault('target.protocol', 'The target answered the gateway with too many bytes.');
        question.rows.push(row(cells, buffer, start, end));
        return;
      case targetMessage.errorResponse:
        if (question) question.error ??= refused(decodeReport(buffer, start, end));
        return;
      case targetMessage.readyForQuery:
        if (!question) break;
        clearTimeout(timer);
        questions.shift();
        if (question.error) question.reject(question.error);
        else question.resolve(question.rows);
        ask();
        return;
      case targetMessage.rowDescription:
      case targetMessage.commandComplete:
      case targetMessage.emptyQueryResponse:
      case targetMessage.noticeResponse:
      case targetMessage.parameterStatus:
      case targetMessage.notificationResponse:
        return;
    }
    throw new Fault('target.protocol', 'The target sent the gateway a message that nobody waits for.');
  };

  session.open({
    data(chunk) {
      if (lost) return;
      try {
        framer.push(chunk);
        while (framer.next() === found.message) receive(framer.type, framer.buffer, framer.start, framer.end);
      } catch (error) {
        lose(error instanceof Fault ? error : new Fault('gateway.internal', 'The answer could not be read.', error));
      }
    },
    drain: () => undefined,
    end: (error) => lose(new Fault('target.unreachable', 'The target closed the connection of the gateway.', error)),
  });

  return {
    get open() {
      return lost === undefined;
    },
    query(sql) {
      return new Promise((resolve, reject) => {
        if (lost) return reject(lost);
        questions.push({ sql, rows: [], size: 0, error: undefined, resolve, reject });
        if (questions.length === 1) ask();
      });
    },
    close() {
      if (lost) return;
      const writer = new Writer();
      encodeTerminate(writer);
      link.send(writer.take());
      // The stream sends at the end of this turn; the server closes its side on Terminate, and we close ours after it.
      setImmediate(() => lose(new Fault('target.unreachable', 'The connection of the gateway was closed.')));
    },
  };
}

function row(cells: Cells, buffer: Buffer, start: number, end: number): (string | null)[] {
  const count = cells.read(buffer, start, end);
  const values: (string | null)[] = [];
  for (let index = 0; index < count; index++) {
    const offset = cells.offsets[index] as number;
    const length = cells.lengths[index] as number;
    values.push(length < 0 ? null : buffer.toString('utf8', offset, offset + length));
  }
  return values;
}

function refused(report: ReadonlyMap<string, string>): Fault {
  const cause = Object.assign(new Error(report.get('M') ?? ''), { sqlstate: report.get('C') });
  return new Fault('target.refused', "The target refused a query of the gateway's own.", cause);
}
