// A replay as scenes of a player: what happened, when, and the lines that show it. Decisions, holds and masks come from the
// statements' records, everything else from the recording. Pure.
import { unusual, visible } from '../domain/safe-text.ts';
import type { ReplayEvent, StatementRow } from '../api/contract.ts';
import { type Tone } from './output.ts';
import { shadowWords, span, unkeptWords } from './record-words.ts';
import { fitTable } from './replay-table.ts';
import { wrap } from './text-width.ts';

export interface Line {
  readonly text: string;
  readonly tone?: Tone;
}

export interface Scene {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The statement that begins here. */
  readonly statement?: number;
  /** Lines that fit a terminal of this width. */
  lines(width: number): readonly Line[];
}

/** `statements` are the records of the session's statements, as far as they are known. */
export function scenesOf(events: readonly ReplayEvent[], statements: readonly StatementRow[]): Scene[] {
  const records = new Map(statements.map((row) => [row.sequence, row]));
  const scenes: Scene[] = [];
  let open: StatementRow[] = [];
  let last = 0;
  // What was masked is known when the answer is over, and told before the next statement begins.
  const settle = (): void => {
    for (const row of open) {
      const lines = outcomeLines(row);
      if (lines.length > 0) scenes.push(scene(last, lines));
    }
    open = [];
  };
  for (const event of events) {
    if (event.kind === 'statement') {
      settle();
      const record = records.get(event.sequence);
      if (record) open.push(record);
      scenes.push({
        at: event.at,
        statement: event.sequence,
        lines: (width) => wrapped(statementLines(event, record), width),
      });
    } else scenes.push({ at: event.at, lines: (width) => eventLines(event, width) });
    last = event.at;
  }
  settle();
  return scenes;
}

/** A pause of the session that was not sat through. */
export function pauseLine(ms: number): Line {
  return { text: `      … ${span(ms)} nothing`, tone: 'dim' };
}

function scene(at: number, lines: readonly Line[]): Scene {
  return { at, lines: (width) => wrapped(lines, width) };
}

type StatementEvent = Extract<ReplayEvent, { kind: 'statement' }>;

function statementLines(event: StatementEvent, record: StatementRow | undefined): Line[] {
  const odd = unusual(event.text);
  return [
    { text: '' },
    { text: `${clock(event.at)} #${event.sequence}${record ? ` ${record.kind}` : ''}`, tone: 'bold' },
    ...event.text.split('\n').map((line) => ({ text: `    ${line}` })),
    ...(event.parameters ?? []).map((value, index) => ({
      text: `    $${index + 1} = ${value === null ? 'NULL' : JSON.stringify(value)}`,
    })),
    ...(odd ? [{ text: odd, tone: 'yellow' as const }] : []),
    ...(record ? decisionLines(record) : []),
  ];
}

const rulingTones = { permit: 'green', hold: 'yellow', deny: 'red' } as const;

function decisionLines(row: StatementRow): Line[] {
  const tone = rulingTones[row.ruling];
  const by = row.rules.length > 0 ? ` by ${row.rules.join(', ')}` : '';
  const effects = row.effects.map(({ action, resource }) => `${action} ${resource}`.trim()).join(', ');
  const shadow = shadowWords(row.shadow);
  return [
    { text: `  ${row.ruling}${by}${effects ? `: ${effects}` : ''}`, tone },
    ...(row.approval ? [{ text: `  held: approval request ${row.approval}`, tone: 'yellow' as const }] : []),
    ...(row.reason ? [{ text: `  ${row.reason}`, tone }] : []),
    ...(row.advice ? [{ text: `  advice: ${row.advice}` }] : []),
    ...(shadow ? [{ text: `  ${shadow}`, tone: 'dim' as const }] : []),
  ];
}

function outcomeLines({ sequence, outcome }: StatementRow): Line[] {
  if (!outcome) return [];
  const { status, code, masked } = outcome;
  return [
    ...(status === 'done' || status === 'failed'
      ? []
      : [{ text: `  #${sequence} ${[status, code].filter(Boolean).join(' ')}`, tone: 'yellow' as const }]),
    ...masked.map(({ cells, label, method }) => ({
      text: `  #${sequence} masked: ${cells} cells of ${label} (${method})`,
      tone: 'yellow' as const,
    })),
  ];
}

function eventLines(event: Exclude<ReplayEvent, StatementEvent>, width: number): readonly Line[] {
  if (event.kind !== 'result') return wrapped(textLines(event), width);
  const { head, rows, mark } = fitTable(event.columns, event.rows, width);
  const left = event.total - event.rows.length - (event.unkept?.rows ?? 0);
  return [
    { text: head, tone: 'bold' },
    ...rows.map((text) => ({ text })),
    ...wrapped(
      [
        ...(mark ? [{ text: mark, tone: 'yellow' as const }] : []),
        ...(left > 0 ? [{ text: `… and ${left} more rows; show more with --rows`, tone: 'dim' as const }] : []),
        ...(event.unkept ? [{ text: unkeptWords(event.unkept), tone: 'yellow' as const }] : []),
      ],
      width,
    ),
  ];
}

function textLines(event: Exclude<ReplayEvent, { kind: 'result' | 'statement' }>): Line[] {
  switch (event.kind) {
    case 'done':
      return [{ text: event.tag, tone: 'dim' }];
    case 'error':
      return [
        { text: `${event.severity} ${event.code}: ${event.message}`, tone: 'red' },
        ...(event.detail ? [{ text: `detail: ${event.detail}` }] : []),
        ...(event.hint ? [{ text: `hint: ${event.hint}` }] : []),
      ];
    case 'notice':
      return [
        { text: `${event.severity}: ${event.message}`, tone: 'yellow' },
        ...(event.hint ? [{ text: `hint: ${event.hint}` }] : []),
      ];
    case 'copy':
      return [
        { text: `COPY ${event.direction}, ${event.bytes} bytes`, tone: 'dim' },
        ...event.preview.split('\n').map((line) => ({ text: `    ${line}` })),
        ...(event.bytes > Buffer.byteLength(event.preview) && !event.unkept
          ? [{ text: `… the first ${event.preview.length} characters`, tone: 'yellow' as const }]
          : []),
        ...(event.unkept ? [{ text: unkeptWords(event.unkept), tone: 'yellow' as const }] : []),
      ];
    case 'other':
      return [{ text: event.name, tone: 'dim' }];
  }
}

/** Safe text, wrapped: what agents and servers wrote is shown whole and steers nothing. */
function wrapped(lines: readonly Line[], width: number): Line[] {
  return lines.flatMap(({ text, tone }) =>
    wrap(visible(text), width).map((piece) => (tone ? { text: piece, tone } : { text: piece })),
  );
}

function clock(at: number): string {
  return new Date(at).toISOString().slice(11, 23);
}
