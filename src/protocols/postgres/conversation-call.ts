// FunctionCall, by which libpq and JDBC reach large objects: judged as the SQL call of the same function, sent as it came, and what
// it returns is masked as that call's result would be.
import { Fault } from '../../domain/fault.ts';
import type { Routine } from '../../sql/catalogue.ts';
import type { Bind } from './codec-extended.ts';
import { decodeFunctionCallResponse, encodeFunctionCallResponse, type FunctionCall } from './codec-simple.ts';
import type { Expected } from './conversation-queue.ts';
import { masksFor } from './conversation-results.ts';
import { applyChanges } from './conversation-scope.ts';
import { emit, type Talk } from './conversation-state.ts';
import { must, passes, withheldBytes } from './conversation-texts.ts';
import type { Refusal } from './faults.ts';

/** The call as SQL, as it is read and recorded. A number that the catalogue does not know is a name that nothing has. */
export function callText(call: FunctionCall, routine: Routine | undefined): string {
  const last = routine?.variadic ? call.values.length : 0;
  const values = call.values.map((_, index) => `${index + 1 === last ? 'variadic ' : ''}$${index + 1}`);
  const name = routine ? `${quoted(routine.schema)}.${quoted(routine.name)}` : quoted(`with OID ${call.routine}`);
  // Overloads share a name: the number tells an approver, and the digest, which one runs.
  return `select ${name}(${values.join(', ')}) /* function call message, OID ${call.routine} */`;
}

const quoted = (name: string) => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`);

/** What the server refuses too, in its words: then the SQL call would be of something else. */
export function notCallable(call: FunctionCall, routine: Routine): Refusal | undefined {
  if (routine.kind !== 'f' || routine.returnsSet)
    return {
      severity: 'ERROR',
      code: '0A000',
      message: `cannot call function "${routine.name}" via fastpath interface`,
    };
  if (call.values.length === routine.arguments.length) return undefined;
  return {
    severity: 'ERROR',
    code: '08P01',
    message: `function call message contains ${call.values.length} arguments but function requires ${routine.arguments.length}`,
  };
}

export function unknownRoutine(oid: number): Refusal {
  return { severity: 'ERROR', code: '42883', message: `function with OID ${oid} does not exist` };
}

/** Its arguments as the parameters of a Bind. */
export function asBind({ formats, values, result }: FunctionCall): Bind {
  return { portal: '', statement: '', formats, parameters: values, results: [result] };
}

/** The answer. A value that would be masked as NULL is withheld: drivers take no NULL for a descriptor or a block of bytes. */
export function returned(talk: Talk, entry: Expected, buffer: Buffer, start: number, stop: number): boolean {
  const value = decodeFunctionCallResponse(buffer, start, stop);
  const { work, analysis, call } = entry;
  const part = analysis?.parts[0];
  must(work !== undefined && analysis !== undefined && part?.result !== undefined && call !== undefined);
  entry.part = 1;
  applyChanges(talk, analysis, part, entry.name, 0);
  if (talk.withheld) return withheldBytes(talk, stop - start);
  const mask = masksFor(work.permit.masks, part.result, 1)?.[0];
  work.rows++;
  if (!mask || value === null) return passes(talk, entry, stop - start);
  const hidden = talk.options.compileMask(mask, call.type === 0 ? undefined : call.type, call.format)(value);
  if (hidden === null)
    throw new Fault(
      'result.withheld',
      'The result was withheld: what this function returns may carry labelled values.',
    );
  work.masked.push({ label: mask.label, method: mask.method, cells: 1 });
  encodeFunctionCallResponse(talk.writer, hidden);
  const bytes = talk.writer.take();
  work.bytes += bytes.length;
  emit(talk, bytes);
  return false;
}
