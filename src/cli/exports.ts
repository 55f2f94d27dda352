// countersign exports status | test: how far the receivers of events are, over the API.
import type { Command } from 'commander';
import type { ExportRow, ExportTested, Page } from '../api/contract.ts';
import { type ApiChoice, openClient, segment, takesApi } from './api-client.ts';
import { type Cell, examples, Exit, type Io, printJson, printLine, printTable } from './output.ts';
import { span } from './record-words.ts';

type Choice = ApiChoice & { readonly json?: boolean };

export function register(program: Command, io: Io): void {
  const exports = program.command('exports').description('events for other systems');

  const status = takesApi(exports.command('status'))
    .description('how far each receiver is; exit 1 when one cannot be reached')
    .option('--json', 'print JSON')
    .action(async (choice: Choice) => {
      const { items } = await openClient(choice, io).get<Page<ExportRow>>('/api/exports');
      if (choice.json) printJson(io, { items });
      else {
        const heads = ['name', 'to', 'state', 'next entry', 'behind', 'for', 'receipts to', 'error'];
        await printTable(io, heads, items.map(row));
        if (items.length === 0 && io.stdout.isTTY) printLine(io, 'Nothing is exported: see exports in docs/config.md.');
      }
      if (items.some((one) => one.state === 'failing')) throw new Exit(1, '');
    });
  examples(status, [
    ['Is everything delivered?', 'countersign exports status'],
    ['For a check that alerts', 'countersign exports status --json'],
  ]);

  const test = takesApi(exports.command('test <name>'))
    .description('send a test event to one receiver; needs an admin group')
    .option('--json', 'print JSON')
    .action(async (name: string, choice: Choice) => {
      const found = await openClient(choice, io).post<ExportTested>(`/api/exports/${segment(name)}/test`, {});
      if (choice.json) printJson(io, found);
      else if (found.delivered) printLine(io, `${name} took a test event`);
      if (!found.delivered) throw new Exit(1, choice.json ? '' : `${name} did not take it: ${found.error}`);
    });
  examples(test, [['After a change of the configuration', 'countersign exports test siem']]);
}

function row(of: ExportRow): Cell[] {
  const tone = of.state === 'failing' ? 'red' : 'green';
  return [
    of.name,
    of.to,
    { text: of.state, tone },
    String(of.next),
    String(of.lag),
    span(of.lagSeconds * 1_000),
    String(of.receipted),
    of.error ?? '',
  ];
}
