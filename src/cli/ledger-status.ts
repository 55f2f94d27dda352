// countersign ledger status: how the record stands, as its gateway says it.
import type { Command } from 'commander';
import type { LedgerStatus, ObjectsStatus } from '../api/contract.ts';
import { type ApiChoice, openClient, takesApi } from './api-client.ts';
import { Exit, examples, type Io, printJson, printLine } from './output.ts';
import { span } from './record-words.ts';

export function registerStatus(ledger: Command, io: Io): void {
  const status = takesApi(ledger.command('status'))
    .description('how the record stands: entries, checkpoint, witnesses, disk; exit 1 when something stops the gateway')
    .option('--json', 'print JSON')
    .action(async (choice: ApiChoice & { json?: boolean }) => {
      const of = await openClient(choice, io).get<LedgerStatus>('/api/ledger');
      if (choice.json) printJson(io, of);
      else print(of, io);
      if (healthOf(of) !== 'healthy') throw new Exit(1);
    });
  examples(status, [
    ['Is everything recorded', 'countersign ledger status --url https://countersign.example.org'],
    ['For monitoring', 'countersign ledger status --json'],
  ]);
}

/** In the order of what it stops. */
function healthOf({ state, disk }: LedgerStatus): 'healthy' | 'stopped' | 'slow' | 'almost full' {
  if (state === 'stopped') return 'stopped';
  if (disk?.slow !== undefined) return 'slow';
  return disk?.low ? 'almost full' : 'healthy';
}

const consequence = {
  healthy: '',
  stopped: ': nothing is forwarded until it can be written again',
  slow: ': nothing new is forwarded until the disk answers',
  'almost full': ': no session begins until there is room on the disk',
} as const;

function print(of: LedgerStatus, io: Io): void {
  const health = healthOf(of);
  printLine(io, `${health}${consequence[health]}`, health === 'healthy' ? 'green' : 'red');
  const why = of.fault ?? of.disk?.slow;
  if (why !== undefined) printLine(io, `  why         ${why}`);
  printLine(io, `  log         ${of.origin}`);
  const { checkpoint, disk } = of;
  printLine(
    io,
    `  entries     ${of.entries}${checkpoint ? `, ${of.entries - checkpoint.size} not yet under a checkpoint` : ''}`,
  );
  printLine(
    io,
    `  checkpoint  ${checkpoint ? `of ${checkpoint.size} entries, signed ${span(io.now() - checkpoint.at)} ago` : 'none yet'}`,
  );
  for (const { name, at, size } of of.witnesses ?? []) {
    const signed = at === undefined ? 'has not signed yet' : `signed ${size} entries ${span(io.now() - at)} ago`;
    printLine(io, `  witness     ${name} ${signed}`);
  }
  if (disk) printLine(io, `  disk        ${megabytes(disk.free)} free, ${megabytes(disk.reserve)} are kept`);
  printLine(
    io,
    `  keys        ${of.keys.ready} ready, by ${of.keys.provider}${of.keys.failing ? `: ${of.keys.failing}` : ''}`,
  );
  if (of.objects) printCopy(of.objects, io);
}

/** A probe that failed stands out: what is copied may not be safe. */
function printCopy({ store, state, backlog, why, roundFailed, probe }: ObjectsStatus, io: Io): void {
  printLine(io, `  copy        ${store}: ${state}, ${backlog} entries behind`, state === 'up' ? undefined : 'red');
  for (const reason of [why, roundFailed]) if (reason !== undefined) printLine(io, `  why         ${reason}`);
  if (!probe) return;
  const through = Object.entries(probe.attempts).flatMap(([name, result]) =>
    result === 'refused' ? [] : [`${name} ${result}`],
  );
  const words = probe.ok ? 'every attempt to destroy was refused' : `ALARM, not refused: ${through.join(', ')}`;
  printLine(io, `  probe       ${words}, ${span(io.now() - probe.at)} ago`, probe.ok ? undefined : 'red');
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? 'unknown' : `${Math.round(bytes / 1024 / 1024).toLocaleString('en')} MiB`;
}
