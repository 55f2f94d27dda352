// ErrorResponse and NoticeResponse: a list of one-letter fields (manual, "Error and Notice Message Fields").
import { targetMessage, targetPeer } from './codec.ts';
import { Reader } from './codec-reader.ts';
import type { Writer } from './codec-writer.ts';

const reader = new Reader(targetPeer);

/** Fields by their letter: S severity (localized), V severity, C SQLSTATE, M message, D detail, H hint, P position, … */
export type Report = ReadonlyMap<string, string>;

export function decodeReport(buffer: Buffer, start: number, end: number): Report {
  reader.over(buffer, start, end);
  const fields = new Map<string, string>();
  for (let letter = reader.byte(); letter !== 0; letter = reader.byte()) {
    fields.set(String.fromCharCode(letter), reader.text());
  }
  reader.done();
  return fields;
}

/** The form of an SQLSTATE: what has it is a code and not a text that a value could be in. */
export const sqlState = /^[0-9A-Z]{5}$/;

export function encodeReport(
  writer: Writer,
  kind: 'error' | 'notice',
  report: Iterable<readonly [string, string]>,
): void {
  writer.open(kind === 'error' ? targetMessage.errorResponse : targetMessage.noticeResponse);
  for (const [letter, text] of report) writer.byte(letter.charCodeAt(0)).text(text);
  writer.byte(0).close();
}
