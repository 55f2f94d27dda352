// A report as elements of the page. Everything that comes from files is set as text, with what could deceive written out.
import type { VerifyReport } from '../../src/ledger/verify.ts';
import type { ChainReport } from '../../src/ledger/verify-chain.ts';
import { visible } from '../../src/ledger/verify-summary.ts';

type Child = Node | string;

export function element(name: string, attributes: Readonly<Record<string, string>>, ...children: Child[]): HTMLElement {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.map((child) => (typeof child === 'string' ? visible(child) : child)));
  return made;
}

const at = (ms: number) => new Date(ms).toISOString().replace('T', ' ').replace(/\.000Z$|Z$/, ' UTC');
const count = (n: number) => n.toLocaleString('en');

export function showReport(
  report: VerifyReport | ChainReport,
  where: readonly string[],
  recorded: boolean,
): HTMLElement[] {
  return 'logs' in report ? showChain(report, where, recorded) : showOne(report, where[0] ?? '', recorded);
}

/** Logs that continue each other: one verdict, then each of them. */
function showChain(report: ChainReport, where: readonly string[], recorded: boolean): HTMLElement[] {
  const size = report.logs.reduce((sum, log) => sum + log.size, 0);
  const origin = `${report.logs.at(-1)?.origin ?? 'this log'} and the ${report.logs.length - 1} before it`;
  const { failure } = report;
  const named = failure && { ...failure, file: `${failure.log}${failure.file}` };
  const all = { ok: report.ok, size, origin, failure: named };
  const sections = report.logs.map((log, index) => {
    const shown = { ...log, recordings: log.recordings ?? report.recordings };
    const parts = [facts(shown, where[index] ?? '', recorded), checkpoints(log), population(log)];
    return element('section', {}, element('h2', {}, log.origin), ...parts);
  });
  return [verdict(all), ...(named ? [findings(all)] : []), ...sections];
}

function showOne(report: VerifyReport, where: string, recorded: boolean): HTMLElement[] {
  return [verdict(report), ...(report.failure ? [findings(report)] : []), facts(report, where, recorded), checkpoints(report), population(report)];
}

/** Why there is no report. */
export function showWrong(what: string): HTMLElement[] {
  return [
    element('div', { class: 'verdict bad' }, element('h2', { id: 'verdict' }, 'Could not verify'), element('p', {}, what)),
  ];
}

type Verdict = Pick<VerifyReport, 'ok' | 'size' | 'origin' | 'failure'>;

function verdict({ ok, size, origin, failure }: Verdict): HTMLElement {
  const words = ok
    ? `Nothing is missing and nothing was changed in the ${count(size)} entries that the signed checkpoint of ${origin} covers.`
    : `${failure!.what[0]!.toUpperCase()}${failure!.what.slice(1)}.`;
  return element(
    'div',
    { class: `verdict ${ok ? 'good' : 'bad'}` },
    element('h2', { id: 'verdict' }, ok ? '✓ Verified' : '✗ Not verified'),
    element('p', {}, words),
  );
}

function findings({ failure }: Verdict): HTMLElement {
  return element(
    'div',
    {},
    element('h3', {}, 'First thing wrong'),
    list([
      ['What', failure!.what],
      ['File', failure!.file],
      ...(failure!.index === undefined ? [] : [['Entry', count(failure!.index)] as const]),
      ['What it means', failure!.meaning],
    ]),
    element('p', { class: 'hint' }, 'What follows was read before that, and is not the whole log.'),
  );
}

function facts(report: VerifyReport, where: string, recorded: boolean): HTMLElement {
  const { sessions, gaps } = report;
  const rows: (readonly [string, string])[] = [
    ['Log', report.origin],
    ['Found in', where === '' ? 'the top folder' : where],
    ['Entries read', count(report.entries)],
  ];
  if (report.from !== undefined && report.to !== undefined) rows.push(['Period', `${at(report.from)} to ${at(report.to)}`]);
  rows.push(
    [
      'Sessions',
      `${count(sessions.opened)} opened: ${count(sessions.sealed)} sealed, ${count(sessions.open)} open, ${count(sessions.orphaned)} cut off by a crash`,
    ],
    ['Gateway starts', count(report.boots)],
    ['Silence', `${count(gaps.silent)} gaps without a heartbeat, ${count(gaps.down)} times not running between starts`],
    [
      'Recordings',
      report.recordings !== undefined ? `${count(report.recordings)} checked` : recorded ? 'not reached' : 'not looked at: none were picked',
    ],
  );
  return element('div', {}, element('h3', {}, 'What was checked'), list(rows));
}

function checkpoints(report: VerifyReport): HTMLElement {
  const rows: (readonly [string, string, string])[] = [
    [
      'Signed by the log',
      count(report.size),
      report.notYetUnderCheckpoint === 0
        ? `root ${report.root}`
        : `root ${report.root}; ${count(report.notYetUnderCheckpoint)} later entries stand under the journal’s own chain only`,
    ],
  ];
  for (const { name, at: time } of report.witnessed?.by ?? []) {
    rows.push([`Cosigned by ${name}`, count(report.witnessed!.size), at(time * 1000)]);
  }
  for (const { size, at: time } of report.stamped) rows.push(['Time stamp', count(size), at(time)]);
  rows.push([
    'Kept by you',
    '',
    report.continued === 0
      ? 'none given: a whole history written anew with the log’s key would not be noticed'
      : `${count(report.continued)}, and the log continues each`,
  ]);
  return table('Checkpoints', ['Checkpoint', 'Entries', ''], rows);
}

function population({ types }: VerifyReport): HTMLElement {
  const rows = Object.entries(types)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([type, many]) => [type, count(many), ''] as const);
  const all = Object.values(types).reduce((sum, many) => sum + many, 0);
  return table('Entries by type', ['Type', 'Count', ''], [...rows, ['All', count(all), '']]);
}

function table(title: string, heads: readonly [string, string, string], rows: readonly (readonly [string, string, string])[]): HTMLElement {
  const wide = heads[2] !== '' || rows.some((row) => row[2] !== '');
  const cells = (name: 'th' | 'td', row: readonly [string, string, string]) => {
    const head: Record<string, string> = name === 'th' ? { scope: 'col' } : {};
    const made = [element(name, head, row[0]), element(name, { ...head, class: 'number' }, row[1])];
    if (wide) made.push(element(name === 'th' && row[2] === '' ? 'td' : name, { class: 'mono' }, row[2]));
    return made;
  };
  return element(
    'div',
    {},
    element('h3', {}, title),
    element(
      'table',
      { 'aria-label': title },
      element('thead', {}, element('tr', {}, ...cells('th', heads))),
      element('tbody', {}, ...rows.map((row) => element('tr', {}, ...cells('td', row)))),
    ),
  );
}

function list(rows: readonly (readonly [string, string])[]): HTMLElement {
  return element('dl', {}, ...rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]));
}
