// countersign sessions list | show | replay | kill: what agents did, over the API.
import type { Command } from 'commander';
import type { Page, SessionDetail, SessionSummary, StatementRow } from '../api/contract.ts';
import { type ApiChoice, openClient, segment, takesApi } from './api-client.ts';
import { wholeNumber } from './arguments.ts';
import { type Cell, examples, type Io, printJson, printLine, printTable } from './output.ts';
import { moment, outcomeWords, printFacts, ruled, shadowWords, span } from './record-words.ts';
import { type ReplayChoice, run as runReplay, takesReplay } from './replay-command.ts';

type Choice = ApiChoice & { readonly json?: boolean };
type ListChoice = Choice &
  Readonly<Record<'state' | 'target' | 'principal' | 'ruling' | 'text' | 'before', string | undefined>> & {
    readonly limit: number;
  };

export function register(program: Command, io: Io): void {
  const sessions = program.command('sessions').description('what agents did');

  const list = takesApi(sessions.command('list'))
    .description('sessions, newest first')
    .option('--state <state>', 'live, ended or all', 'all')
    .option('--target <name>', 'on this target')
    .option('--principal <name>', 'of this principal: its id, or the beginning of its name')
    .option('--ruling <ruling>', 'with at least one permit, hold or deny')
    .option('--text <words>', 'with a statement that has these words')
    .option('--limit <n>', 'at most so many', wholeNumber, 50)
    .option('--before <cursor>', 'the page after this cursor')
    .option('--json', 'print JSON')
    .action(async ({ url, tokenFile, json, ...query }: ListChoice) => {
      const page = await openClient({ url, tokenFile }, io).get<Page<SessionSummary>>('/api/sessions', query);
      if (json) return printJson(io, page);
      const heads = ['id', 'opened', 'principal', 'kind', 'target', 'state', 'statements', 'held', 'denied', 'masked'];
      await printTable(io, heads, page.items.map(row));
      if (page.items.length === 0 && io.stdout.isTTY) printLine(io, 'No session matches.');
      if (page.next && io.stdout.isTTY) printLine(io, `more: --before ${page.next}`, 'dim');
    });
  examples(list, [
    ['Who is connected now', 'countersign sessions list --state live'],
    ['Where something was denied', 'countersign sessions list --ruling deny --json'],
    ['Who touched a table', 'countersign sessions list --text "customers email"'],
  ]);

  const show = takesApi(sessions.command('show <id>'))
    .description('one session and its statements')
    .option('--after <n>', 'statements after this one', wholeNumber, 0)
    .option('--limit <n>', 'at most so many statements', wholeNumber, 100)
    .option('--json', 'print JSON')
    .action(async (id: string, choice: Choice & { after: number; limit: number }) => {
      const client = openClient(choice, io);
      const path = `/api/sessions/${segment(id)}`;
      const { after, limit } = choice;
      const [session, statements] = await Promise.all([
        client.get<SessionDetail>(path),
        client.get<Page<StatementRow>>(`${path}/statements`, { after, limit }),
      ]);
      if (choice.json) return printJson(io, { ...session, statements });
      await printSession(io, session, statements);
    });
  examples(show, [['Read a session', 'countersign sessions show 4f1c9a…']]);

  const replay = takesReplay(sessions.command('replay <id>')).action((id: string, choice: ReplayChoice) =>
    runReplay(id, choice, io),
  );
  examples(replay, [['The same as countersign replay', 'countersign sessions replay 4f1c9a… --speed 2']]);

  const kill = takesApi(sessions.command('kill <id>'))
    .description('end a live session now; needs an admin group')
    .requiredOption('--reason <text>', 'why; the agent and the record are told')
    .option('--json', 'print JSON')
    .action(async (id: string, choice: Choice & { reason: string }) => {
      await openClient(choice, io).post(`/api/sessions/${segment(id)}/kill`, { reason: choice.reason });
      if (choice.json) return printJson(io, { id, killed: true });
      printLine(io, `ended ${id}`);
    });
  examples(kill, [['Stop a runaway agent', 'countersign sessions kill 4f1c9a… --reason "runs in circles"']]);
}

function row(session: SessionSummary): Cell[] {
  return [
    session.id,
    moment(session.opened),
    session.principalName,
    session.principalKind,
    `${session.target}/${session.database}`,
    session.closed === undefined
      ? { text: 'live', tone: 'green' }
      : `ended after ${span(session.closed - session.opened)}`,
    session.statements,
    session.held > 0 ? { text: session.held, tone: 'yellow' } : 0,
    session.denied > 0 ? { text: session.denied, tone: 'red' } : 0,
    session.maskedCells,
  ];
}

const asked = ({ label, matches, probes }: SessionDetail['met'][number]) =>
  `${label}: ${matches} values, ${probes} probes`;

function notKept(recording: SessionDetail['recording']): string | undefined {
  return recording?.unkept && `${recording.unkept.rows} rows, ${recording.unkept.bytes} bytes`;
}

async function printSession(io: Io, session: SessionDetail, statements: Page<StatementRow>): Promise<void> {
  const { claimed } = session;
  printFacts(io, [
    ['session', session.id],
    ['principal', `${session.principalName} (${session.principalKind}), ${session.subject} of ${session.issuer}`],
    ['groups', session.groups.join(', ') || 'none'],
    ['owner', session.owner],
    ['claims', [claimed.user, claimed.application, claimed.address].filter(Boolean).join(', ') || undefined],
    ['target', `${session.target}/${session.database}`],
    ['opened', moment(session.opened)],
    ['closed', session.closed === undefined ? 'still open' : `${moment(session.closed)}: ${session.cause ?? ''}`],
    [
      'ledger',
      `entry ${session.openEntry}${session.sealEntry === undefined ? '' : ` to ${session.sealEntry}`}${session.log === undefined ? '' : ` of ${session.log}`}`,
    ],
    ['asked', session.met.map(asked).join('; ') || undefined],
    ['recorded', `${session.recordedBytes} bytes${session.recording ? `, rule ${session.recording.rule}` : ''}`],
    ['not kept', notKept(session.recording)],
  ]);
  printLine(io);
  const rows = statements.items.map((one): Cell[] => [
    one.sequence,
    moment(one.at),
    ruled(one.ruling),
    one.rules.join(' '),
    one.text === '' ? one.kind : one.text,
    [
      one.outcome ? outcomeWords(one.outcome) : (one.reason ?? (one.approval ? `request ${one.approval}` : '')),
      shadowWords(one.shadow),
    ]
      .filter(Boolean)
      .join('; '),
  ]);
  await printTable(io, ['#', 'at', 'ruling', 'rules', 'statement', 'outcome'], rows);
  if (statements.next) printLine(io, `more: --after ${statements.next}`, 'dim');
}
