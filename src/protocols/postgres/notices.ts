// Notices of our own while a statement waits for people, and server texts that could quote a labelled value.
import type { Holding } from '../../domain/permit.ts';
import { encodeReport, type Report, sqlState } from './codec-report.ts';
import { Writer } from './codec-writer.ts';

/** `again`: the statement has been waiting for a while and the client is told so once more. */
export function encodeHoldNotice(holding: Holding, again: boolean): Buffer {
  const writer = new Writer();
  encodeReport(writer, 'notice', [
    ['S', 'NOTICE'],
    ['V', 'NOTICE'],
    ['C', '01000'],
    ['M', `the statement ${again ? 'still waits' : 'waits'} for approval by group "${holding.group}"`],
    ['D', `Request ${holding.id}, open until ${new Date(holding.expires).toISOString()}.`],
    ['H', `It can be approved at ${holding.url}`],
  ]);
  return writer.take();
}

/** Fields that never hold a value as long as they have their form: severity, SQLSTATE, and where in the server's source it was raised. */
const safe: ReadonlyMap<string, RegExp> = new Map([
  ['S', /^\p{L}{1,20}$/u],
  ['V', /^[A-Z]{1,10}$/],
  ['C', sqlState],
  ['F', /^[\w.+-]{1,60}$/],
  ['L', /^\d{1,9}$/],
  ['R', /^\w{1,80}$/],
]);

/** Raised with a fixed text wherever that happens. */
const fixedTexts: ReadonlySet<string> = new Set([
  '25001',
  '25006',
  '25P01',
  '25P02',
  '25P03',
  '25P04',
  '40001',
  '40P01',
  '53000',
  '53100',
  '53200',
  '53300',
  '55P03',
  '57014',
  '57P01',
  '57P02',
  '57P03',
]);

/** Built from the statement's own names when raised by the parser, and only then: a cast to regclass says 42P01 with a value in it. */
const parserFiles: ReadonlySet<string> = new Set([
  'scan.l',
  'parse_relation.c',
  'parse_target.c',
  'parse_func.c',
  'parse_oper.c',
  'parse_expr.c',
  'parse_clause.c',
  'parse_agg.c',
  'parse_coerce.c',
  'parse_collate.c',
  'parse_cte.c',
  'parse_param.c',
  'parse_node.c',
  'analyze.c',
  'aclchk.c',
  // Of the messages Bind, Describe and Execute, and of FETCH: the name of a portal or cursor.
  'postgres.c',
  'portalcmds.c',
]);
const parserTexts: ReadonlySet<string> = new Set([
  '42601',
  '42P01',
  '42703',
  '42883',
  '42702',
  '42725',
  '42712',
  '42803',
  '42804',
  '42P02',
  '42P10',
  '42P18',
  '42846',
  '42P20',
  '42501',
  '34000',
]);

/** Numbers of large objects and descriptors, which the client itself named. */
const largeObjectFiles: ReadonlySet<string> = new Set(['be-fsstubs.c', 'inv_api.c']);

/** A text without context (W) and inner query (q) is about the client's own statement, not about one run by a function. */
function quotesOnlyTheStatement(report: Report): boolean {
  if (report.has('W') || report.has('q')) return false;
  const code = report.get('C') ?? '';
  if (fixedTexts.has(code)) return true;
  if (code === '42704' && largeObjectFiles.has(report.get('F') ?? '')) return true;
  return parserTexts.has(code) && parserFiles.has(report.get('F') ?? '');
}

/**
 * The report with everything removed that could quote a value (test: notices keep their code and lose their text).
 * Returns the same object when nothing had to go.
 */
export function withoutValues(report: Report): Report {
  if (quotesOnlyTheStatement(report)) return report;
  const kept = new Map<string, string>();
  for (const [letter, text] of report) if (safe.get(letter)?.test(text)) kept.set(letter, text);
  const code = kept.get('C') ?? 'unknown';
  kept.set('M', `message withheld by the gateway (SQLSTATE ${code}): it could quote a labelled value`);
  return kept;
}
