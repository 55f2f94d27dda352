// countersign locks list | add | lift: who has no sessions for now, whatever the policies say.
import { type Command, Option } from 'commander';
import type { LockRow, LockWish } from '../api/contract.ts';
import { type ApiChoice, openClient, segment, takesApi } from './api-client.ts';
import { examples, Exit, type Io, printJson, printLine, printTable } from './output.ts';
import { moment } from './record-words.ts';

type Choice = ApiChoice & { readonly json?: boolean };
type AddChoice = Choice &
  Partial<Record<LockWish['kind'], string>> & { readonly reason: string; readonly for?: string };

const kinds = {
  principal: 'issuer|subject',
  owner: 'owner of agents, as their tokens name it',
  group: 'group',
  target: 'name of a target',
} as const;

export function register(program: Command, io: Io): void {
  const locks = program.command('locks').description('cut off a principal, an owner’s agents, a group or a target');

  const list = takesApi(locks.command('list'))
    .description('locks that stand')
    .option('--json', 'print JSON')
    .action(async (choice: Choice) => {
      const { items } = await openClient(choice, io).get<{ items: LockRow[] }>('/api/locks');
      if (choice.json) return printJson(io, items);
      await printTable(
        io,
        ['id', 'against', 'until', 'by', 'since', 'reason'],
        items.map((lock) => [
          lock.id,
          `${lock.kind} ${lock.value}`,
          moment(lock.until) || 'lifted',
          lock.byName,
          moment(lock.at),
          lock.reason,
        ]),
      );
      if (items.length === 0 && io.stdout.isTTY) printLine(io, 'Nobody is locked.');
    });
  examples(list, [['Who is cut off', 'countersign locks list']]);

  const add = takesApi(locks.command('add')).description('end live sessions now and refuse new ones');
  for (const [kind, what] of Object.entries(kinds)) add.addOption(new Option(`--${kind} <value>`, what));
  add
    .requiredOption('--reason <text>', 'why; it is recorded and told to whoever is cut off')
    .option('--for <time>', 'such as 30m, 8h, 2d (default: until it is lifted)')
    .option('--json', 'print JSON')
    .action(async (choice: AddChoice) => {
      const given = (Object.keys(kinds) as LockWish['kind'][]).filter((kind) => choice[kind] !== undefined);
      const [kind] = given;
      if (!kind || given.length > 1) throw new Exit(2, 'Name one of --principal, --owner, --group and --target.');
      const seconds = choice.for === undefined ? {} : { seconds: secondsOf(choice.for) };
      const body: LockWish = { kind, value: choice[kind]!, reason: choice.reason, ...seconds };
      const { lock, ended } = await openClient(choice, io).post<{ lock: LockRow; ended: number }>('/api/locks', body);
      if (choice.json) return printJson(io, { lock, ended });
      printLine(io, `locked ${lock.id}: ${ended} live ${ended === 1 ? 'session' : 'sessions'} ended`, 'bold');
    });
  examples(add, [
    [
      'An agent that runs wild',
      'countersign locks add --principal "https://id.example|bot-7" --reason "runs wild" --for 2h',
    ],
    ['Somebody has left the company', 'countersign locks add --owner ada@shop.example --reason "left"'],
    ['Nobody at this database during an incident', 'countersign locks add --target shop --reason "incident 12"'],
  ]);

  const lift = takesApi(locks.command('lift <id>'))
    .description('let them in again')
    .option('--reason <text>', 'why; it is recorded', '')
    .option('--json', 'print JSON')
    .action(async (id: string, choice: Choice & { reason: string }) => {
      const path = `/api/locks/${segment(id)}/lift`;
      const lock = await openClient(choice, io).post<LockRow>(path, { reason: choice.reason });
      if (choice.json) return printJson(io, lock);
      printLine(io, `lifted: ${lock.kind} ${lock.value}`, 'bold');
    });
  examples(lift, [['When it is over', 'countersign locks lift 8d02b1… --reason "patched"']]);
}

/** `90s`, `30m`, `8h`, `2d` → seconds. */
function secondsOf(text: string): number {
  const [, digits, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (digits === undefined) throw new Exit(2, '--for is a number with s, m, h or d, such as 30m.');
  return Number(digits) * { s: 1, m: 60, h: 3_600, d: 86_400 }[unit as 's' | 'm' | 'h' | 'd'];
}
