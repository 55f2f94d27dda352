// countersign retention plan | shred | hold: how long content lives, over the API: an act is somebody's, with a verified name.
import { type Command, InvalidArgumentError } from 'commander';
import type { HoldRow, RetentionPlan, RetentionReport } from '../api/contract.ts';
import { type ApiChoice, openClient, segment, takesApi } from './api-client.ts';
import { type Cell, examples, Exit, type Io, printJson, printLine, printTable } from './output.ts';
import { moment } from './record-words.ts';

type Choice = ApiChoice & { readonly json?: boolean };

export function register(program: Command, io: Io): void {
  const retention = program.command('retention').description('how long content lives: what is due, what is held');

  const plan = takesApi(retention.command('plan'))
    .description('what would be shredded now, under which rule, and what a hold keeps')
    .option('--json', 'print JSON')
    .action(async (choice: Choice) => {
      const found = await openClient(choice, io).get<RetentionPlan>('/api/retention/plan');
      if (choice.json) return printJson(io, found);
      await printPlan(io, found);
    });
  examples(plan, [['What is due today', 'countersign retention plan']]);

  const shred = takesApi(retention.command('shred'))
    .description('shred what is due: its keys are destroyed, every proof remains; needs an admin group')
    .option('--json', 'print JSON')
    .action(async (choice: Choice) => {
      const report = await openClient(choice, io).post<RetentionReport>('/api/retention/shred', {});
      if (choice.json) return printJson(io, report);
      const { sessions, days, keys, held, entries } = report;
      printLine(io, `shredded ${sessions} sessions and ${days} days outside sessions: ${keys} keys`);
      if (entries.length > 0)
        printLine(io, `recorded as ${entries.length === 1 ? 'entry' : 'entries'} ${entries.join(', ')}`);
      if (held > 0) printLine(io, `${held} more are due and held`);
    });
  examples(shred, [
    ['Look, then shred', 'countersign retention plan && countersign retention shred'],
    ['For a program', 'countersign retention shred --json'],
  ]);

  registerHolds(retention.command('hold').description('legal holds: what they fit is never shredded'), io);
}

interface HoldChoice extends Choice {
  readonly session?: string;
  readonly principal?: string;
  readonly target?: string;
  readonly from?: number;
  readonly to?: number;
  readonly reason: string;
}

function registerHolds(hold: Command, io: Io): void {
  const add = takesApi(hold.command('add'))
    .description('keep what fits all of these, whatever the rules say; needs an admin group')
    .option('--session <id>', 'this session')
    .option('--principal <id>', 'sessions of this principal: issuer|subject')
    .option('--target <name>', 'sessions on this target')
    .option('--from <time>', 'what happened from then on, such as 2026-01-31T00:00Z', time)
    .option('--to <time>', 'what happened up to then', time)
    .requiredOption('--reason <text>', 'why; it is recorded, sealed')
    .option('--json', 'print JSON')
    .action(async ({ url, tokenFile, json, ...wish }: HoldChoice) => {
      const { reason, ...scope } = wish;
      if (Object.keys(scope).length === 0) throw new Exit(2, 'name a session, a principal, a target or a time');
      const placed = await openClient({ url, tokenFile }, io).post<HoldRow>('/api/retention/holds', {
        ...scope,
        reason,
      });
      if (json) return printJson(io, placed);
      printLine(io, `held as ${placed.id} (entry ${placed.entry})`);
    });
  examples(add, [
    ['Keep one session', 'countersign retention hold add --session 4f1c9a… --reason "case 17"'],
    [
      'Keep a quarter of a target',
      'countersign retention hold add --target shop --from 2026-01-01T00:00Z --to 2026-04-01T00:00Z --reason "audit"',
    ],
  ]);

  const list = takesApi(hold.command('list'))
    .description('holds in force; with --all those that are over too')
    .option('--all', 'also released ones')
    .option('--json', 'print JSON')
    .action(async (choice: Choice & { all?: boolean }) => {
      const { items } = await openClient(choice, io).get<{ items: HoldRow[] }>('/api/retention/holds');
      const shown = items.filter((one) => choice.all || one.released === undefined);
      if (choice.json) return printJson(io, { items: shown });
      await printTable(io, ['id', 'since', 'keeps', 'reason', 'by', 'state'], shown.map(holdRow));
      if (shown.length === 0 && io.stdout.isTTY) printLine(io, 'Nothing is held.');
    });
  examples(list, [['What is held', 'countersign retention hold list']]);

  const release = takesApi(hold.command('release <id>'))
    .description('end a hold; needs an admin group')
    .requiredOption('--reason <text>', 'why; it is recorded, sealed')
    .option('--json', 'print JSON')
    .action(async (id: string, choice: Choice & { reason: string }) => {
      await openClient(choice, io).post(`/api/retention/holds/${segment(id)}/release`, { reason: choice.reason });
      if (choice.json) return printJson(io, { id, released: true });
      printLine(io, `released ${id}`);
    });
  examples(release, [['The case is closed', 'countersign retention hold release Yt3k… --reason "case 17 closed"']]);
}

function holdRow(hold: HoldRow): Cell[] {
  const { session, principal, target, from, to } = hold;
  const keeps = [
    session && `session ${session}`,
    principal && `principal ${principal}`,
    target && `target ${target}`,
    from !== undefined && `from ${moment(from)}`,
    to !== undefined && `to ${moment(to)}`,
  ].filter(Boolean);
  const state: Cell =
    hold.released === undefined ? { text: 'in force', tone: 'yellow' } : `released ${moment(hold.released)}`;
  return [hold.id, moment(hold.at), keeps.join(', '), hold.reason, hold.by, state];
}

async function printPlan(io: Io, plan: RetentionPlan): Promise<void> {
  const rows = plan.due.flatMap(({ rule, days, recordings, sessions }) =>
    sessions.map((one): Cell[] => [
      rule,
      one.id,
      one.target,
      moment(one.closed),
      `${days} days after its end${one.labels.length > 0 ? `; labels ${one.labels.join(' ')}` : ''}`,
      recordings === 'delete' ? 'deleted' : 'kept',
    ]),
  );
  await printTable(io, ['rule', 'session', 'target', 'ended', 'why', 'recording'], rows);
  for (const { rule, count, sessions } of plan.due)
    if (count > sessions.length) printLine(io, `${count - sessions.length} more under ${rule}`);
  if (plan.days > 0) printLine(io, `${plan.days} days of what was recorded outside sessions`);
  for (const { session, rule, holds } of plan.held)
    printLine(io, `held: ${session}, due under ${rule}, by ${holds.join(', ')}`, 'yellow');
  const more = plan.heldSessions - plan.held.length;
  if (more > 0) printLine(io, `held: ${more} more`, 'yellow');
  if (plan.heldDays > 0) printLine(io, `held: ${plan.heldDays} days outside sessions`, 'yellow');
  if (plan.due.length === 0 && plan.days === 0 && io.stdout.isTTY) printLine(io, 'Nothing is due.');
}

function time(text: string): number {
  const at = Date.parse(text);
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(at))
    throw new InvalidArgumentError('write a time such as 2026-01-31T00:00Z');
  return at;
}
