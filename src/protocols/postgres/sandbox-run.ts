// Runs recorded statements on a throw-away server, one after the other, and gathers each answer in the form of a recorded one.
// Nothing of it goes to a target: cli/sandbox.ts dials a database that it has made itself.
import { Fault } from '../../domain/fault.ts';
import type { Mask } from '../../domain/mask.ts';
import { targetMessage, targetPeer } from './codec.ts';
import { copyHeader, encodeCopyData, encodeCopyDone, encodeCopyFail } from './codec-copy.ts';
import { encodeBind, encodeDescribe, encodeExecute, encodeParse } from './codec-extended.ts';
import { found, Framer } from './codec-framer.ts';
import { decodeReport } from './codec-report.ts';
import { decodeCommandComplete, decodeRowDescription } from './codec-rows.ts';
import { encodeQuery, encodeSync, encodeTerminate } from './codec-simple.ts';
import { decodeReadyForQuery, type TransactionStatus } from './codec-status.ts';
import { Writer } from './codec-writer.ts';
import { type CompileMask, RowMasks } from './conversation-results.ts';
import { type LoginLink, type LoginOptions, loginOver } from './login.ts';
import { Answer, type Answered, type Hidden } from './replay-answer.ts';

export interface SandboxStatement {
  readonly text: string;
  /** Absent: it goes as a Query. */
  readonly parameters?: readonly (string | null)[];
  readonly copyIn?: Buffer;
  readonly hidden: Hidden;
  /** Rows of each result whose values count. */
  readonly limits: (result: number) => number;
  /** What each result's columns are masked by. */
  readonly masks?: readonly (readonly (Mask | null)[])[];
}

export interface SandboxRun {
  readonly status: TransactionStatus;
  run(statement: SandboxStatement): Promise<Answered>;
  close(): void;
}

export async function openSandboxRun(
  link: LoginLink,
  options: LoginOptions & { readonly compileMask: CompileMask; readonly runMs: number },
): Promise<SandboxRun> {
  const session = await loginOver(link, options);
  const framer = new Framer({ peer: targetPeer });
  const writer = new Writer();
  let status: TransactionStatus = 'I';
  let lost: Fault | undefined;
  let asked: { readonly take: () => void; readonly fail: (fault: Fault) => void } | undefined;

  function lose(fault: Fault): void {
    lost ??= fault;
    asked?.fail(lost);
    link.destroy();
  }
  session.open({
    data(chunk) {
      try {
        framer.push(chunk);
        while (framer.next() !== found.nothing) asked?.take();
      } catch (error) {
        lose(error instanceof Fault ? error : new Fault('target.protocol', 'The sandbox answered badly.', error));
      }
    },
    drain: () => undefined,
    end: (error) => lose(new Fault('target.unreachable', 'The sandbox closed the connection.', error)),
  });

  return {
    get status() {
      return status;
    },
    run(statement) {
      const { text, parameters, copyIn, masks = [] } = statement;
      const answer = new Answer(statement.hidden, statement.limits);
      let result = -1;
      let rowMasks: RowMasks | undefined;
      return new Promise<Answered>((resolve, reject) => {
        if (lost) return reject(lost);
        const timer = setTimeout(
          () => lose(new Fault('target.unreachable', `A statement ran longer than ${options.runMs / 1_000} seconds.`)),
          options.runMs,
        );
        const over = (): void => {
          clearTimeout(timer);
          asked = undefined;
        };
        const take = (): void => {
          const { type, buffer, start, end } = framer;
          switch (type) {
            case targetMessage.rowDescription: {
              const fields = decodeRowDescription(buffer, start, end);
              const of = masks[++result] ?? [];
              const strictest = of.find((mask) => mask !== null);
              // Masks of another width than the result: one column was read that stands for all.
              const fitted = of.length === fields.length ? of : fields.map(() => strictest ?? null);
              rowMasks = strictest ? new RowMasks(fitted, fields, () => 0, options.compileMask) : undefined;
              return answer.describe(fields, true);
            }
            case targetMessage.dataRow: {
              if (!rowMasks) return answer.row(buffer, start, end);
              const row = new Writer();
              rowMasks.rewrite(buffer, start, end, row);
              const bytes = row.take();
              return answer.row(bytes, 0, bytes.length);
            }
            case targetMessage.copyData:
              return answer.copied(buffer.subarray(start + copyHeader, end));
            case targetMessage.copyInResponse:
              if (copyIn) {
                for (let at = 0; at < copyIn.length; at += copyPiece)
                  encodeCopyData(writer, copyIn, at, Math.min(at + copyPiece, copyIn.length));
                encodeCopyDone(writer);
              } else encodeCopyFail(writer, 'the recording does not hold the data');
              if (parameters) encodeSync(writer);
              return void link.send(writer.take());
            case targetMessage.commandComplete:
              return answer.tag(decodeCommandComplete(buffer, start, end));
            case targetMessage.errorResponse: {
              const report = decodeReport(buffer, start, end);
              return answer.failed(report.get('C') ?? '', report.get('M') ?? '');
            }
            case targetMessage.readyForQuery:
              status = decodeReadyForQuery(buffer, start, end);
              over();
              resolve(answer.finish());
          }
        };
        asked = {
          take,
          fail(fault) {
            over();
            reject(fault);
          },
        };
        if (parameters) {
          encodeParse(writer, { name: '', text, types: [] });
          const values = parameters.map((value) => (value === null ? null : Buffer.from(value)));
          encodeBind(writer, { portal: '', statement: '', formats: [], parameters: values, results: [] });
          encodeDescribe(writer, { of: 'portal', name: '' });
          encodeExecute(writer, { portal: '', limit: 0 });
          encodeSync(writer);
        } else encodeQuery(writer, text);
        link.send(writer.take());
      });
    },
    close() {
      if (lost) return;
      encodeTerminate(writer);
      link.send(writer.take());
      setImmediate(() => lose(new Fault('target.unreachable', 'The sandbox was closed.')));
    },
  };
}

const copyPiece = 64 * 1024;
